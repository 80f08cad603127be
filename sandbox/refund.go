package sandbox

import (
	"errors"
	"time"
)

// RefundState is what has become of a refund, in words of no protocol.
type RefundState string

// The states. Abnormal is not the end: the money could not reach the buyer,
// and the shop or an operator says where it goes instead.
const (
	RefundProcessing RefundState = "processing"
	RefundSucceeded  RefundState = "succeeded"
	RefundAbnormal   RefundState = "abnormal"
	RefundClosed     RefundState = "closed" // no money moved, for good; the number is spent
)

// Why there is no refund.
var (
	ErrNoRefund       = errors.New("there is no such refund")
	ErrRefundDiffers  = errors.New("the refund number was used with other parameters")
	ErrRefundTooMuch  = errors.New("more would be refunded than is left of the payment")
	ErrTooManyRefunds = errors.New("the trade has been refunded 50 times")
	ErrRefundTooSoon  = errors.New("the trade was refunded a moment ago")
	ErrRefundTooLate  = errors.New("the payment is older than a year")
	ErrMerchantShort  = errors.New("the merchant's balance is too low")
	ErrUserAccount    = errors.New("the buyer's account is closed")
	ErrRefundFinal    = errors.New("the refund has come to its end")
)

// The limits of refunds.
const (
	maxRefunds   = 50                   // of one trade, whatever became of them
	refundPeriod = 365 * 24 * time.Hour // from the payment
)

// refund is money that goes back. What Gateway.refund sets does not change;
// the rest is guarded by Gateway.mu.
type refund struct {
	trade       *trade
	payment     *payment
	scope, no   string // the shop's number; scope is "" where numbers are the merchant's
	id          string // the platform's number
	amount      int64  // fen
	coupon      int64  // fen of it that go back to whoever paid the coupon
	reason      string
	notifyURL   string   // "": nobody is told
	fingerprint [32]byte // of all parameters: a repeat must have the same
	created     time.Time

	state   RefundState
	at      time.Time // of the state
	ends    uint64    // names the planned end, so that a later plan replaces it
	account string    // where the money goes, when not back where it came from
}

// refundKey is a refund number: the merchant's own within a protocol, or with
// a scope the trade's.
type refundKey struct{ protocol, scope, no string }

// refundAsk is what a shop asks for.
type refundAsk struct {
	scope, no         string
	transactionID     string // of the payment to refund; "": the first that has enough left
	amount            int64
	reason, notifyURL string
	fingerprint       [32]byte
	delay             time.Duration // until it has succeeded; 0: at once
}

// findRefund returns the refund or nil. g.mu is held.
func (g *Gateway) findRefund(p protocol, scope, no string) *refund {
	return g.trades.byRefund[refundKey{p.name(), scope, no}]
}

// refund starts a refund of t, or answers again with the one that has the
// number. A refusal leaves nothing behind, so that the same number may be
// used again. The rules are checked in the order of the errors above; faults
// of OpRefund strike a new one. g.mu is held.
func (g *Gateway) refund(t *trade, ask refundAsk) (*refund, error) {
	if r := g.findRefund(t.speaks, ask.scope, ask.no); r != nil {
		if r.trade != t || r.fingerprint != ask.fingerprint {
			return nil, ErrRefundDiffers
		}
		return r, nil
	}
	now := g.now()
	p, err := t.refundable(ask)
	switch {
	case err != nil:
		return nil, err
	case len(t.refunds) >= maxRefunds:
		return nil, ErrTooManyRefunds
	case len(t.refunds) > 0 && now.Before(t.refunds[len(t.refunds)-1].created.Add(g.refundSpacing)):
		return nil, ErrRefundTooSoon
	case now.After(p.at.Add(refundPeriod)):
		return nil, ErrRefundTooLate
	}
	hit := g.strike(OpRefund, t.no, refundFaults...)
	switch hit.Fault {
	case MerchantShort:
		return nil, ErrMerchantShort
	case UserAccountClosed:
		return nil, ErrUserAccount
	}
	r := &refund{
		trade: t, payment: p, scope: ask.scope, no: ask.no, id: t.speaks.refundID(now), amount: ask.amount,
		reason: ask.reason, notifyURL: ask.notifyURL, fingerprint: ask.fingerprint,
		created: now, state: RefundProcessing, at: now,
	}
	// In proportion, and so that the whole payment gives back the whole coupon.
	r.coupon = max(0, p.coupon*(p.refunded+r.amount)/t.amount-p.couponBack)
	p.refunded += r.amount
	p.couponBack += r.coupon
	t.refunds = append(t.refunds, r)
	g.trades.addRefund(r)
	g.log.Debug("sandbox: refund accepted", "outTradeNo", t.no, "refundNo", r.no, "amount", r.amount)
	switch hit.Fault {
	case NeverEnds:
	case EndsAbnormal:
		g.planRefund(r, RefundAbnormal, ask.delay)
	case EndsClosed:
		g.planRefund(r, RefundClosed, ask.delay)
	default:
		g.planRefund(r, RefundSucceeded, ask.delay)
	}
	return r, nil
}

// refundable is the payment that the refund goes against.
func (t *trade) refundable(ask refundAsk) (*payment, error) {
	err := ErrUnpaid
	for _, p := range t.payments {
		if ask.transactionID != "" && ask.transactionID != p.transactionID {
			continue
		}
		if ask.amount <= t.amount-p.refunded {
			return p, nil
		}
		err = ErrRefundTooMuch
	}
	return nil, err
}

// planRefund lets r reach the state after the delay, unless another plan or
// an operator comes first. g.mu is held.
func (g *Gateway) planRefund(r *refund, state RefundState, delay time.Duration) {
	r.ends++
	plan := r.ends
	if delay <= 0 {
		g.endRefund(r, state, g.now())
		return
	}
	g.later(g.now().Add(delay), func(at time.Time) {
		if r.ends == plan && r.state == RefundProcessing && !r.trade.gone {
			g.endRefund(r, state, at)
		}
	})
}

// endRefund moves r to a state, as at a time, and tells the shop. Money moves
// when it succeeds; a refund that is closed leaves its share to others. g.mu
// is held.
func (g *Gateway) endRefund(r *refund, state RefundState, at time.Time) {
	r.state, r.at = state, at
	r.ends++
	switch state {
	case RefundSucceeded:
		g.moved(r.trade, r.payment, r, at)
	case RefundClosed:
		r.payment.refunded -= r.amount
		r.payment.couponBack -= r.coupon
	}
	g.log.Debug("sandbox: refund ended", "outTradeNo", r.trade.no, "refundNo", r.no, "state", state)
	g.announceRefund(r, at)
}

// finishRefund is the word of an operator. g.mu is held.
func (g *Gateway) finishRefund(r *refund, state RefundState) error {
	switch {
	case state != RefundSucceeded && state != RefundAbnormal && state != RefundClosed:
		return errors.New("a refund ends as succeeded, abnormal or closed")
	case r.state == RefundSucceeded || r.state == RefundClosed || r.state == state:
		return ErrRefundFinal
	}
	g.endRefund(r, state, g.now())
	return nil
}

// FinishRefund ends a refund that is processing, or one that is abnormal, and
// sends the callback. Where refund numbers are the trade's own, the trade's
// number must be given too; otherwise it is left out.
func (g *Gateway) FinishRefund(refundNo string, state RefundState, outTradeNo ...string) error {
	return g.withRefund(refundNo, func(r *refund) error { return g.finishRefund(r, state) }, outTradeNo...)
}

// withRefund runs f on the refund, under the lock.
func (g *Gateway) withRefund(no string, f func(*refund) error, scope ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	for _, p := range g.protocols {
		for _, s := range append([]string{""}, scope...) {
			if r := g.findRefund(p, s, no); r != nil {
				return f(r)
			}
		}
	}
	return ErrNoRefund
}
