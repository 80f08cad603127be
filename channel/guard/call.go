package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// The outcomes of a call, as Options.Observe gets them.
const (
	OK          = "ok"
	Rejected    = "rejected"
	Paid        = "already_paid"
	Closed      = "already_closed"
	NotThere    = "not_there"
	Busy        = "busy" // as the channel says
	Short       = "short"
	NoBill      = "no_bill"  // nothing moved, or it is not made yet
	BadBill     = "bad_bill" // cut off or altered
	TimedOut    = "timeout"  // unknown, because time ran out
	Unknown     = "unknown"
	Cancelled   = "cancelled"    // the caller went away
	RefusedFull = "refused_full" // not called: ErrFull
	RefusedOpen = "refused_open" // not called: ErrOpen
	Panicked    = "panic"
)

// outcome is how a call ended.
func outcome(err error) string {
	var rejected *payment.RejectedError
	var bad *payment.BadBillError
	switch {
	case err == nil:
		return OK
	case errors.Is(err, payment.ErrUnknown): // whatever its cause
		if errors.Is(err, context.DeadlineExceeded) {
			return TimedOut
		}
		return Unknown
	case errors.As(err, &rejected):
		return Rejected
	case errors.As(err, &bad):
		return BadBill
	case errors.Is(err, payment.ErrPaid):
		return Paid
	case errors.Is(err, payment.ErrClosed):
		return Closed
	case errors.Is(err, payment.ErrNotExist):
		return NotThere
	case errors.Is(err, payment.ErrBusy):
		return Busy
	case errors.Is(err, payment.ErrShort):
		return Short
	case errors.Is(err, payment.ErrNoBill), errors.Is(err, payment.ErrBillNotReady):
		return NoBill
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	}
	return Unknown
}

// verdict is what a call says about the channel.
type verdict int

const (
	nothing verdict = iota // it says nothing
	healthy
	silent
)

// judge says how a call ended and what that means for the channel. waited is
// how long the channel was given; caller is the caller's own context.
func (c *Channel) judge(caller context.Context, err error, waited time.Duration) (string, verdict) {
	how := outcome(err)
	if how != Unknown && how != TimedOut {
		return how, healthy
	}
	switch cause := caller.Err(); {
	case errors.Is(cause, context.DeadlineExceeded):
		// Callers with less patience than ours must not hide a dead channel, nor
		// make a living one look dead.
		if waited < c.opt.Timeout/2 {
			return TimedOut, nothing
		}
		return TimedOut, silent
	case cause != nil:
		return Cancelled, nothing
	}
	return how, silent
}

// call runs one call within all limits.
func call[T any](ctx context.Context, c *Channel, name string, do func(context.Context) (T, error)) (answer T, err error) {
	if err := c.enter(ctx, c.calls, name); err != nil {
		return answer, err
	}
	defer func() { <-c.calls }()
	done, refused := c.breaker.Allow()
	c.notify()
	if refused != nil {
		c.opt.Observe(name, RefusedOpen)
		return answer, fmt.Errorf("%w: %w", payment.ErrBusy, ErrOpen)
	}
	era := c.now()
	begun := time.Now()
	returned := false
	defer func() {
		how, says := Panicked, silent
		if returned {
			how, says = c.judge(ctx, err, time.Since(begun))
		}
		c.count(says, era, done)
		c.opt.Observe(name, how)
		c.notify()
	}()
	ours, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	answer, err = do(ours)
	returned = true
	if how := outcome(err); (how == TimedOut || how == Unknown) && !errors.Is(err, payment.ErrUnknown) {
		err = fmt.Errorf("%w: %w", payment.ErrUnknown, err)
	}
	return answer, err
}

// now is the era that a call begins in.
func (c *Channel) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.era
}

// count reports to the breaker what a call that began in an era said.
func (c *Channel) count(says verdict, era int, done func(bool)) {
	c.mu.Lock()
	if c.era == era {
		switch says {
		case healthy:
			c.inARow = 0
		case silent:
			c.inARow++
		case nothing:
		}
	}
	c.mu.Unlock()
	switch {
	case says != nothing:
		done(says == healthy)
	case c.State() == "half_open":
		done(false) // a probe must be settled; see the package comment
	}
}
