package app_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/engine"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// reading counts how often facts are read, and may hold a reader up after it
// has read.
type reading struct {
	harness.Store
	reads atomic.Int64
	after func()
}

func (s *reading) ReadPriceInputs(ctx context.Context, shop string, n *app.PriceInputNeeds) (*app.PriceInputs, error) {
	s.reads.Add(1)
	f, err := s.Store.ReadPriceInputs(ctx, shop, n)
	if s.after != nil {
		s.after()
	}
	return f, err
}

// catalogueChanges are all that can change a price, each with what one unit
// of A costs user u then. One runs after the other.
var catalogueChanges = []struct {
	name   string
	change func(a *app.App) error
	price  int64
}{
	{"a price", func(a *app.App) error { return define(a, inventory.Definition{Name: "A", Price: 2000}) }, 2000},
	{"a promotion for gold", func(a *app.App) error {
		half := money.Percent(5000)
		return third(a.PutPromotion(context.Background(), shop.Default, "", pricing.Promotion{ID: "p", Name: "p", Kind: "percent_off", PercentOff: &half, UserLevels: []string{"gold"}}, true))
	}, 2000},
	{"a user's level", func(a *app.App) error { return putUser(a, shop.User{ID: "u", Level: "gold"}) }, 1000},
	{"a promotion for a tag and a category", func(a *app.App) error {
		quarter := money.Percent(2500)
		return third(a.PutPromotion(context.Background(), shop.Default, "", pricing.Promotion{
			ID: "p", Name: "p", Kind: "percent_off", PercentOff: &quarter, UserTags: []string{"new"}, Scope: &pricing.Scope{Categories: []string{"tea"}},
		}, false))
	}, 2000},
	{"a user's tags", func(a *app.App) error { return putUser(a, shop.User{ID: "u", Tags: []string{"new"}}) }, 2000},
	{"a category", func(a *app.App) error {
		return define(a, inventory.Definition{Name: "A", Price: 2000, Categories: []string{"tea"}})
	}, 1500},
	{"a promotion's end", func(a *app.App) error { return a.DeletePromotion(context.Background(), shop.Default, "p") }, 2000},
}

func define(a *app.App, d inventory.Definition) error {
	_, err := a.PutSku(context.Background(), shop.Default, "A", d)
	return err
}

func putUser(a *app.App, u shop.User) error {
	_, err := a.PutUser(context.Background(), shop.Default, u)
	return err
}

func third[A, B any](_ A, _ B, err error) error { return err }

func cost(t *testing.T, a *app.App) int64 {
	t.Helper()
	q, err := a.Quote(context.Background(), shop.Default, app.Cart{User: "u", Items: []app.Item{{Sku: "A", Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	return q.Payable
}

// TestFactsOfOurOwn: what was changed here is in force for the next quote,
// and what was not is not read again.
func TestFactsOfOurOwn(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		s := &reading{}
		r := open(func(store unit.Store) unit.Store { s.Store = store.(harness.Store); return s })
		r.Sku("A", 1000, 10)
		if c := cost(t, r.App); c != 1000 {
			t.Fatalf("%d", c)
		}
		for _, tt := range catalogueChanges {
			if err := tt.change(r.App); err != nil {
				t.Fatal(err)
			}
			if c := cost(t, r.App); c != tt.price {
				t.Errorf("after %s: %d, want %d", tt.name, c, tt.price)
			}
		}
		// Stock moves with every order, and no price depends on it.
		began, before := time.Now(), s.reads.Load()
		if _, _, err := r.AdjustStock(context.Background(), shop.Default, "A", "", 5); err != nil {
			t.Fatal(err)
		}
		quotes := int64(0)
		for ; quotes < 20; quotes++ {
			cost(t, r.App)
		}
		if read := s.reads.Load() - before; read > 1+int64(time.Since(began)/(500*time.Millisecond)) {
			t.Errorf("%d quotes read %d times", quotes, read)
		}
		r.Audit()
	})
}

// TestFactsOfOthers: a quote that begins a second after another instance's
// change was answered knows of it.
func TestFactsOfOthers(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := open(nil)
		r.Sku("A", 1000, 10)
		caches := &app.Caches{Store: r.Store}
		e := engine.New(r.Store, rows.Schema, engine.Options{Clock: r.Clock, Committers: r.Committers, Prepare: caches.Prepare, Committed: caches.Committed})
		t.Cleanup(e.Close)
		other := &app.App{Engine: e, Store: r.Store, PriceInputs: caches.PriceInputs, Clock: r.Clock, Rand: r.Rand, Log: r.Log, Tracer: r.Tracer}
		for _, tt := range catalogueChanges {
			was := cost(t, r.App)
			if err := tt.change(other); err != nil {
				t.Fatal(err)
			}
			changed := time.Now()
			for {
				began := time.Now()
				c := cost(t, r.App)
				if c == tt.price {
					break
				}
				if c != was {
					t.Fatalf("%s: %d, neither %d nor %d", tt.name, c, was, tt.price)
				}
				if late := began.Sub(changed); late > time.Second {
					t.Fatalf("%s: still %d after %s", tt.name, c, late)
				}
			}
		}
		r.Audit()
	})
}

// TestFactsReadBefore: what was read before a change and comes back after it
// is forgotten.
func TestFactsReadBefore(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		s := &reading{}
		r := open(func(store unit.Store) unit.Store { s.Store = store.(harness.Store); return s })
		r.Sku("A", 1000, 10)
		for _, tt := range catalogueChanges {
			var changed error
			done := false
			s.after = func() {
				if !done {
					done = true
					changed = tt.change(r.App)
				}
			}
			for !done { // until the cache is read
				cost(t, r.App)
			}
			s.after = nil
			if changed != nil {
				t.Fatal(changed)
			}
			if c := cost(t, r.App); c != tt.price {
				t.Errorf("%s: %d, want %d", tt.name, c, tt.price)
			}
		}
		r.Audit()
	})
}
