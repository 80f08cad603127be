package trade

import (
	"errors"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
)

// RefundState is the state of a refund, in terms of no protocol.
type RefundState string

// The states. Abnormal is not final: the money could not reach the buyer, and
// the shop or an operator decides where it goes instead.
const (
	RefundProcessing RefundState = "processing"
	RefundSucceeded  RefundState = "succeeded"
	RefundAbnormal   RefundState = "abnormal"
	RefundClosed     RefundState = "closed" // final: no money moved, and the number cannot be used again
)

// Why there is no refund.
var (
	ErrNoRefund            = errors.New("there is no such refund")
	ErrRefundDiffers       = errors.New("the refund number was used with other parameters")
	ErrRefundTooMuch       = errors.New("more would be refunded than is left of the payment")
	ErrTooManyRefunds      = errors.New("the trade has been refunded 50 times")
	ErrRefundTooSoon       = errors.New("the trade was refunded a moment ago")
	ErrRefundTooLate       = errors.New("the payment is older than a year")
	ErrInsufficientBalance = errors.New("the merchant's balance is too low")
	ErrUserAccount         = errors.New("the buyer's account is closed")
	ErrRefundFinal         = errors.New("the refund is in a final state")
)

const maxRefunds = 50 // of one trade, whatever their state

// RefundPeriod is how long after the payment a refund may be requested.
const RefundPeriod = 365 * 24 * time.Hour

// Refund is money that goes back. What Book.Refund sets does not change; the
// rest is guarded by the book's lock.
type Refund struct {
	Trade       *Trade
	Payment     *Payment
	Scope, No   string // the shop's number; Scope is "" where numbers are the merchant's
	ID          string // the platform's number
	Amount      int64  // fen
	Coupon      int64  // fen of it that go back to whoever paid the coupon
	Reason      string
	Created     time.Time
	notifyURL   string   // "": nothing is reported
	fingerprint [32]byte // of all parameters: a repeat must have the same

	State   RefundState
	At      time.Time // since when it has the state
	Account string    // where the money goes, when not back where it came from
	plan    uint64    // names the planned end, so that a later plan replaces it
}

// refundKey is a refund number: the merchant's own within a protocol, or with
// a scope the trade's.
type refundKey struct{ protocol, scope, no string }

// RefundRequest is what a shop requests.
type RefundRequest struct {
	Scope, No         string
	TransactionID     string // of the payment to refund; "": the first that has enough left
	Amount            int64  // fen
	Reason, NotifyURL string
	Fingerprint       [32]byte
	Delay             time.Duration // until it has succeeded; 0 or less: at once
}

// Refund starts a refund of t, or returns again the one that has the number. A
// refusal leaves no trace, so that the same number may be used again. The
// rules are checked in the order of the errors above; faults of refunds apply
// to new ones.
func (b *Book) Refund(t *Trade, req RefundRequest) (*Refund, error) {
	if r := b.RefundByNo(t.Protocol, req.Scope, req.No); r != nil {
		if r.Trade != t || r.fingerprint != req.Fingerprint {
			return nil, ErrRefundDiffers
		}
		return r, nil
	}
	now := b.Now()
	p, err := t.refundable(req)
	switch {
	case err != nil:
		return nil, err
	case len(t.Refunds) >= maxRefunds:
		return nil, ErrTooManyRefunds
	case len(t.Refunds) > 0 && now.Before(t.Refunds[len(t.Refunds)-1].Created.Add(b.RefundSpacing)):
		return nil, ErrRefundTooSoon
	case now.After(p.At.Add(RefundPeriod)):
		return nil, ErrRefundTooLate
	}
	end := RefundSucceeded
	switch b.Faults.Take(faults.Refund, t.No, faults.OfRefunds...).Fault {
	case faults.InsufficientBalance:
		return nil, ErrInsufficientBalance
	case faults.UserAccountClosed:
		return nil, ErrUserAccount
	case faults.RefundAbnormal:
		end = RefundAbnormal
	case faults.RefundClosed:
		end = RefundClosed
	case faults.RefundNeverEnds:
		end = RefundProcessing
	default: // no other fault was asked for
	}
	r := &Refund{
		Trade: t, Payment: p, Scope: req.Scope, No: req.No, ID: t.Protocol.RefundID(now), Amount: req.Amount,
		Reason: req.Reason, notifyURL: req.NotifyURL, fingerprint: req.Fingerprint,
		Created: now, State: RefundProcessing, At: now,
	}
	// In proportion, and so that the whole payment gives back the whole coupon.
	r.Coupon = max(0, p.Coupon*(p.Refunded+r.Amount)/t.Amount-p.couponBack)
	p.Refunded += r.Amount
	p.couponBack += r.Coupon
	t.Refunds = append(t.Refunds, r)
	b.byRefund[refundKey{t.Protocol.Name(), r.Scope, r.No}] = r
	b.byRefundID[number{t.Protocol.Name(), r.ID}] = r
	b.Log.Debug("sandbox: refund accepted", "outTradeNo", t.No, "refundNo", r.No, "amount", r.Amount)
	if end != RefundProcessing {
		b.planEnd(r, end, req.Delay)
	}
	return r, nil
}

// refundable is the payment that the refund goes against.
func (t *Trade) refundable(req RefundRequest) (*Payment, error) {
	err := ErrUnpaid
	for _, p := range t.Payments {
		if req.TransactionID != "" && req.TransactionID != p.TransactionID {
			continue
		}
		if req.Amount <= t.Amount-p.Refunded {
			return p, nil
		}
		err = ErrRefundTooMuch
	}
	return nil, err
}

// Redirect sends an abnormal refund to another account, where it succeeds
// after the delay.
func (b *Book) Redirect(r *Refund, account string, delay time.Duration) {
	r.State, r.At, r.Account = RefundProcessing, b.Now(), account
	b.planEnd(r, RefundSucceeded, delay)
}

// planEnd lets r reach the state after the delay, unless another plan or an
// operator comes first.
func (b *Book) planEnd(r *Refund, state RefundState, delay time.Duration) {
	r.plan++
	plan := r.plan
	if delay <= 0 {
		b.endRefund(r, state, b.Now())
		return
	}
	b.Later(b.Now().Add(delay), func(at time.Time) {
		if r.plan == plan && r.State == RefundProcessing && !r.Trade.gone {
			b.endRefund(r, state, at)
		}
	})
}

// endRefund moves r to a state, as at a time, and reports it to the shop.
// Money moves when it succeeds; a refund that is closed leaves its share to
// others.
func (b *Book) endRefund(r *Refund, state RefundState, at time.Time) {
	r.State, r.At = state, at
	r.plan++
	switch state {
	case RefundSucceeded:
		b.move(r.Trade, r.Payment, r, at)
	case RefundClosed:
		r.Payment.Refunded -= r.Amount
		r.Payment.couponBack -= r.Coupon
	case RefundProcessing, RefundAbnormal: // its share stays reserved
	}
	b.Log.Debug("sandbox: refund ended", "outTradeNo", r.Trade.No, "refundNo", r.No, "state", state)
	b.reportRefund(r, at)
}

// FinishRefund is an operator's decision on a refund that is processing or
// abnormal.
func (b *Book) FinishRefund(r *Refund, state RefundState) error {
	switch {
	case state != RefundSucceeded && state != RefundAbnormal && state != RefundClosed:
		return errors.New("a refund ends as succeeded, abnormal or closed")
	case r.State == RefundSucceeded || r.State == RefundClosed || r.State == state:
		return ErrRefundFinal
	}
	b.endRefund(r, state, b.Now())
	return nil
}
