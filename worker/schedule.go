package worker

import (
	"context"
	"sync"
)

// expire closes orders whose time is over, shop after shop, whenever the
// app's clock has moved on.
func (w *Worker) expire(ctx context.Context) {
	patience := map[string]*sitOut{}
	w.every(ctx, func() {
		for _, shop := range w.known(ctx) {
			if p := of(patience, shop); p.turn() {
				p.heard(w.expireShop(ctx, shop))
			}
		}
	})
}

func (w *Worker) expireShop(ctx context.Context, shop string) error {
	// Batch after batch until nothing is due; the limit lets the other shops
	// have their turn, and is far above what a second brings.
	for range maxRounds {
		n, err := w.o.App.ExpireOrders(ctx, shop)
		if err != nil && ctx.Err() == nil {
			w.o.Log.ErrorContext(ctx, "orders could not be expired", "shop", shop, "error", err)
		}
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// query asks the channels about payments, several shops at a time: a channel
// that does not answer keeps only its own shop waiting.
func (w *Worker) query(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	patience := map[string]*sitOut{}
	slots := make(chan struct{}, queryAtOnce)
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
				_, err := w.o.App.QueryPayments(ctx, shop)
				if err != nil && ctx.Err() == nil {
					w.o.Log.ErrorContext(ctx, "payments could not be asked about", "shop", shop, "error", err)
				}
				p.heard(err)
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
