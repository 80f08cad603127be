package app

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
)

const (
	// cacheFresh is how long an instance uses what it has cached: a change
	// made by another is in force here within this time. Orders do not depend
	// on it: every batch reads its rows, and the version of the rules with them.
	cacheFresh = 500 * time.Millisecond

	// maxCached is how many skus, and how many users, of one shop are kept in
	// memory: 10 MB at most, as they usually are.
	maxCached = 20_000
)

// priceReader reads what a price depends on.
type priceReader interface {
	ReadPriceInputs(ctx context.Context, shop string, n *PriceInputNeeds) (*PriceInputs, error)
}

// CatalogueCache is what an instance caches of a shop between quotes: skus and
// users as they are at one version of the catalogue. All of it is right as
// long as the version is: there is nothing to expire one by one. It is safe
// for use by many at once, and its zero value is empty.
type CatalogueCache struct {
	mu      sync.Mutex
	shop    shop.Shop
	version int64     // of the catalogue
	checked time.Time // when the version was last known to be the newest; zero: it may not be
	changes int       // made here since the start
	skus    map[string]inventory.Data
	users   map[string]shop.User
}

// PriceInputs is what a price depends on, at most half a second behind a change made
// by another instance and never behind one that Changed was called for. What
// nobody uses up (attributes of skus and users) is cached; coupons and counters
// are read each time. What has to be read is read at one moment, in one round
// trip.
//
// The stock in PriceInputs.Skus is as old as their description: it is not for use.
func (s *CatalogueCache) PriceInputs(ctx context.Context, store priceReader, shop string, n *PriceInputNeeds) (*PriceInputs, error) {
	f, version, missing, changes := s.lookup(n)
	if missing == nil {
		return f, nil
	}
	read, err := store.ReadPriceInputs(ctx, shop, missing)
	if err != nil {
		return nil, err
	}
	s.put(missing, read, changes)
	if known := len(n.Skus) > len(missing.Skus) || n.User != missing.User; known && read.Counters[CatalogueCounter] != version {
		// The cached part is of another version than what was read.
		if f, err = store.ReadPriceInputs(ctx, shop, n); err == nil {
			s.put(n, f, changes)
		}
		return f, err
	}
	read.Skus = append(read.Skus, f.Skus...)
	if missing.User == "" {
		read.User = f.User
	}
	return read, nil
}

// lookup finds what is cached. missing is what has to be read, nil for
// nothing.
func (s *CatalogueCache) lookup(n *PriceInputNeeds) (f *PriceInputs, version int64, missing *PriceInputNeeds, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f = &PriceInputs{Shop: s.shop, Skus: make([]inventory.Data, 0, len(n.Skus))}
	m := &PriceInputNeeds{Coupons: n.Coupons, Counters: n.Counters, Wallet: n.Wallet}
	for _, id := range n.Skus {
		if d, ok := s.skus[id]; ok {
			f.Skus = append(f.Skus, d)
		} else {
			m.Skus = append(m.Skus, id)
		}
	}
	if n.User != "" {
		var ok bool
		if f.User, ok = s.users[n.User]; !ok {
			m.User = n.User
		}
	}
	if time.Since(s.checked) < cacheFresh && len(m.Skus)+len(m.Coupons)+len(m.Counters) == 0 && m.User == "" && m.Wallet == nil {
		m = nil
	}
	return f, s.version, m, s.changes
}

// put caches what was read. changes is what lookup said before the reading:
// if something was changed here since, it may have been read as it was before.
func (s *CatalogueCache) put(n *PriceInputNeeds, f *PriceInputs, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	version := f.Counters[CatalogueCounter]
	if version < s.version {
		return
	}
	if version > s.version || s.skus == nil {
		s.skus, s.users = map[string]inventory.Data{}, map[string]shop.User{}
	}
	s.version = version
	if f.Shop.RulesVersion >= s.shop.RulesVersion {
		s.shop = f.Shop
	}
	if changes == s.changes {
		s.checked = time.Now()
	}
	if len(s.skus) > maxCached {
		clear(s.skus)
	}
	for i := range f.Skus {
		s.skus[f.Skus[i].Sku] = f.Skus[i]
	}
	if len(s.users) > maxCached {
		clear(s.users)
	}
	if n.User != "" {
		s.users[n.User] = f.User
	}
}

// Changed says that a commit made here changed the catalogue or the rules.
func (s *CatalogueCache) Changed() {
	s.mu.Lock()
	s.changes++
	s.checked = time.Time{}
	s.mu.Unlock()
}
