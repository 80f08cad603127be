package format

import (
	"time"

	"github.com/tandem-pay/tandem/event"
)

// Events is events.body: the events of one record, as a list.
var Events = Doc[[]event.Event]{
	Name: "events.body",
	Encode: func(events *[]event.Event) ([]byte, error) {
		o := out{b: make([]byte, 0, 2+192*len(*events))}
		if *events == nil {
			o.null()
			return o.done()
		}
		o.begin('[')
		for i := range *events {
			o.begin('{')
			appendEvent(&o, &(*events)[i])
			o.end('}')
		}
		o.end(']')
		return o.done()
	},
	Decode: func(b []byte, events *[]event.Event) error {
		*events = nil
		if b == nil {
			return nil
		}
		var list []occurrence
		if err := read("events.body", b, &list); err != nil {
			return err
		}
		*events = each(list, (*occurrence).restore)
		return nil
	},
}

// occurrence is an event. The members that its type does not need are absent;
// see EventMembers.
type occurrence struct {
	Type     event.Type `json:"type"`
	Order    string     `json:"orderNo,omitempty"`
	Seq      int64      `json:"seq,omitempty"`
	Status   string     `json:"status,omitempty"`
	User     string     `json:"userId,omitempty"`
	Payment  string     `json:"paymentNo,omitempty"`
	Refund   string     `json:"refundNo,omitempty"`
	Channel  string     `json:"channel,omitempty"`
	Coupon   string     `json:"couponCode,omitempty"`
	Sku      string     `json:"sku,omitempty"`
	Amount   int64      `json:"amount,omitempty"`
	Quantity int64      `json:"quantity,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	DueAt    time.Time  `json:"dueAt,omitzero"`
	Coupons  []string   `json:"couponCodes,omitempty"`
	Units    []units    `json:"units,omitempty"`
	Payments []string   `json:"paymentNos,omitzero"` // an empty list says that there are none, no list that it was not said
	Counts   []count    `json:"counts,omitempty"`
	Decided  bool       `json:"decided,omitempty"`
}

func (s *occurrence) restore() event.Event {
	return event.Event{
		Type: s.Type, Order: s.Order, Seq: s.Seq, Status: s.Status, User: s.User, Payment: s.Payment, Refund: s.Refund, Channel: s.Channel,
		Coupon: s.Coupon, Sku: s.Sku, Amount: s.Amount, Quantity: s.Quantity, Reason: s.Reason, DueAt: s.DueAt, Coupons: s.Coupons,
		Units: each(s.Units, (*units).restore), Payments: s.Payments, Counts: each(s.Counts, (*count).restore), Decided: s.Decided,
	}
}

func appendEvent(o *out, e *event.Event) {
	o.textOf("type", string(e.Type))
	o.textAny("orderNo", e.Order)
	o.numberAny("seq", e.Seq)
	o.textAny("status", e.Status)
	o.textAny("userId", e.User)
	o.textAny("paymentNo", e.Payment)
	o.textAny("refundNo", e.Refund)
	o.textAny("channel", e.Channel)
	o.textAny("couponCode", e.Coupon)
	o.textAny("sku", e.Sku)
	o.numberAny("amount", e.Amount)
	o.numberAny("quantity", e.Quantity)
	o.textAny("reason", e.Reason)
	o.momentAny("dueAt", e.DueAt)
	if len(e.Coupons) > 0 {
		o.textsAny("couponCodes", e.Coupons)
	}
	if len(e.Units) > 0 {
		listOf(o, "units", e.Units, func(o *out, u *event.Units) {
			o.textOf("sku", u.Sku)
			o.numberOf("quantity", u.Quantity)
		})
	}
	o.textsAny("paymentNos", e.Payments)
	if len(e.Counts) > 0 {
		listOf(o, "counts", e.Counts, appendCount)
	}
	o.flagAny("decided", e.Decided)
}
