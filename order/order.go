// Package order guards the order: its price snapshot, frozen at placing, and
// its state. An order has the amount that was paid, but not the payments:
// these are aggregates of their own, whose money arrives through Settle.
//
// It promises that a snapshot never changes once the order was placed, or its
// draft submitted, that an order is
// paid only when what was applied equals what is payable, and that every
// change of state records its event with the next number of the order's own
// sequence.
package order

import (
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

// How long an order waits for its money.
const (
	DefaultExpiry = 15 * time.Minute
	MinExpiry     = time.Minute
	MaxExpiry     = 30 * 24 * time.Hour
)

// Close reasons.
const (
	Expired   = "expired"
	Cancelled = "cancelled"
	Revived   = "revived" // the reason of an order.paid that follows an order.closed
)

// Data is an order as it is stored, and as an answer that is kept for a key. Amounts are minor units, times UTC;
// a zero time has not come.
type Data struct {
	No       string
	User     string
	Status   Status
	Currency string

	Total    int64
	Discount int64
	Payable  int64
	Paid     int64 `json:",omitzero"` // applied to the order so far
	Refunded int64 `json:",omitzero"`

	Refunding int64        `json:",omitzero"` // reserved for refunds that have neither succeeded nor failed
	Returns   []Return     `json:",omitzero"` // what lines gave back, or have reserved to; by line
	Plan      []Instalment `json:",omitzero"` // nil: all at once
	RemindAt  time.Time    `json:",omitzero"` // when a part is to be announced
	GoodsAt   GoodsAt      `json:",omitzero"`
	GoodsGone bool         `json:",omitzero"` // the goods went and the coupons were used before everything was paid

	Items    []pricing.QuoteLine
	Applied  []pricing.Applied
	Basis    *pricing.Basis    `json:"-"` // what the price was computed from, which no answer shows; nil for orders of before it was kept
	Coupons  []string          `json:",omitzero"`
	Counts   []event.Count     `json:",omitzero"` // what it holds of counted limits
	Metadata map[string]string `json:",omitzero"`

	Draft *DraftData `json:",omitzero"` // nil: it was placed, or submitted

	CreatedAt   time.Time
	SubmittedAt time.Time `json:",omitzero"` // of one that was a draft; see Placed
	ExpiresAt   time.Time
	PaidAt      time.Time `json:",omitzero"`
	ClosedAt    time.Time `json:",omitzero"`
	CloseReason string    `json:",omitzero"` // for people; it decides nothing
	Closing     string    `json:",omitzero"` // why it is being closed, while its open payments are closed at the channel
	EndedBy     EndedBy   `json:",omitzero"` // of one that is closed or being closed; "" also in those of earlier versions
	Kept        int64     `json:",omitzero"` // of what was paid of a closed order: what the shop keeps
	UnitsBack   []int64   `json:",omitzero"` // by line: units of line refunds that went on hand again, or were to stay out; nil: none
	Undone      bool      `json:",omitzero"` // what it had (goods, coupons, limits) has gone back as after a full refund
	LimitsBack  bool      `json:",omitzero"` // and what it had counted of limits with it

	Seq   int64  // events so far; also the version that readers see
	Trace string // W3C traceparent of the call that placed it
}

// Due is what is still to be paid, in minor units.
func (d *Data) Due() int64 { return d.Payable - d.Paid }

// Placed is when the order began to wait for its money.
func (d *Data) Placed() time.Time {
	if d.SubmittedAt.IsZero() {
		return d.CreatedAt
	}
	return d.SubmittedAt
}

// HoldsLimits says whether what it counted of limits is still its.
func (d *Data) HoldsLimits() bool { return !d.LimitsBack && (d.Status != Closed || d.GoodsGone) }

// Units are the goods of the order, gifts included, in line order.
func (d *Data) Units() []event.Units {
	u := make([]event.Units, len(d.Items))
	for i := range d.Items {
		u[i] = event.Units{Sku: d.Items[i].Sku, Quantity: d.Items[i].Quantity}
	}
	return u
}

// Order is the aggregate.
type Order struct {
	event.Recorder
	d         Data
	policies  Policies
	returning []int64 // by line: units of the refund whose money goes back now
	onHand    bool    // and whether they return to the stock
}

// Placement is what an order is made of.
type Placement struct {
	No        string
	User      string
	Items     []event.Units // of a draft: what was requested; gifts are not among them
	Quote     *pricing.Quote
	Basis     *pricing.Basis
	Coupons   []string // the codes that were applied
	Counts    []event.Count
	Metadata  map[string]string
	ExpiresIn time.Duration // 0: DefaultExpiry
	Plan      []Instalment  // see CheckPlan
	GoodsAt   GoodsAt
	Now       time.Time
	Trace     string
}

// Place makes an order from a quote. One with nothing to pay is paid at
// once. It refuses a plan that does not add up to the price.
func Place(p Placement) (*Order, error) {
	o := &Order{d: Data{No: p.No, User: p.User, Status: PendingPayment, CreatedAt: p.Now, Trace: p.Trace}}
	return o, o.place(p)
}

// place takes the snapshot, and begins to wait for the money.
func (o *Order) place(p Placement) error {
	if p.ExpiresIn == 0 {
		p.ExpiresIn = DefaultExpiry
	}
	o.snapshot(p)
	o.d.Coupons, o.d.Counts, o.d.ExpiresAt = p.Coupons, p.Counts, p.Now.Add(p.ExpiresIn)
	if err := o.planned(p.Plan); err != nil {
		return err
	}
	if len(p.Plan) > 0 {
		o.d.GoodsAt = p.GoodsAt
	}
	o.record(event.Event{Type: event.OrderPlaced, User: o.d.User, Amount: o.d.Payable, Coupons: p.Coupons})
	if o.d.Payable == 0 {
		o.d.Status, o.d.PaidAt = Paid, p.Now
		o.recordEnd(event.OrderPaid, 0, "")
	}
	return nil
}

// snapshot takes over what was priced.
func (o *Order) snapshot(p Placement) {
	q := p.Quote
	o.d.Currency, o.d.Total, o.d.Discount, o.d.Payable = q.Currency, q.Total, q.Discount, q.Payable
	o.d.Items, o.d.Applied, o.d.Basis, o.d.Metadata = q.Lines, q.Applied, p.Basis, p.Metadata
}

// Restore makes an order from what was stored.
func Restore(d Data) *Order { return &Order{d: d} }

// Data is the order's present data. Its slices and map are not to be changed.
func (o *Order) Data() Data { return o.d }

// Under sets the shop's policies, which hold for what happens from now on.
func (o *Order) Under(p Policies) { o.policies = p }

// No is the order number.
func (o *Order) No() string { return o.d.No }

// Note records an event of one of the order's payments in the order's
// sequence.
func (o *Order) Note(e event.Event) { o.record(e) }

// Attempt says that a new payment of amount is being opened. The order must
// be payable and the amount within what is due.
func (o *Order) Attempt(amount int64) error {
	if o.d.Closing != "" {
		return fault.New(fault.OrderNotPayable, "order %s is being closed (%s)", o.d.No, o.d.Closing)
	}
	switch {
	case o.d.Status == Draft:
		return fault.New(fault.OrderNotPayable, "order %s is a draft: submit it first", o.d.No)
	case !o.d.Status.Live():
		return fault.New(fault.OrderNotPayable, "order %s is %s", o.d.No, o.d.Status)
	}
	if amount > o.d.Due() {
		return fault.New(fault.AmountExceedsDue, "%d minor units are due on order %s, not %d", o.d.Due(), o.d.No, amount)
	}
	if !o.fitsPlan(amount) {
		return fault.New(fault.AmountExceedsDue, "order %s is paid in instalments: %d minor units is neither one that is left nor all that is due (%d)", o.d.No, amount, o.d.Due())
	}
	return o.move(TryAgain, fault.OrderNotPayable)
}

// Settle applies money that has arrived and returns how much of it the order
// took: all that was due at most, nothing when it is paid or closed. Money
// wins over a close that has begun.
func (o *Order) Settle(amount int64, now time.Time) (applied int64) {
	if !o.d.Status.Live() || amount <= 0 {
		return 0
	}
	applied = min(amount, o.d.Due())
	o.d.Paid += applied
	o.cover(applied)
	if o.d.Due() > 0 {
		o.mustMove(PayPart)
		if o.d.EndedBy == ByTime && len(o.d.Plan) > 0 && now.Before(o.d.ExpiresAt) {
			o.d.Closing, o.d.EndedBy = "", "" // the part that was not there in time was paid after all
		}
		if o.d.GoodsAt == FirstPart && !o.d.GoodsGone {
			o.recordEnd(event.OrderPartiallyPaid, applied, "")
			o.d.GoodsGone = true
		} else {
			o.record(event.Event{Type: event.OrderPartiallyPaid, User: o.d.User, Amount: applied})
		}
		return applied
	}
	o.mustMove(PayRest)
	o.d.PaidAt, o.d.Closing, o.d.EndedBy, o.d.Kept = now, "", "", 0
	o.recordEnd(event.OrderPaid, o.d.Paid, "")
	return applied
}

// Revive pays a closed order with money that came late. The caller has made
// sure that its goods and coupons are still available.
func (o *Order) Revive(amount int64, now time.Time) error {
	if amount != o.d.Due() || o.d.Paid != 0 {
		return fault.New(fault.OrderNotPayable, "order %s is revived only by all that it costs", o.d.No)
	}
	if err := o.move(Revive, fault.OrderNotPayable); err != nil {
		return err
	}
	o.d.Paid, o.d.PaidAt, o.d.ClosedAt, o.d.CloseReason, o.d.EndedBy, o.d.Kept = amount, now, time.Time{}, "", "", 0
	o.cover(amount)
	o.recordEnd(event.OrderPaid, amount, Revived)
	return nil
}

// AttemptFailed says that a payment failed for certain.
func (o *Order) AttemptFailed(reason string) {
	if !o.d.Status.Live() {
		return
	}
	o.mustMove(FailAttempt)
	o.record(event.Event{Type: event.OrderPaymentFailed, Reason: reason})
}

// mustMove is for verbs whose guard has been checked: a refusal is a defect
// of this package.
func (o *Order) mustMove(v Verb) {
	if err := o.move(v, fault.Internal); err != nil {
		panic(err)
	}
}

// recordEnd records an event that reactions follow, with what they need.
func (o *Order) recordEnd(t event.Type, amount int64, reason string) {
	e := event.Event{Type: t, User: o.d.User, Amount: amount, Reason: reason}
	// A draft holds nothing, and what went with the first part does not go
	// again.
	if o.d.Draft == nil && !o.d.GoodsGone {
		e.Coupons, e.Units, e.Counts = o.d.Coupons, o.d.Units(), o.d.Counts
	}
	o.record(e)
}

func (o *Order) record(e event.Event) {
	o.d.Seq++
	e.Order, e.Seq, e.Status = o.d.No, o.d.Seq, string(o.d.Status)
	o.Record(e)
}
