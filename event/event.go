// Package event names what can happen in Tandem and gives it one shape. An
// event is written in the same transaction as the change that it records; all
// events of one command are one Record, one row of the log.
//
// The log promises an order per aggregate: the events that carry an order
// number and a Seq count 1, 2, 3, … per order, with no gap.
package event

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is the CloudEvents type of an event.
type Type string

// Everything that can happen.
const (
	OrderDrafted       Type = "order.drafted"
	OrderEdited        Type = "order.edited" // a draft, or its quote
	OrderPlaced        Type = "order.placed"
	OrderPartiallyPaid Type = "order.partially_paid"
	OrderPaid          Type = "order.paid"
	OrderPaymentFailed Type = "order.payment_failed"
	OrderClosing       Type = "order.closing" // is to be closed; the channel is queried first
	OrderClosed        Type = "order.closed"

	OrderRefunded Type = "order.refunded"
	// GoodsReturned says what an order that had its goods gives back, other
	// than by order.refunded: Units go on hand, Counts to their limits, Coupons
	// to their holders if their templates say so.
	GoodsReturned Type = "goods.returned"

	RefundCreated    Type = "refund.created"
	RefundSucceeded  Type = "refund.succeeded"
	RefundProgressed Type = "refund.progressed" // one of several payments has given its part back
	RefundFailed     Type = "refund.failed"     // the channel has given it up
	RefundParked     Type = "refund.parked"     // a person has to do something
	RefundRetried    Type = "refund.retried"

	InstalmentDue     Type = "order.instalment_due"     // a part falls due soon
	InstalmentOverdue Type = "order.instalment_overdue" // a part was not paid in time, and the order waits on

	PaymentCreated   Type = "payment.created"
	PaymentPending   Type = "payment.pending" // the channel took it
	PaymentSucceeded Type = "payment.succeeded"
	PaymentFailed    Type = "payment.failed"
	PaymentClosed    Type = "payment.closed"
	PaymentAnomaly   Type = "payment.anomaly"

	CouponLocked   Type = "coupon.locked"
	CouponUsed     Type = "coupon.used"
	CouponReleased Type = "coupon.released"
	CouponExpired  Type = "coupon.expired"
	CouponRevoked  Type = "coupon.revoked"

	StockAdjusted Type = "stock.adjusted" // Quantity units put on hand, or taken off
	StockReserved Type = "stock.reserved"
	StockReleased Type = "stock.released"
	StockSold     Type = "stock.sold"

	// RulesChanged says that promotions or coupon templates changed.
	RulesChanged Type = "rules.changed"
)

// Known are all types that this release knows. One that a newer release wrote
// is none of them.
var Known = []Type{
	OrderDrafted, OrderEdited, OrderPlaced, OrderPartiallyPaid, OrderPaid, OrderPaymentFailed,
	OrderClosing, OrderClosed, OrderRefunded, GoodsReturned, RefundCreated, RefundSucceeded, RefundProgressed,
	RefundFailed, RefundParked, RefundRetried, InstalmentDue, InstalmentOverdue, PaymentCreated,
	PaymentPending, PaymentSucceeded, PaymentFailed, PaymentClosed, PaymentAnomaly, CouponLocked,
	CouponUsed, CouponReleased, CouponExpired, CouponRevoked, StockAdjusted, StockReserved,
	StockReleased, StockSold, RulesChanged,
}

// Units is a quantity of one sku.
type Units struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Event is one thing that happened. Only the fields that its type needs are
// set. Amounts are minor units, times UTC.
type Event struct {
	Type    Type   `json:"type"`
	Order   string `json:"orderNo,omitempty"`
	Seq     int64  `json:"seq,omitempty"`    // the order's count of events, from 1; 0 on events that subscribers of an order do not see
	Status  string `json:"status,omitempty"` // the order's status after the event
	User    string `json:"userId,omitempty"`
	Payment string `json:"paymentNo,omitempty"`
	Refund  string `json:"refundNo,omitempty"`
	Channel string `json:"channel,omitempty"`
	Coupon  string `json:"couponCode,omitempty"`
	Sku     string `json:"sku,omitempty"`

	Amount   int64  `json:"amount,omitempty"`
	Quantity int64  `json:"quantity,omitempty"`
	Reason   string `json:"reason,omitempty"`

	DueAt time.Time `json:"dueAt,omitzero"` // of an instalment

	// The reactions to the end of an order need these; they save them a
	// look at the order itself.
	Coupons  []string `json:"couponCodes,omitempty"`
	Units    []Units  `json:"units,omitempty"`
	Payments []string `json:"paymentNos,omitzero"` // of an order that was paid: those that can still take money; nil when that was not said
	Counts   []Count  `json:"counts,omitempty"`
	// Decided says of an order.refunded that it has the units and counts that
	// go back; without it the shop's policy decides when it is followed.
	Decided bool `json:"decided,omitempty"`
}

// Position is the place of a record in its shop's log: 1, 2, 3, … without a
// gap, in the order in which the records became visible. 0 is before the first.
type Position int64

// Compare orders positions.
func (p Position) Compare(q Position) int { return cmp.Compare(p, q) }

// String is the position as a cursor that clients keep.
func (p Position) String() string { return strconv.FormatInt(int64(p), 10) }

// ParsePosition reads what String wrote; "" is the beginning of the log.
func ParsePosition(s string) (Position, error) {
	if s == "" {
		return 0, nil
	}
	p, err := strconv.ParseInt(s, 10, 64)
	if err != nil || p < 0 {
		return 0, fmt.Errorf("cursor %q: not one that this feed gave", s)
	}
	return Position(p), nil
}

// Former is a place in a log as releases before dense positions wrote it,
// "tx-id". Clients may still keep one; the store knows which position it is.
type Former struct{ Tx, ID int64 }

// ParseFormer reads a cursor of such a release.
func ParseFormer(s string) (Former, bool) {
	a, b, two := strings.Cut(s, "-")
	tx, err1 := strconv.ParseInt(a, 10, 64)
	id, err2 := strconv.ParseInt(b, 10, 64)
	return Former{tx, id}, two && err1 == nil && err2 == nil && tx >= 0 && id >= 0
}

// Record is one row of the log: the events of one command, all of one order
// where Order is set.
type Record struct {
	Position Position
	Shop     string
	Order    string // "" when the events are about no order
	At       time.Time
	Trace    string // W3C traceparent of the flow that caused it, "" if none
	Events   []Event
}

// Count is an amount that an order holds of a named counter of a limit, and
// the limit that it was within when it was counted; 0 in what was counted
// before limits were kept.
type Count struct {
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
	Limit  int64  `json:"limit,omitempty"`
}

// Types are the distinct types of the events, in their order.
func Types(events []Event) []Type {
	var out []Type
	for i := range events {
		if !slices.Contains(out, events[i].Type) {
			out = append(out, events[i].Type)
		}
	}
	return out
}

// TypeList is those types as the log stores them: with commas between.
func TypeList(events []Event) string {
	var b strings.Builder
	for i, t := range Types(events) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(string(t))
	}
	return b.String()
}

// Recorder is embedded in an aggregate: its verbs record what happened, and
// saving the aggregate drains it, so that no use case can omit an event.
type Recorder struct{ pending []Event }

// Record adds an event.
func (r *Recorder) Record(e Event) { r.pending = append(r.pending, e) }

// Drain returns the recorded events and clears them.
func (r *Recorder) Drain() []Event {
	p := r.pending
	r.pending = nil
	return p
}
