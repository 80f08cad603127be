// Package worker runs what the clock asks for: orders and coupons that expire,
// instalments that fall due, payments and refunds about which a channel is to
// be asked, channels' keys that age, days to reconcile. (What follows a commit
// is package outbox's.)
//
// It promises:
//
//   - Nothing depends on who runs it: several instances may run all of it at
//     once.
//   - A shop that fails sits out turns, more each time; the others go on.
//     Shops take turns.
//   - All of it ends with Run's context, and nothing of it outlives Run.
//
// Costs: five goroutines. An idle shop costs seven queries every
// ScheduleEvery, on each instance. That suits hundreds of shops on an
// instance, not tens of thousands.
//
// A million coupons that expire at once take three minutes, in which other
// commands of the shop are a fifth fewer (measured on two cores).
//
// The schedule is the app's clock, so that a clock that is moved brings
// forward what became due.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/shop"
)

// App is what the worker runs. *app.App is one.
type App interface {
	ExpireOrders(ctx context.Context, shop string) (int, error)
	ExpireCoupons(ctx context.Context, shop string) (int, error)
	RemindInstalments(ctx context.Context, shop string) (int, error)
	QueryPayments(ctx context.Context, shop string) (int, error)
	RunRefunds(ctx context.Context, shop string) (int, error)
	RefreshChannels(ctx context.Context, shop string) (int, error)
	RunJobs(ctx context.Context, shop string) (int, error)
}

// Reconciler reconciles days of channels. *bills.Reconciler is one.
type Reconciler interface {
	ReconcileDue(ctx context.Context, shop string) (int, error)
}

// Options of New. Zero fields take the defaults given.
type Options struct {
	App   App
	Bills Reconciler // nil reconciles nothing
	Shops func(ctx context.Context) ([]shop.Shop, error)
	Clock app.Clock // of the schedule
	Log   *slog.Logger

	ScheduleEvery time.Duration // of Clock: 1 s
}

// Fixed limits.
const (
	shopsFresh = time.Second // how long a list of shops is used
	maxRounds  = 64          // of one chore for one shop in one turn
	// Of coupons that expire, 2,000 a round: they are out of use already, so
	// nobody waits, and a million of them may be due at once.
	couponRounds = 3
	callRounds   = 8 // of one that calls the channels
	callsAtOnce  = 8 // shops for which one such chore runs at a time
)

// Worker runs the loops. It is safe for use by many at once.
type Worker struct {
	o Options

	jobs chan struct{} // some were enqueued

	mu    sync.Mutex
	shops []string
	read  time.Time // when shops was
}

// New makes a worker.
func New(o Options) *Worker {
	if o.ScheduleEvery <= 0 {
		o.ScheduleEvery = time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Worker{o: o, jobs: make(chan struct{}, 1)}
}

// WakeJobs says that jobs were enqueued or put off: those that are due run at
// once. It never blocks.
func (w *Worker) WakeJobs() {
	select {
	case w.jobs <- struct{}{}:
	default:
	}
}

// Run runs until ctx ends and everything has stopped. What runs at that time
// is given up; what it asked of the engine takes effect or not.
func (w *Worker) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { w.turns(ctx) })
	for _, c := range w.outside() {
		wg.Go(func() { w.calls(ctx, c) })
	}
	wg.Wait()
	return nil
}

// known are the shops, read anew once a second at most. When the store does
// not answer, those known before will do.
func (w *Worker) known(ctx context.Context) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.read.IsZero() && time.Since(w.read) < shopsFresh {
		return w.shops
	}
	w.read = time.Now() // a failure is not repeated at once either
	found, err := w.o.Shops(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.o.Log.WarnContext(ctx, "the worker cannot list the shops", "error", err)
		}
		return w.shops
	}
	names := make([]string, len(found))
	for i := range found {
		names[i] = found[i].ID
	}
	w.shops = names
	return names
}
