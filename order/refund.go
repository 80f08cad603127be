package order

import (
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
)

// Return is what one line has given back, or gives back in one refund: units
// and minor units of money. A refund by amount takes money of lines and no
// units.
type Return struct {
	Line     int   `json:"line"` // index into Items
	Quantity int64 `json:"quantity,omitempty"`
	Amount   int64 `json:"amount"`
}

// RefundRequest is what to refund: an amount, or units of lines, or, with
// neither, all that is left.
type RefundRequest struct {
	Amount int64
	Items  []RefundItem
}

// RefundItem is a quantity of one line.
type RefundItem struct {
	Line     int
	Quantity int64
}

// Refundable is what can still be refunded, in minor units.
func (d *Data) Refundable() int64 { return d.Paid - d.Refunded - d.Refunding }

// returned is what the line has given back, or has reserved to give back.
func (d *Data) returned(line int) Return {
	for _, r := range d.Returns {
		if r.Line == line {
			return r
		}
	}
	return Return{Line: line}
}

// RequestRefund reserves money and returns which lines give it. A line's units
// give back their part of what is left of the line: the share that was frozen
// in the snapshot, so that any sequence of refunds ends at exactly what was
// paid. A refund by amount is spread over what is left of the lines.
func (o *Order) RequestRefund(in RefundRequest) ([]Return, int64, error) {
	if o.d.Status.Live() {
		return nil, 0, fault.New(fault.RefundExceedsPaid, "order %s is %s: cancel it to have what was paid returned", o.d.No, o.d.Status)
	}
	left := o.d.Refundable()
	var back []Return
	switch {
	case len(in.Items) > 0:
		for i, it := range in.Items {
			r, err := o.lineBack(it, fmt.Sprintf("/items/%d", i))
			if err != nil {
				return nil, 0, err
			}
			if slices.ContainsFunc(back, func(b Return) bool { return b.Line == r.Line }) {
				return nil, 0, fault.Invalidf(fmt.Sprintf("/items/%d/line", i), "line %d is listed twice", it.Line)
			}
			back = append(back, r)
		}
	case in.Amount > 0:
		if in.Amount > left {
			return nil, 0, fault.New(fault.RefundExceedsPaid, "%d minor units can still be refunded of order %s, not %d", left, o.d.No, in.Amount)
		}
		back = o.spread(in.Amount)
	default:
		back = o.allBack(left)
	}
	var amount int64
	for _, r := range back {
		amount += r.Amount
	}
	switch {
	case amount > left:
		return nil, 0, fault.New(fault.RefundExceedsPaid, "%d minor units can still be refunded of order %s, not %d", left, o.d.No, amount)
	case amount == 0:
		return nil, 0, fault.New(fault.RefundExceedsPaid, "nothing was paid for that, or it has been refunded")
	}
	o.d.Refunding += amount
	o.note(back, 1)
	return back, amount, nil
}

// lineBack is what some units of a line give back.
func (o *Order) lineBack(it RefundItem, at string) (Return, error) {
	if it.Line < 0 || it.Line >= len(o.d.Items) {
		return Return{}, fault.Invalidf(at+"/line", "the order has lines 0 to %d", len(o.d.Items)-1)
	}
	l := &o.d.Items[it.Line]
	had := o.d.returned(it.Line)
	units := l.Quantity - had.Quantity
	switch {
	case l.Gift:
		return Return{}, fault.Invalidf(at+"/line", "line %d is a gift: nothing was paid for it", it.Line)
	case it.Quantity < 1:
		return Return{}, fault.Invalidf(at+"/quantity", "must be at least 1")
	case it.Quantity > units:
		return Return{}, fault.New(fault.RefundExceedsPaid, "line %d has %d units that were not refunded, not %d", it.Line, units, it.Quantity)
	}
	return Return{Line: it.Line, Quantity: it.Quantity, Amount: money.MulDiv(l.Payable-had.Amount, it.Quantity, units)}, nil
}

// spread takes an amount of what is left of the lines, in proportion.
func (o *Order) spread(amount int64) []Return {
	weights, shares := make([]int64, len(o.d.Items)), make([]int64, len(o.d.Items))
	for i := range o.d.Items {
		weights[i] = o.d.Items[i].Payable - o.d.returned(i).Amount
	}
	money.Allocate(amount, weights, shares)
	var back []Return
	for i, s := range shares {
		if s > 0 {
			back = append(back, Return{Line: i, Amount: s})
		}
	}
	return back
}

// allBack is every unit and all the money that is left. An order that was
// paid in part has less than its lines are worth.
func (o *Order) allBack(left int64) []Return {
	back := o.spread(left)
	for i := range o.d.Items {
		units := o.d.Items[i].Quantity - o.d.returned(i).Quantity
		if units == 0 {
			continue
		}
		if at := slices.IndexFunc(back, func(r Return) bool { return r.Line == i }); at >= 0 {
			back[at].Quantity = units
		} else if !o.d.Items[i].Gift {
			back = append(back, Return{Line: i, Quantity: units})
		}
	}
	slices.SortFunc(back, func(a, b Return) int { return a.Line - b.Line })
	return back
}

// note adds returns to the lines, or with sign -1 takes them away again.
func (o *Order) note(back []Return, sign int64) {
	o.d.Returns = slices.Clone(o.d.Returns) // copies of the order share it
	for _, r := range back {
		i := slices.IndexFunc(o.d.Returns, func(h Return) bool { return h.Line == r.Line })
		if i < 0 {
			i = len(o.d.Returns)
			o.d.Returns = append(o.d.Returns, Return{Line: r.Line})
		}
		o.d.Returns[i].Quantity += sign * r.Quantity
		o.d.Returns[i].Amount += sign * r.Amount
	}
	slices.SortFunc(o.d.Returns, func(a, b Return) int { return a.Line - b.Line })
	o.d.Returns = slices.DeleteFunc(o.d.Returns, func(r Return) bool { return r.Quantity == 0 && r.Amount == 0 })
	if len(o.d.Returns) == 0 {
		o.d.Returns = nil
	}
}

// CompleteRefund moves amount from refunding to refunded, and records e. An
// order whose money has all gone back is refunded.
func (o *Order) CompleteRefund(amount int64, e event.Event) {
	o.d.Refunding -= amount
	o.gone(amount, e)
}

// RefundUnreserved records by e that amount went back that was not reserved: it
// was refunded at the merchant's console, say. What the lines do not have left
// is taken from what is reserved for other refunds, and returned: the channel
// will refuse that much of those refunds.
func (o *Order) RefundUnreserved(amount int64, e event.Event) (unreserved int64) {
	free := min(amount, o.d.Refundable())
	o.note(o.spread(free), 1)
	o.d.Refunding -= amount - free
	o.gone(amount, e)
	return amount - free
}

// FailRefund ends the reserve of a refund that failed for good at the channel.
// back is what the refund was to take from the lines, amount how much of it
// failed; if that is not all of it, the units stay returned.
func (o *Order) FailRefund(back []Return, amount int64) {
	amount = min(amount, o.d.Refunding)
	o.d.Refunding -= amount
	weights, shares := make([]int64, len(back)), make([]int64, len(back))
	var all int64
	for i, r := range back {
		weights[i] = r.Amount
		all += r.Amount
	}
	if amount == all {
		o.note(o.within(back), -1)
		return
	}
	money.Allocate(amount, weights, shares)
	lost := make([]Return, len(back))
	for i, r := range back {
		lost[i] = Return{Line: r.Line, Amount: shares[i]}
	}
	o.note(o.within(lost), -1)
}

// within is what is taken back of what the lines gave: of no line more than it
// gave, the rest of the others. A refund that was tried again when its lines
// had given their part to another gave what other lines had left.
func (o *Order) within(lost []Return) []Return {
	out := make([]Return, 0, len(lost))
	left := map[int]int64{}
	for _, r := range o.d.Returns {
		left[r.Line] = r.Amount
	}
	var rest int64
	for _, r := range lost {
		had := o.d.returned(r.Line)
		take := min(r.Amount, left[r.Line])
		rest += r.Amount - take
		left[r.Line] -= take
		out = append(out, Return{Line: r.Line, Quantity: min(r.Quantity, had.Quantity), Amount: take})
	}
	for _, r := range o.d.Returns {
		if take := min(rest, left[r.Line]); take > 0 {
			rest -= take
			out = append(out, Return{Line: r.Line, Amount: take})
		}
	}
	return out
}

// RetryRefund undoes FailRefund: a refund that failed is tried again.
func (o *Order) RetryRefund(back []Return, amount int64) error {
	if amount > o.d.Refundable() {
		return fault.New(fault.RefundExceedsPaid, "%d minor units can still be refunded of order %s, not %d", o.d.Refundable(), o.d.No, amount)
	}
	var all int64
	for _, r := range back {
		all += r.Amount
	}
	o.d.Refunding += amount
	if fits := amount == all && o.fits(back); fits {
		o.note(back, 1)
	} else {
		o.note(o.spread(amount), 1)
	}
	return nil
}

// fits says whether the lines still have what they gave.
func (o *Order) fits(back []Return) bool {
	for _, r := range back {
		had, l := o.d.returned(r.Line), &o.d.Items[r.Line]
		if had.Quantity+r.Quantity > l.Quantity || had.Amount+r.Amount > l.Payable {
			return false
		}
	}
	return true
}

func (o *Order) gone(amount int64, e event.Event) {
	if amount > 0 {
		o.d.Refunded += amount
		if o.d.Status == Paid && o.d.Refunded == o.d.Paid {
			o.mustMove(RefundRest)
			o.record(e)
			o.recordEnd(event.OrderRefunded, o.d.Refunded, "")
			return
		}
		o.mustMove(RefundPart)
	}
	o.record(e)
}
