package app

import (
	"context"
	"sync"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// Caches keep what prices are made of in memory, shop by shop: the rules, and
// what skus and users are. Their methods Prepare and Committed are the
// engine's hooks. The zero value with a Store is ready; it is safe for use by
// many at once.
type Caches struct {
	Store interface {
		LoadRules(ctx context.Context, shop string) (*marketing.Rules, error)
		ReadPriceInputs(ctx context.Context, shop string, n *PriceInputNeeds) (*PriceInputs, error)
	}

	mu    sync.Mutex
	shops map[string]*shopCache
}

type shopCache struct {
	mu        sync.Mutex
	rules     *marketing.Rules
	catalogue CatalogueCache // for quotes
}

func (c *Caches) of(shop string) *shopCache {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shops[shop]
	if s == nil {
		if c.shops == nil {
			c.shops = map[string]*shopCache{}
		}
		s = &shopCache{}
		c.shops[shop] = s
	}
	return s
}

// env is what decisions go by beside rows.
type env struct{ rules *marketing.Rules }

// Prepare gives a batch the rules of the version that it has loaded.
func (c *Caches) Prepare(ctx context.Context, shop string, l *unit.Loaded) (any, error) {
	rules, err := c.rulesAt(ctx, shop, unit.Of(l, rows.Shop)[0].RulesVersion)
	return env{rules}, err
}

// rulesAt returns the snapshot of a version, or a newer one.
func (c *Caches) rulesAt(ctx context.Context, shop string, version int64) (*marketing.Rules, error) {
	s := c.of(shop)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rules == nil || s.rules.Version < version {
		rules, err := c.Store.LoadRules(ctx, shop)
		if err != nil {
			return nil, err
		}
		s.rules = rules
	}
	return s.rules, nil
}

// Committed drops from the caches what a commit has changed.
func (c *Caches) Committed(changes *unit.Changes) {
	rulesChanged := changes.Touches(rows.RuleVersions)
	catalogueChanged := rulesChanged
	if changes.Touches(rows.Counters) {
		_, counters := unit.Written(changes, rows.Counters)
		for _, n := range counters {
			catalogueChanged = catalogueChanged || n.Name == CatalogueCounter
		}
	}
	if !rulesChanged && !catalogueChanged {
		return
	}
	s := c.of(changes.Shop)
	if rulesChanged {
		s.mu.Lock()
		s.rules = nil
		s.mu.Unlock()
	}
	s.catalogue.Changed()
}

// PriceInputs is what a price depends on (see CatalogueCache), with the rules
// to price by: those of the version that was found with the rest, or newer
// ones.
func (c *Caches) PriceInputs(ctx context.Context, shop string, n *PriceInputNeeds) (*PriceInputs, *marketing.Rules, error) {
	f, err := c.of(shop).catalogue.PriceInputs(ctx, c.Store, shop, n)
	if err != nil {
		return nil, nil, err
	}
	rules, err := c.rulesAt(ctx, shop, f.Shop.RulesVersion)
	return f, rules, err
}
