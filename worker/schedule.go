package worker

import (
	"context"
	"sync"
)

// turns does what the clock asks for in the store alone, shop after shop,
// whenever the app's clock has moved on: orders that expire, parts that are
// announced, coupons that expire.
func (w *Worker) turns(ctx context.Context) {
	patience := map[string]*sitOut{}
	w.every(ctx, func() {
		for _, shop := range w.known(ctx) {
			if p := of(patience, shop); p.turn() {
				p.heard(w.turn(ctx, shop))
			}
		}
	})
}

func (w *Worker) turn(ctx context.Context, shop string) error {
	for _, c := range []chore{
		{"orders could not be expired", w.o.App.ExpireOrders},
		{"instalments could not be announced", w.o.App.RemindInstalments},
	} {
		if err := w.rounds(ctx, c, shop, maxRounds); err != nil {
			return err
		}
	}
	return w.rounds(ctx, chore{"coupons could not be expired", w.o.App.ExpireCoupons}, shop, couponRounds)
}

// chore is something that is due from time to time; it says how much it did.
type chore struct {
	failed string // what the log says when it fails
	do     func(ctx context.Context, shop string) (int, error)
}

// rounds does a chore batch after batch until nothing is due; the limit lets
// the other shops have their turn, and is far above what a second brings.
func (w *Worker) rounds(ctx context.Context, c chore, shop string, limit int) error {
	for range limit {
		n, err := c.do(ctx, shop)
		if err != nil && ctx.Err() == nil {
			w.o.Log.ErrorContext(ctx, c.failed, "shop", shop, "error", err)
		}
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// outside are the chores that call the channels.
func (w *Worker) outside() []chore {
	all := []chore{
		{"payments could not be asked about", w.o.App.QueryPayments},
		{"refunds could not be brought on", w.o.App.RunRefunds},
		{"channels' keys could not be refreshed", w.o.App.RefreshChannels},
	}
	if w.o.Bills != nil {
		all = append(all, chore{"a day could not be reconciled", w.o.Bills.ReconcileDue})
	}
	return all
}

// calls does one chore that calls the channels, several shops at a time: a
// channel that does not answer keeps only its own shop waiting.
func (w *Worker) calls(ctx context.Context, c chore) {
	var wg sync.WaitGroup
	defer wg.Wait()
	patience := map[string]*sitOut{}
	slots := make(chan struct{}, callsAtOnce)
	w.every(ctx, func() {
		for _, shop := range w.known(ctx) {
			p := of(patience, shop)
			if !p.turn() {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			p.busy(true)
			wg.Go(func() {
				defer func() { <-slots }()
				p.heard(w.rounds(ctx, c, shop, callRounds))
				p.busy(false)
			})
		}
	})
}

// every does it at once and then each time that the clock has passed
// ScheduleEvery. The wait begins before the work: a clock that is moved while
// the work runs is not missed.
func (w *Worker) every(ctx context.Context, do func()) {
	for ctx.Err() == nil {
		tick := w.o.Clock.After(w.o.ScheduleEvery)
		do()
		select {
		case <-ctx.Done():
		case <-tick:
		}
	}
}

// sitOut has a shop that fails again and again sit out turns: 0, 1, 3, 7, …
type sitOut struct {
	mu      sync.Mutex
	failed  int
	left    int // turns to sit out
	running bool
}

func of(all map[string]*sitOut, shop string) *sitOut {
	if all[shop] == nil {
		all[shop] = &sitOut{}
	}
	return all[shop]
}

// turn says whether the shop is to be served this time.
func (s *sitOut) turn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return false
	}
	if s.left > 0 {
		s.left--
		return false
	}
	return true
}

const maxSitOut = 5 // 31 turns

func (s *sitOut) heard(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.failed, s.left = 0, 0
		return
	}
	s.failed++
	s.left = 1<<min(s.failed-1, maxSitOut) - 1
}

func (s *sitOut) busy(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = is
}
