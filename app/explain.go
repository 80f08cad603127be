package app

import (
	"context"
	"fmt"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/rows"
)

// explain compares what the channel says to have gone back of a payment with the
// refunds of Tandem's that take from it. What none of them can explain was
// refunded at the channel's own console, and is booked. A refund of ours that
// the channel refuses because of that is parked as such, so that nobody
// pays the buyer a second time.
func (a *App) explain(ctx context.Context, shopID, paymentNo string) error {
	have, err := a.Store.Payment(ctx, shopID, paymentNo)
	if err != nil || have.Status != payment.StatusSucceeded {
		return err
	}
	// A refund that is requested after this is no part of what the channel said before.
	refunds, err := a.Store.RefundsOf(ctx, shopID, have.Order)
	if err != nil {
		return err
	}
	needs := Needs{rows.Orders.Keys(have.Order), rows.Payments.Keys(paymentNo)}
	for i := range refunds {
		needs.Add(rows.Refunds.Keys(refunds[i].No))
	}
	_, err = Run(ctx, a, &Command{Shop: shopID, Name: "explain refunds", Trace: have.Trace, Needs: needs}, func(tx *Tx) error {
		return explained(tx, paymentNo, refunds)
	})
	return err
}

func explained(tx *Tx, paymentNo string, refunds []payment.RefundData) error {
	p, err := tx.Payment(paymentNo)
	if err != nil {
		return err
	}
	before := p.Data()
	o, err := tx.Order(before.Order)
	if err != nil {
		return err
	}
	seq := o.Data().Seq
	ours, open := false, false
	var refused []*payment.Refund
	for i := range refunds {
		r, err := tx.Refund(refunds[i].No)
		if err != nil {
			return err
		}
		for _, part := range r.Data().Allocations {
			if part.Payment != paymentNo {
				continue
			}
			ours = true
			switch {
			case part.Status != payment.RefundPending || part.Parked == payment.ParkReturned:
			case part.Parked == payment.ParkRejected:
				refused = append(refused, r)
			default:
				open = true
			}
		}
	}
	if before.Unexplained() && !open {
		if more := p.Unexpected(!ours); more > 0 {
			giveBack(o, p, p.Apply(0), moneyBack(p, more))
		}
		if d := p.Data(); d.Anomaly != "" && d.Anomaly != before.Anomaly {
			o.Note(p.Event(event.PaymentAnomaly, d.Anomaly))
		}
		tx.PutPayment(p)
	}
	d := p.Data()
	left := d.Left()
	for _, r := range refused {
		for _, part := range r.Data().Allocations {
			if part.Payment == paymentNo && part.Parked == payment.ParkRejected && part.Amount > left {
				r.Park(
					part.No, payment.ParkReturned,
					fmt.Sprintf("%d of the payment's %d went back by other refunds", before.Amount-left, before.Amount),
				)
				o.Note(refundEvent(r, event.RefundParked, string(payment.ParkReturned)))
				tx.PutRefund(r)
			}
		}
	}
	if o.Data().Seq > seq {
		tx.PutOrder(o)
	}
	return nil
}
