package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// MaxRefundReason is how many characters a refund's reason may have: what
// the channels show to the buyer.
const MaxRefundReason = 80

// MaxRefundItems is how many lines one refund may name.
const MaxRefundItems = 200

// RequestRefund is a request to refund an order, whole or in part.
type RequestRefund struct {
	order.RefundRequest
	Reason  string
	Restock *bool // whether its units go on hand again; nil: those of its lines do, all others by the shop's policy
}

// RequestRefund reserves the money, takes it from the order's payments by the
// shop's policy, and stores the refund with its number: only then is the
// channel called (RunRefunds). Duplicates under one key make one refund.
func (a *App) RequestRefund(ctx context.Context, shopID, orderNo, key string, in RequestRefund) (payment.RefundData, bool, error) {
	switch {
	case in.Amount < 0:
		return payment.RefundData{}, false, fault.Invalidf("/amount", "must be positive minor units")
	case in.Amount > 0 && len(in.Items) > 0:
		return payment.RefundData{}, false, fault.Invalidf("/items", "give an amount or items, not both")
	case len(in.Items) > MaxRefundItems:
		return payment.RefundData{}, false, fault.Invalidf("/items", "at most %d", MaxRefundItems)
	case utf8.RuneCountInString(in.Reason) > MaxRefundReason:
		return payment.RefundData{}, false, fault.Invalidf("/reason", "at most %d characters", MaxRefundReason)
	}
	no, err := newNumber(refundDigit, a.Clock.Now(), a.Rand)
	if err != nil {
		return payment.RefundData{}, false, err
	}
	return Do(ctx, a, &Command{
		// The hash of an earlier version: a repeat after an upgrade is still a repeat.
		Shop: shopID, Name: "request refund", Key: key, Hash: Hash("ask refund "+orderNo, in), Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Orders.Keys(orderNo)},
	}, func(tx *Tx) (out payment.RefundData, err error) {
		o, err := tx.Order(orderNo)
		if err != nil {
			return out, err
		}
		if o == nil {
			return out, fault.New(fault.NotFound, "there is no order %s", orderNo)
		}
		tx.Join(o.Data().Trace)
		back, amount, err := o.RequestRefund(in.RefundRequest)
		if err != nil {
			return out, err
		}
		parts, err := split(tx, orderNo, amount)
		if err != nil {
			return out, err
		}
		r := payment.NewRefund(payment.RefundData{
			No: no, Order: orderNo, Cause: payment.Requested, Amount: amount, Currency: o.Data().Currency,
			Reason: in.Reason, Lines: refundLines(back), Allocations: parts, Trace: tx.Trace(), Restock: in.restock(),
		}, tx.Now())
		o.Note(refundEvent(r, event.RefundCreated, in.Reason))
		if amount == 0 { // nothing is to be sent: its units go back at once
			returnUnits(tx, o, r)
			o.CompleteFree(refundEvent(r, event.RefundSucceeded, ""))
		}
		tx.PutRefund(r)
		tx.PutOrder(o)
		return r.Data(), nil
	})
}

func (in *RequestRefund) restock() payment.Restock {
	switch {
	case in.Restock != nil && !*in.Restock:
		return payment.RestockNone
	case len(in.Items) > 0:
		return payment.RestockLines
	case in.Restock != nil:
		return payment.RestockAll
	}
	return payment.RestockByPolicy
}

// returnUnits has the units of a refund go back with its money, on hand or not.
func returnUnits(tx *Tx, o *order.Order, r *payment.Refund) {
	d, keepOut := r.Data(), tx.Shop().Policies.RefundedStock == shop.KeepOut
	onHand := !keepOut
	switch d.Restock {
	case payment.RestockLines:
		onHand = true
	case payment.RestockAll, payment.RestockNone:
		onHand = d.Restock == payment.RestockAll
		o.Under(policies(tx.Shop(), !onHand))
	case payment.RestockByPolicy:
	}
	o.ReturnUnits(returns(d.Lines), onHand)
}

// policies are the shop's, as far as they concern the end of an order.
func policies(s shop.Shop, keepOut bool) order.Policies {
	p := s.Policies
	return order.Policies{Forfeit: p.UnpaidInstalment == shop.Forfeit, KeepOut: keepOut, KeepLimits: p.RefundedLimits == shop.KeepLimits}
}

// newestFirst is the order in which payments succeeded, the last first.
func newestFirst(a, b *payment.Payment) int {
	x, y := a.Data(), b.Data()
	if c := y.SucceededAt.Compare(x.SucceededAt); c != 0 {
		return c
	}
	return strings.Compare(y.No, x.No)
}

// split divides an amount over the order's payments, and reserves each share.
func split(tx *Tx, orderNo string, amount int64) ([]payment.Allocation, error) {
	if amount == 0 {
		return nil, nil
	}
	payments := slices.DeleteFunc(tx.PaymentsOf(orderNo), func(p *payment.Payment) bool {
		d := p.Data()
		return d.Refundable() == 0
	})
	slices.SortFunc(payments, newestFirst)
	weights, shares := make([]int64, len(payments)), make([]int64, len(payments))
	left := amount
	for i, p := range payments {
		d := p.Data()
		weights[i] = d.Refundable()
		shares[i] = min(left, weights[i])
		left -= shares[i]
	}
	if left > 0 {
		return nil, fmt.Errorf("order %s: its payments can refund %d less than the order", orderNo, left)
	}
	if tx.Shop().Policies.RefundSplit == shop.Proportional {
		money.Allocate(amount, weights, shares)
	}
	var parts []payment.Allocation
	for i, p := range payments {
		if shares[i] > 0 {
			p.Reserve(shares[i])
			tx.PutPayment(p)
			parts = append(parts, payment.Allocation{Payment: p.No(), Channel: p.Data().Channel, Amount: shares[i]})
		}
	}
	return parts, nil
}

// automaticRefund is a refund that Tandem makes without a request.
func automaticRefund(tx *Tx, o *order.Order, p *payment.Payment, cause payment.Cause, amount int64, back []order.Return) *payment.Refund {
	d := p.Data()
	r := payment.NewRefund(payment.RefundData{
		No: derivedNumber(cause, d.No), Order: d.Order, Cause: cause, Amount: amount, Currency: d.Currency, Reason: buyersReason[cause],
		Lines: refundLines(back), Allocations: []payment.Allocation{{Payment: d.No, Channel: d.Channel, Amount: amount}}, Trace: tx.Trace(),
	}, tx.Now())
	o.Note(refundEvent(r, event.RefundCreated, string(cause)))
	return r
}

// buyersReason is what the buyer reads beside money that came back by itself.
var buyersReason = map[payment.Cause]string{
	payment.LatePayment: "订单已关闭，自动退款 Paid after the order was closed",
	payment.Overpayment: "重复支付，自动退款 Paid more than was due",
	payment.OrderClosed: "订单已关闭，自动退款 The order was closed",
}

func refundLines(back []order.Return) []payment.RefundLine {
	lines := make([]payment.RefundLine, len(back))
	for i, b := range back {
		lines[i] = payment.RefundLine{Line: b.Line, Quantity: b.Quantity, Amount: b.Amount}
	}
	return lines
}

func returns(lines []payment.RefundLine) []order.Return {
	back := make([]order.Return, len(lines))
	for i, l := range lines {
		back[i] = order.Return{Line: l.Line, Quantity: l.Quantity, Amount: l.Amount}
	}
	return back
}

// refundEvent is an event about a refund; one of a single payment names that, too.
func refundEvent(r *payment.Refund, t event.Type, reason string) event.Event {
	e, d := r.Event(t, reason), r.Data()
	if len(d.Allocations) == 1 {
		e.Payment, e.Channel = d.Allocations[0].Payment, d.Allocations[0].Channel
	}
	return e
}

// refundsOf are the refunds of ours that a fact may be about.
func refundsOf(f payment.Fact) []string {
	if f.RefundNo == "" {
		return nil
	}
	return []string{payment.RefundOf(f.RefundNo)}
}

// revive makes a closed order paid with money that came late, if everything that
// it held is still available. false changes nothing.
func revive(tx *Tx, o *order.Order, amount int64) (bool, error) {
	d := o.Data()
	if amount != d.Payable || d.Paid != 0 {
		return false, nil
	}
	needs := Needs{rows.Users.Keys(d.User), rows.Coupons.Keys(d.Coupons...)}
	for _, u := range d.Units() {
		needs.Add(rows.Skus.Keys(u.Sku))
	}
	for _, c := range d.Counts {
		needs.Add(rows.Counters.Keys(c.Name))
	}
	if err := tx.Need(needs); err != nil {
		return false, err
	}
	if u, err := tx.User(d.User); err != nil || u.Blocked {
		return false, err
	}
	for _, code := range d.Coupons {
		c, err := tx.Coupon(code)
		if err != nil {
			return false, err
		}
		if c == nil {
			return false, nil
		}
		switch err := c.Lock(d.No, d.User, tx.Now(), tx.Now()); {
		case fault.Is(err, fault.CouponUnavailable):
			return false, nil
		case err != nil:
			return false, err
		}
	}
	skus, err := reserve(tx, d.No, d.Items)
	switch {
	case fault.Is(err, fault.OutOfStock), fault.Is(err, fault.SkuNotFound):
		return false, nil // no longer available
	case err != nil:
		return false, err
	}
	// Its counts are part of its snapshot. Other orders may have used the limits up.
	if within, err := takeCounts(tx, d.Counts); err != nil || !within {
		return false, err
	}
	if err := o.Revive(amount, tx.Now()); err != nil {
		return false, err
	}
	for _, s := range skus {
		tx.PutSku(s)
	}
	for _, code := range d.Coupons {
		c, err := tx.Coupon(code)
		if err != nil {
			return false, err
		}
		if err := c.Lock(d.No, d.User, tx.Now(), tx.Now()); err != nil {
			return false, err
		}
		tx.PutCoupon(c)
	}
	return true, nil
}
