package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// enqueue stores jobs with a change of their own.
func enqueue(t *testing.T, r *harness.Harness, jobs ...app.Job) {
	t.Helper()
	_, err := app.Run(ctx, r.App, &app.Command{Shop: shop.Default, Name: "enqueue"}, func(tx *app.Tx) error {
		for _, j := range jobs {
			tx.Enqueue(j)
		}
		return nil
	})
	must(t)(nil, err)
}

func runJobs(t *testing.T, r *harness.Harness) int {
	t.Helper()
	n, err := r.RunJobs(ctx, shop.Default)
	must(t)(nil, err)
	return n
}

// waiting are the jobs that are not parked, by payment and attempts.
func waiting(t *testing.T, r *harness.Harness) string {
	t.Helper()
	jobs, err := r.Store.DueJobs(ctx, shop.Default, r.Clock.Now().Add(1000*time.Hour), 100)
	must(t)(nil, err)
	var out []string
	for _, j := range jobs {
		out = append(out, fmt.Sprintf("%s %s %d in %s: %s", j.Kind, j.Payment, j.Attempts, j.Due.Sub(r.Clock.Now()).Round(time.Second), j.Error))
	}
	return strings.Join(out, "; ")
}

// hung is a channel that does not answer to closing and querying.
type hung struct{ payment.Channel }

func (hung) Query(context.Context, string) (payment.Fact, error) {
	return payment.Fact{}, errors.New("no answer")
}

func (hung) Close(context.Context, string) error { return errors.New("no answer") }

type hungChannels struct{ app.Channels }

func (h hungChannels) Channel(ctx context.Context, shop, name string) (app.Configured, error) {
	c, err := h.Channels.Channel(ctx, shop, name)
	c.Channel = hung{c.Channel}
	return c, err
}

// TestJobs: a job runs when it is due, and is gone when it has succeeded; one
// that fails is attempted again after pauses that grow, parked after the last,
// and has all its attempts again when it is retried.
func TestJobs(t *testing.T) {
	harness.Each(t, func(t *testing.T, open steps.Open) {
		r := scene(t, open)
		p := pay(t, r, place(t, r, harness.Cart("u", "A")).No, 0)
		enqueue(t, r, app.Job{Kind: app.JobClosePayment, Payment: p.No, Due: r.Clock.Now().Add(time.Hour)})
		if n := runJobs(t, r); n != 0 {
			t.Errorf("%d jobs ran before they were due", n)
		}
		r.Clock.Advance(time.Hour)
		channels := r.Channels
		r.Channels = hungChannels{channels}
		for n := 1; n <= app.JobAttempts; n++ {
			if ran := runJobs(t, r); ran != 1 {
				t.Fatalf("attempt %d: %d jobs ran", n, ran)
			}
			if ran := runJobs(t, r); ran != 0 {
				t.Fatalf("attempt %d: %d jobs ran before the pause was over", n, ran)
			}
			r.Clock.Advance(31 * time.Minute)
		}
		parked, _, err := r.Store.ParkedJobs(ctx, shop.Default, app.Page{})
		must(t)(nil, err)
		if len(parked) != 1 || parked[0].Attempts != app.JobAttempts || parked[0].Error == "" || parked[0].ParkedAt.IsZero() {
			t.Fatalf("parked: %+v", parked)
		}
		if left := waiting(t, r); left != "" {
			t.Errorf("waiting beside it: %s", left)
		}
		for _, id := range []string{"", "x", "-1"} {
			if err := r.RetryJob(ctx, shop.Default, id); !fault.Is(err, fault.NotFound) {
				t.Errorf("retry of %q: %v", id, err)
			}
		}
		r.Channels = channels
		must(t)(nil, r.RetryJob(ctx, shop.Default, parked[0].ID))
		if err := r.RetryJob(ctx, shop.Default, parked[0].ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("retry of one that is not parked: %v", err)
		}
		if n := runJobs(t, r); n != 1 {
			t.Errorf("%d jobs ran after the retry", n)
		}
		if left := waiting(t, r); left != "" {
			t.Errorf("left: %s", left)
		}
		if d, err := r.Store.Payment(ctx, shop.Default, p.No); err != nil || d.Status != payment.StatusClosed {
			t.Errorf("the payment is %s (%v)", d.Status, err)
		}
		r.Audit()
	})
}

// TestJobsOddEnds: a job of a kind that this release does not know waits and
// says so; a panic is a failure; an attempt that is broken off by the end of
// the server does not count, and one whose instance died is made again.
func TestJobsOddEnds(t *testing.T) {
	harness.Each(t, func(t *testing.T, open steps.Open) {
		r := scene(t, open)
		enqueue(t, r, app.Job{Kind: "of_the_future", Payment: "1"})
		for range 2 * app.JobAttempts {
			runJobs(t, r)
			r.Clock.Advance(time.Minute)
		}
		if left := waiting(t, r); !strings.HasPrefix(left, "of_the_future 1 0 in") || !strings.Contains(left, "does not know this kind") {
			t.Errorf("a job of an unknown kind: %q", left)
		}

		over, cancel := context.WithCancel(ctx)
		cancel()
		enqueue(t, r, app.Job{Kind: app.JobClosePayment, Payment: "none"})
		_, _ = r.RunJobs(over, shop.Default)
		if left := waiting(t, r); !strings.Contains(left, "close_payment none 0 in") {
			t.Errorf("after an attempt that was broken off: %q", left)
		}
	})
}

// TestJobsOnce: several instances attempt each job once.
func TestJobsOnce(t *testing.T) {
	harness.Each(t, func(t *testing.T, open steps.Open) {
		r := scene(t, open)
		other := steps.Second(open, r)
		var jobs []app.Job
		for i := range 30 {
			jobs = append(jobs, app.Job{Kind: app.JobClosePayment, Payment: fmt.Sprint("no", i)})
		}
		enqueue(t, r, jobs...)
		counts := make([]int, 8)
		errs := harness.Together(len(counts), func(i int) (err error) {
			one := r
			if i%2 == 1 {
				one = other
			}
			counts[i], err = one.RunJobs(ctx, shop.Default)
			return err
		})
		must(t)(nil, errors.Join(errs...))
		sum := 0
		for _, n := range counts {
			sum += n
		}
		if sum != len(jobs) {
			t.Errorf("%d attempts of %d jobs", sum, len(jobs))
		}
	})
}
