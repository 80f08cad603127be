package format

import (
	"time"

	"github.com/tandem-pay/tandem/event"
)

// PushedToOrder is an event as push sends it to subscribers of its order:
// buyers. It says nothing that a buyer may not see.
type PushedToOrder struct {
	Type    event.Type `json:"type"`
	Order   string     `json:"orderNo"`
	Seq     int64      `json:"seq"`
	Status  string     `json:"status"`
	Message string     `json:"message"`
	At      time.Time  `json:"at"`
	Payment string     `json:"paymentNo,omitempty"`
	Refund  string     `json:"refundNo,omitempty"`
	DueAt   time.Time  `json:"dueAt,omitzero"` // of an instalment
}

// PushedToShop is an event as push sends it to subscribers of a user or of the
// shop, who hold its secret key. Amounts are minor units.
type PushedToShop struct {
	Type     event.Type `json:"type"`
	Position string     `json:"position"` // where to resume
	Order    string     `json:"orderNo,omitempty"`
	Seq      int64      `json:"seq,omitempty"`
	Status   string     `json:"status,omitempty"`
	Message  string     `json:"message,omitempty"`
	At       time.Time  `json:"at"`
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
}

// PushToOrder makes the message of an event; text is what a buyer reads of it.
func PushToOrder(e *event.Event, at time.Time, text string) PushedToOrder {
	return PushedToOrder{
		Type: e.Type, Order: e.Order, Seq: e.Seq, Status: e.Status, Message: text, At: at.UTC(),
		Payment: e.Payment, Refund: e.Refund, DueAt: e.DueAt,
	}
}

// PushToShop makes the message of an event; a client that has it resumes after
// position.
func PushToShop(e *event.Event, position event.Position, at time.Time, text string) PushedToShop {
	return PushedToShop{
		Type: e.Type, Position: position.String(), Order: e.Order, Seq: e.Seq, Status: e.Status, Message: text, At: at.UTC(),
		User: e.User, Payment: e.Payment, Refund: e.Refund, Channel: e.Channel, Coupon: e.Coupon, Sku: e.Sku,
		Amount: e.Amount, Quantity: e.Quantity, Reason: e.Reason, DueAt: e.DueAt,
	}
}

// PushAnswer is what push sends beside events.
type PushAnswer struct {
	Type     string `json:"type"` // authenticated, subscribed, unsubscribed or error
	Order    string `json:"orderNo,omitempty"`
	User     string `json:"userId,omitempty"`
	Shop     bool   `json:"shop,omitempty"`
	Status   string `json:"status,omitempty"`
	Seq      *int64 `json:"seq,omitempty"`
	Position string `json:"position,omitempty"`
	Code     string `json:"code,omitempty"`
	Detail   string `json:"detail,omitempty"`
}
