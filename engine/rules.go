package engine

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
)

// rulesFresh is how old a snapshot may be for a quote: a change made by
// another instance is in force here within this time. Orders do not depend
// on it: every batch reads the rules' version with its rows.
const rulesFresh = 500 * time.Millisecond

// rulesAt returns the snapshot of a version, or a newer one.
func (l *lane) rulesAt(ctx context.Context, version int64) (*marketing.Rules, error) {
	l.rulesMu.Lock()
	defer l.rulesMu.Unlock()
	if l.rules == nil || l.rules.Version < version {
		rules, err := l.e.store.LoadRules(ctx, l.shop)
		if err != nil {
			return nil, err
		}
		l.rules = rules
	}
	l.checked = time.Now()
	return l.rules, nil
}

func (l *lane) forgetRules() {
	l.rulesMu.Lock()
	l.rules = nil
	l.rulesMu.Unlock()
}

// Rules is the newest snapshot of a shop's rules, at most half a second
// behind a change made by another instance, and never behind one made here.
func (e *Engine) Rules(ctx context.Context, shop string) (*marketing.Rules, error) {
	l, err := e.lane(shop)
	if err != nil {
		return nil, err
	}
	l.rulesMu.Lock()
	rules, fresh := l.rules, time.Since(l.checked) < rulesFresh
	l.rulesMu.Unlock()
	if rules != nil && fresh {
		return rules, nil
	}
	version, err := e.store.RulesVersion(ctx, shop)
	if err != nil {
		return nil, fault.From(err)
	}
	return l.rulesAt(ctx, version)
}
