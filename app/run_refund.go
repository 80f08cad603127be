package app

import (
	"context"
	"errors"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// advanceRefund makes the channel calls for the pending parts of a refund. The
// first call requests the refund; later ones query it, and request it again,
// under the same number, only if the channel's verified answer is that it does
// not know it.
func (a *App) advanceRefund(ctx context.Context, shopID, no string) error {
	r, err := a.Store.Refund(ctx, shopID, no)
	if err != nil {
		return err
	}
	for i := range r.Allocations {
		part := &r.Allocations[i]
		if part.Status != payment.RefundPending || part.Parked.Refused() {
			continue
		}
		if e := a.advancePart(ctx, shopID, &r, part); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

func (a *App) advancePart(ctx context.Context, shopID string, r *payment.RefundData, part *payment.Allocation) error {
	p, err := a.Store.Payment(ctx, shopID, part.Payment)
	if err != nil {
		return err
	}
	ch, err := a.Channels.Channel(ctx, shopID, part.Channel)
	if err != nil {
		if fault.Is(err, fault.ChannelNotConfigured) {
			x := ChannelMessage{Kind: MessageRefundQuery, At: a.Clock.Now().UTC(), Verdict: string(fault.ChannelNotConfigured)}
			return a.refundUnanswered(ctx, shopID, r, part, x, err)
		}
		return err
	}
	req := a.refundRequest(shopID, r, part, &p)
	if r.Tries > 0 {
		f, x, err := a.callRefund(ctx, &ch, MessageRefundQuery, p.Trace, req)
		if !errors.Is(err, payment.ErrNotExist) {
			return a.refundAnswered(ctx, shopID, r, part, f, x, err)
		}
		if part.Parked == payment.ParkAbnormal {
			return a.refundUnanswered(ctx, shopID, r, part, x, err)
		}
	}
	f, x, err := a.callRefund(ctx, &ch, MessageRefund, p.Trace, req)
	return a.refundAnswered(ctx, shopID, r, part, f, x, err)
}

func (a *App) refundRequest(shopID string, r *payment.RefundData, part *payment.Allocation, p *payment.Data) payment.RefundRequest {
	return payment.RefundRequest{
		RefundNo: part.No, PaymentNo: p.Request.PaymentNo, TransactionID: p.TransactionID, Amount: part.Amount, Total: p.Amount,
		Currency: r.Currency, Reason: r.Reason, NotifyURL: a.PublicURL + "/v1/notify/" + shopID + "/" + part.Channel,
	}
}

// callRefund makes one call about a refund.
func (a *App) callRefund(
	ctx context.Context, ch *Configured, kind, trace string, req payment.RefundRequest,
) (payment.Fact, ChannelMessage, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	x := ChannelMessage{Kind: kind, At: a.Clock.Now().UTC()}
	began := time.Now()
	name, do := "channel refund", ch.Refund
	if kind == MessageRefundQuery {
		name, do = "channel refund query", ch.QueryRefund
	}
	call, end := a.Tracer.Start(call, name, trace)
	f, err := do(call, req)
	end(err)
	x.TookUS = time.Since(began).Microseconds()
	return f, x, err
}

// refundAnswered settles the fact in the channel's answer, or records that it gave none.
func (a *App) refundAnswered(
	ctx context.Context, shopID string, r *payment.RefundData, part *payment.Allocation, f payment.Fact, x ChannelMessage,
	err error,
) error {
	if err != nil {
		return a.refundUnanswered(ctx, shopID, r, part, x, err)
	}
	x.Channel, x.Detail = part.Channel, part.No+" "+f.Reported
	_, err = a.Settle(context.WithoutCancel(ctx), shopID, part.Payment, f, x)
	return err
}

// refundUnanswered records a call that gave no fact, schedules the next try, and
// parks the part if a person has to look at it.
func (a *App) refundUnanswered(
	ctx context.Context, shopID string, r *payment.RefundData, part *payment.Allocation, x ChannelMessage, cause error,
) error {
	x.Order, x.Payment, x.Channel, x.Detail = r.Order, part.Payment, part.Channel, part.No+" "+cause.Error()
	if x.Verdict == "" {
		x.Verdict = verdict(cause)
	}
	var rejected *payment.RejectedError
	why := payment.Parking("")
	switch {
	case errors.As(cause, &rejected):
		why = payment.ParkRejected
	case errors.Is(cause, payment.ErrShort):
		why = payment.ParkShort
	}
	ctx = context.WithoutCancel(ctx)
	_, err := Run(ctx, a, &Command{
		Shop: shopID, Name: "refund unanswered", Trace: r.Trace, Needs: Needs{rows.Orders.Keys(r.Order), rows.Refunds.Keys(r.No)},
	}, func(tx *Tx) error {
		r, err := tx.Refund(r.No)
		if err != nil {
			return err
		}
		if why != "" {
			d := r.Data()
			before := d.Allocation(part.No, part.Payment)
			r.Park(part.No, why, cause.Error())
			if before != nil && before.Status == payment.RefundPending && before.Parked != why {
				o, err := tx.Order(d.Order)
				if err != nil {
					return err
				}
				o.Note(refundEvent(r, event.RefundParked, string(why)))
				tx.PutOrder(o)
			}
		}
		if d := r.Data(); why == "" && d.Allocation(part.No, part.Payment).Parked == payment.ParkShort {
			r.Park(part.No, "", "") // the account is not short any more
		}
		r.Tried(tx.Now())
		tx.PutRefund(r)
		tx.Keep(x)
		return nil
	})
	if err == nil && why == payment.ParkRejected {
		err = a.explain(ctx, shopID, part.Payment)
	}
	return err
}

// QueryRefund queries a refund by its number at the channel, whether or not it
// is one of ours, and settles the answer.
func (a *App) QueryRefund(ctx context.Context, shopID, paymentNo, channelNo string) error {
	p, err := a.Store.Payment(ctx, shopID, paymentNo)
	if err != nil {
		return err
	}
	ch, err := a.Channels.Channel(ctx, shopID, p.Channel)
	if err != nil {
		return err
	}
	f, x, err := a.callRefund(ctx, &ch, MessageRefundQuery, p.Trace, payment.RefundRequest{
		RefundNo: channelNo, PaymentNo: p.Request.PaymentNo, TransactionID: p.TransactionID, Total: p.Amount, Currency: p.Currency,
	})
	if err != nil {
		return err
	}
	x.Channel, x.Detail = p.Channel, channelNo+" "+f.Reported
	_, err = a.Settle(context.WithoutCancel(ctx), shopID, p.No, f, x)
	return err
}

// RetryRefund tries the parked parts of a refund again at once; those that
// failed for good at the channel get a new number.
func (a *App) RetryRefund(ctx context.Context, shopID, no, key string) (payment.RefundData, bool, error) {
	return a.onRefund(ctx, shopID, no, "retry refund", key, nil, func(tx *Tx, r *payment.Refund) error {
		d := r.Data()
		if d.Status == payment.RefundSucceeded {
			return fault.New(fault.RefundNotOpen, "refund %s has succeeded", no)
		}
		o, err := tx.Order(d.Order)
		if err != nil {
			return err
		}
		var again int64
		held := order.Held{Before: d.Held()}
		for _, part := range r.Retry(tx.Now()) {
			again += part.Amount
			if !d.Cause.OfOrder() {
				continue
			}
			p, err := tx.Payment(part.Payment)
			if err != nil {
				return err
			}
			if pd := p.Data(); part.Amount > pd.Refundable() {
				return fault.New(fault.RefundExceedsPaid, "payment %s can give back %d, not %d", pd.No, pd.Refundable(), part.Amount)
			}
			p.Reserve(part.Amount)
			tx.PutPayment(p)
		}
		if again > 0 && d.Cause.OfOrder() {
			held.After = held.Before + again
			if err := o.ReserveAgain(returns(d.Lines), held, again); err != nil {
				return err
			}
		}
		o.Note(refundEvent(r, event.RefundRetried, ""))
		tx.PutOrder(o)
		return nil
	})
}

// onRefund runs an operator's action on a refund.
func (a *App) onRefund(
	ctx context.Context, shopID, no, name, key string, request any, action func(tx *Tx, r *payment.Refund) error,
) (payment.RefundData, bool, error) {
	have, err := a.Store.Refund(ctx, shopID, no)
	if err != nil {
		return have, false, err
	}
	c := &Command{
		Shop: shopID, Name: name, Key: key, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Orders.Keys(have.Order), rows.Refunds.Keys(no)},
	}
	if key != "" {
		c.Hash = Hash(name+" "+no, request)
	}
	return Do(ctx, a, c, func(tx *Tx) (out payment.RefundData, err error) {
		r, err := tx.Refund(no)
		if err != nil {
			return out, err
		}
		tx.Join(r.Data().Trace)
		if err := action(tx, r); err != nil {
			return out, err
		}
		tx.PutRefund(r)
		return r.Data(), nil
	})
}

// ConfirmRefund records an operator's statement that the buyer has the money:
// paid by hand, or seen at the merchant's console.
func (a *App) ConfirmRefund(ctx context.Context, shopID, no, reason string) (payment.RefundData, error) {
	return a.byOperator(ctx, shopID, no, reason, func(part *payment.Allocation) (payment.Fact, bool) {
		return payment.Fact{ID: "refund/" + part.No, Kind: payment.Refunded, Reported: "confirmed"}, part.Status != payment.RefundSucceeded
	})
}

// GiveUpRefund records an operator's statement that the channel has not sent
// the money and never will, seen at the merchant's console: what has not gone
// is not reserved any more, and can be retried under a new number. If the channel reports later
// that the money went after all, it is settled as usual.
func (a *App) GiveUpRefund(ctx context.Context, shopID, no, reason string) (payment.RefundData, error) {
	return a.byOperator(ctx, shopID, no, reason, func(part *payment.Allocation) (payment.Fact, bool) {
		f := payment.Fact{ID: "refund/" + part.No + "/given_up", Kind: payment.RefundFailed, Reported: "given up by an operator"}
		return f, part.Reserved()
	})
}

// byOperator settles an operator's fact about each part of a refund for which
// about returns true.
func (a *App) byOperator(
	ctx context.Context, shopID, no, reason string, about func(*payment.Allocation) (payment.Fact, bool),
) (payment.RefundData, error) {
	if reason == "" || len(reason) > 500 {
		return payment.RefundData{}, fault.Invalidf("/reason", "give your evidence in 1 to 500 bytes: it is kept")
	}
	r, err := a.Store.Refund(ctx, shopID, no)
	if err != nil {
		return r, err
	}
	for i := range r.Allocations {
		part := &r.Allocations[i]
		f, concerned := about(part)
		if !concerned {
			continue
		}
		p, err := a.Store.Payment(ctx, shopID, part.Payment)
		if err != nil {
			return r, err
		}
		now := a.Clock.Now().UTC()
		f.Source, f.RefundNo, f.Amount, f.At = payment.ByOperator, part.No, part.Amount, now
		f.Currency, f.Merchant, f.App = p.Currency, p.Merchant, p.App
		x := ChannelMessage{Channel: part.Channel, Kind: MessageOperator, At: now, Detail: part.No + " " + reason}
		if _, err := a.Settle(ctx, shopID, part.Payment, f, x); err != nil {
			return r, err
		}
	}
	return a.Store.Refund(ctx, shopID, no)
}

// AbnormalRefund sends a stuck refund another way: to a bank card of the buyer,
// or back to the merchant. paymentNo may be "" when one payment
// alone gives the refund.
func (a *App) AbnormalRefund(ctx context.Context, shopID, no, paymentNo string, to payment.AbnormalRefund) (payment.RefundData, error) {
	r, err := a.Store.Refund(ctx, shopID, no)
	if err != nil {
		return r, err
	}
	var part *payment.Allocation
	for i := range r.Allocations {
		if c := &r.Allocations[i]; c.Parked == payment.ParkAbnormal && (paymentNo == "" || paymentNo == c.Payment) {
			part = c
			break
		}
	}
	if part == nil {
		return r, fault.New(fault.RefundNotOpen, "refund %s has no part that is stuck with the buyer's account", no)
	}
	p, err := a.Store.Payment(ctx, shopID, part.Payment)
	if err != nil {
		return r, err
	}
	ch, err := a.Channels.Channel(ctx, shopID, part.Channel)
	if err != nil {
		return r, err
	}
	other, can := payment.As[payment.AbnormalRefunder](ch.Channel)
	if !can {
		return r, fault.New(
			fault.RefundNotOpen, "channel %s has no other way to send a refund; pay the buyer by hand and confirm", part.Channel,
		)
	}
	to.RefundNo, to.RefundID = part.No, part.RefundID
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	x := ChannelMessage{Channel: part.Channel, Kind: MessageRefund, At: a.Clock.Now().UTC(), Detail: part.No + " by another way"}
	began := time.Now()
	call, end := a.Tracer.Start(call, "channel abnormal refund", p.Trace)
	f, err := other.FinishRefund(call, to)
	end(err)
	x.TookUS = time.Since(began).Microseconds()
	if err != nil {
		x.Order, x.Payment, x.Verdict, x.Detail = r.Order, part.Payment, verdict(err), x.Detail+": "+err.Error()
		if kept := a.keep(context.WithoutCancel(ctx), shopID, x); kept != nil {
			return r, kept
		}
		var rejected *payment.RejectedError
		if errors.As(err, &rejected) {
			return r, fault.New(fault.ChannelRejected, "%s refused: %s %s", part.Channel, rejected.Code, rejected.Message)
		}
		return r, channelFault(part.Channel, err)
	}
	if _, err := a.Settle(context.WithoutCancel(ctx), shopID, part.Payment, f, x); err != nil {
		return r, err
	}
	return a.Store.Refund(ctx, shopID, no)
}
