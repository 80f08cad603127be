// Package worker runs what one instance does by itself: the reactions that
// follow events, and what the clock asks for: orders and coupons that expire,
// instalments that fall due, payments and refunds about which a channel is to be asked,
// channels' keys that age, days to reconcile.
//
// It promises:
//
//   - A reaction runs soon after the commit that it follows: Wake starts it,
//     and a look every ReactEvery finds what nobody announced — another
//     instance's commits, or those from before a restart.
//   - Nothing depends on who runs it: several instances may run all of it at
//     once. A reaction moves its position in the transaction of what it does,
//     so that an instance that comes second does nothing.
//   - A shop that fails waits, longer each time and up to maxBackoff, however
//     often it is woken; the others go on. Shops take turns.
//   - Under load the rounds of one reaction and shop are at least Gather
//     apart, so that a few commits follow many.
//   - All of it ends with Run's context, and nothing of it outlives Run.
//
// Costs: one goroutine for each reaction and five for the clock. An idle shop
// costs two queries for each reaction every ReactEvery and seven every
// ScheduleEvery, on each instance. That suits hundreds of shops on an
// instance, not tens of thousands.
//
// A million coupons that expire at once take three minutes, in which other
// commands of the shop are a fifth fewer (measured on two cores).
//
// Limits: one reaction's shops wait for each other while a round runs. The
// pace of reactions is the computer's time; the schedule is the app's clock,
// so that a clock that is moved brings forward what became due.
package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/shop"
)

// App is what the worker runs. *app.App is one.
type App interface {
	React(ctx context.Context, shop string, r *app.Reaction) (int, error)
	ExpireOrders(ctx context.Context, shop string) (int, error)
	ExpireCoupons(ctx context.Context, shop string) (int, error)
	RemindInstalments(ctx context.Context, shop string) (int, error)
	QueryPayments(ctx context.Context, shop string) (int, error)
	RunRefunds(ctx context.Context, shop string) (int, error)
	RefreshChannels(ctx context.Context, shop string) (int, error)
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

	Reactions     []app.Reaction // app.Reactions
	ReactEvery    time.Duration  // looks without a Wake: 500 ms
	ScheduleEvery time.Duration  // of Clock: 1 s
	Gather        time.Duration  // between rounds of one reaction and shop: 5 ms

	// Observe is called after each round that followed something. lag is the
	// time since the oldest Wake that it answers; what nobody announced
	// counts from the round's beginning. It may be nil and must not block.
	Observe func(reaction, shop string, lag time.Duration)
}

// Fixed limits.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 30 * time.Second
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
	o     Options
	loops []*loop

	mu    sync.Mutex
	shops []string
	read  time.Time // when shops was
}

// New makes a worker.
func New(o Options) *Worker {
	o.ReactEvery = or(o.ReactEvery, 500*time.Millisecond)
	o.ScheduleEvery = or(o.ScheduleEvery, time.Second)
	o.Gather = or(o.Gather, 5*time.Millisecond)
	if o.Reactions == nil {
		o.Reactions = app.Reactions
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Observe == nil {
		o.Observe = func(string, string, time.Duration) {}
	}
	w := &Worker{o: o}
	for i := range o.Reactions {
		w.loops = append(w.loops, &loop{
			w: w, reaction: &o.Reactions[i], lanes: map[string]*lane{}, woken: make(chan struct{}, 1),
		})
	}
	return w
}

func or(v, def time.Duration) time.Duration {
	if v <= 0 {
		return def
	}
	return v
}

// Wake is an app.Wake: it has the reactions follow what was committed. It
// never blocks.
func (w *Worker) Wake(shop string, records []event.Record) {
	now := time.Now()
	for _, l := range w.loops {
		n := 0
		for i := range records {
			if wants(l.reaction, &records[i]) {
				n++
			}
		}
		if n > 0 {
			l.announce(shop, n, now)
		}
	}
}

func wants(r *app.Reaction, record *event.Record) bool {
	return slices.ContainsFunc(record.Events, func(e event.Event) bool { return slices.Contains(r.On, e.Type) })
}

// Run runs until ctx ends and everything has stopped. A round that runs at
// that time is given up; what it asked of the engine takes effect or not, as
// the log will tell.
func (w *Worker) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range w.loops {
		wg.Go(func() { l.run(ctx) })
	}
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

// backoff is how long to wait after that many failures in a row.
func backoff(failed int) time.Duration {
	return min(maxBackoff, minBackoff<<min(failed-1, 16))
}
