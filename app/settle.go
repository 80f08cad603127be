package app

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// Settle is the one method through which facts about payments arrive: from
// callbacks, queries, closes and operators. x is the exchange that brought
// the fact; it is stored with what it did.
func (a *App) Settle(ctx context.Context, shop, paymentNo string, f payment.Fact, x Exchange) (payment.Outcome, error) {
	began := time.Now()
	var flow string // the order's trace, once the payment is known
	c := &Command{
		Shop: shop, Name: "settle", Trace: a.Tracer.Parent(ctx),
		Needs: Needs{Payments: []string{paymentNo}},
		Decide: func(tx *Tx) (any, error) {
			p, err := tx.Payment(paymentNo)
			if err != nil {
				return nil, err
			}
			x.Payment = paymentNo
			if p == nil {
				x.Verdict = string(payment.Orphan)
				tx.Keep(x)
				return payment.Orphan, nil
			}
			d := p.Data()
			tx.Follow(d.Trace)
			flow = d.Trace
			o, err := tx.Order(d.Order)
			if err != nil {
				return nil, err
			}
			if x.Kind == ExchangeQuery {
				p.Asked(tx.Now())
			}
			outcome := p.Settle(f, tx.Now())
			follow(tx, o, p, outcome, f)
			x.Order, x.Verdict = d.Order, string(outcome)
			tx.Keep(x)
			return outcome, nil
		},
	}
	out, _, err := do[payment.Outcome](ctx, a, c)
	if err == nil && flow != "" {
		a.Tracer.Tell(ctx, "settle "+x.Kind, flow, began)
	}
	return out, err
}

// follow tells the order what became of its payment, and saves both.
func follow(tx *Tx, o *order.Order, p *payment.Payment, outcome payment.Outcome, f payment.Fact) {
	switch outcome {
	case payment.Repeated:
		return
	case payment.StillOpen, payment.Recorded:
		tx.PutPayment(p)
		return
	case payment.Settled:
		o.Note(p.Event(event.PaymentSucceeded, ""))
		givenUp := p.Apply(o.Settle(p.Data().Amount, tx.Now()))
		if back := p.Data().Refunded; back > 0 {
			// The refund's notice came before the payment's.
			o.Refund(givenUp, wentBack(p, back))
		}
	case payment.GoneBack:
		o.Refund(p.Apply(0), wentBack(p, f.Amount))
	case payment.NowFailed:
		o.Note(p.Event(event.PaymentFailed, f.Word))
		if !othersOpen(tx, p) {
			o.AttemptFailed(f.Word)
		}
	case payment.NowClosed:
		o.Note(p.Event(event.PaymentClosed, f.Word))
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

// The kinds of exchanges.
const (
	ExchangeCallback = "callback"
	ExchangePrepay   = "prepay"
	ExchangeQuery    = "query"
	ExchangeClose    = "close"
)

// callTime bounds one call to a channel, whatever the channel's own limit.
const callTime = 10 * time.Second
