package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/worker"
)

func TestMain(m *testing.M) { harness.Main(m) }

// fake is an app whose log is a count of records for each shop, and which
// writes down when it was asked for what.
type fake struct {
	mu      sync.Mutex
	start   time.Time
	waiting map[string]int // records that reactions can see
	rounds  []round
	fail    map[string]error
	slow    time.Duration // of a round
	expired func(shop string) (int, error)
	queried func(ctx context.Context, shop string) (int, error)
}

type round struct {
	reaction, shop string
	at             time.Duration
	n              int
}

func newFake() *fake {
	return &fake{start: time.Now(), waiting: map[string]int{}, fail: map[string]error{}}
}

func (f *fake) React(ctx context.Context, shop string, r *app.Reaction) (int, error) {
	at := time.Since(f.start)
	if f.slow > 0 {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(f.slow):
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(f.waiting[shop], app.ReactionBatch)
	if f.fail[shop] == nil {
		f.waiting[shop] -= n
	}
	f.rounds = append(f.rounds, round{r.Name, shop, at, n})
	return n, f.fail[shop]
}

func (f *fake) ExpireOrders(_ context.Context, shop string) (int, error) {
	if f.expired == nil {
		return 0, nil
	}
	return f.expired(shop)
}

func (f *fake) QueryPayments(ctx context.Context, shop string) (int, error) {
	if f.queried == nil {
		return 0, nil
	}
	return f.queried(ctx, shop)
}

func (f *fake) ExpireCoupons(context.Context, string) (int, error)     { return 0, nil }
func (f *fake) RemindInstalments(context.Context, string) (int, error) { return 0, nil }
func (f *fake) RunRefunds(context.Context, string) (int, error)        { return 0, nil }
func (f *fake) RefreshChannels(context.Context, string) (int, error)   { return 0, nil }
func (f *fake) ReconcileDue(context.Context, string) (int, error)      { return 0, nil }

func (f *fake) commit(shop string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting[shop] += n
}

func (f *fake) setFail(shop string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[shop] = err
}

// take returns the rounds since it was last called.
func (f *fake) take() []round {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rounds
	f.rounds = nil
	return r
}

// clock is an app.Clock; in a bubble it is the bubble's.
type clock struct{}

func (clock) Now() time.Time                         { return time.Now() }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

var ending = []event.Record{{Events: []event.Event{{Type: event.OrderPaid}}}}

// run runs a worker in a bubble until the test's body is over.
func run(t *testing.T, shops []string, change func(*worker.Options), body func(w *worker.Worker, f *fake)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		o := worker.Options{
			App: f, Bills: f, Clock: clock{}, Log: slog.New(slog.DiscardHandler), Reactions: []app.Reaction{{Name: "r", On: []event.Type{event.OrderPaid}}},
			Shops: func(context.Context) ([]shop.Shop, error) {
				var out []shop.Shop
				for _, s := range shops {
					out = append(out, shop.Shop{ID: s})
				}
				return out, nil
			},
		}
		if change != nil {
			change(&o)
		}
		w := worker.New(o)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		synctest.Wait()
		body(w, f)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What nobody announced is found by the look, at its pace and no faster.
func TestLooksWithoutWake(t *testing.T) {
	run(t, []string{"s1"}, nil, func(w *worker.Worker, f *fake) {
		f.take()
		f.commit("s1", 450)
		time.Sleep(600 * time.Millisecond)
		rounds := f.take()
		want := []int{200, 200, 50, 0}
		if len(rounds) != len(want) {
			t.Fatalf("%+v", rounds)
		}
		for i, r := range rounds {
			if r.n != want[i] || i < 3 && r.at != 500*time.Millisecond {
				t.Errorf("round %d: %+v", i, r)
			}
		}
		time.Sleep(10 * time.Second)
		if n := len(f.take()); n != 20 {
			t.Errorf("%d looks in ten seconds", n)
		}
	})
}

func TestWakeActsAtOnce(t *testing.T) {
	var lags []time.Duration
	run(t, []string{"s1"}, func(o *worker.Options) {
		o.Observe = func(_, _ string, lag time.Duration) { lags = append(lags, lag) }
	}, func(w *worker.Worker, f *fake) {
		time.Sleep(123 * time.Millisecond)
		f.take()
		f.commit("s1", 1)
		w.Wake("s1", ending)
		rounds := f.take()
		if len(rounds) != 1 || rounds[0].n != 1 || rounds[0].at != 123*time.Millisecond {
			t.Fatalf("%+v", rounds)
		}
		w.Wake("s1", []event.Record{{Events: []event.Event{{Type: event.PaymentCreated}}}})
		time.Sleep(4 * time.Millisecond)
		if rounds := f.take(); len(rounds) != 0 {
			t.Errorf("what no reaction follows woke one: %+v", rounds)
		}
	})
	if len(lags) != 1 || lags[0] != 0 {
		t.Errorf("lags %v", lags)
	}
}

// A record that does not show yet is looked for again shortly, and not for
// ever.
func TestRecordBelowTheHorizon(t *testing.T) {
	run(t, []string{"s1"}, func(o *worker.Options) { o.ReactEvery = time.Hour }, func(w *worker.Worker, f *fake) {
		f.take()
		w.Wake("s1", ending)
		time.Sleep(9 * time.Millisecond)
		f.commit("s1", 1)
		time.Sleep(20 * time.Millisecond)
		rounds := f.take()
		found := rounds[4]
		if found.n != 1 || found.at > 20*time.Millisecond {
			t.Errorf("found late: %+v", rounds)
		}
		w.Wake("s1", ending) // this one never shows: another instance followed it
		time.Sleep(time.Minute)
		if n := len(f.take()); n != 7 {
			t.Errorf("%d looks for what is gone", n)
		}
	})
}

// When events pour in, rounds stay apart and follow many at once.
func TestGathersUnderLoad(t *testing.T) {
	run(t, []string{"s1"}, nil, func(w *worker.Worker, f *fake) {
		f.take()
		for range 1000 {
			f.commit("s1", 1)
			w.Wake("s1", ending)
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(time.Second)
		total, last := 0, -time.Hour
		rounds := f.take()
		for _, r := range rounds {
			if r.n > 0 && r.at-last < 5*time.Millisecond {
				t.Errorf("rounds at %v and %v", last, r.at)
			}
			if total += r.n; r.n > 0 {
				last = r.at
			}
		}
		if total != 1000 || len(rounds) > 30 {
			t.Errorf("%d records in %d rounds", total, len(rounds))
		}
	})
}

// A failing shop backs off whoever wakes it, and keeps nobody waiting.
func TestBackoff(t *testing.T) {
	run(t, []string{"bad", "good"}, nil, func(w *worker.Worker, f *fake) {
		f.take()
		f.setFail("bad", errors.New("defect"))
		f.commit("bad", 1)
		for range 60_000 { // one minute
			f.commit("good", 1)
			w.Wake("good", ending)
			w.Wake("bad", ending)
			time.Sleep(time.Millisecond)
		}
		bad, good := 0, 0
		for _, r := range f.take() {
			if r.shop == "bad" {
				bad++
			} else {
				good += r.n
			}
		}
		if bad < 8 || bad > 12 || good < 59_990 {
			t.Errorf("bad was tried %d times, good followed %d records", bad, good)
		}
		f.setFail("bad", nil)
		time.Sleep(31 * time.Second)
		healed := false
		for _, r := range f.take() {
			healed = healed || r.shop == "bad" && r.n == 1
		}
		if !healed {
			t.Error("bad is never tried again")
		}
	})
}

// A shop with a long backlog does not keep another waiting.
func TestShopsTakeTurns(t *testing.T) {
	run(t, []string{"big", "small"}, nil, func(w *worker.Worker, f *fake) {
		f.take()
		f.slow = 10 * time.Millisecond
		f.commit("big", 100*app.ReactionBatch)
		w.Wake("big", ending)
		time.Sleep(95 * time.Millisecond)
		f.commit("small", 1)
		w.Wake("small", ending)
		time.Sleep(5 * time.Second)
		for i, r := range f.take() {
			if r.shop == "small" && r.n == 1 {
				if r.at > 130*time.Millisecond {
					t.Errorf("small waited until %v", r.at)
				}
				return
			} else if i > 15 {
				break
			}
		}
		t.Error("small did not get its turn")
	})
}

func TestEveryReactionRuns(t *testing.T) {
	run(t, []string{"s1"}, func(o *worker.Options) { o.Reactions = nil }, func(w *worker.Worker, f *fake) {
		ran := map[string]bool{}
		for _, r := range f.take() {
			ran[r.reaction] = true
		}
		for _, r := range app.Reactions {
			if !ran[r.Name] {
				t.Errorf("%s did not run", r.Name)
			}
		}
	})
}

// Nothing outlives Run. (A bubble would not end with a goroutine left in it;
// this is the same with the computer's clock.)
func TestLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := newFake()
	f.queried = func(ctx context.Context, _ string) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	w := worker.New(worker.Options{
		App: f, Bills: f, Clock: clock{}, Log: slog.New(slog.DiscardHandler),
		Shops: func(context.Context) ([]shop.Shop, error) { return []shop.Shop{{ID: "s1"}}, nil },
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for range 100 {
		f.commit("s1", 1)
		w.Wake("s1", ending)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.Wake("s1", ending) // too late, and harmless
}
