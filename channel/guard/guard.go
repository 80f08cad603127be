// Package guard stands between Tandem and one payment channel, so that a
// channel that is slow or down does not affect the others. It is a payment.Channel
// around another, and changes no answer; only an error that is none of the
// port's becomes payment.ErrUnknown.
//
// It promises:
//   - At most Options.Calls calls are at the channel at once (a bulkhead), and
//     at most Options.Bills bills beside them. One more is refused at once.
//   - Every call is given Options.Timeout, a bill Options.BillTimeout. A
//     channel honours its context, so it returns then.
//   - A channel that does not give certain answers is not called (a circuit
//     breaker) for Options.Rest, and then tried with Options.Probes calls: all
//     of them must be answered, or it is not called for another Options.Rest.
//   - A refusal of the guard's own is payment.ErrBusy, with ErrFull or ErrOpen
//     behind it: nothing was sent, so the same request may be repeated as it
//     is.
//
// What counts against a channel is an unknown outcome: payment.ErrUnknown,
// whatever its cause. A certain answer counts in its favour, also a refusal: rejected,
// paid, closed, not there, short of money, slow down. It opens after
// Options.InARow unknown outcomes with no certain answer between them, or when
// they are at least Share of at least Least calls that were answered within the
// window (ten seconds, or twice Options.Timeout if that is longer, because the
// breaker forgets a call that began before its window).
//
// A caller that cancels says nothing about the channel, and does not count; one whose own deadline passes counts if it had waited for at
// least half of Options.Timeout. If such a call was a probe, the channel rests
// again: its result is unknown, and a probe that is never settled would
// keep the breaker half open for ever.
//
// Bills neither count in the breaker nor are held up by it: they are long,
// come from another host of the channel's, and the reader may break one off.
// Read and Answer call nothing outside and pass straight through.
//
// # Optional interfaces
//
// What the channel has beside payment.Channel (payment.FundFlow,
// payment.AbnormalRefunder, …) is reached with payment.As, which looks behind
// Unwrap. It is not guarded: it is for operators and for the night, and is
// called by one at a time. Forwarding would make the guard claim of every
// channel what only some have.
//
// # Cost
//
// No goroutine a call, and about a microsecond with nine small allocations,
// most of them for the time-out (BenchmarkQuery), as against the milliseconds
// of the call. A channel that breaks its promise and ignores its context keeps
// its caller and its place in the bulkhead, and no more than that.
package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tandem-pay/tandem/payment"
)

// The reasons behind a payment.ErrBusy that is the guard's own. They are
// stable: callers may distinguish them with errors.Is.
var (
	// ErrFull: as many calls as are allowed are at the channel already.
	ErrFull = errors.New("too many calls are at the channel")
	// ErrOpen: the channel has not been answering and is left alone.
	ErrOpen = errors.New("the channel has not been answering and is left alone for a while")
)

// When the breaker opens on a share of unknown outcomes.
const (
	// Share is how many of a hundred must have been unknown.
	Share = 60
	// Least is how many must have ended within the window.
	Least = 20
	// window is how far back the breaker looks, in buckets.
	window  = 10 * time.Second
	buckets = 10
)

// Options are the guard's limits; a zero is the default.
type Options struct {
	Calls       int           // at once, beside bills; 64
	Bills       int           // at once; 2
	Timeout     time.Duration // of a call; 8 s, which is more than channels give themselves
	BillTimeout time.Duration // of a bill, all of it; 10 min
	InARow      int           // unknown outcomes that open it; 10
	Rest        time.Duration // before it is tried again; 5 s
	Probes      int           // calls that must be answered then; 3
	// Observe gets how each call ended and each change of State (call is
	// "state", the outcome is the new state). It is called by the caller's
	// goroutine, must be quick, and may be called by many at once.
	Observe func(call, outcome string)
}

func (o Options) filled() Options {
	fill(&o.Calls, 64)
	fill(&o.Bills, 2)
	fill(&o.Timeout, 8*time.Second)
	fill(&o.BillTimeout, 10*time.Minute)
	fill(&o.InARow, 10)
	fill(&o.Rest, 5*time.Second)
	fill(&o.Probes, 3)
	if o.Observe == nil {
		o.Observe = func(string, string) {}
	}
	return o
}

func fill[T int | time.Duration](v *T, or T) {
	if *v <= 0 {
		*v = or
	}
}

// Inner is what is guarded.
type Inner = payment.Channel

// Channel guards one channel. It implements payment.Channel.
type Channel struct {
	inner   Inner
	opt     Options
	calls   chan struct{}
	bills   chan struct{}
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]

	mu      sync.Mutex
	inARow  int      // unknown outcomes since the last certain one, in this era
	era     int      // rises with each change of state; what began in another says nothing of this
	changes []string // states that Observe has not got yet
}

var _ Inner = (*Channel)(nil)

// New guards a channel. Each channel of each shop has a guard of its own; it
// starts closed, and forgets what it knew when it is made anew.
func New(inner Inner, opt Options) *Channel {
	opt = opt.filled()
	c := &Channel{inner: inner, opt: opt, calls: make(chan struct{}, opt.Calls), bills: make(chan struct{}, opt.Bills)}
	look := max(window, 2*opt.Timeout)
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: inner.Kind(), MaxRequests: uint32(opt.Probes), //nolint:gosec // a handful
		Timeout:  opt.Rest,
		Interval: look, BucketPeriod: look / buckets,
		ReadyToTrip:   c.tired,
		OnStateChange: c.changed,
	})
	return c
}

// tired says whether the channel is to be left alone. The breaker calls it after
// each unknown outcome. Its own count of failures in a row ends with its
// window, so the guard keeps one that does not: a shop with a call every few
// seconds has a dead channel too.
func (c *Channel) tired(n gobreaker.Counts) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended := n.TotalFailures + n.TotalSuccesses
	return c.inARow >= c.opt.InARow || ended >= Least && 100*uint64(n.TotalFailures) >= Share*uint64(ended)
}

// changed is called under the breaker's lock, so it only takes a note.
func (c *Channel) changed(_ string, _, to gobreaker.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era, c.inARow = c.era+1, 0
	c.changes = append(c.changes, stateName(to))
}

// stateName is a state as Observe and State name it.
func stateName(s gobreaker.State) string {
	switch s {
	case gobreaker.StateOpen:
		return "open"
	case gobreaker.StateHalfOpen:
		return "half_open"
	case gobreaker.StateClosed:
	}
	return "closed"
}

// State is "closed" (all is well), "open" (left alone) or "half_open" (being
// tried).
func (c *Channel) State() string {
	s := stateName(c.breaker.State())
	c.notify()
	return s
}

// notify gives Observe the changes of state, outside of any lock, so that it may
// call State.
func (c *Channel) notify() {
	c.mu.Lock()
	changes := c.changes
	c.changes = nil
	c.mu.Unlock()
	for _, s := range changes {
		c.opt.Observe("state", s)
	}
}

// Unwrap is the channel that is guarded; see payment.As.
func (c *Channel) Unwrap() payment.Channel { return c.inner }

// Kind is the guarded channel's.
func (c *Channel) Kind() string { return c.inner.Kind() }

// Methods are the guarded channel's.
func (c *Channel) Methods() []payment.Method { return c.inner.Methods() }

// Zone is the guarded channel's.
func (c *Channel) Zone() *time.Location { return c.inner.Zone() }

// Read passes straight through: it calls nothing outside.
func (c *Channel) Read(now time.Time, header http.Header, body []byte) (payment.Notice, error) {
	return c.inner.Read(now, header, body)
}

// Answer passes straight through.
func (c *Channel) Answer(ok bool) payment.CallbackAnswer { return c.inner.Answer(ok) }

// Prepay is the channel's, guarded.
func (c *Channel) Prepay(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	return call(ctx, c, "prepay", func(ctx context.Context) (payment.Action, error) { return c.inner.Prepay(ctx, r) })
}

// Query is the channel's, guarded.
func (c *Channel) Query(ctx context.Context, paymentNo string) (payment.Fact, error) {
	return call(ctx, c, "query", func(ctx context.Context) (payment.Fact, error) { return c.inner.Query(ctx, paymentNo) })
}

// Close is the channel's, guarded.
func (c *Channel) Close(ctx context.Context, paymentNo string) error {
	_, err := call(ctx, c, "close", func(ctx context.Context) (struct{}, error) { return struct{}{}, c.inner.Close(ctx, paymentNo) })
	return err
}

// Refund is the channel's, guarded.
func (c *Channel) Refund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	return call(ctx, c, "refund", func(ctx context.Context) (payment.Fact, error) { return c.inner.Refund(ctx, r) })
}

// QueryRefund is the channel's, guarded.
func (c *Channel) QueryRefund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	return call(ctx, c, "query_refund", func(ctx context.Context) (payment.Fact, error) { return c.inner.QueryRefund(ctx, r) })
}

// Bill is the channel's, with places and a time-out of its own, apart from
// the breaker.
func (c *Channel) Bill(ctx context.Context, day payment.Day, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	if err := c.enter(ctx, c.bills, "bill"); err != nil {
		return payment.BillSummary{}, err
	}
	defer func() { <-c.bills }()
	ours, cancel := context.WithTimeout(ctx, c.opt.BillTimeout)
	defer cancel()
	s, err := c.inner.Bill(ours, day, emit)
	c.opt.Observe("bill", outcome(err))
	return s, err
}

// enter takes a place, or refuses: nothing has been sent then.
func (c *Channel) enter(ctx context.Context, places chan struct{}, name string) error {
	if err := ctx.Err(); err != nil {
		c.opt.Observe(name, Cancelled)
		return fmt.Errorf("%w: not called: %w", payment.ErrBusy, err)
	}
	select {
	case places <- struct{}{}:
		return nil
	default:
		c.opt.Observe(name, RefusedFull)
		return fmt.Errorf("%w: %w", payment.ErrBusy, ErrFull)
	}
}
