package order

import (
	"fmt"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// Limits on a plan of instalments.
const (
	MaxInstalments   = 24
	MaxInstalmentDue = 366 * 24 * time.Hour // from the order's placing
	// RemindBefore is how long before its due date a part is announced.
	RemindBefore = 24 * time.Hour
)

// GoodsAt is the point from which an order in instalments has its goods: what
// it reserved is sold and its coupons are used.
type GoodsAt string

// The points.
const (
	AllParts  GoodsAt = ""           // when everything is paid
	FirstPart GoodsAt = "first_part" // with the first money
)

// Instalment is a part of what is payable, with its own due date (定金, 尾款).
type Instalment struct {
	Amount   int64     `json:"amount"` // minor units
	DueAt    time.Time `json:"dueAt"`  // of one without a date of its own, the order's first expiry
	Dated    bool      `json:"dated,omitempty"`
	Paid     int64     `json:"paid,omitempty"`
	Reminded bool      `json:"reminded,omitempty"`
	Overdue  bool      `json:"overdue,omitempty"` // was not paid in time, and the order waits on
}

// Left is what is still to be paid of it.
func (i *Instalment) Left() int64 { return i.Amount - i.Paid }

// CheckPlan refuses a plan that cannot be kept. The amounts are checked
// against payable when the order is placed.
func CheckPlan(plan []Instalment, now time.Time) error {
	if len(plan) == 1 || len(plan) > MaxInstalments {
		return fault.Invalidf("/instalments", "a plan has 2 to %d parts", MaxInstalments)
	}
	for i := range plan {
		at := fmt.Sprintf("/instalments/%d", i)
		switch p := &plan[i]; {
		case p.Amount < 1:
			return fault.Invalidf(at+"/amount", "must be at least 1 minor unit")
		case p.DueAt.IsZero():
		case !p.DueAt.After(now.Add(MinExpiry)):
			return fault.Invalidf(at+"/dueAt", "must be at least %s ahead", MinExpiry)
		case p.DueAt.After(now.Add(MaxInstalmentDue)):
			return fault.Invalidf(at+"/dueAt", "must be within %d days", int(MaxInstalmentDue.Hours()/24))
		}
	}
	return nil
}

// planned puts due dates to the parts and makes the order expire with the
// first of them.
func (o *Order) planned(plan []Instalment) error {
	if len(plan) == 0 {
		return nil
	}
	var sum int64
	o.d.Plan = slices.Clone(plan)
	for i := range o.d.Plan {
		p := &o.d.Plan[i]
		sum += p.Amount
		if p.Dated = !p.DueAt.IsZero(); !p.Dated {
			p.DueAt = o.d.ExpiresAt
		}
	}
	if sum != o.d.Payable {
		return fault.New(fault.PriceChanged, "the instalments add up to %d, the order's price is %d; show the buyer a new quote", sum, o.d.Payable)
	}
	o.replan()
	return nil
}

// replan finds the next due date and the next reminder. What is overdue and
// waited for has none.
func (o *Order) replan() {
	var due, remind time.Time
	for i := range o.d.Plan {
		p := &o.d.Plan[i]
		if p.Left() == 0 {
			continue
		}
		if !p.Overdue && (due.IsZero() || p.DueAt.Before(due)) {
			due = p.DueAt
		}
		if at := p.DueAt.Add(-RemindBefore); p.Dated && !p.Reminded && (remind.IsZero() || at.Before(remind)) {
			remind = at
		}
	}
	if due.IsZero() {
		due = o.d.Placed().Add(2 * MaxInstalmentDue)
	}
	o.d.ExpiresAt, o.d.RemindAt = due, remind
}

// NextPart is what the buyer should pay next: the part that falls due first,
// or without a plan all that is due. Minor units.
func (d *Data) NextPart() int64 {
	var next *Instalment
	for i := range d.Plan {
		if p := &d.Plan[i]; p.Left() > 0 && (next == nil || p.DueAt.Before(next.DueAt)) {
			next = p
		}
	}
	if next == nil {
		return d.Due()
	}
	return next.Left()
}

// fitsPlan says whether one payment of amount is a part of the plan, or all
// that is left of it.
func (o *Order) fitsPlan(amount int64) bool {
	return len(o.d.Plan) == 0 || amount == o.d.Due() ||
		slices.ContainsFunc(o.d.Plan, func(p Instalment) bool { return p.Left() == amount })
}

// cover puts money to the part that it is exactly of, or else to the parts in
// the order of their due dates.
func (o *Order) cover(amount int64) {
	if len(o.d.Plan) == 0 {
		return
	}
	o.d.Plan = slices.Clone(o.d.Plan) // copies of the order share it
	byDue := make([]*Instalment, len(o.d.Plan))
	for i := range o.d.Plan {
		byDue[i] = &o.d.Plan[i]
	}
	slices.SortStableFunc(byDue, func(a, b *Instalment) int { return a.DueAt.Compare(b.DueAt) })
	if i := slices.IndexFunc(byDue, func(p *Instalment) bool { return p.Left() == amount }); i >= 0 {
		byDue[i].Paid += amount
	} else {
		for _, p := range byDue {
			part := min(amount, p.Left())
			p.Paid += part
			amount -= part
		}
	}
	o.replan()
}

// Remind announces the parts that fall due within RemindBefore, each once.
func (o *Order) Remind(now time.Time) {
	o.d.Plan = slices.Clone(o.d.Plan)
	for i := range o.d.Plan {
		p := &o.d.Plan[i]
		if p.Dated && !p.Reminded && !now.Before(p.DueAt.Add(-RemindBefore)) {
			p.Reminded = true
			if p.Left() > 0 && o.d.Status.Live() {
				o.record(event.Event{Type: event.InstalmentDue, User: o.d.User, Amount: p.Left(), DueAt: p.DueAt})
			}
		}
	}
	o.replan()
}

// WaitOn marks the instalments that were not paid in time, and keeps the order open.
func (o *Order) WaitOn(now time.Time) {
	o.d.Plan = slices.Clone(o.d.Plan)
	for i := range o.d.Plan {
		p := &o.d.Plan[i]
		if p.Left() > 0 && !p.Overdue && !now.Before(p.DueAt) {
			p.Overdue = true
			o.record(event.Event{Type: event.InstalmentOverdue, User: o.d.User, Amount: p.Left(), DueAt: p.DueAt})
		}
	}
	o.replan()
}
