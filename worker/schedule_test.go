package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/worker"
)

func TestSchedule(t *testing.T) {
	var mu sync.Mutex
	backlog, expired, queried := 1000, 0, 0
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.expired = func(string) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			expired++
			n := min(200, backlog)
			backlog -= n
			return n, nil
		}
		f.queried = func(context.Context, string) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			queried++
			return 100 * (queried % 2), nil
		}
		w := worker.New(worker.Options{
			App: f, Bills: f, Clock: clock{}, Log: slog.New(slog.DiscardHandler),
			Shops: func(context.Context) ([]shop.Shop, error) { return []shop.Shop{{ID: "s1"}}, nil },
		})
		ctx, stop := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer stop()
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	// At 0 s the whole backlog, a batch at a time; then a look each second.
	if backlog != 0 || expired != 6+4 || queried != 2*5 {
		t.Errorf("backlog %d, expired %d times, queried %d times", backlog, expired, queried)
	}
}

// jumping is a clock that stands still until it is moved.
type jumping struct {
	mu      sync.Mutex
	waiting []chan time.Time
}

func (c *jumping) Now() time.Time { return time.Time{} }
func (c *jumping) After(time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.waiting = append(c.waiting, ch)
	return ch
}

func (c *jumping) jump() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.waiting {
		ch <- time.Time{}
	}
	c.waiting = nil
}

// A clock that is moved, even in the middle of a turn, brings the next turn.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := &jumping{}, &fake{}
		turns := make(chan string, 100)
		proceed := make(chan bool)
		f.expired = func(string) (int, error) {
			turns <- "expire"
			<-proceed
			return 0, nil
		}
		w := worker.New(worker.Options{
			App: f, Bills: f, Clock: c, Log: slog.New(slog.DiscardHandler),
			Shops: func(context.Context) ([]shop.Shop, error) { return []shop.Shop{{ID: "s1"}}, nil },
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		<-turns
		c.jump() // while the first turn runs
		proceed <- true
		<-turns
		proceed <- true
		time.Sleep(time.Hour) // the clock stands
		if len(turns) != 0 {
			t.Error("a turn though the clock stood")
		}
		c.jump()
		<-turns
		proceed <- true
		stop()
		<-done
	})
}

// A channel that hangs keeps neither expiry nor other shops waiting, and does
// not pile up.
func TestSlowChannel(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	expired := 0
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.queried = func(ctx context.Context, shop string) (int, error) {
			mu.Lock()
			asked[shop]++
			mu.Unlock()
			if shop == "hangs" {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return 0, nil
		}
		f.expired = func(string) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			expired++
			return 0, errors.New("fails")
		}
		w := worker.New(worker.Options{
			App: f, Bills: f, Clock: clock{}, Log: slog.New(slog.DiscardHandler),
			Shops: func(context.Context) ([]shop.Shop, error) { return []shop.Shop{{ID: "hangs"}, {ID: "well"}}, nil },
		})
		ctx, stop := context.WithTimeout(t.Context(), 100500*time.Millisecond)
		defer stop()
		_ = w.Run(ctx)
	})
	if asked["hangs"] != 1 || asked["well"] != 101 {
		t.Errorf("asked %v", asked)
	}
	if expired < 2*6 || expired > 2*9 {
		t.Errorf("a failing shop was tried %d times", expired)
	}
}

// While the shops cannot be listed, those known before are served.
func TestShopsAway(t *testing.T) {
	var away bool
	var mu sync.Mutex
	run(t, nil, func(o *worker.Options) {
		o.Shops = func(context.Context) ([]shop.Shop, error) {
			mu.Lock()
			defer mu.Unlock()
			if away {
				return nil, errors.New("away")
			}
			return []shop.Shop{{ID: "s1"}}, nil
		}
	}, func(w *worker.Worker, f *fake) {
		served := 0
		mu.Lock()
		f.expired = func(string) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			served++
			return 0, nil
		}
		away = true
		mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if served != 10 {
			t.Errorf("served %d times", served)
		}
	})
}
