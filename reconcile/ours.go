package reconcile

import (
	"cmp"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// Ours is one payment or refund, as our books have it.
type Ours struct {
	Kind          payment.BillKind
	PaymentNo     string
	RefundNo      string // of refunds
	TransactionID string // the channel's number of the payment; "" while we know none
	Amount        int64  // minor units
	Currency      string // ISO 4217
	Merchant      string // who had to be paid, or to pay back
	App           string
	State         string    // ours: created, pending, succeeded, failed, closed
	Settled       bool      // we think that the money moved
	At            time.Time // when it moved, by the channel; zero when we do not know
	CreatedAt     time.Time
}

// over says that we have given it up.
func (o *Ours) over() bool {
	return o.State == string(payment.StatusFailed) || o.State == string(payment.StatusClosed)
}

// compare puts two rows of one number in the order in which they are
// believed: one that says that money moved before one that does not.
func (o *Ours) compare(p *Ours) int {
	return cmp.Or(after(p.Settled, o.Settled), o.At.Compare(p.At), cmp.Compare(o.TransactionID, p.TransactionID),
		cmp.Compare(o.Amount, p.Amount), cmp.Compare(o.Currency, p.Currency), cmp.Compare(o.Merchant, p.Merchant),
		cmp.Compare(o.App, p.App), cmp.Compare(o.State, p.State), o.CreatedAt.Compare(p.CreatedAt))
}

// Span is the time from From until just before To: a day of the channel's, as
// payment.Day.Span gives it.
type Span struct{ From, To time.Time }

// place says where t is, and how far beyond the border (out) or from the
// nearer one (in).
func (s Span) place(t time.Time) (in bool, far time.Duration) {
	switch {
	case t.Before(s.From):
		return false, s.From.Sub(t)
	case !t.Before(s.To):
		return false, t.Sub(s.To)
	}
	return true, min(t.Sub(s.From), s.To.Sub(t))
}

// Options is what Match must know of the channel. The zero value does.
type Options struct {
	// Merchant and App are who the bill belongs to; used where a row of it
	// says neither.
	Merchant string
	App      string
	// Tolerance is how far the two clocks may differ at the border of a day;
	// 0 is DefaultTolerance.
	Tolerance time.Duration
	// Rate is the agreed share of a fee, in millionths (0.6 % is 6000); 0: none
	// is agreed, and the bill's rate is used.
	Rate int64
	// FeeUnit is what the channel rounds a fee to, half up, in thousandths of a
	// minor unit; 0 is a whole minor unit.
	FeeUnit int64
	// RefundsWhenAsked: the channel has a refund in the bill of the day on
	// which it was requested, not of that on which it was done.
	RefundsWhenAsked bool
	// FailedStates are the channel's states of a refund that failed or is stuck;
	// nil is DefaultFailedStates. Another state of a refund that is not done
	// means that it is worked on.
	FailedStates []string
}

// DefaultTolerance is Options.Tolerance when it is not given. A channel reports
// us of a payment by the clock that its bill is made by; a minute is for
// channels whose notices and bills come from different houses.
const DefaultTolerance = time.Minute

// DefaultFailedStates are the states of the channels that there are.
var DefaultFailedStates = []string{"FAIL", "FAILED", "CLOSED", "ABNORMAL", "CHANGE", "REFUND_FAIL"}

// Revoked is the state on a row of a payment that was taken back.
const Revoked = "REVOKED"

func (o *Options) tolerance() time.Duration {
	if o.Tolerance > 0 {
		return o.Tolerance
	}
	return DefaultTolerance
}

// merchant and app are who a row is of.
func (o *Options) merchant(t *payment.BillRow) string { return cmp.Or(t.Merchant, o.Merchant) }
func (o *Options) app(t *payment.BillRow) string      { return cmp.Or(t.App, o.App) }

// booked is when ours should stand in a bill; zero when we cannot say.
func (o *Options) booked(r *Ours) time.Time {
	if r.Kind == payment.BillRefund && o.RefundsWhenAsked {
		return r.CreatedAt
	}
	return r.At
}

// Partition is which of n parts of a day a payment belongs to, from 0; its
// refunds are placed by the number of their payment and so are with it. It is FNV-1a
// (64 bits) of the number modulo n: the same on every machine.
func Partition(paymentNo string, n int) int {
	if n <= 1 {
		return 0
	}
	h := uint64(14695981039346656037)
	for i := range len(paymentNo) {
		h = (h ^ uint64(paymentNo[i])) * 1099511628211
	}
	return int(h % uint64(n)) //nolint:gosec // below n, which is positive
}
