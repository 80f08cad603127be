package rows

import (
	"time"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/unit"
)

// Payments belong to their orders: written only by those who hold the order.
var Payments = unit.Declare(Schema, unit.Spec[payment.Data]{
	Rank: 40, Table: "payments", Key: "payment_no", Owner: Orders, OwnedBy: "order_no",
	Columns: []unit.Column[payment.Data]{
		unit.Text("payment_no", func(d *payment.Data) *string { return &d.No }),
		unit.Text("order_no", func(d *payment.Data) *string { return &d.Order }).Fixed(),
		unit.Text("channel", func(d *payment.Data) *string { return &d.Channel }).Fixed(),
		unit.Text("method", func(d *payment.Data) *string { return (*string)(&d.Method) }).Fixed(),
		unit.Int("amount", func(d *payment.Data) *int64 { return &d.Amount }).Fixed(),
		unit.Text("currency", func(d *payment.Data) *string { return &d.Currency }).Fixed(),
		unit.Text("status", func(d *payment.Data) *string { return (*string)(&d.Status) }),
		unit.Int("applied", func(d *payment.Data) *int64 { return &d.Applied }),
		unit.Int("refunded", func(d *payment.Data) *int64 { return &d.Refunded }),
		unit.Int("refunding", func(d *payment.Data) *int64 { return &d.Refunding }),
		unit.Text("merchant", func(d *payment.Data) *string { return &d.Merchant }).Fixed(),
		unit.Text("app", func(d *payment.Data) *string { return &d.App }).Fixed(),
		stored("detail", format.PaymentDetail),
		unit.Text("anomaly", func(d *payment.Data) *string { return &d.Anomaly }),
		unit.Text("transaction_id", func(d *payment.Data) *string { return &d.TransactionID }),
		unit.Time("created_at", func(d *payment.Data) *time.Time { return &d.CreatedAt }).Fixed(),
		unit.Time("expires_at", func(d *payment.Data) *time.Time { return &d.ExpiresAt }).Fixed(),
		unit.Time("succeeded_at", func(d *payment.Data) *time.Time { return &d.SucceededAt }),
		unit.Time("closed_at", func(d *payment.Data) *time.Time { return &d.ClosedAt }),
		unit.Time("next_query_at", func(d *payment.Data) *time.Time { return &d.NextQueryAt }),
		unit.Count("queries", func(d *payment.Data) *int { return &d.Queries }),
		unit.Text("trace", func(d *payment.Data) *string { return &d.Trace }).Fixed(),
		unit.Version("version", func(d *payment.Data) *int64 { return &d.Version }),
	},
})

// Refunds are those that we asked for and those that we learnt of.
var Refunds = unit.Declare(Schema, unit.Spec[payment.RefundData]{
	Rank: 50, Table: "refunds", Key: "refund_no",
	Columns: []unit.Column[payment.RefundData]{
		unit.Text("refund_no", func(d *payment.RefundData) *string { return &d.No }),
		unit.Text("order_no", func(d *payment.RefundData) *string { return &d.Order }).Fixed(),
		unit.Text("cause", func(d *payment.RefundData) *string { return (*string)(&d.Cause) }).Fixed(),
		unit.Text("status", func(d *payment.RefundData) *string { return (*string)(&d.Status) }),
		unit.Int("amount", func(d *payment.RefundData) *int64 { return &d.Amount }).Fixed(),
		unit.Text("currency", func(d *payment.RefundData) *string { return &d.Currency }).Fixed(),
		unit.DerivedBool("parked", (*payment.RefundData).Parked),
		stored("detail", format.RefundDetail),
		unit.Time("created_at", func(d *payment.RefundData) *time.Time { return &d.CreatedAt }).Fixed(),
		unit.Time("done_at", func(d *payment.RefundData) *time.Time { return &d.DoneAt }),
		unit.Time("next_try_at", func(d *payment.RefundData) *time.Time { return &d.NextTryAt }),
		unit.Count("tries", func(d *payment.RefundData) *int { return &d.Tries }),
		unit.Text("trace", func(d *payment.RefundData) *string { return &d.Trace }).Fixed(),
		unit.Version("version", func(d *payment.RefundData) *int64 { return &d.Version }),
	},
})
