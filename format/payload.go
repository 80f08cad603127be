package format

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// Each type of event has one payload type: the data of the CloudEvent that
// clients get. A member without omitempty is in every event of the type.
// Amounts are minor units, times UTC. Adding a member is compatible; taking one
// away, or changing its meaning, is not.

// OrderPlace is where an event stands in the sequence of its order.
type OrderPlace struct {
	OrderNo string `json:"orderNo"`
	Seq     int64  `json:"seq" doc:"The order's count of events: 1, 2, 3, …"`
	Status  string `json:"status" doc:"The order's status after the event"`
}

// OrderDraftedData is the data of order.drafted.
type OrderDraftedData struct {
	OrderPlace
	UserID string `json:"userId"`
	Amount int64  `json:"amount" doc:"Payable, in minor units"`
}

// OrderEditedData is the data of order.edited.
type OrderEditedData OrderDraftedData

// OrderPlacedData is the data of order.placed.
type OrderPlacedData struct {
	OrderPlace
	UserID      string   `json:"userId"`
	Amount      int64    `json:"amount" doc:"Payable, in minor units"`
	CouponCodes []string `json:"couponCodes,omitempty" doc:"Coupons that the order locked"`
}

// OrderPartiallyPaidData is the data of order.partially_paid.
type OrderPartiallyPaidData struct {
	OrderPlace
	UserID      string        `json:"userId,omitempty" doc:"Absent in some events of releases before 0.3"`
	Amount      int64         `json:"amount" doc:"What the order took of the payment, in minor units"`
	CouponCodes []string      `json:"couponCodes,omitempty" doc:"Coupons that are used now"`
	Units       []event.Units `json:"units,omitempty" doc:"Units that are sold now"`
}

// OrderPaidData is the data of order.paid.
type OrderPaidData struct {
	OrderPlace
	UserID      string        `json:"userId"`
	Amount      int64         `json:"amount" doc:"Paid, in minor units"`
	Reason      string        `json:"reason,omitempty"`
	CouponCodes []string      `json:"couponCodes,omitempty" doc:"Coupons that are used now"`
	Units       []event.Units `json:"units,omitempty" doc:"Units that are sold now"`
}

// OrderPaymentFailedData is the data of order.payment_failed.
type OrderPaymentFailedData struct {
	OrderPlace
	Reason string `json:"reason,omitempty"`
}

// OrderClosingData is the data of order.closing.
type OrderClosingData OrderPaymentFailedData

// OrderClosedData is the data of order.closed.
type OrderClosedData struct {
	OrderPlace
	UserID      string        `json:"userId"`
	Amount      int64         `json:"amount" doc:"What had been paid of it, in minor units"`
	Reason      string        `json:"reason,omitempty"`
	CouponCodes []string      `json:"couponCodes,omitempty" doc:"Coupons that the order gives back"`
	Units       []event.Units `json:"units,omitempty" doc:"Units that the order gives back"`
}

// OrderRefundedData is the data of order.refunded: all of it.
type OrderRefundedData struct {
	OrderPlace
	UserID      string        `json:"userId"`
	Amount      int64         `json:"amount" doc:"Refunded in all, in minor units"`
	CouponCodes []string      `json:"couponCodes,omitempty" doc:"Coupons that the order had used"`
	Units       []event.Units `json:"units,omitempty" doc:"Units that go back on hand"`
}

// GoodsReturnedData is the data of goods.returned.
type GoodsReturnedData struct {
	OrderPlace
	UserID      string        `json:"userId"`
	CouponCodes []string      `json:"couponCodes,omitempty" doc:"Coupons that the order had used"`
	Units       []event.Units `json:"units,omitempty" doc:"Units that go back on hand"`
}

// OrderInstalmentDueData is the data of order.instalment_due.
type OrderInstalmentDueData struct {
	OrderPlace
	UserID string    `json:"userId"`
	Amount int64     `json:"amount" doc:"What is due, in minor units"`
	DueAt  time.Time `json:"dueAt" doc:"When the instalment is due"`
}

// OrderInstalmentOverdueData is the data of order.instalment_overdue.
type OrderInstalmentOverdueData OrderInstalmentDueData

// PaymentCreatedData is the data of payment.created.
type PaymentCreatedData struct {
	OrderPlace
	PaymentNo string `json:"paymentNo"`
	Channel   string `json:"channel"`
	Amount    int64  `json:"amount" doc:"Minor units"`
	Reason    string `json:"reason,omitempty"`
}

// The data of the other events of a payment.
type (
	// PaymentPendingData is the data of payment.pending.
	PaymentPendingData PaymentCreatedData
	// PaymentSucceededData is the data of payment.succeeded.
	PaymentSucceededData PaymentCreatedData
	// PaymentFailedData is the data of payment.failed.
	PaymentFailedData PaymentCreatedData
	// PaymentClosedData is the data of payment.closed.
	PaymentClosedData PaymentCreatedData
	// PaymentAnomalyData is the data of payment.anomaly.
	PaymentAnomalyData PaymentCreatedData
)

// RefundCreatedData is the data of refund.created.
type RefundCreatedData struct {
	OrderPlace
	RefundNo  string `json:"refundNo,omitempty" doc:"Absent when the merchant refunded without us"`
	PaymentNo string `json:"paymentNo,omitempty" doc:"The payment that the event is about, if it is about one"`
	Channel   string `json:"channel,omitempty"`
	Amount    int64  `json:"amount" doc:"Minor units"`
	Reason    string `json:"reason,omitempty"`
}

// The data of the other events of a refund.
type (
	// RefundSucceededData is the data of refund.succeeded.
	RefundSucceededData RefundCreatedData
	// RefundProgressedData is the data of refund.progressed.
	RefundProgressedData RefundCreatedData
	// RefundFailedData is the data of refund.failed.
	RefundFailedData RefundCreatedData
	// RefundParkedData is the data of refund.parked.
	RefundParkedData RefundCreatedData
	// RefundRetriedData is the data of refund.retried.
	RefundRetriedData RefundCreatedData
)

// CouponLockedData is the data of coupon.locked.
type CouponLockedData struct {
	CouponCode string `json:"couponCode"`
	OrderNo    string `json:"orderNo,omitempty"`
	UserID     string `json:"userId,omitempty"`
}

// The data of the other events of a coupon.
type (
	// CouponUsedData is the data of coupon.used.
	CouponUsedData CouponLockedData
	// CouponReleasedData is the data of coupon.released.
	CouponReleasedData CouponLockedData
	// CouponExpiredData is the data of coupon.expired.
	CouponExpiredData CouponLockedData
	// CouponRevokedData is the data of coupon.revoked.
	CouponRevokedData CouponLockedData
)

// StockReservedData is the data of stock.reserved.
type StockReservedData struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	OrderNo  string `json:"orderNo,omitempty"`
}

// The data of stock.released and stock.sold.
type (
	// StockReleasedData is the data of stock.released.
	StockReleasedData StockReservedData
	// StockSoldData is the data of stock.sold.
	StockSoldData StockReservedData
)

// StockAdjustedData is the data of stock.adjusted.
type StockAdjustedData struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity" doc:"Units put on hand; negative when taken off"`
	OrderNo  string `json:"orderNo,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// RulesChangedData is the data of rules.changed.
type RulesChangedData struct{}

func place(e *event.Event) OrderPlace {
	return OrderPlace{OrderNo: e.Order, Seq: e.Seq, Status: e.Status}
}

func drafted(e *event.Event) OrderDraftedData {
	return OrderDraftedData{OrderPlace: place(e), UserID: e.User, Amount: e.Amount}
}

func withReason(e *event.Event) OrderPaymentFailedData {
	return OrderPaymentFailedData{OrderPlace: place(e), Reason: e.Reason}
}

func dueData(e *event.Event) OrderInstalmentDueData {
	return OrderInstalmentDueData{
		OrderPlace: place(e), UserID: e.User, Amount: e.Amount, DueAt: e.DueAt.UTC().Truncate(time.Microsecond),
	}
}

func ofPayment(e *event.Event) PaymentCreatedData {
	return PaymentCreatedData{OrderPlace: place(e), PaymentNo: e.Payment, Channel: e.Channel, Amount: e.Amount, Reason: e.Reason}
}

func ofRefund(e *event.Event) RefundCreatedData {
	return RefundCreatedData{
		OrderPlace: place(e), RefundNo: e.Refund, PaymentNo: e.Payment, Channel: e.Channel, Amount: e.Amount, Reason: e.Reason,
	}
}

func ofCoupon(e *event.Event) CouponLockedData {
	return CouponLockedData{CouponCode: e.Coupon, OrderNo: e.Order, UserID: e.User}
}

func ofStock(e *event.Event) StockReservedData {
	return StockReservedData{Sku: e.Sku, Quantity: e.Quantity, OrderNo: e.Order}
}

// payload is the payload type of one type of event, and how it is made.
type payload struct {
	is   reflect.Type
	make func(*event.Event) any
}

func payloadOf[P any](of func(*event.Event) P) payload {
	return payload{is: reflect.TypeFor[P](), make: func(e *event.Event) any { return of(e) }}
}

var payloads = map[event.Type]payload{
	event.OrderDrafted: payloadOf(drafted),
	event.OrderEdited:  payloadOf(func(e *event.Event) OrderEditedData { return OrderEditedData(drafted(e)) }),
	event.OrderPlaced: payloadOf(func(e *event.Event) OrderPlacedData {
		return OrderPlacedData{OrderPlace: place(e), UserID: e.User, Amount: e.Amount, CouponCodes: e.Coupons}
	}),
	event.OrderPartiallyPaid: payloadOf(func(e *event.Event) OrderPartiallyPaidData {
		return OrderPartiallyPaidData{OrderPlace: place(e), UserID: e.User, Amount: e.Amount, CouponCodes: e.Coupons, Units: e.Units}
	}),
	event.OrderPaid: payloadOf(func(e *event.Event) OrderPaidData {
		return OrderPaidData{
			OrderPlace: place(e), UserID: e.User, Amount: e.Amount, Reason: e.Reason, CouponCodes: e.Coupons, Units: e.Units,
		}
	}),
	event.OrderPaymentFailed: payloadOf(withReason),
	event.OrderClosing:       payloadOf(func(e *event.Event) OrderClosingData { return OrderClosingData(withReason(e)) }),
	event.OrderClosed: payloadOf(func(e *event.Event) OrderClosedData {
		return OrderClosedData{
			OrderPlace: place(e), UserID: e.User, Amount: e.Amount, Reason: e.Reason, CouponCodes: e.Coupons, Units: e.Units,
		}
	}),
	event.OrderRefunded: payloadOf(func(e *event.Event) OrderRefundedData {
		return OrderRefundedData{OrderPlace: place(e), UserID: e.User, Amount: e.Amount, CouponCodes: e.Coupons, Units: e.Units}
	}),
	event.GoodsReturned: payloadOf(func(e *event.Event) GoodsReturnedData {
		return GoodsReturnedData{OrderPlace: place(e), UserID: e.User, CouponCodes: e.Coupons, Units: e.Units}
	}),
	event.InstalmentDue: payloadOf(dueData),
	event.InstalmentOverdue: payloadOf(func(e *event.Event) OrderInstalmentOverdueData {
		return OrderInstalmentOverdueData(dueData(e))
	}),

	event.PaymentCreated:   payloadOf(ofPayment),
	event.PaymentPending:   payloadOf(func(e *event.Event) PaymentPendingData { return PaymentPendingData(ofPayment(e)) }),
	event.PaymentSucceeded: payloadOf(func(e *event.Event) PaymentSucceededData { return PaymentSucceededData(ofPayment(e)) }),
	event.PaymentFailed:    payloadOf(func(e *event.Event) PaymentFailedData { return PaymentFailedData(ofPayment(e)) }),
	event.PaymentClosed:    payloadOf(func(e *event.Event) PaymentClosedData { return PaymentClosedData(ofPayment(e)) }),
	event.PaymentAnomaly:   payloadOf(func(e *event.Event) PaymentAnomalyData { return PaymentAnomalyData(ofPayment(e)) }),

	event.RefundCreated:    payloadOf(ofRefund),
	event.RefundSucceeded:  payloadOf(func(e *event.Event) RefundSucceededData { return RefundSucceededData(ofRefund(e)) }),
	event.RefundProgressed: payloadOf(func(e *event.Event) RefundProgressedData { return RefundProgressedData(ofRefund(e)) }),
	event.RefundFailed:     payloadOf(func(e *event.Event) RefundFailedData { return RefundFailedData(ofRefund(e)) }),
	event.RefundParked:     payloadOf(func(e *event.Event) RefundParkedData { return RefundParkedData(ofRefund(e)) }),
	event.RefundRetried:    payloadOf(func(e *event.Event) RefundRetriedData { return RefundRetriedData(ofRefund(e)) }),

	event.CouponLocked:   payloadOf(ofCoupon),
	event.CouponUsed:     payloadOf(func(e *event.Event) CouponUsedData { return CouponUsedData(ofCoupon(e)) }),
	event.CouponReleased: payloadOf(func(e *event.Event) CouponReleasedData { return CouponReleasedData(ofCoupon(e)) }),
	event.CouponExpired:  payloadOf(func(e *event.Event) CouponExpiredData { return CouponExpiredData(ofCoupon(e)) }),
	event.CouponRevoked:  payloadOf(func(e *event.Event) CouponRevokedData { return CouponRevokedData(ofCoupon(e)) }),

	event.StockAdjusted: payloadOf(func(e *event.Event) StockAdjustedData {
		return StockAdjustedData{Sku: e.Sku, Quantity: e.Quantity, OrderNo: e.Order, Reason: e.Reason}
	}),
	event.StockReserved: payloadOf(ofStock),
	event.StockReleased: payloadOf(func(e *event.Event) StockReleasedData { return StockReleasedData(ofStock(e)) }),
	event.StockSold:     payloadOf(func(e *event.Event) StockSoldData { return StockSoldData(ofStock(e)) }),

	event.RulesChanged: payloadOf(func(*event.Event) RulesChangedData { return RulesChangedData{} }),
}

// storedOnly are the members that reactions need and clients do not get.
var storedOnly = map[event.Type][]string{
	event.OrderPartiallyPaid: {"counts"},
	event.OrderPaid:          {"counts", "paymentNos"},
	event.OrderClosed:        {"counts"},
	event.OrderRefunded:      {"counts", "decided"},
	event.GoodsReturned:      {"counts"},
}

// OtherData is the data of an event of a type that this release does not know:
// what it has of the members that this release does know.
type OtherData struct {
	OrderNo     string        `json:"orderNo,omitempty"`
	Seq         int64         `json:"seq,omitempty"`
	Status      string        `json:"status,omitempty"`
	UserID      string        `json:"userId,omitempty"`
	PaymentNo   string        `json:"paymentNo,omitempty"`
	RefundNo    string        `json:"refundNo,omitempty"`
	Channel     string        `json:"channel,omitempty"`
	CouponCode  string        `json:"couponCode,omitempty"`
	CouponCodes []string      `json:"couponCodes,omitempty"`
	Sku         string        `json:"sku,omitempty"`
	Units       []event.Units `json:"units,omitempty"`
	Amount      int64         `json:"amount,omitempty" doc:"Minor units"`
	Quantity    int64         `json:"quantity,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	DueAt       time.Time     `json:"dueAt,omitzero"`
}

// Payload is what is sent of an event: a value of the payload type of its type,
// or OtherData for a type that this release does not know.
func Payload(e *event.Event) any {
	if p, ok := payloads[e.Type]; ok {
		return p.make(e)
	}
	return OtherData{
		OrderNo: e.Order, Seq: e.Seq, Status: e.Status, UserID: e.User, PaymentNo: e.Payment, RefundNo: e.Refund, Channel: e.Channel,
		CouponCode: e.Coupon, CouponCodes: e.Coupons, Sku: e.Sku, Units: e.Units, Amount: e.Amount, Quantity: e.Quantity,
		Reason: e.Reason, DueAt: e.DueAt.UTC().Truncate(time.Microsecond),
	}
}

// PayloadType is the payload type of a type of event, nil for a type that does
// not exist.
func PayloadType(t event.Type) reflect.Type { return payloads[t].is }

// PayloadTypes are the types of event that have a payload type, sorted.
func PayloadTypes() []event.Type { return slices.Sorted(maps.Keys(payloads)) }

// EventMembers are the JSON names of what a stored event of the type can have
// beside its type; ok is false for a type that does not exist.
func EventMembers(t event.Type) (names []string, ok bool) {
	p, ok := payloads[t]
	if !ok {
		return nil, false
	}
	for _, f := range reflect.VisibleFields(p.is) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return append(names, storedOnly[t]...), true
}
