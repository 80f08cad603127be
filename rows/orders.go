package rows

import (
	"time"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/unit"
)

// Orders count their own versions: those are their events.
var Orders = unit.Declare(Schema, unit.Spec[order.Data]{
	Rank: 30, Table: "orders", Key: "order_no", Guard: "seq",
	Columns: []unit.Column[order.Data]{
		unit.Text("order_no", func(d *order.Data) *string { return &d.No }),
		unit.Text("user_id", func(d *order.Data) *string { return &d.User }).Fixed(),
		unit.Text("status", func(d *order.Data) *string { return (*string)(&d.Status) }),
		unit.Text("currency", func(d *order.Data) *string { return &d.Currency }),
		unit.Int("total", func(d *order.Data) *int64 { return &d.Total }),
		unit.Int("discount", func(d *order.Data) *int64 { return &d.Discount }),
		unit.Int("payable", func(d *order.Data) *int64 { return &d.Payable }),
		unit.Int("paid", func(d *order.Data) *int64 { return &d.Paid }),
		unit.Int("refunded", func(d *order.Data) *int64 { return &d.Refunded }),
		unit.Int("refunding", func(d *order.Data) *int64 { return &d.Refunding }),
		stored("snapshot", format.OrderSnapshot),
		stored("extra", format.OrderExtra),
		unit.Time("created_at", func(d *order.Data) *time.Time { return &d.CreatedAt }).Fixed(),
		unit.Time("expires_at", func(d *order.Data) *time.Time { return &d.ExpiresAt }),
		unit.Time("remind_at", func(d *order.Data) *time.Time { return &d.RemindAt }),
		unit.Time("paid_at", func(d *order.Data) *time.Time { return &d.PaidAt }),
		unit.Time("closed_at", func(d *order.Data) *time.Time { return &d.ClosedAt }),
		unit.Text("close_reason", func(d *order.Data) *string { return &d.CloseReason }),
		unit.Text("closing", func(d *order.Data) *string { return &d.Closing }),
		unit.Int("seq", func(d *order.Data) *int64 { return &d.Seq }),
		unit.Text("trace", func(d *order.Data) *string { return &d.Trace }).Fixed(),
	},
	// What a draft is made of changes until it is submitted, and never after.
	Narrow: []unit.Narrow[order.Data]{{
		Columns: []string{
			"status", "paid", "refunded", "refunding", "extra", "expires_at", "remind_at",
			"paid_at", "closed_at", "close_reason", "closing", "seq",
		},
		When: func(old, _ *order.Data) bool { return old.Status != order.Draft },
	}},
})

// Buyer is a user who has an order that was not closed, nor refunded with all
// that it counted.
type Buyer struct{ User string }

// Buyers are found in the orders, after the counters (by rank): an order that
// counted itself a buyer's first and was committed while we waited for its
// counter is seen.
var Buyers = unit.Declare(Schema, unit.Spec[Buyer]{
	Rank: 100, Table: "buyers", Key: "user_id", Unlocked: true, Virtual: true,
	Columns: []unit.Column[Buyer]{unit.Text("user_id", func(b *Buyer) *string { return &b.User })},
})

// Extra decodes that document alone into an order.
func Extra(d *order.Data) unit.Decoder { return Orders.Document("extra", d) }
