package app

import (
	"slices"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// Reaction is something that follows events: commands again. It is a follower
// of the log (package outbox), whose cursor is moved in the same transaction
// as what it does, so that it happens exactly once in effect.
type Reaction struct {
	Name string
	// On lists the events that it follows; any other passes it by.
	On []event.Type
	// Needs adds what following the event takes.
	Needs func(e *event.Event, n *Needs)
	// Do follows the event. What it finds done already it leaves alone.
	Do func(tx *Tx, e *event.Event) error
	// Pending is its part of the audit: what it has still to do, by the rows.
	Pending func() Pending
}

// Reactions is the whole choreography: event → what follows, with its undo
// beside it. Order and reaction never call each other.
//
//	order.paid       coupons: locked → used        order.closed    coupons: locked → available (or expired)
//	order.paid       stock: reserved → sold        order.closed    stock: reserved → available; limits given back
//	order.paid       payments: others closed at the channel
//	order.closing    payments: queried, then closed at the channel
//	order.closed     refunds: what was paid in part goes back, unless the shop's policy keeps it
//	order.refunded   coupons: used → available, if their template says so; stock: back on hand; limits given back; by the shop's policies
//	goods.returned   the same, of a part refund, or of a closed order that had its goods
//
// An order in instalments whose goods go with the first part has the coupons
// and units in that order.partially_paid, and not in what follows.
var Reactions = []Reaction{
	{
		Name:    "coupons",
		On:      []event.Type{event.OrderPaid, event.OrderPartiallyPaid, event.OrderClosed, event.OrderRefunded, event.GoodsReturned},
		Needs:   func(e *event.Event, n *Needs) { n.Add(rows.Coupons.Keys(e.Coupons...)) },
		Do:      followCoupons,
		Pending: pendingCoupons,
	},
	{
		Name: "stock",
		On:   []event.Type{event.OrderPaid, event.OrderPartiallyPaid, event.OrderClosed, event.OrderRefunded, event.GoodsReturned},
		Needs: func(e *event.Event, n *Needs) {
			for _, u := range e.Units {
				n.Add(rows.Skus.Keys(u.Sku))
			}
			if givesCounts(e) {
				for _, c := range e.Counts {
					n.Add(rows.Counters.Keys(c.Name))
				}
			}
		},
		Do:      followStock,
		Pending: pendingStock,
	},
	{
		Name: "payments", On: []event.Type{event.OrderPaid, event.OrderClosing},
		Needs: func(e *event.Event, n *Needs) {
			if !noneOpen(e) {
				n.Add(rows.Orders.Keys(e.Order))
			}
		},
		Do:      followPayments,
		Pending: pendingPayments,
	},
	{
		Name: "refunds", On: []event.Type{event.OrderClosed},
		Needs: func(e *event.Event, n *Needs) {
			if e.Amount > 0 {
				n.Add(rows.Orders.Keys(e.Order))
			}
		},
		Do:      followRefunds,
		Pending: pendingRefunds,
	},
}

func followCoupons(tx *Tx, e *event.Event) error {
	for _, code := range e.Coupons {
		c, err := tx.Coupon(code)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		moved := false
		switch e.Type {
		case event.OrderPaid, event.OrderPartiallyPaid:
			moved = c.Use(e.Order)
		case event.OrderClosed:
			moved = c.Release(e.Order, tx.Now())
		case event.OrderRefunded, event.GoodsReturned:
			if t := tx.Rules().Templates[c.Data().TemplateID]; t != nil && t.ReturnOnRefund {
				moved = c.GiveBack(e.Order, tx.Now())
			}
		default: // the reaction is not called for other events
		}
		if moved {
			tx.PutCoupon(c)
		}
	}
	return nil
}

func followStock(tx *Tx, e *event.Event) error {
	if e.Type == event.OrderRefunded && !e.Decided && tx.Shop().Policies.RefundedStock == shop.KeepOut {
		return nil
	}
	for _, u := range e.Units {
		s, err := tx.Sku(u.Sku)
		if err != nil {
			return err
		}
		switch e.Type {
		case event.OrderPaid, event.OrderPartiallyPaid:
			err = s.Sell(e.Order, u.Quantity)
		case event.OrderClosed:
			err = s.Release(e.Order, u.Quantity)
		case event.OrderRefunded, event.GoodsReturned:
			s.Return(e.Order, u.Quantity)
		default: // the reaction is not called for other events
		}
		if err != nil {
			return err
		}
		tx.PutSku(s)
	}
	if !givesCounts(e) {
		return nil
	}
	for _, c := range e.Counts {
		v, err := tx.Counter(c.Name)
		if err != nil {
			return err
		}
		tx.PutCounter(c.Name, v-c.Amount)
	}
	return nil
}

// givesCounts says whether the event gives back what its order had counted.
func givesCounts(e *event.Event) bool {
	return e.Type == event.OrderClosed || e.Type == event.GoodsReturned || e.Type == event.OrderRefunded && e.Decided
}

// followPayments has every payment closed at the channel that can still take
// money for an order that needs none.
func followPayments(tx *Tx, e *event.Event) error {
	if noneOpen(e) {
		return nil // not needed, so not loaded
	}
	for _, p := range tx.PaymentsOf(e.Order) {
		d := p.Data()
		if d.Open() {
			// A caller that cancels closes the payment itself at once; this is for
			// when it could not.
			tx.Enqueue(Job{Kind: JobClosePayment, Payment: d.No, Due: tx.Now().Add(closeGrace)})
		}
	}
	return nil
}

// noneOpen says whether an order was paid and no payment of it could take
// money any more, so that there is nothing to look at. Events that were
// written before they had that field are read.
func noneOpen(e *event.Event) bool {
	return e.Type == event.OrderPaid && e.Payments != nil && len(e.Payments) == 0
}

const closeGrace = 3 * time.Second

// followRefunds gives back what was paid towards an order that was closed
// before all of it was, but for what the shop keeps. The newest payments give
// first: those that it keeps are the first part's.
func followRefunds(tx *Tx, e *event.Event) error {
	if e.Amount == 0 {
		return nil
	}
	o, err := tx.Order(e.Order)
	if err != nil {
		return err
	}
	payments := tx.PaymentsOf(e.Order)
	slices.SortFunc(payments, newestFirst)
	for _, p := range payments {
		d := p.Data()
		od := o.Data()
		amount := min(d.Refundable(), od.Refundable()-od.Kept)
		if amount <= 0 || od.Status != order.Closed {
			continue
		}
		back, _, err := o.RequestRefund(order.RefundRequest{Amount: amount})
		if err != nil {
			return err
		}
		p.Reserve(amount)
		tx.PutPayment(p)
		tx.PutRefund(automaticRefund(tx, o, p, payment.OrderClosed, amount, back))
	}
	tx.PutOrder(o)
	return nil
}
