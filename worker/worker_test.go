package worker_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/worker"
)

func TestMain(m *testing.M) { harness.Main(m) }

// fake is an app in which nothing is due but what a test says.
type fake struct {
	expired func(shop string) (int, error)
	queried func(ctx context.Context, shop string) (int, error)
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
func (f *fake) RunJobs(context.Context, string) (int, error)           { return 0, nil }
func (f *fake) RefreshChannels(context.Context, string) (int, error)   { return 0, nil }
func (f *fake) ReconcileDue(context.Context, string) (int, error)      { return 0, nil }

// clock is an app.Clock; in a bubble it is the bubble's.
type clock struct{}

func (clock) Now() time.Time                         { return time.Now() }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// run runs a worker in a bubble until the test's body is over.
func run(t *testing.T, shops []string, change func(*worker.Options), body func(w *worker.Worker, f *fake)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		o := worker.Options{
			App: f, Bills: f, Clock: clock{}, Log: slog.New(slog.DiscardHandler),
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

// Nothing outlives Run. (A bubble would not end with a goroutine left in it;
// this is the same with the computer's clock.)
func TestLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := &fake{}
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
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
