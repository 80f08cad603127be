package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// pace is how fast the clock runs while a job's pauses are waited for.
const pace = 10 * time.Second

// runner is told to run jobs, and fails for as long as it is told to.
type runner struct {
	mu    sync.Mutex
	ran   []string
	fails map[string]string // by payment, the error
}

func (r *runner) run(_ context.Context, shop string, e app.Job) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran = append(r.ran, fmt.Sprintf("%s %s %s %s %s", shop, e.Kind, e.Payment, e.Refund, e.Trace))
	switch why := r.fails[e.Payment]; why {
	case "":
		return nil
	case "panic":
		panic(why)
	default:
		return errors.New(why)
	}
}

func (r *runner) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ran)
}

func (r *runner) fail(payment, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = map[string]string{payment: why}
}

func (e *env) startJobs(r *runner, c *clock) (stop func()) {
	e.Helper()
	end, err := e.StartJobs(e.Context(), r.run, c)
	e.must(err)
	var once sync.Once
	stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := end(ctx); err != nil {
				e.Errorf("stop jobs: %v", err)
			}
		})
	}
	e.Cleanup(stop)
	return stop
}

func testJobs(e *env) {
	// Far from the time of the machine, which must not matter.
	base := now.AddDate(5, 0, 0)
	c, r := &clock{t: base}, &runner{}
	e.write(changes{Now: base, Jobs: []app.Job{{Kind: app.JobClosePayment, Payment: "before", Refund: "r_2", Trace: "t"}}})
	stop := e.startJobs(r, c)
	e.eventually("a job from before the start", func() bool { return r.count() == 1 })
	e.same("the job", []string{e.shop + " close_payment before r_2 t"}, r.ran)

	e.write(changes{Now: base, Jobs: []app.Job{{Kind: "k", Payment: "at once", Due: base}, {Kind: "k", Payment: "later", Due: base.Add(time.Hour)}}})
	e.eventually("a job that is due", func() bool { return r.count() == 2 })
	time.Sleep(1200 * time.Millisecond)
	e.same("those that ran", 2, r.count())
	c.pass(time.Hour)
	e.eventually("a job whose time has come", func() bool { return r.count() == 3 })

	e.conflicts("a commit", e.try(changes{
		Jobs: []app.Job{{Kind: "k", Payment: "never", Due: now}}, Keys: []unit.SavedKey{fullKey("a")}, Marker: "b",
		Cursors: []unit.Pair[rows.Cursor]{moved("none", at(1), 2)},
	}))
	var many []app.Job
	for i := range 50 {
		many = append(many, app.Job{Kind: "k", Payment: fmt.Sprint("many ", i)})
	}
	e.write(changes{Jobs: many, Now: c.Now()})
	e.eventually("many jobs", func() bool { return r.count() == 53 })
	stop()
	e.write(changes{Jobs: []app.Job{{Kind: "k", Payment: "after"}}})
	time.Sleep(700 * time.Millisecond)
	e.same("those that ran, each once", 53, r.count())
}

// testJobsFail lets a job fail until it is parked, and gives it its
// tries again.
func testJobsFail(e *env) {
	base := now.AddDate(-5, 0, 0)
	c, r := &clock{t: base}, &runner{}
	r.fail("bad", "the channel is away")
	e.write(changes{Now: base, Jobs: []app.Job{{Kind: app.JobClosePayment, Payment: "bad", Due: base}}})
	e.startJobs(r, c)
	exhaust := func(tries int) {
		e.eventually("a first try", func() bool { return r.count() > 0 })
		time.Sleep(1200 * time.Millisecond) // the pause is 2 seconds, and no time passes
		e.same("tries before the pause is over", 1, r.count())
		// In small steps: one that is under way for minutes by the clock is taken
		// for one whose instance died.
		e.eventually("all tries but one", func() bool { c.pass(pace); return r.count() >= tries-1 })
		r.fail("bad", "for good")
		e.eventually("all tries", func() bool { c.pass(pace); return r.count() >= tries })
	}
	exhaust(12)
	var parked []app.ParkedJob
	e.eventually("a parked job", func() bool {
		var err error
		parked, _, err = e.Parked(e.Context(), e.shop, app.Page{Limit: 10})
		e.must(err)
		return len(parked) == 1
	})
	got := parked[0]
	if got.ParkedAt.Before(base.Add(time.Hour)) || got.ParkedAt.After(c.Now()) {
		e.Errorf("parked at %v", got.ParkedAt)
	}
	id := got.ID
	got.ID, got.ParkedAt = "", time.Time{}
	e.same("parked", app.ParkedJob{Kind: app.JobClosePayment, Payment: "bad", Attempts: 12, LastError: "for good", CreatedAt: base}, got)
	e.same("tries", 12, r.count())

	// Nobody else's.
	others := e.newShop()
	list, _, err := e.Parked(e.Context(), others, app.Page{})
	e.must(err)
	e.same("another shop's", 0, len(list))
	for _, no := range []string{"", "x", "999999", "-1"} {
		if err := e.Retry(e.Context(), e.shop, no); !fault.Is(err, fault.NotFound) {
			e.Errorf("retry of %q: %v", no, err)
		}
	}
	if err := e.Retry(e.Context(), others, id); !fault.Is(err, fault.NotFound) {
		e.Errorf("retry by another shop: %v", err)
	}

	// It has all its tries again: it may fail, and then go well.
	r.mu.Lock()
	r.ran, r.fails = nil, map[string]string{"bad": "panic"}
	r.mu.Unlock()
	e.must(e.Retry(e.Context(), e.shop, id))
	e.eventually("a try", func() bool { return r.count() == 1 })
	r.fail("", "")
	e.eventually("that it is not parked", func() bool { c.pass(time.Hour); return r.count() == 2 })
	list, _, err = e.Parked(e.Context(), e.shop, app.Page{})
	e.must(err)
	e.same("parked in the end", 0, len(list))
	if err := e.Retry(e.Context(), e.shop, id); !fault.Is(err, fault.NotFound) {
		e.Errorf("retry of one that is not parked: %v", err)
	}
}
