// Package harness puts a whole backend together for tests: the real commands over a
// real database, a clock that can be moved, and a channel whose gateway is in
// memory. It is for tests of everything below HTTP; tests of the whole start
// the binary.
package harness

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bills"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/engine"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/telemetry"
)

// Store is what either database gives.
type Store interface {
	unit.Store
	app.Reader
	app.Admin
}

// Harness is a backend under test.
type Harness struct {
	*app.App
	*bills.Reconciler
	T      testing.TB
	Store  Store
	Engine *engine.Engine
	Outbox *outbox.Outbox // of the reactions; it does not run by itself
	Clock  *clock.Movable
	Gate   *Gate
	Caches *app.Caches

	Committers int
}

// New puts a backend together over a migrated store with the default shop.
// wrap may put faults between the engine and the store; nil puts none.
func New(t testing.TB, s Store, committers int, wrap func(unit.Store) unit.Store) *Harness {
	t.Helper()
	if wrap == nil {
		wrap = func(s unit.Store) unit.Store { return s }
	}
	log := slog.New(slog.DiscardHandler)
	tracer, _ := telemetry.NewTracer()
	c := clock.New()
	if err := s.EnsureShop(t.Context(), shop.Shop{ID: shop.Default, Name: "test", Currency: "CNY", CreatedAt: c.Now()}); err != nil {
		t.Fatal(err)
	}
	wrapped := wrap(s)
	caches := &app.Caches{Store: s}
	if w, ok := wrapped.(Store); ok {
		caches.Store = w
	}
	e := engine.New(wrapped, rows.Schema, engine.Options{
		Clock: c, Committers: committers, Log: log, Prepare: caches.Prepare, Committed: caches.Committed,
	})
	gate := NewGate(c.Now)
	a := &app.App{
		Engine: e, Store: s, PriceInputs: caches.PriceInputs, Channels: gate, Clock: c, Rand: rand.Reader,
		Tokens: app.NewTokens(make([]byte, 32)), Log: log, Tracer: tracer, PublicURL: "http://127.0.0.1",
	}
	r := &Harness{T: t, Committers: committers, Store: s, Engine: e, Clock: c, Gate: gate, Caches: caches, App: a, Reconciler: bills.New(a)}
	r.Outbox = outbox.New(outbox.Options{Store: s, Engine: e, Followers: outbox.Reactions(app.Reactions), Clock: c, Log: log})
	t.Cleanup(e.Close)
	return r
}

// Sku puts a sku with stock and a price in minor units.
func (r *Harness) Sku(id string, price, stock int64) {
	r.T.Helper()
	if _, err := r.PutSku(context.Background(), shop.Default, id, inventory.Definition{Name: id, Price: price, Stock: &stock}); err != nil {
		r.T.Fatal(err)
	}
}

// Cart is one unit of a sku for a user.
func Cart(user, sku string, coupons ...string) app.PlaceOrder {
	return app.PlaceOrder{Cart: app.Cart{User: user, Items: []app.Item{{Sku: sku, Quantity: 1}}, Coupons: coupons}}
}

// React lets every reaction catch up with the log.
func (r *Harness) React() {
	r.T.Helper()
	if err := r.Outbox.CatchUp(context.Background(), shop.Default); err != nil {
		r.T.Fatal(err)
	}
}

// Audit lets the reactions catch up and fails the test for every offence.
func (r *Harness) Audit() *audit.Report {
	r.T.Helper()
	r.React()
	report, err := audit.Run(context.Background(), r.Store, shop.Default, outbox.Reactions(app.Reactions))
	if err != nil {
		r.T.Fatal(err)
	}
	for _, o := range report.Offences {
		r.T.Errorf("invariant %d: %s: %s", o.Invariant, o.Subject, o.Message)
	}
	prices, err := audit.Prices(context.Background(), r.Store, shop.Default, nil)
	if err != nil {
		r.T.Fatal(err)
	}
	for _, o := range prices.Offences {
		r.T.Errorf("price: %s: %s", o.Subject, o.Message)
	}
	if report.Pending != 0 {
		r.T.Errorf("the followers have %d things to do still", report.Pending)
	}
	r.listed()
	return report
}

// listed fails the test for every event with a member that its type is not
// said to have, or whose payload lacks what every event of its type has.
func (r *Harness) listed() {
	r.T.Helper()
	var q app.EventQuery
	for q.Limit = 1000; ; {
		records, err := r.Store.Events(context.Background(), shop.Default, q)
		if err != nil {
			r.T.Fatal(err)
		}
		if len(records) == 0 {
			return
		}
		for i := range records {
			q.After = records[i].Position
			body, err := format.Events.Encode(&records[i].Events)
			if err != nil {
				r.T.Fatal(err)
			}
			var events []map[string]any
			if err := json.Unmarshal(body, &events); err != nil {
				r.T.Fatal(err)
			}
			for j, e := range events {
				t := records[i].Events[j].Type
				names, _ := format.EventMembers(t)
				for name := range e {
					if name != "type" && !slices.Contains(names, name) {
						r.T.Errorf("%s has the member %s, which format does not list", t, name)
					}
				}
				data, err := json.Marshal(format.Payload(&records[i].Events[j]))
				if err != nil {
					r.T.Fatal(err)
				}
				if t == event.OrderPartiallyPaid && records[i].Events[j].User == "" {
					r.T.Errorf("%s has no user", t)
				}
				for _, empty := range []string{`:""`, `"seq":0`, `"dueAt":"0001-`} {
					if strings.Contains(string(data), empty) {
						r.T.Errorf("%s is sent without a member that all events of its type have: %s", t, data)
					}
				}
			}
		}
	}
}

// Together runs f n times at once and returns the errors, by place.
func Together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	start := make(chan struct{})
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// Key is an idempotency key for a number.
func Key(i int) string { return fmt.Sprintf("key-%d-%d", i, time.Now().UnixNano()) }
