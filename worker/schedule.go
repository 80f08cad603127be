package worker

import (
	"context"
	"sync"
)

// turns runs what is due in the store alone, shop after shop, whenever the
// app's clock has advanced: orders and coupons that expire, instalments that
// are announced.
func (w *Worker) turns(ctx context.Context) {
	pauses := map[string]*pause{}
	w.every(ctx, nil, func() {
		for _, shop := range w.known(ctx) {
			if p := pauseOf(pauses, shop); p.turn() {
				p.result(w.turn(ctx, shop))
			}
		}
	})
}

func (w *Worker) turn(ctx context.Context, shop string) error {
	for _, c := range []task{
		{"orders could not be expired", w.o.App.ExpireOrders, nil},
		{"instalments could not be announced", w.o.App.RemindInstalments, nil},
	} {
		if err := w.rounds(ctx, c, shop, maxRounds); err != nil {
			return err
		}
	}
	return w.rounds(ctx, task{"coupons could not be expired", w.o.App.ExpireCoupons, nil}, shop, couponRounds)
}

// task is due from time to time; do returns how much it did.
type task struct {
	failed string // the log's message when it fails
	do     func(ctx context.Context, shop string) (int, error)
	woken  <-chan struct{} // runs it before its time; may be nil
}

// rounds runs a task batch after batch until nothing is due. The limit lets the
// other shops have their turn; it is far above what becomes due in a second.
func (w *Worker) rounds(ctx context.Context, c task, shop string, limit int) error {
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

// outside are the tasks that call the channels.
func (w *Worker) outside() []task {
	all := []task{
		{"jobs could not be run", w.o.App.RunJobs, w.jobs},
		{"payments could not be queried", w.o.App.QueryPayments, nil},
		{"refunds could not be continued", w.o.App.RunRefunds, nil},
		{"channels' keys could not be refreshed", w.o.App.RefreshChannels, nil},
	}
	if w.o.Bills != nil {
		all = append(all, task{"a day could not be reconciled", w.o.Bills.ReconcileDue, nil})
	}
	return all
}

// calls runs one task that calls the channels, several shops at a time: a
// channel that does not answer keeps only its own shop waiting.
func (w *Worker) calls(ctx context.Context, c task) {
	var wg sync.WaitGroup
	defer wg.Wait()
	pauses := map[string]*pause{}
	slots := make(chan struct{}, callsAtOnce)
	w.every(ctx, c.woken, func() {
		for _, shop := range w.known(ctx) {
			p := pauseOf(pauses, shop)
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
				p.result(w.rounds(ctx, c, shop, callRounds))
				p.busy(false)
			})
		}
	})
}

// every runs do at once and then each time that the clock has passed
// ScheduleEvery, or woken says so. The wait begins before the work: a clock that is moved while
// the work runs is not missed.
func (w *Worker) every(ctx context.Context, woken <-chan struct{}, do func()) {
	for ctx.Err() == nil {
		tick := w.o.Clock.After(w.o.ScheduleEvery)
		do()
		select {
		case <-ctx.Done():
		case <-tick:
		case <-woken:
		}
	}
}

// pause makes a shop that fails again and again skip turns: 0, 1, 3, 7, …
type pause struct {
	mu      sync.Mutex
	failed  int
	left    int // turns to skip
	running bool
}

func pauseOf(all map[string]*pause, shop string) *pause {
	if all[shop] == nil {
		all[shop] = &pause{}
	}
	return all[shop]
}

// turn reports whether the shop is to be served this time.
func (s *pause) turn() bool {
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

const maxPause = 5 // 31 turns

func (s *pause) result(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.failed, s.left = 0, 0
		return
	}
	s.failed++
	s.left = 1<<min(s.failed-1, maxPause) - 1
}

func (s *pause) busy(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = is
}
