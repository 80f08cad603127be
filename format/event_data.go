package format

import (
	"reflect"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// EventData is what an event that is sent says: the data of its CloudEvent.
// Which of the members an event has follows from its type, see EventMembers.
type EventData struct {
	OrderNo     string        `json:"orderNo,omitempty"`
	Seq         int64         `json:"seq,omitempty" doc:"The order's count of events: 1, 2, 3, …"`
	Status      string        `json:"status,omitempty" doc:"The order's status after the event"`
	UserID      string        `json:"userId,omitempty"`
	PaymentNo   string        `json:"paymentNo,omitempty"`
	RefundNo    string        `json:"refundNo,omitempty"`
	Channel     string        `json:"channel,omitempty"`
	CouponCode  string        `json:"couponCode,omitempty"`
	Sku         string        `json:"sku,omitempty"`
	Amount      int64         `json:"amount,omitempty" doc:"Minor units"`
	Quantity    int64         `json:"quantity,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	DueAt       *time.Time    `json:"dueAt,omitempty" doc:"Of an instalment"`
	CouponCodes []string      `json:"couponCodes,omitempty"`
	Units       []event.Units `json:"units,omitempty"`
}

// EventDataOf is what is sent of an event. What only reactions need is left
// out: the payments and the counts of limits.
func EventDataOf(e *event.Event) EventData {
	d := EventData{
		OrderNo: e.Order, Seq: e.Seq, Status: e.Status, UserID: e.User, PaymentNo: e.Payment, RefundNo: e.Refund, Channel: e.Channel,
		CouponCode: e.Coupon, Sku: e.Sku, Amount: e.Amount, Quantity: e.Quantity, Reason: e.Reason,
		CouponCodes: e.Coupons, Units: e.Units,
	}
	if !e.DueAt.IsZero() {
		due := e.DueAt.UTC().Truncate(time.Microsecond)
		d.DueAt = &due
	}
	return d
}

// Members that several types have.
const (
	inOrder   = "orderNo seq status "                     // has a place in its order's sequence
	ofEnd     = "userId amount couponCodes units counts " // is followed by reactions
	ofPayment = inOrder + "paymentNo channel amount reason"
	ofRefund  = inOrder + "refundNo paymentNo channel amount reason"
	ofCoupon  = "orderNo couponCode userId"
	ofStock   = "orderNo sku quantity"
)

// members are what events of a type can have. Of an absent one the value is
// zero, or it is not the order's. Those of the last column are stored and not
// sent: paymentNos and counts.
var members = map[event.Type]string{
	event.OrderDrafted:       inOrder + "userId amount",
	event.OrderEdited:        inOrder + "userId amount",
	event.OrderPlaced:        inOrder + "userId amount couponCodes",
	event.OrderPartiallyPaid: inOrder + ofEnd,
	event.OrderPaid:          inOrder + ofEnd + "reason paymentNos",
	event.OrderPaymentFailed: inOrder + "reason",
	event.OrderClosing:       inOrder + "reason",
	event.OrderClosed:        inOrder + ofEnd + "reason",
	event.OrderRefunded:      inOrder + ofEnd,
	event.InstalmentDue:      inOrder + "userId amount dueAt",
	event.InstalmentOverdue:  inOrder + "userId amount dueAt",

	event.PaymentCreated:   ofPayment,
	event.PaymentPending:   ofPayment,
	event.PaymentSucceeded: ofPayment,
	event.PaymentFailed:    ofPayment,
	event.PaymentClosed:    ofPayment,
	event.PaymentAnomaly:   ofPayment,

	event.RefundCreated:    ofRefund,
	event.RefundSucceeded:  ofRefund,
	event.RefundProgressed: ofRefund,
	event.RefundFailed:     ofRefund,
	event.RefundParked:     ofRefund,
	event.RefundRetried:    ofRefund,

	event.CouponLocked:   ofCoupon,
	event.CouponUsed:     ofCoupon,
	event.CouponReleased: ofCoupon,
	event.CouponExpired:  ofCoupon,
	event.CouponRevoked:  ofCoupon,

	event.StockAdjusted: ofStock + " reason",
	event.StockReserved: ofStock,
	event.StockReleased: ofStock,
	event.StockSold:     ofStock,

	event.RulesChanged: "",
}

// EventMembers are the JSON names of what an event of the type can have beside
// its type, stored or sent; ok is false for a type that does not exist.
func EventMembers(t event.Type) (names []string, ok bool) {
	list, ok := members[t]
	return strings.Fields(list), ok
}

// EventPayload is EventData without the members that events of the type never
// have, for the schemas of what is sent: a struct with the same tags. It is nil
// for a type that does not exist.
func EventPayload(t event.Type) reflect.Type {
	names, ok := EventMembers(t)
	if !ok {
		return nil
	}
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(reflect.TypeFor[EventData]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		for _, has := range names {
			if has == name {
				f.Offset, f.Index = 0, nil
				fields = append(fields, f)
			}
		}
	}
	return reflect.StructOf(fields)
}
