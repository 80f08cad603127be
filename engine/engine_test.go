package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

// faulty puts faults between the engine and the store.
type faulty struct {
	unit.Store
	mu     sync.Mutex
	commit func(n int, c *unit.Changes) (err error, write bool) // n counts commits from 1
	n      int
	hold   chan struct{} // if set, Begin waits for it
	begun  chan struct{} // and says that it does
}

func (f *faulty) Begin(ctx context.Context, shop string, n unit.Needs) (unit.Unit, *unit.Loaded, error) {
	if f.hold != nil {
		f.begun <- struct{}{}
		<-f.hold
	}
	u, l, err := f.Store.Begin(ctx, shop, n)
	return &faultyUnit{u, f}, l, err
}

type faultyUnit struct {
	unit.Unit
	f *faulty
}

func (u *faultyUnit) Rollback() {
	if u.Unit != nil {
		u.Unit.Rollback()
	}
}

func (u *faultyUnit) Commit(ctx context.Context, c *unit.Changes) error {
	u.f.mu.Lock()
	u.f.n++
	n := u.f.n
	u.f.mu.Unlock()
	if u.f.commit != nil {
		if err, write := u.f.commit(n, c); err != nil {
			if !write {
				return err
			}
			if failed := u.Unit.Commit(ctx, c); failed != nil {
				return failed
			}
			return err
		}
	}
	return u.Unit.Commit(ctx, c)
}

// stock reads what is on hand of A.
func stock(t *testing.T, r *harness.Harness) inventory.Data {
	t.Helper()
	d, err := r.Store.Sku(t.Context(), shop.Default, "A")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func add(r *harness.Harness, key string, delta int64) error {
	_, _, err := r.AdjustStock(context.Background(), shop.Default, "A", key, delta)
	return err
}

// TestFaultyCommits: whatever a commit says, every command happens exactly
// once or is refused.
func TestFaultyCommits(t *testing.T) {
	conflict := fmt.Errorf("%w: injected", unit.ErrConflict)
	unknown := fmt.Errorf("%w: injected", unit.ErrCommitUnknown)
	for _, tt := range []struct {
		name   string
		commit func(n int, c *unit.Changes) (error, bool)
		key    string
	}{
		{"conflicts twice", func(n int, _ *unit.Changes) (error, bool) { return pick(n <= 2, conflict), false }, ""},
		{"unknown, was written, no key", func(n int, _ *unit.Changes) (error, bool) { return pick(n == 1, unknown), true }, ""},
		{"unknown, was written, with a key", func(n int, _ *unit.Changes) (error, bool) { return pick(n == 1, unknown), true }, "k"},
		{"unknown, was not written", func(n int, _ *unit.Changes) (error, bool) { return pick(n == 1, unknown), false }, ""},
		{"unknown twice, then conflict", func(n int, _ *unit.Changes) (error, bool) {
			if n == 3 {
				return conflict, false
			}
			return pick(n <= 2, unknown), false
		}, "k"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				f := &faulty{}
				r := open(func(s unit.Store) unit.Store { f.Store = s; return f })
				r.Sku("A", 100, 10)
				f.n, f.commit = 0, tt.commit
				if err := add(r, tt.key, 5); err != nil {
					t.Fatal(err)
				}
				if d := stock(t, r); d.OnHand != 15 {
					t.Errorf("%d on hand, want 15", d.OnHand)
				}
				r.Audit()
			})
		})
	}
}

func pick(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

// TestBatch: what gathers while the engine is busy shares one commit, sees
// what came before it, and one that is refused, panics or cannot be saved
// hurts nobody else.
func TestBatch(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		f := &faulty{}
		r := open(func(s unit.Store) unit.Store { f.Store = s; return f })
		r.Sku("A", 100, 10)
		f.hold, f.begun = make(chan struct{}), make(chan struct{}, 1000)
		var poisoned atomic.Bool
		f.commit = func(_ int, c *unit.Changes) (error, bool) {
			_, keys := unit.Written(c, rows.Keys)
			for _, k := range keys {
				if k.Key == "poison" {
					poisoned.Store(true)
					return errors.New("cannot be saved"), false
				}
			}
			return nil, false
		}
		results := make([]error, 40)
		var done sync.WaitGroup
		for range r.Committers {
			// Keep every committer busy with one command, so that the rest gathers.
			done.Go(func() {
				if err := add(r, "", 1); err != nil {
					t.Error(err)
				}
			})
			<-f.begun
		}
		for i := range results {
			done.Go(func() {
				switch {
				case i == 7:
					results[i] = add(r, "poison", 1000)
				case i == 9:
					c := &app.Command{Shop: shop.Default, Name: "panics", Needs: app.Needs{rows.Skus.Keys("A")}}
					_, results[i] = app.Run(context.Background(), r.App, c, func(tx *app.Tx) error {
						s, _ := tx.Sku("A")
						_ = s.Adjust(500)
						tx.PutSku(s)
						panic("a defect")
					})
				case i%2 == 0:
					results[i] = add(r, "", 1)
				default:
					results[i] = add(r, harness.Key(i), -1000) // more than there is
				}
			})
		}
		for r.Engine.QueueLength() < len(results) {
			runtime.Gosched()
		}
		close(f.hold)
		done.Wait()
		for i, err := range results {
			switch {
			case i == 7 || i == 9:
				if !fault.Is(err, fault.Internal) {
					t.Errorf("%d: %v", i, err)
				}
			case i%2 == 0:
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			case !fault.Is(err, fault.OutOfStock):
				t.Errorf("%d: %v", i, err)
			}
		}
		if d, want := stock(t, r), int64(30+r.Committers); d.OnHand != want || !poisoned.Load() {
			t.Errorf("%d on hand, want %d; poisoned %v", d.OnHand, want, poisoned.Load())
		}
		r.Audit()
	})
}

// TestFull: a full queue refuses at once, and serves again.
func TestFull(t *testing.T) {
	open := harness.Postgres(t)
	f := &faulty{}
	r := open(func(s unit.Store) unit.Store { f.Store = s; return f })
	r.Sku("A", 100, 10)
	f.hold, f.begun = make(chan struct{}), make(chan struct{}, 10_000)
	const most = 4096
	var refused, done atomic.Int64
	var wg sync.WaitGroup
	for range most + 2*256 + 100 {
		wg.Go(func() {
			err := add(r, "", 1)
			switch e := fault.From(err); {
			case err == nil:
				done.Add(1)
			case e.Code == fault.RateLimited && e.RetryAfter > 0:
				if refused.Add(1) == 1 {
					close(f.hold) // only a refusal lets the others through
				}
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if refused.Load() == 0 {
		t.Error("nobody was refused")
	}
	if d := stock(t, r); d.OnHand != 10+done.Load() {
		t.Errorf("%d on hand, want %d", d.OnHand, 10+done.Load())
	}
	r.Audit()
}

// TestTwoInstances: two engines on one database, one hot sku, no lost unit.
func TestTwoInstances(t *testing.T) {
	open := harness.Postgres(t)
	one, two := open(nil), open(nil)
	one.Sku("A", 100, 0)
	errs := harness.Together(200, func(i int) error {
		if i%2 == 0 {
			return add(one, harness.Key(i), 1)
		}
		return add(two, "", 1)
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if d := stock(t, one); d.OnHand != 200 {
		t.Errorf("%d on hand, want 200", d.OnHand)
	}
	one.Audit()
}
