package order

import (
	"slices"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// EndedBy is who closes an order: what becomes of the money that was paid
// towards it follows from that, and never from a text.
type EndedBy string

// Who closes an order.
const (
	ByRequest EndedBy = "cancelled" // the buyer or the shop: what was paid goes back
	ByKeeping EndedBy = "kept"      // the shop, which keeps what was paid so far
	ByTime    EndedBy = "expired"   // its time is over: what was paid goes back, but for a first part that the shop's policy keeps
)

// Ending is the end of an order. Reason is for people.
type Ending struct {
	By     EndedBy
	Reason string
}

// Policies are what the shop decides about the end of an order. The zero
// value are the defaults.
type Policies struct {
	Forfeit    bool // a plan that is not paid in time costs its first part
	KeepOut    bool // units of an order that is undone stay out of the stock
	KeepLimits bool // what it counted against limits stays used
}

// BeginToClose begins to close the order: from now on no new payment is
// opened, while the open ones are queried and closed at the channel. A second
// call keeps the first reason.
func (o *Order) BeginToClose(end Ending) error {
	if err := o.move(BeginClose, fault.OrderNotCancellable); err != nil {
		return err
	}
	if o.d.Closing == "" {
		o.d.Closing, o.d.EndedBy, o.d.Kept = end.Reason, end.By, o.kept(end.By)
		o.record(event.Event{Type: event.OrderClosing, Reason: end.Reason})
	}
	return nil
}

// Close closes the order for good. The caller has made sure that no payment
// of it is open. One that has begun to close ends as it began. What a plan's
// first part paid for, or an order of 0 had, goes back as after a full refund.
func (o *Order) Close(end Ending, now time.Time) error {
	verb := Close
	switch {
	case o.d.Status == Closed && o.d.GoodsGone && !o.d.Undone:
		o.undo() // it was closed by an earlier version, which left them
		return nil
	case o.d.Status == Paid && o.d.Payable == 0:
		verb = CloseFree
	}
	if err := o.move(verb, fault.OrderNotCancellable); err != nil {
		return err
	}
	if o.d.Closing != "" {
		end = Ending{o.d.EndedBy, o.d.Closing}
	}
	if o.d.Draft == nil {
		if o.d.Closing == "" || end.By != ByKeeping {
			o.d.Kept = o.kept(end.By)
		}
		o.d.EndedBy = end.By
	}
	o.d.ClosedAt, o.d.CloseReason, o.d.Closing = now, end.Reason, ""
	if verb == CloseFree {
		o.d.GoodsGone = true
	}
	o.recordEnd(event.OrderClosed, o.d.Paid, end.Reason)
	if o.d.GoodsGone {
		o.undo()
	}
	return nil
}

// kept is what the shop keeps of what is paid now, in minor units.
func (o *Order) kept(by EndedBy) int64 {
	switch {
	case by == ByKeeping:
		return o.d.Refundable()
	case by == ByTime && o.policies.Forfeit:
		return o.d.Forfeitable()
	}
	return 0
}

// Forfeitable is what an unpaid part of a plan costs under the policy that
// keeps the first part: that part if it is paid, in minor units.
func (d *Data) Forfeitable() int64 {
	if len(d.Plan) == 0 {
		return 0
	}
	first := slices.MinFunc(d.Plan, func(a, b Instalment) int { return a.DueAt.Compare(b.DueAt) })
	if first.Left() > 0 {
		return 0
	}
	return min(first.Amount, d.Refundable())
}

// undo gives back what the order had when it closed.
func (o *Order) undo() {
	e := event.Event{Type: event.GoodsReturned, User: o.d.User}
	o.giveBack(&e)
	if len(e.Coupons)+len(e.Units)+len(e.Counts) > 0 {
		o.record(e)
	}
}

// giveBack puts to the event what the order still has, and what the policies
// do not keep.
func (o *Order) giveBack(e *event.Event) {
	o.d.Undone, o.d.LimitsBack = true, !o.policies.KeepLimits
	e.Coupons = o.d.Coupons
	if o.d.LimitsBack {
		e.Counts = o.d.Counts
	}
	if !o.policies.KeepOut {
		for i, n := range o.unitsLeft() {
			e.Units = add(e.Units, o.d.Items[i].Sku, n)
		}
	}
}

// unitsLeft are the units of each line that have not gone back.
func (o *Order) unitsLeft() []int64 {
	left := make([]int64, len(o.d.Items))
	for i := range o.d.Items {
		left[i] = o.d.Items[i].Quantity
		if i < len(o.d.UnitsBack) {
			left[i] -= o.d.UnitsBack[i]
		}
	}
	return left
}

// add adds units, those of one sku together.
func add(units []event.Units, sku string, n int64) []event.Units {
	if n <= 0 {
		return units
	}
	if i := slices.IndexFunc(units, func(u event.Units) bool { return u.Sku == sku }); i >= 0 {
		units[i].Quantity += n
		return units
	}
	return append(units, event.Units{Sku: sku, Quantity: n})
}

// ReturnUnits says that the money of a refund begins to go back, and with it
// the units of its lines: on hand again, or not. It takes effect with the
// refund's money, see CompleteRefund and RefundReleased.
func (o *Order) ReturnUnits(back []Return, onHand bool) {
	o.returning, o.onHand = make([]int64, len(o.d.Items)), onHand
	for _, r := range back {
		o.returning[r.Line] += r.Quantity
	}
}

// takeReturning books the units that go back now, and returns those that go on
// hand. Only what was sold can: a closed order has given its units back.
func (o *Order) takeReturning() (onHand []event.Units) {
	of := o.returning
	o.returning = nil
	if of == nil || o.d.Status != Paid {
		return nil
	}
	left, had := o.unitsLeft(), o.d.UnitsBack
	for i, n := range of {
		n = min(n, left[i])
		if n <= 0 {
			continue
		}
		if len(had) == 0 {
			had = make([]int64, len(o.d.Items))
		} else {
			had = slices.Clone(had) // copies of the order share it
		}
		had[i] += n
		if o.onHand {
			onHand = add(onHand, o.d.Items[i].Sku, n)
		}
	}
	o.d.UnitsBack = had
	return onHand
}
