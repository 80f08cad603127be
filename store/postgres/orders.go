package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

const (
	orderColumns = "order_no, user_id, status, currency, total, discount, payable, paid, refunded, snapshot, " +
		"created_at, expires_at, paid_at, closed_at, close_reason, closing, seq, trace, refunding, extra, remind_at"
	paymentColumns = "payment_no, order_no, channel, method, amount, currency, status, applied, refunded, merchant, app, detail, anomaly, " +
		"transaction_id, created_at, expires_at, succeeded_at, closed_at, next_query_at, queries, trace, version, refunding"
)

func scanOrder(rows pgx.Rows, d *order.Data) error {
	return rows.Scan(&d.No, &d.User, (*string)(&d.Status), &d.Currency, &d.Total, &d.Discount, &d.Payable, &d.Paid, &d.Refunded, doc[order.Data]{&format.OrderSnapshot, d},
		moment{&d.CreatedAt}, moment{&d.ExpiresAt}, moment{&d.PaidAt}, moment{&d.ClosedAt}, &d.CloseReason, &d.Closing, &d.Seq, &d.Trace,
		&d.Refunding, doc[order.Data]{&format.OrderExtra, d}, moment{&d.RemindAt})
}

func scanPayment(rows pgx.Rows, d *payment.Data) error {
	return rows.Scan(&d.No, &d.Order, &d.Channel, (*string)(&d.Method), &d.Amount, &d.Currency, (*string)(&d.Status), &d.Applied, &d.Refunded,
		&d.Merchant, &d.App, doc[payment.Data]{&format.PaymentDetail, d}, &d.Anomaly, &d.TransactionID, moment{&d.CreatedAt}, moment{&d.ExpiresAt}, moment{&d.SucceededAt},
		moment{&d.ClosedAt}, moment{&d.NextQueryAt}, &d.Queries, &d.Trace, &d.Version, &d.Refunding)
}

// Order reads an order with its payments.
func (s *Store) Order(ctx context.Context, shop, no string) (app.OrderView, error) {
	var orders []order.Data
	var payments []payment.Data
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &orders, 1, scanOrder, "SELECT "+orderColumns+" FROM orders WHERE shop = $1 AND order_no = $2", shop, no)
		queue(b, &payments, 1, scanPayment, "SELECT "+paymentColumns+" FROM payments WHERE shop = $1 AND order_no = $2 AND order_no <> '' ORDER BY payment_no", shop, no)
	})
	if err != nil {
		return app.OrderView{}, err
	}
	if len(orders) == 0 {
		return app.OrderView{}, fault.New(fault.NotFound, "there is no order %s", no)
	}
	return views(orders, payments)[0], nil
}

// Bought says whether the user has an order that was not closed.
func (s *Store) Bought(ctx context.Context, shop, user string) (bool, error) {
	found, err := some(ctx, s, 1, scanText, boughtBy, shop, []string{user})
	return len(found) > 0, err
}

// Payment reads one payment.
func (s *Store) Payment(ctx context.Context, shop, no string) (payment.Data, error) {
	return one(ctx, s, "payment", no, scanPayment, "SELECT "+paymentColumns+" FROM payments WHERE shop = $1 AND payment_no = $2", shop, no)
}

// ListOrders reads a page, newest number first, with all payments.
func (s *Store) ListOrders(ctx context.Context, shop string, f app.OrderFilter, p app.Page) ([]app.OrderView, string, error) {
	limit := limitOf(p)
	where, args := []string{"shop = $1"}, []any{shop}
	and := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	if f.User != "" {
		and("user_id <> '' AND user_id =", f.User)
	}
	if f.Status != "" {
		and("status =", string(f.Status))
	}
	if !f.CreatedFrom.IsZero() {
		and("created_at >=", f.CreatedFrom)
	}
	if !f.CreatedTo.IsZero() {
		and("created_at <", f.CreatedTo)
	}
	if p.Cursor != "" {
		and("order_no <", p.Cursor)
	}
	from := fmt.Sprintf("FROM orders WHERE %s ORDER BY order_no DESC LIMIT %d", strings.Join(where, " AND "), limit+1)
	var orders []order.Data
	var payments []payment.Data
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &orders, limit+1, scanOrder, "SELECT "+orderColumns+" "+from, args...)
		queue(b, &payments, limit+1, scanPayment, "SELECT "+paymentColumns+" FROM (SELECT order_no AS k "+from+
			") AS o CROSS JOIN LATERAL (SELECT * FROM payments WHERE shop = $1 AND order_no = o.k AND order_no <> '') AS p ORDER BY payment_no", args...)
	})
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(orders) > limit {
		orders = orders[:limit]
		next = orders[limit-1].No
	}
	return views(orders, payments), next, nil
}

// views puts payments, in the order of their numbers, to their orders.
func views(orders []order.Data, payments []payment.Data) []app.OrderView {
	out := make([]app.OrderView, len(orders))
	at := make(map[string]int, len(orders))
	for i := range orders {
		out[i].Order = orders[i]
		at[orders[i].No] = i
	}
	for i := range payments {
		if o, ok := at[payments[i].Order]; ok {
			out[o].Payments = append(out[o].Payments, payments[i])
		}
	}
	return out
}

// orderMoves is what an update of an order sets, orderMoving what it is given.
const orderMoves = "status = n.status, paid = n.paid, refunded = n.refunded, paid_at = n.paid_at, closed_at = n.closed_at, " +
	"close_reason = n.close_reason, closing = n.closing, seq = n.seq, " +
	"refunding = n.refunding, extra = n.extra, remind_at = n.remind_at, expires_at = n.expires_at"

var orderMoving = []string{
	"order_no text", "was bigint", "status text", "paid bigint", "refunded bigint", "paid_at timestamptz", "closed_at timestamptz",
	"close_reason text", "closing text", "seq bigint", "refunding bigint", "extra json", "remind_at timestamptz", "expires_at timestamptz",
}

var (
	insertOrders = insertAll("orders", "order_no text", "user_id text", "status text", "currency text",
		"total bigint", "discount bigint", "payable bigint", "paid bigint", "refunded bigint", "snapshot json",
		"created_at timestamptz", "expires_at timestamptz", "paid_at timestamptz", "closed_at timestamptz",
		"close_reason text", "closing text", "seq bigint", "trace text", "refunding bigint", "extra json", "remind_at timestamptz")
	updateOrders = updateAll("orders", orderMoves, "order_no = n.order_no AND seq = n.was", orderMoving...)
	// A draft's snapshot moves too, until it is submitted.
	updateDrafts = updateAll("orders",
		orderMoves+", currency = n.currency, total = n.total, discount = n.discount, payable = n.payable, snapshot = n.snapshot",
		"order_no = n.order_no AND seq = n.was",
		append(slices.Clone(orderMoving), "currency text", "total bigint", "discount bigint", "payable bigint", "snapshot json")...)

	insertPayments = insertAll("payments", "payment_no text", "order_no text", "channel text", "method text", "amount bigint",
		"currency text", "status text", "applied bigint", "refunded bigint", "merchant text", "app text", "detail json", "anomaly text",
		"transaction_id text", "created_at timestamptz", "expires_at timestamptz", "succeeded_at timestamptz", "closed_at timestamptz",
		"next_query_at timestamptz", "queries bigint", "trace text", "version bigint", "refunding bigint")
	updatePayments = updateGuarded("payments",
		"status = n.status, applied = n.applied, refunded = n.refunded, detail = n.detail, anomaly = n.anomaly, "+
			"transaction_id = n.transaction_id, succeeded_at = n.succeeded_at, closed_at = n.closed_at, "+
			"next_query_at = n.next_query_at, queries = n.queries, refunding = n.refunding, version = n.version + 1",
		"payment_no = n.payment_no AND version = n.version", "r.version = n.version",
		"payment_no text", "version bigint", "status text", "applied bigint", "refunded bigint", "detail json", "anomaly text",
		"transaction_id text", "succeeded_at timestamptz", "closed_at timestamptz", "next_query_at timestamptz", "queries bigint",
		"refunding bigint")
)

func (w *writer) orders(changes []app.Change[order.Data]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *order.Data
		w.add(insertOrders,
			column(added, func(d row) string { return d.No }), column(added, func(d row) string { return d.User }),
			column(added, func(d row) string { return string(d.Status) }), column(added, func(d row) string { return d.Currency }),
			column(added, func(d row) int64 { return d.Total }), column(added, func(d row) int64 { return d.Discount }),
			column(added, func(d row) int64 { return d.Payable }), column(added, func(d row) int64 { return d.Paid }),
			column(added, func(d row) int64 { return d.Refunded }),
			docs(w, added, format.OrderSnapshot, func(d row) row { return d }),
			times(added, func(d row) time.Time { return d.CreatedAt }), times(added, func(d row) time.Time { return d.ExpiresAt }),
			times(added, func(d row) time.Time { return d.PaidAt }), times(added, func(d row) time.Time { return d.ClosedAt }),
			column(added, func(d row) string { return d.CloseReason }), column(added, func(d row) string { return d.Closing }),
			column(added, func(d row) int64 { return d.Seq }), column(added, func(d row) string { return d.Trace }),
			column(added, func(d row) int64 { return d.Refunding }), docs(w, added, format.OrderExtra, func(d row) row { return d }),
			times(added, func(d row) time.Time { return d.RemindAt }))
	}
	type change = *app.Change[order.Data]
	var drafts []change
	changed = slices.DeleteFunc(changed, func(c change) bool {
		is := c.Old.Status == order.Draft
		if is {
			drafts = append(drafts, c)
		}
		return is
	})
	if len(drafts) > 0 {
		w.add(updateDrafts, append(w.moving(drafts),
			column(drafts, func(c change) string { return c.New.Currency }), column(drafts, func(c change) int64 { return c.New.Total }),
			column(drafts, func(c change) int64 { return c.New.Discount }), column(drafts, func(c change) int64 { return c.New.Payable }),
			docs(w, drafts, format.OrderSnapshot, func(c change) *order.Data { return &c.New }))...)
	}
	if len(changed) > 0 {
		w.add(updateOrders, w.moving(changed)...)
	}
}

// moving are the columns of orderMoving.
func (w *writer) moving(changed []*app.Change[order.Data]) []any {
	type change = *app.Change[order.Data]
	return []any{
		column(changed, func(c change) string { return c.Old.No }), column(changed, func(c change) int64 { return c.Old.Seq }),
		column(changed, func(c change) string { return string(c.New.Status) }), column(changed, func(c change) int64 { return c.New.Paid }),
		column(changed, func(c change) int64 { return c.New.Refunded }), times(changed, func(c change) time.Time { return c.New.PaidAt }),
		times(changed, func(c change) time.Time { return c.New.ClosedAt }), column(changed, func(c change) string { return c.New.CloseReason }),
		column(changed, func(c change) string { return c.New.Closing }), column(changed, func(c change) int64 { return c.New.Seq }),
		column(changed, func(c change) int64 { return c.New.Refunding }), docs(w, changed, format.OrderExtra, func(c change) *order.Data { return &c.New }),
		times(changed, func(c change) time.Time { return c.New.RemindAt }), times(changed, func(c change) time.Time { return c.New.ExpiresAt }),
	}
}

func (w *writer) payments(changes []app.Change[payment.Data]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *payment.Data
		w.add(insertPayments,
			column(added, func(d row) string { return d.No }), column(added, func(d row) string { return d.Order }),
			column(added, func(d row) string { return d.Channel }), column(added, func(d row) string { return string(d.Method) }),
			column(added, func(d row) int64 { return d.Amount }), column(added, func(d row) string { return d.Currency }),
			column(added, func(d row) string { return string(d.Status) }), column(added, func(d row) int64 { return d.Applied }),
			column(added, func(d row) int64 { return d.Refunded }), column(added, func(d row) string { return d.Merchant }),
			column(added, func(d row) string { return d.App }),
			docs(w, added, format.PaymentDetail, func(d row) row { return d }),
			column(added, func(d row) string { return d.Anomaly }), column(added, func(d row) string { return d.TransactionID }),
			times(added, func(d row) time.Time { return d.CreatedAt }), times(added, func(d row) time.Time { return d.ExpiresAt }),
			times(added, func(d row) time.Time { return d.SucceededAt }), times(added, func(d row) time.Time { return d.ClosedAt }),
			times(added, func(d row) time.Time { return d.NextQueryAt }), column(added, func(d row) int64 { return int64(d.Queries) }),
			column(added, func(d row) string { return d.Trace }), column(added, func(row) int64 { return 1 }),
			column(added, func(d row) int64 { return d.Refunding }))
	}
	if len(changed) > 0 {
		type change = *app.Change[payment.Data]
		w.add(updatePayments,
			column(changed, func(c change) string { return c.Old.No }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return string(c.New.Status) }), column(changed, func(c change) int64 { return c.New.Applied }),
			column(changed, func(c change) int64 { return c.New.Refunded }),
			docs(w, changed, format.PaymentDetail, func(c change) *payment.Data { return &c.New }),
			column(changed, func(c change) string { return c.New.Anomaly }), column(changed, func(c change) string { return c.New.TransactionID }),
			times(changed, func(c change) time.Time { return c.New.SucceededAt }), times(changed, func(c change) time.Time { return c.New.ClosedAt }),
			times(changed, func(c change) time.Time { return c.New.NextQueryAt }), column(changed, func(c change) int64 { return int64(c.New.Queries) }),
			column(changed, func(c change) int64 { return c.New.Refunding }))
	}
}
