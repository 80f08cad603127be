package app

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// Settle is the one method through which facts about payments arrive: from
// callbacks, queries, closes and operators. x is the channel message that brought
// the fact; it is stored with what it did.
func (a *App) Settle(ctx context.Context, shopID, paymentNo string, f payment.Fact, x ChannelMessage) (payment.Outcome, error) {
	began := time.Now()
	spare, err := newNumber(repeatDigit, a.Clock.Now(), a.Rand)
	if err != nil {
		return "", err
	}
	// settled is what became of the fact, and the order's trace if there is a payment.
	type settled struct {
		outcome payment.Outcome
		trace   string
	}
	out, _, err := Do(ctx, a, &Command{
		Shop: shopID, Name: "settle", Trace: a.Tracer.Parent(ctx),
		Needs: Needs{Payments: []string{paymentNo}, Refunds: refundsOf(f)},
	}, func(tx *Tx) (settled, error) {
		x := x
		p, err := tx.Payment(paymentNo)
		if err != nil {
			return settled{}, err
		}
		x.Payment = paymentNo
		if p == nil {
			x.Verdict = string(payment.Orphan)
			tx.Keep(x)
			return settled{outcome: payment.Orphan}, nil
		}
		if p, err = ofRefund(tx, p, f); err != nil {
			return settled{}, err
		}
		d := p.Data()
		tx.Follow(d.Trace)
		o, err := tx.Order(d.Order)
		if err != nil {
			return settled{}, err
		}
		if x.Kind == MessageQuery {
			p.Asked(tx.Now())
		}
		outcome := p.Settle(f, tx.Now())
		if err := follow(tx, o, p, outcome, f, spare); err != nil {
			return settled{}, err
		}
		x.Order, x.Verdict = d.Order, string(outcome)
		tx.Keep(x)
		return settled{outcome, d.Trace}, nil
	})
	if err == nil && out.trace != "" {
		a.Tracer.Tell(ctx, "settle "+x.Kind, out.trace, began)
	}
	return out.outcome, err
}

// follow tells the order, and the refund that the fact is about, what became
// of the payment, and saves them.
func follow(tx *Tx, o *order.Order, p *payment.Payment, outcome payment.Outcome, f payment.Fact, spare string) error {
	switch outcome {
	case payment.Repeated:
		if f.Source == payment.ByQuery {
			tx.PutPayment(p) // its next query has moved on
		}
		return triedAgain(tx, f)
	case payment.StillOpen, payment.Recorded, payment.GoneBack:
		if outcome == payment.Recorded && f.Kind == payment.Failed && p.Data().Status == payment.StatusClosed && !othersOpen(tx, p) {
			// Told after the close, and yet the attempt has failed.
			o.AttemptFailed(f.Word)
			tx.PutOrder(o)
		}
		if f.RefundNo != "" || outcome == payment.GoneBack {
			if err := learn(tx, o, p, outcome, f); err != nil {
				return err
			}
			tx.PutOrder(o)
		}
		tx.PutPayment(p)
		return nil
	case payment.Settled:
		if err := arrived(tx, o, p); err != nil {
			return err
		}
	case payment.PaidAgain:
		paidAgain(tx, o, p, spare)
	case payment.NowFailed:
		o.Note(p.Event(event.PaymentFailed, f.Word))
		if !othersOpen(tx, p) {
			o.AttemptFailed(f.Word)
		}
	case payment.NowClosed:
		o.Note(p.Event(event.PaymentClosed, f.Word))
		if f.Word == NobodyOpened {
			p.Watch()
		}
	case payment.Anomalous:
		o.Note(p.Event(event.PaymentAnomaly, p.Data().Anomaly))
	}
	tx.PutPayment(p)
	if d := o.Data(); d.Closing != "" && !p.Data().Open() && !othersOpen(tx, p) {
		// The channel has spoken of every payment: the order can go. It is
		// live, or Closing would have been cleared.
		if err := o.Close(d.Closing, tx.Now()); err != nil {
			panic(err)
		}
	}
	tx.PutOrder(o)
	return nil
}

// arrived puts money to its order. What the order does not take goes back by
// itself: money that came late unless the order can live again, and what is
// more than was due.
func arrived(tx *Tx, o *order.Order, p *payment.Payment) error {
	d, was := p.Data(), o.Data().Status
	o.Note(p.Event(event.PaymentSucceeded, ""))
	applied := o.Settle(d.Amount, tx.Now())
	if applied == 0 && was == order.Closed && tx.Shop().Policies.LatePayment == shop.Revive {
		again, err := revive(tx, o, d.Amount)
		if err != nil {
			return err
		}
		if again {
			applied = d.Amount
		}
	}
	givenUp := p.Apply(applied)

	cause := payment.Overpayment
	if was == order.Closed {
		cause = payment.LatePayment
	}
	no, excess := derivedNumber(cause, d.No), d.Amount-applied
	// Refunds may be told of before the money is. One under the number that
	// is derived is ours if there is something to give back; the others were
	// made at the merchant's console, say, and leave that much less to do.
	var own []payment.Fact
	ownGone := false
	for _, g := range d.Facts {
		if g.RefundNo == no && excess > 0 && p.Believes(g) {
			own = append(own, g)
			ownGone = ownGone || g.Kind == payment.Refunded
		}
	}
	left := d.Refunded
	if ownGone {
		left -= min(left, excess)
	}
	for _, g := range d.Facts {
		if g.Kind != payment.Refunded || g.RefundNo == no && excess > 0 || !p.Believes(g) {
			continue
		}
		part := min(g.Amount, left)
		left -= part
		if part == 0 {
			continue
		}
		of := min(part, givenUp)
		givenUp -= of
		p.Withdraw(o.GaveBack(of, wentBack(p, part)))
		if !ownGone {
			excess -= part
		}
	}
	if excess <= 0 {
		return nil
	}
	r := ownRefund(tx, o, p, cause, excess, nil)
	for _, g := range own {
		switch gone, lost := r.Learn(g, tx.Now()); {
		case gone:
			p.Withdraw(o.GaveBack(givenUp, told(r, event.RefundSucceeded, "")))
		case lost:
			o.Note(told(r, event.RefundFailed, g.Word))
		case g.Kind == payment.RefundStuck && r.Data().Status == payment.RefundPending:
			o.Note(told(r, event.RefundParked, g.Word))
		}
	}
	tx.PutRefund(r)
	return nil
}

// paidAgain gives back what came under one number for a second time. It is a
// payment of its own, so that the books show the money.
func paidAgain(tx *Tx, o *order.Order, p *payment.Payment, no string) {
	var known []string
	for _, q := range tx.PaymentsOf(o.No()) {
		if d := q.Data(); d.Request.PaymentNo == p.No() && d.No != p.No() {
			known = append(known, d.TransactionID)
		}
	}
	q := p.Again(no, known, tx.Now())
	if q == nil {
		return
	}
	o.Note(q.Event(event.PaymentSucceeded, string(payment.PaidAgain)))
	tx.PutPayment(q)
	tx.PutRefund(ownRefund(tx, o, q, payment.Overpayment, q.Data().Amount, nil))
}

// ofRefund finds the payment that a fact about a refund is really about: the
// channel names the number that was paid, also when it was paid twice and the
// second money goes back.
func ofRefund(tx *Tx, p *payment.Payment, f payment.Fact) (*payment.Payment, error) {
	if f.RefundNo == "" {
		return p, nil
	}
	r, err := tx.Refund(payment.RefundOf(f.RefundNo))
	if err != nil || r == nil {
		return p, err
	}
	for _, part := range r.Data().Allocations {
		if part.No != f.RefundNo || part.Payment == p.No() || !isRepeat(part.Payment) {
			continue
		}
		q, err := tx.Payment(part.Payment)
		if err != nil {
			return nil, err
		}
		if q != nil && q.Data().Request.PaymentNo == p.No() {
			return q, nil
		}
	}
	return p, nil
}

func wentBack(p *payment.Payment, amount int64) event.Event {
	e := p.Event(event.RefundSucceeded, "")
	e.Amount = amount
	return e
}

// othersOpen says whether another payment of the order may still be paid.
func othersOpen(tx *Tx, p *payment.Payment) bool {
	d := p.Data()
	for _, q := range tx.PaymentsOf(d.Order) {
		if qd := q.Data(); qd.No != d.No && qd.Open() {
			return true
		}
	}
	return false
}

// The kinds of messages.
const (
	MessageCallback = "callback"
	MessagePrepay   = "prepay"
	MessageQuery    = "query"
	MessageClose    = "close"

	MessageRefund      = "refund"
	MessageRefundQuery = "refund_query"
	MessageBill        = "bill"
	MessageOperator    = "operator"
)

// callTime bounds one call to a channel, whatever the channel's own limit.
const callTime = 10 * time.Second
