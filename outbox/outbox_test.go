package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

func TestMain(m *testing.M) { harness.Main(m) }

var ctx = context.Background()

// world is a shop in whose log a test writes what it likes.
type world struct {
	*harness.Harness
	t *testing.T
}

func each(t *testing.T, f func(w *world)) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		f(&world{open(nil), t})
	})
}

// write commits a record about an order, or about none.
func (w *world) write(order string, types ...event.Type) {
	w.t.Helper()
	u, _, err := w.Store.Begin(ctx, shop.Default, nil)
	w.must(err)
	r := event.Record{Order: order, At: w.Clock.Now()}
	for _, t := range types {
		r.Events = append(r.Events, event.Event{Type: t, Order: order})
	}
	w.must(u.Commit(ctx, &unit.Changes{Shop: shop.Default, Now: w.Clock.Now(), Records: []event.Record{r}}))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) same(what string, want, got any) {
	w.t.Helper()
	if fmt.Sprint(want) != fmt.Sprint(got) {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func (w *world) outbox(f ...outbox.Follower) *outbox.Outbox {
	return outbox.New(outbox.Options{Store: w.Store, Engine: w.Engine, Followers: f, Clock: w.Clock, Log: slog.New(slog.DiscardHandler)})
}

// catchUp tries as often as it takes for every record to be done or parked.
func (w *world) catchUp(b *outbox.Outbox) {
	w.t.Helper()
	var err error
	for range 10 * outbox.Attempts {
		if err = b.CatchUp(ctx, shop.Default); err == nil {
			return
		}
	}
	w.t.Fatal(err)
}

func (w *world) parked(b *outbox.Outbox) (ids []string) {
	w.t.Helper()
	found, _, err := b.Parked(ctx, shop.Default, "", app.Page{})
	w.must(err)
	for _, r := range found {
		ids = append(ids, fmt.Sprintf("%s/%d", r.ID, r.Attempts))
	}
	return ids
}

// notes is a follower that writes down whose records it did, as a command or
// as a plain function, and fails for those that it is told to.
type notes struct {
	mu   sync.Mutex
	did  []string
	fail map[string]error // by order
}

func (n *notes) note(order string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.fail[order]; err != nil {
		return err
	}
	n.did = append(n.did, order)
	return nil
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	did := n.did
	n.did = nil
	return did
}

func (n *notes) follower(f outbox.Follower) outbox.Follower {
	f.Name = "notes"
	f.Deliver = func(_ context.Context, r *event.Record) error { return n.note(r.Order) }
	return f
}

// sold is a follower whose commands count in a sku what they did, so that what
// is done twice shows.
func sold(fail func(e *event.Event) error) outbox.Follower {
	return outbox.Follower{
		Name: "sold", Types: []event.Type{event.OrderPaid}, OrderWaits: true,
		Needs: func(_ *event.Event, n *app.Needs) { n.Add(rows.Skus.Keys("A")) },
		Apply: func(tx *app.Tx, e *event.Event) error {
			if err := fail(e); err != nil {
				return err
			}
			s, err := tx.Sku("A")
			if err == nil {
				err = s.Adjust(1)
				tx.PutSku(s)
			}
			return err
		},
	}
}

func (w *world) stock() int64 {
	w.t.Helper()
	var d inventory.Data
	d, err := w.Store.Sku(ctx, shop.Default, "A")
	w.must(err)
	return d.OnHand
}

// What a follower wants and where it begins, one line a case. The log is
// "order:type", + is where it looks first.
func TestFollows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		f      outbox.Follower
		before []string
		after  []string
		want   []string
	}{
		{"every record", outbox.Follower{}, []string{"a", "b"}, []string{"c"}, []string{"a", "b", "c"}},
		{"one at a time", outbox.Follower{Batch: 1}, []string{"a", "b"}, []string{"c"}, []string{"a", "b", "c"}},
		{"some types", outbox.Follower{Types: []event.Type{event.OrderPaid}}, []string{"a", "b paid"}, []string{"c", "d paid"}, []string{"b paid", "d paid"}},
		{"from now on", outbox.Follower{Begin: outbox.Now}, []string{"a", "b"}, []string{"c"}, []string{"c"}},
		{"from now on, in an empty log", outbox.Follower{Begin: outbox.Now}, nil, []string{"c"}, []string{"c"}},
		{"from now on, some types", outbox.Follower{Begin: outbox.Now, Types: []event.Type{event.OrderPaid}}, []string{"a paid"}, []string{"b", "c paid"}, []string{"c paid"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(w *world) {
				var n notes
				b := w.outbox(n.follower(tt.f))
				for _, records := range [][]string{tt.before, tt.after} {
					for _, name := range records {
						kind := event.OrderPlaced
						if len(name) > 1 {
							kind = event.OrderPaid
						}
						w.write(name, event.StockReserved, kind)
					}
					w.catchUp(b)
				}
				w.same("did", tt.want, n.take())
				w.catchUp(w.outbox(n.follower(tt.f))) // another instance, or the same after a restart
				w.same("did again", 0, len(n.take()))
			})
		})
	}
}

// A record that fails is parked, what is about other orders goes on, and what
// is about the same order waits if the follower says so; a retry does it.
func TestParks(t *testing.T) {
	for _, waits := range []bool{true, false} {
		t.Run(fmt.Sprint("order waits ", waits), func(t *testing.T) {
			each(t, func(w *world) {
				n := notes{fail: map[string]error{"bad": errors.New("defect")}}
				b := w.outbox(n.follower(outbox.Follower{OrderWaits: waits}))
				for _, order := range []string{"a", "bad", "b", "bad", ""} {
					w.write(order, event.OrderPlaced)
				}
				w.catchUp(b)
				did := n.take()
				w.same("did", []string{"a", "b", ""}, slices.Compact(did))
				want := map[bool]string{true: "[notes-2/5 notes-4/0]", false: "[notes-2/5 notes-4/5]"}[waits]
				w.same("parked", want, w.parked(b))

				err := b.Retry(ctx, shop.Default, "notes-2")
				w.same("a retry that fails", true, fault.Is(err, fault.Conflict))
				if first := w.parked(b)[0]; first != "notes-2/6" {
					t.Errorf("after it %s", first)
				}
				oldest, err := b.Oldest(ctx, shop.Default)
				w.must(err)
				w.same("the oldest that is needed", 2, oldest)

				n.fail = nil
				w.must(b.Retry(ctx, shop.Default, "notes-2"))
				if !waits {
					w.must(b.Retry(ctx, shop.Default, "notes-4"))
				}
				w.same("after a retry", []string{"bad", "bad"}, n.take())
				w.same("parked still", 0, len(w.parked(b)))
				w.same("gone", true, fault.Is(b.Retry(ctx, shop.Default, "notes-2"), fault.NotFound))
				oldest, err = b.Oldest(ctx, shop.Default)
				w.must(err)
				w.same("the oldest then", 6, oldest)
			})
		})
	}
}

// A person has seen to a record: it counts as done, and what waits is done.
func TestDismiss(t *testing.T) {
	each(t, func(w *world) {
		w.Sku("A", 100, 10)
		broken := true
		b := w.outbox(sold(func(e *event.Event) error {
			if broken {
				panic("defect")
			}
			return nil
		}))
		w.write("x", event.OrderPaid)
		w.write("x", event.OrderPaid)
		w.catchUp(b)
		parked := w.parked(b)
		if len(parked) != 2 || w.stock() != 10 {
			t.Fatalf("parked %v, stock %d", parked, w.stock())
		}
		broken = false
		first, _, err := b.Parked(ctx, shop.Default, "sold", app.Page{Limit: 1})
		w.must(err)
		w.must(b.Dismiss(ctx, shop.Default, first[0].ID))
		w.same("parked still", 0, len(w.parked(b)))
		w.same("one was done, one dismissed", 11, w.stock())
	})
}

// A failure that is not the record's parks nothing.
func TestOutage(t *testing.T) {
	each(t, func(w *world) {
		var n notes
		b := outbox.New(outbox.Options{
			Store: w.Store, Engine: away{}, Followers: []outbox.Follower{n.follower(outbox.Follower{})}, Clock: w.Clock, Log: slog.New(slog.DiscardHandler),
		})
		w.write("a", event.OrderPlaced)
		for range 3 * outbox.Attempts {
			if err := b.CatchUp(ctx, shop.Default); !errors.Is(err, errAway) {
				t.Fatal(err)
			}
		}
		w.same("parked", 0, len(w.parked(b)))
	})
}

var errAway = errors.New("the database is away")

type away struct{}

func (away) Do(context.Context, *app.Command) (unit.Result, error) { return unit.Result{}, errAway }

// A type that a newer release wrote waits for an instance that knows it.
func TestUnknownType(t *testing.T) {
	each(t, func(w *world) {
		var n notes
		b := w.outbox(n.follower(outbox.Follower{Types: []event.Type{event.OrderPaid}}))
		w.write("a", event.OrderPaid)
		w.write("b", "order.teleported")
		w.write("c", event.OrderPaid)
		for range 2 * outbox.Attempts {
			if err := b.CatchUp(ctx, shop.Default); err == nil {
				t.Fatal("it did not say so")
			}
		}
		w.same("did", "[a]", n.take())
		w.same("parked", 0, len(w.parked(b)))
		lags, err := b.Measure(ctx)
		w.must(err)
		w.same("the lag", 2, lags[0].Records)
	})
}

// A follower that does not run is seen, by its age too.
func TestLag(t *testing.T) {
	each(t, func(w *world) {
		var n notes
		b := w.outbox(n.follower(outbox.Follower{Types: []event.Type{event.OrderPaid}}))
		w.write("a", event.OrderPaid)
		w.catchUp(b)
		for _, tt := range []struct {
			name    string
			write   []event.Type
			records int64
			age     time.Duration
		}{
			{"caught up", nil, 0, 0},
			{"what it does not want", []event.Type{event.OrderPlaced}, 0, 0},
			{"one that it wants", []event.Type{event.OrderPaid}, 1, time.Minute},
			{"and one more that it does not", []event.Type{event.OrderPlaced}, 2, 2 * time.Minute},
		} {
			if tt.write != nil {
				w.write("b", tt.write...)
			}
			w.Clock.Advance(time.Minute)
			lags, err := b.Measure(ctx)
			w.must(err)
			if l := lags[0]; l.Follower != "notes" || l.Records != tt.records || l.Age.Round(time.Second) != tt.age {
				t.Errorf("%s: %+v", tt.name, l)
			}
		}
	})
}

// Records that nobody wants do not move the cursor one by one, and are not
// read from the beginning again.
func TestStoresNowAndThen(t *testing.T) {
	each(t, func(w *world) {
		var n notes
		b := w.outbox(n.follower(outbox.Follower{Types: []event.Type{event.OrderPaid}}))
		var c unit.Changes
		for range outbox.StoreEvery - 1 {
			c.Records = append(c.Records, event.Record{Order: "a", At: w.Clock.Now(), Events: []event.Event{{Type: event.OrderPlaced}}})
		}
		u, _, err := w.Store.Begin(ctx, shop.Default, nil)
		w.must(err)
		w.must(u.Commit(ctx, &c))
		w.catchUp(b)
		_, began, err := w.Store.Cursor(ctx, shop.Default, "notes")
		w.must(err)
		w.same("stored", false, began)
		w.write("a", event.OrderPlaced)
		w.catchUp(b)
		at, _, err := w.Store.Cursor(ctx, shop.Default, "notes")
		w.must(err)
		w.same("stored", outbox.StoreEvery, at)

		before, err := outbox.Before(ctx, w.Store, shop.Default, w.Clock.Now().Add(-time.Hour))
		w.must(err)
		w.same("older than an hour", 0, before)
		w.Clock.Advance(2 * time.Hour)
		w.write("b", event.OrderPaid)
		before, err = outbox.Before(ctx, w.Store, shop.Default, w.Clock.Now().Add(-time.Hour))
		w.must(err)
		w.same("older than an hour, later", outbox.StoreEvery, before)
	})
}

// Two instances that follow everything do everything once.
func TestTwoInstances(t *testing.T) {
	each(t, func(w *world) {
		w.Sku("A", 100, 0)
		const records = 120
		var all sync.WaitGroup
		run, stop := context.WithCancel(ctx)
		instances := []*outbox.Outbox{}
		for range 2 {
			b := outbox.New(outbox.Options{
				Store: w.Store, Engine: w.Engine, Followers: []outbox.Follower{sold(func(e *event.Event) error {
					if e.Order == "bad" {
						return errors.New("defect")
					}
					return nil
				})}, Clock: w.Clock, Log: slog.New(slog.DiscardHandler), LookEvery: 10 * time.Millisecond,
			})
			instances = append(instances, b)
			all.Go(func() {
				if err := b.Run(run); err != nil {
					t.Error(err)
				}
			})
		}
		for i := range records {
			order := fmt.Sprint(i % 7)
			if i == 60 {
				order = "bad"
			}
			w.write(order, event.OrderPaid)
			instances[i%2].Wake(shop.Default, []event.Record{{Events: []event.Event{{Type: event.OrderPaid}}}})
		}
		for end := time.Now().Add(3 * time.Minute); w.stock() < records-1; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d of %d", w.stock(), records-1)
			}
		}
		stop()
		all.Wait()
		w.same("each once", records-1, w.stock())
		w.same("parked once", 1, len(w.parked(instances[0])))
	})
}

// A transaction that runs long in another database of the server holds nobody
// up: where positions were transactions' numbers, it did.
func TestLongTransactionElsewhere(t *testing.T) {
	w := &world{harness.Postgres(t)(nil), t}
	long, err := pgx.Connect(ctx, harness.NewPostgres(t))
	w.must(err)
	defer long.Close(ctx)
	_, err = long.Exec(ctx, "BEGIN; SELECT pg_current_xact_id()")
	w.must(err)

	var n notes
	b := w.outbox(n.follower(outbox.Follower{}))
	w.write("a", event.OrderPaid)
	w.write("b", event.OrderPaid)
	w.must(b.CatchUp(ctx, shop.Default))
	w.same("did", "[a b]", n.take())
}
