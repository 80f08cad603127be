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
	// Kept is the part of the returned units' share that did not go back,
	// because its part of the refund was given up, in minor units. It can be
	// refunded by amount; it is no other unit's.
	Kept int64 `json:"kept,omitempty"`
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
	case amount == 0 && !o.movesUnits(in, back):
		return nil, 0, fault.New(fault.RefundExceedsPaid, "nothing was paid for that, or it has been refunded")
	}
	o.d.Refunding += amount
	o.note(back, 1)
	return back, amount, nil
}

// movesUnits says whether a refund of nothing has its point: units whose share
// is 0, or has been refunded, go back, or an order of 0 is undone.
func (o *Order) movesUnits(in RefundRequest, back []Return) bool {
	return o.d.Status == Paid && (len(in.Items) > 0 || in.Amount == 0 && o.d.Payable == 0) &&
		slices.ContainsFunc(back, func(r Return) bool { return r.Quantity > 0 })
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
	return Return{Line: it.Line, Quantity: it.Quantity, Amount: money.MulDiv(max(0, l.Payable-had.Amount-had.Kept), it.Quantity, units)}, nil
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
		o.d.Returns[i].Kept += sign * r.Kept
	}
	slices.SortFunc(o.d.Returns, func(a, b Return) int { return a.Line - b.Line })
	o.d.Returns = slices.DeleteFunc(o.d.Returns, func(r Return) bool { return r.Quantity == 0 && r.Amount == 0 && r.Kept == 0 })
	if len(o.d.Returns) == 0 {
		o.d.Returns = nil
	}
}

// Held is how much of a refund an order holds for the buyer: what has gone
// back and what is still promised, in minor units. It is all of the refund
// until a part is given up for good, and 0 once the whole is.
type Held struct{ Before, After int64 }

// holding is what the lines of a refund give while the order holds that much
// of it. Units and their share belong to the refund, not to its parts: the
// units are returned as long as anything is held.
func holding(back []Return, held int64) []Return {
	if held <= 0 {
		return nil
	}
	weights, shares := make([]int64, len(back)), make([]int64, len(back))
	for i, r := range back {
		weights[i] = r.Amount
	}
	money.Allocate(held, weights, shares)
	out := make([]Return, len(back))
	for i, r := range back {
		out[i] = Return{Line: r.Line, Quantity: r.Quantity, Amount: shares[i]}
		if r.Quantity > 0 {
			out[i].Kept = max(0, r.Amount-shares[i])
		}
	}
	return out
}

// rebook has the lines give what they give now that another part of a refund
// is held, and then as much money in all as the order has refunded and reserved.
func (o *Order) rebook(back []Return, held Held) {
	o.note(o.within(holding(back, held.Before)), -1)
	o.note(o.fitting(holding(back, held.After)), 1)
	diff := o.d.Refunded + o.d.Refunding
	for _, r := range o.d.Returns {
		diff -= r.Amount
	}
	if diff > 0 {
		o.note(o.spread(diff), 1)
	}
	if diff < 0 {
		o.note(o.within([]Return{{Line: o.d.Returns[0].Line, Amount: -diff}}), -1)
	}
}

// fitting is what the lines can still give of back: no line gives more units or
// money than it has left.
func (o *Order) fitting(back []Return) []Return {
	out := make([]Return, len(back))
	for i, r := range back {
		had, l := o.d.returned(r.Line), &o.d.Items[r.Line]
		out[i] = Return{
			Line: r.Line, Quantity: min(r.Quantity, l.Quantity-had.Quantity), Amount: min(r.Amount, l.Payable-had.Amount), Kept: r.Kept,
		}
	}
	return out
}

// CompleteRefund records by e that a part of a refund has gone back: kept of the
// reserved amount. An order whose money has all gone back is refunded. back is
// what the refund takes from the lines.
func (o *Order) CompleteRefund(back []Return, held Held, reserved, kept int64, e event.Event) {
	o.d.Refunding -= reserved
	o.d.Refunded += kept
	o.rebook(back, held)
	o.gone(kept, e)
}

// RefundUnreserved records by e that amount went back that was not reserved: it
// was refunded at the merchant's console, say. lost is how much was reserved for
// other refunds of what the payment does not have any more; it is released.
func (o *Order) RefundUnreserved(amount, lost int64, e event.Event) {
	o.RefundReleased(nil, Held{}, amount, lost, e)
}

// RefundReleased is RefundUnreserved for a part of a refund that was given up,
// and went back all the same.
func (o *Order) RefundReleased(back []Return, held Held, amount, lost int64, e event.Event) {
	o.d.Refunding -= lost
	o.d.Refunded += amount
	o.rebook(back, held)
	o.gone(amount, e)
}

// ReleaseRefund ends the reserve of parts of a refund that are given up, amount
// minor units of it, as far as their payments still reserved them. back is what the refund takes from the lines.
func (o *Order) ReleaseRefund(back []Return, held Held, amount int64) {
	o.d.Refunding -= amount
	o.rebook(back, held)
}

// within is what is taken back of what the lines gave: of no line more than it
// gave, the rest of the others. Where a refund that was not ours took what was
// reserved, other lines gave it.
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
		out = append(out, Return{Line: r.Line, Quantity: min(r.Quantity, had.Quantity), Amount: take, Kept: min(r.Kept, had.Kept)})
	}
	for _, r := range o.d.Returns {
		if take := min(rest, left[r.Line]); take > 0 {
			rest -= take
			out = append(out, Return{Line: r.Line, Amount: take})
		}
	}
	return out
}

// ReserveAgain reserves amount of a refund that was given up and is tried again.
// It is refused if its units or their money have gone by another refund since.
func (o *Order) ReserveAgain(back []Return, held Held, amount int64) error {
	if amount > o.d.Refundable() {
		return fault.New(fault.RefundExceedsPaid, "%d minor units can still be refunded of order %s, not %d", o.d.Refundable(), o.d.No, amount)
	}
	was := o.d.Returns
	o.note(o.within(holding(back, held.Before)), -1)
	again := holding(back, held.After)
	for i, fits := range o.fitting(again) {
		if fits.Quantity < again[i].Quantity || fits.Amount < again[i].Amount {
			o.d.Returns = was
			return fault.New(fault.RefundExceedsPaid,
				"line %d of order %s has been refunded otherwise since: make a new refund of what is left", fits.Line, o.d.No)
		}
	}
	o.note(again, 1)
	o.d.Refunding += amount
	o.rebook(nil, Held{})
	return nil
}

// CompleteFree records by e that a refund of nothing is done: its units go back
// (see ReturnUnits). An order of 0 is refunded with the last of them.
func (o *Order) CompleteFree(e event.Event) { o.end(o.d.Payable == 0 && o.allReturned(), e) }

// allReturned says whether every unit that was bought has been returned.
func (o *Order) allReturned() bool {
	for i := range o.d.Items {
		if l := &o.d.Items[i]; !l.Gift && o.d.returned(i).Quantity < l.Quantity {
			return false
		}
	}
	return true
}

func (o *Order) gone(amount int64, e event.Event) {
	if amount == 0 {
		o.record(e)
		return
	}
	o.end(o.d.Status == Paid && o.d.Refunded == o.d.Paid, e)
}

// end records by e that money or units went back, and what follows from it. With
// the last of them goes all that the order still has.
func (o *Order) end(last bool, e event.Event) {
	units := o.takeReturning()
	if !last {
		o.mustMove(RefundPart)
		o.record(e)
		if len(units) > 0 {
			o.record(event.Event{Type: event.GoodsReturned, User: o.d.User, Units: units})
		}
		return
	}
	o.mustMove(RefundRest)
	o.record(e)
	all := event.Event{Type: event.OrderRefunded, User: o.d.User, Amount: o.d.Refunded, Units: units, Decided: true}
	o.giveBack(&all)
	o.record(all)
}
