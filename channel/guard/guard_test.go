package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tandem-pay/tandem/channel/guard"
	"github.com/tandem-pay/tandem/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// channel does as do says, whatever is called.
type channel struct {
	mu    sync.Mutex
	do    func(context.Context) error
	calls int
}

func (c *channel) answer(ctx context.Context) error {
	c.mu.Lock()
	c.calls++
	do := c.do
	c.mu.Unlock()
	return do(ctx)
}

func (c *channel) set(do func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.do = do
}

func (c *channel) called() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

func (c *channel) Kind() string              { return "fake" }
func (c *channel) Methods() []payment.Method { return []payment.Method{payment.Native} }
func (c *channel) Zone() *time.Location      { return time.UTC }
func (c *channel) Prepay(ctx context.Context, _ payment.PrepayRequest) (payment.Action, error) {
	return payment.Action{Kind: "qr_code"}, c.answer(ctx)
}
func (c *channel) Query(ctx context.Context, no string) (payment.Fact, error) {
	return payment.Fact{ID: no}, c.answer(ctx)
}
func (c *channel) Close(ctx context.Context, _ string) error { return c.answer(ctx) }
func (c *channel) Refund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	return payment.Fact{ID: r.RefundNo}, c.answer(ctx)
}
func (c *channel) QueryRefund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	return payment.Fact{ID: r.RefundNo}, c.answer(ctx)
}
func (c *channel) Bill(ctx context.Context, _ payment.Day, _ func(payment.BillRow) error) (payment.BillSummary, error) {
	return payment.BillSummary{Payments: 7}, c.answer(ctx)
}
func (c *channel) Read(time.Time, http.Header, []byte) (payment.Notice, error) {
	return payment.Notice{ID: "n"}, nil
}
func (c *channel) Answer(ok bool) payment.CallbackAnswer { return payment.CallbackAnswer{Status: 200} }
func (c *channel) FundForm() payment.FundForm            { return payment.FundForm{ByRefund: true} }

func (c *channel) FundFlow(context.Context, payment.Day, func(payment.FundRow) error) (payment.FundSummary, error) {
	return payment.FundSummary{Rows: 3}, nil
}

// says is a channel that answers at once.
func says(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// dead is a channel that never answers, as channels report it.
func dead(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("%w: no answer in time: %w", payment.ErrUnknown, ctx.Err())
}

// after is a channel that takes its time.
func after(d time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", payment.ErrUnknown, ctx.Err())
		}
	}
}

// setup is a guard around a channel, and what Observe got.
type setup struct {
	*guard.Channel
	inner *channel
	mu    sync.Mutex
	seen  []string
}

func newHarness(do func(context.Context) error, opt guard.Options) *setup {
	r := &setup{inner: &channel{do: do}}
	opt.Observe = func(call, outcome string) {
		if call == "state" {
			_ = r.State() // must not lock up
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, call+" "+outcome)
	}
	r.Channel = guard.New(r.inner, opt)
	return r
}

func (r *setup) query(n int) (err error) {
	for range n {
		_, err = r.Query(context.Background(), "p1")
	}
	return err
}

// observed returns what Observe got since the last time.
func (r *setup) observed() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.seen
	r.seen = nil
	return s
}

// count is how often Observe got it.
func (r *setup) count(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.seen {
		if s == what {
			n++
		}
	}
	return n
}

// TestOutcomes: each way in which a call can end, ten times over; what it is
// called, whether it opens the breaker, and what the caller sees.
func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		do    func(context.Context) error
		how   string
		state string
		is    error // what the caller's error is, of the port's
	}{
		{"ok", says(nil), "ok", "closed", nil},
		{"rejected", says(&payment.RejectedError{Code: "X"}), "rejected", "closed", nil},
		{"paid", says(fmt.Errorf("%w: x", payment.ErrPaid)), "already_paid", "closed", payment.ErrPaid},
		{"closed", says(payment.ErrClosed), "already_closed", "closed", payment.ErrClosed},
		{"does not exist", says(payment.ErrNotExist), "not_there", "closed", payment.ErrNotExist},
		{"busy", says(payment.ErrBusy), "busy", "closed", payment.ErrBusy},
		{"short", says(payment.ErrShort), "short", "closed", payment.ErrShort},
		{"unknown", says(fmt.Errorf("%w: HTTP 500", payment.ErrUnknown)), "unknown", "open", payment.ErrUnknown},
		{"unknown, with something certain behind it", says(fmt.Errorf("%w: %w", payment.ErrUnknown, payment.ErrPaid)), "unknown", "open", payment.ErrUnknown},
		{"no answer", dead, "timeout", "open", payment.ErrUnknown},
		{"slow, in time", after(7*time.Second, nil), "ok", "closed", nil},
		{"slow, too late", after(9*time.Second, nil), "timeout", "open", payment.ErrUnknown},
		{"an error that is none of the port's", says(errors.New("x")), "unknown", "open", payment.ErrUnknown},
		{"a bare end of time", says(context.DeadlineExceeded), "timeout", "open", payment.ErrUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(tt.do, guard.Options{})
				err := r.query(10)
				if tt.is != nil && !errors.Is(err, tt.is) || tt.is == nil && errors.Is(err, payment.ErrUnknown) {
					t.Errorf("the caller sees %v", err)
				}
				if n := r.count("query " + tt.how); n != 10 || r.State() != tt.state {
					t.Errorf("%d times %s, then %s; observed %v", n, tt.how, r.State(), r.observed())
				}
			})
		})
	}
}

// TestCalls: every call of the port is guarded, and is answered as it was.
func TestCalls(t *testing.T) {
	ctx := context.Background()
	for name, do := range map[string]func(r *setup) (string, error){
		"prepay": func(r *setup) (string, error) { a, err := r.Prepay(ctx, payment.PrepayRequest{}); return a.Kind, err },
		"query":  func(r *setup) (string, error) { f, err := r.Query(ctx, "p1"); return f.ID, err },
		"close":  func(r *setup) (string, error) { return "", r.Close(ctx, "p1") },
		"refund": func(r *setup) (string, error) {
			f, err := r.Refund(ctx, payment.RefundRequest{RefundNo: "r1"})
			return f.ID, err
		},
		"query_refund": func(r *setup) (string, error) {
			f, err := r.QueryRefund(ctx, payment.RefundRequest{RefundNo: "r1"})
			return f.ID, err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			want := map[string]string{"prepay": "qr_code", "query": "p1", "close": "", "refund": "r1", "query_refund": "r1"}[name]
			r := newHarness(says(nil), guard.Options{})
			if got, err := do(r); got != want || err != nil || r.count(name+" ok") != 1 {
				t.Errorf("%s: %q, %v; observed %v", name, got, err, r.observed())
			}
			r.inner.set(dead)
			begun := time.Now()
			if _, err := do(r); !errors.Is(err, payment.ErrUnknown) || time.Since(begun) != 8*time.Second {
				t.Errorf("%s: no answer: %v after %v", name, err, time.Since(begun))
			}
			_ = r.query(9)
			before := r.inner.called()
			_, err := do(r)
			if !errors.Is(err, payment.ErrBusy) || !errors.Is(err, guard.ErrOpen) || errors.Is(err, payment.ErrUnknown) || r.inner.called() != before || r.count(name+" refused_open") != 1 {
				t.Errorf("%s: left alone: %v, called %d times more", name, err, r.inner.called()-before)
			}
		})
	}
}

// TestBreaker plays one scenario per row: what the channel does for how many calls,
// and the state afterwards.
func TestBreaker(t *testing.T) {
	unknown := says(payment.ErrUnknown)
	hasty := func(r *setup, d time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		_, _ = r.Query(ctx, "p1")
	}
	do := func(n int, f func(context.Context) error) func(r *setup) {
		return func(r *setup) { r.inner.set(f); _ = r.query(n) }
	}
	mixed := func(rounds int, outcomes ...error) func(r *setup) {
		return func(r *setup) {
			for range rounds {
				for _, err := range outcomes {
					do(1, says(err))(r)
				}
			}
		}
	}
	wait := func(d time.Duration) func(r *setup) { return func(*setup) { time.Sleep(d) } }
	leave := func(r *setup) { // a caller who goes away
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		_, _ = r.Query(ctx, "p1")
	}
	rest := wait(5*time.Second + 1)
	for _, tt := range []struct {
		name   string
		steps  []func(r *setup)
		state  string
		called int // what reached the channel
	}{
		{"nine in a row are not enough", []func(*setup){do(9, unknown)}, "closed", 9},
		{"ten in a row open it", []func(*setup){do(10, unknown)}, "open", 10},
		{"what comes then is not called", []func(*setup){do(13, unknown)}, "open", 10},
		{"a certain no between", []func(*setup){do(9, unknown), do(1, says(payment.ErrNotExist)), do(9, unknown)}, "closed", 19},
		{"ten in a row, one a minute", []func(*setup){do(5, after(time.Minute, nil)), wait(time.Minute), do(5, after(time.Minute, nil))}, "open", 10},
		{"60 of a hundred, of 20", []func(*setup){mixed(4, nil, nil, payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown)}, "open", 20},
		{"60 of a hundred, of 15", []func(*setup){mixed(3, nil, nil, payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown)}, "closed", 15},
		{"half of very many", []func(*setup){mixed(100, nil, payment.ErrUnknown)}, "closed", 200},
		{"60 of a hundred, but long ago", []func(*setup){mixed(3, nil, nil, payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown), wait(20 * time.Second), mixed(1, nil, nil, payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown)}, "closed", 20},
		{"tried after a rest", []func(*setup){do(10, unknown), rest}, "half_open", 10},
		{"not before", []func(*setup){do(10, unknown), wait(5 * time.Second), do(1, says(nil))}, "open", 10},
		{"one good probe is not enough", []func(*setup){do(10, unknown), rest, do(1, says(nil))}, "half_open", 11},
		{"three are", []func(*setup){do(10, unknown), rest, do(3, says(payment.ErrBusy))}, "closed", 13},
		{"a bad probe", []func(*setup){do(10, unknown), rest, do(2, says(nil)), do(2, unknown)}, "open", 13},
		{"well again", []func(*setup){do(10, unknown), rest, do(20, says(nil)), do(9, unknown)}, "closed", 39},
		{"and dead again", []func(*setup){do(10, unknown), rest, do(20, says(nil)), do(10, unknown)}, "open", 40},
		{"a probe whose caller leaves", []func(*setup){do(10, unknown), rest, func(r *setup) { r.inner.set(dead) }, leave}, "open", 11},
		{"the probes after it", []func(*setup){do(10, unknown), rest, func(r *setup) { r.inner.set(dead) }, leave, rest, do(3, says(nil))}, "closed", 14},
		{"callers who leave", []func(*setup){do(9, unknown), func(r *setup) {
			r.inner.set(dead)
			for range 50 {
				leave(r)
			}
		}}, "closed", 59},
		{"callers in haste", []func(*setup){func(r *setup) {
			r.inner.set(dead)
			for range 50 {
				hasty(r, 3*time.Second)
			}
		}}, "closed", 50},
		{"callers with less patience than ours", []func(*setup){func(r *setup) {
			r.inner.set(dead)
			for range 12 {
				hasty(r, 5*time.Second)
			}
		}}, "open", 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(says(nil), guard.Options{})
				for _, step := range tt.steps {
					step(r)
				}
				if r.State() != tt.state || r.inner.called() != tt.called {
					t.Errorf("%s after %d calls, want %s after %d", r.State(), r.inner.called(), tt.state, tt.called)
				}
			})
		})
	}
}

// TestLateComers: calls that began before the channel was left alone, and end
// after it is well again, say nothing of how it is now.
func TestLateComers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(dead, guard.Options{})
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() { _ = r.query(1) })
		}
		synctest.Wait()
		r.inner.set(says(payment.ErrUnknown))
		_ = r.query(10)
		time.Sleep(6 * time.Second)
		r.inner.set(says(nil))
		_ = r.query(3)
		wg.Wait()
		r.inner.set(says(payment.ErrUnknown))
		if _ = r.query(1); r.State() != "closed" || r.count("query timeout") != 30 {
			t.Errorf("%s; observed %v", r.State(), r.observed())
		}
	})
}

// TestLongTimeout: a time-out that is longer than ten seconds is counted too.
func TestLongTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(dead, guard.Options{Timeout: 30 * time.Second, InARow: 1000})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _ = r.query(1) })
		}
		wg.Wait()
		if r.State() != "open" {
			t.Errorf("%s after 20 time-outs of 20", r.State())
		}
	})
}

func TestObserveStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(says(payment.ErrUnknown), guard.Options{InARow: 1, Probes: 1})
		_ = r.query(2)
		time.Sleep(6 * time.Second)
		r.inner.set(says(nil))
		_ = r.query(1)
		got := strings.Join(r.observed(), ", ")
		if want := "query unknown, state open, query refused_open, state half_open, query ok, state closed"; got != want {
			t.Errorf("observed %s\nwant %s", got, want)
		}
	})
}

// TestPanic: a place is given back, and the breaker counts it.
func TestPanic(t *testing.T) {
	r := newHarness(func(context.Context) error { panic("x") }, guard.Options{Calls: 1, InARow: 1})
	func() {
		defer func() { _ = recover() }()
		_ = r.query(1)
	}()
	if r.State() != "open" || r.count("query panic") != 1 {
		t.Errorf("%s; observed %v", r.State(), r.observed())
	}
	if err := r.query(1); !errors.Is(err, guard.ErrOpen) {
		t.Errorf("the place was not given back: %v", err)
	}
}

// TestBulkhead: the call too many is refused at once and without a word to the
// channel; what is there goes on, and its place is free afterwards.
func TestBulkhead(t *testing.T) {
	ctx := context.Background()
	query := func(r *setup) error { return r.query(1) }
	bill := func(r *setup) error { _, err := r.Bill(ctx, payment.Day{}, nil); return err }
	for _, tt := range []struct {
		name   string
		opt    guard.Options
		fill   func(*setup) error
		places int
		more   func(*setup) error
		full   bool
	}{
		{"64 calls and another", guard.Options{}, query, 64, query, true},
		{"63 calls and another", guard.Options{}, query, 63, query, false},
		{"three places", guard.Options{Calls: 3}, query, 3, query, true},
		{"two bills and another", guard.Options{}, bill, 2, bill, true},
		{"two bills and a call", guard.Options{}, bill, 2, query, false},
		{"64 calls and a bill", guard.Options{}, query, 64, bill, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(after(2*time.Second, nil), tt.opt)
				var wg sync.WaitGroup
				for range tt.places {
					wg.Go(func() {
						if err := tt.fill(r); err != nil {
							t.Errorf("one that had a place: %v", err)
						}
					})
				}
				synctest.Wait()
				begun := time.Now()
				err := tt.more(r)
				if full := errors.Is(err, payment.ErrBusy) && errors.Is(err, guard.ErrFull); full != tt.full || full != (err != nil) {
					t.Errorf("refused: %v", err)
				}
				if tt.full && (time.Since(begun) != 0 || r.inner.called() != tt.places) {
					t.Errorf("refused after %v, %d were called", time.Since(begun), r.inner.called())
				}
				wg.Wait()
				if err := tt.more(r); err != nil || r.State() != "closed" {
					t.Errorf("afterwards: %v, %s", err, r.State())
				}
			})
		})
	}
}

// TestDeadChannel: a crowd at a dead channel waits once, and then not at all.
func TestDeadChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(dead, guard.Options{})
		begun := time.Now()
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				if err := r.query(1); !errors.Is(err, payment.ErrUnknown) && !errors.Is(err, guard.ErrFull) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if time.Since(begun) != 8*time.Second || r.inner.called() != 64 || r.State() != "open" {
			t.Errorf("%d were called in %v, %s", r.inner.called(), time.Since(begun), r.State())
		}
	})
}

func TestBills(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name  string
		do    func(context.Context) error
		how   string
		after time.Duration
	}{
		{"made", says(nil), "ok", 0},
		{"long", after(9*time.Minute, nil), "ok", 9 * time.Minute},
		{"too long", dead, "timeout", 10 * time.Minute},
		{"nothing moved", says(payment.ErrNoBill), "no_bill", 0},
		{"not made yet", says(payment.ErrBillNotReady), "no_bill", 0},
		{"cut off", says(&payment.BadBillError{Reason: "x"}), "bad_bill", 0},
		{"the reader's own error", says(errors.New("x")), "unknown", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newHarness(tt.do, guard.Options{})
			begun := time.Now()
			s, err := r.Bill(ctx, payment.Day{}, nil)
			for range 11 {
				_, _ = r.Bill(ctx, payment.Day{}, nil)
			}
			if took := time.Since(begun) / 12; took != tt.after || s.Payments != 7 || r.count("bill "+tt.how) != 12 || r.State() != "closed" {
				t.Errorf("%s: %v, %v in %v, %s; observed %v", tt.name, s, err, took, r.State(), r.observed())
			}
			if errors.Is(err, payment.ErrUnknown) != (tt.how == "timeout") {
				t.Errorf("%s: the error became %v", tt.name, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(says(payment.ErrUnknown), guard.Options{})
		_ = r.query(10)
		r.inner.set(says(nil))
		if _, err := r.Bill(ctx, payment.Day{}, nil); err != nil || r.State() != "open" {
			t.Errorf("a bill while payments are left alone: %v, %s", err, r.State())
		}
	})
}

// TestGoneBefore: a caller that has gone already does not count.
func TestGoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := newHarness(says(nil), guard.Options{})
	_, err := r.Query(ctx, "p1")
	if !errors.Is(err, payment.ErrBusy) || !errors.Is(err, context.Canceled) || r.inner.called() != 0 || !slices.Equal(r.observed(), []string{"query cancelled"}) {
		t.Errorf("%v, called %d times", err, r.inner.called())
	}
}

// TestThrough: what calls nothing outside is the channel's own, also while it
// is left alone, and what it has beside the port is within reach.
func TestThrough(t *testing.T) {
	r := newHarness(says(payment.ErrUnknown), guard.Options{InARow: 1})
	_ = r.query(1)
	n, err := r.Read(time.Time{}, nil, nil)
	if n.ID != "n" || err != nil || r.Answer(true).Status != 200 || r.Kind() != "fake" || len(r.Methods()) != 1 || r.Zone() != time.UTC || r.State() != "open" {
		t.Error("something does not pass through")
	}
	flow, ok := payment.As[payment.FundFlow](r)
	if !ok {
		t.Fatal("the account's movements are out of reach")
	}
	if s, err := flow.FundFlow(context.Background(), payment.Day{}, nil); s.Rows != 3 || err != nil {
		t.Error(s, err)
	}
	if _, ok := payment.As[payment.AbnormalRefunder](r); ok {
		t.Error("the guard claims what the channel has not")
	}
}

// BenchmarkQuery is what the guard costs, around a channel that answers at
// once.
func BenchmarkQuery(b *testing.B) {
	g := guard.New(&channel{do: says(nil)}, guard.Options{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Query(ctx, "p1"); err != nil {
			b.Fatal(err)
		}
	}
}
