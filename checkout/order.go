package checkout

import (
	"time"

	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// placedOrder is an order in the public API's shape. It is written out here
// because the demo is in the position of any shop's backend: a client of the
// public API that shares no code with it. A test compares the two.
type placedOrder struct {
	No        string              `json:"orderNo"`
	User      string              `json:"userId"`
	Status    order.Status        `json:"status"`
	Currency  string              `json:"currency"`
	Total     int64               `json:"totalAmount"`
	Discount  int64               `json:"discountAmount"`
	Payable   int64               `json:"payableAmount"`
	Paid      int64               `json:"paidAmount"`
	Refunded  int64               `json:"refundedAmount"`
	Refunding int64               `json:"refundingAmount"`
	Items     []pricing.QuoteLine `json:"items"`
	Applied   []pricing.Applied   `json:"appliedDiscounts"`
	Payments  []struct{}          `json:"payments"` // none yet

	CreatedAt   time.Time         `json:"createdAt"`
	ExpiresAt   time.Time         `json:"expiresAt"`
	PaidAt      time.Time         `json:"paidAt,omitzero"`
	ClosedAt    time.Time         `json:"closedAt,omitzero"`
	CloseReason string            `json:"closeReason,omitempty"`
	Version     int64             `json:"version"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	ClientToken string            `json:"clientToken"`
}

func placed(d *order.Data, token string) placedOrder {
	return placedOrder{
		No: d.No, User: d.User, Status: d.Status, Currency: d.Currency,
		Total: d.Total, Discount: d.Discount, Payable: d.Payable, Paid: d.Paid, Refunded: d.Refunded, Refunding: d.Refunding,
		Items: d.Items, Applied: d.Applied, Payments: []struct{}{},
		CreatedAt: at(d.CreatedAt), ExpiresAt: at(d.ExpiresAt), PaidAt: at(d.PaidAt), ClosedAt: at(d.ClosedAt),
		CloseReason: d.CloseReason, Version: d.Seq, Metadata: d.Metadata, ClientToken: token,
	}
}

// at shortens a time to microseconds, which every store keeps, so that an
// order looks the same when it is placed and when it is read.
func at(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
