package sqlite

import (
	"context"
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// orderMoves are the columns that move when the order was placed; a draft's
// snapshot moves too, until it is submitted.
const orderMoves = "status paid refunded refunding extra expires_at remind_at paid_at closed_at close_reason closing seq"

var orders = kind[order.Data]{
	table: "orders", key: "order_no", guard: "seq",
	moving:    orderMoves + " currency total discount payable snapshot",
	fixed:     "user_id created_at trace",
	keyOf:     func(d *order.Data) string { return d.No },
	versionOf: func(d *order.Data) int64 { return d.Seq },
	putMoving: func(a *args, d *order.Data, version int64) {
		putOrderMoves(a, d, version)
		a.add(d.Currency, d.Total, d.Discount, d.Payable)
		document(a, &format.OrderSnapshot, d)
	},
	putFixed: func(a *args, d *order.Data) {
		a.add(d.User)
		a.time(d.CreatedAt)
		a.add(d.Trace)
	},
	scan: func(r row, d *order.Data) error {
		return r.Scan(&d.No, &d.Status, &d.Paid, &d.Refunded, &d.Refunding, doc[order.Data]{&format.OrderExtra, d}, moment{&d.ExpiresAt}, moment{&d.RemindAt},
			moment{&d.PaidAt}, moment{&d.ClosedAt}, &d.CloseReason, &d.Closing, &d.Seq,
			&d.Currency, &d.Total, &d.Discount, &d.Payable, doc[order.Data]{&format.OrderSnapshot, d}, &d.User, moment{&d.CreatedAt}, &d.Trace)
	},
}.ready().with(orderMoves, func(old, _ *order.Data) bool { return old.Status != order.Draft }, putOrderMoves)

// putOrderMoves puts them. An order counts its own versions: they are its
// events.
func putOrderMoves(a *args, d *order.Data, _ int64) {
	a.add(string(d.Status), d.Paid, d.Refunded, d.Refunding)
	document(a, &format.OrderExtra, d)
	a.time(d.ExpiresAt)
	a.time(d.RemindAt)
	a.time(d.PaidAt)
	a.time(d.ClosedAt)
	a.add(d.CloseReason, d.Closing, d.Seq)
}

var payments = kind[payment.Data]{
	table: "payments", key: "payment_no", guard: "version",
	moving:    "status applied refunded refunding detail anomaly transaction_id succeeded_at closed_at next_query_at queries version",
	fixed:     "order_no channel method amount currency merchant app created_at expires_at trace",
	keyOf:     func(d *payment.Data) string { return d.No },
	versionOf: func(d *payment.Data) int64 { return d.Version },
	putMoving: func(a *args, d *payment.Data, version int64) {
		a.add(string(d.Status), d.Applied, d.Refunded, d.Refunding)
		document(a, &format.PaymentDetail, d)
		a.add(d.Anomaly, d.TransactionID)
		a.time(d.SucceededAt)
		a.time(d.ClosedAt)
		a.time(d.NextQueryAt)
		a.add(int64(d.Queries), version)
	},
	putFixed: func(a *args, d *payment.Data) {
		a.add(d.Order, d.Channel, string(d.Method), d.Amount, d.Currency, d.Merchant, d.App)
		a.time(d.CreatedAt)
		a.time(d.ExpiresAt)
		a.add(d.Trace)
	},
	scan: func(r row, d *payment.Data) error {
		return r.Scan(&d.No, &d.Status, &d.Applied, &d.Refunded, &d.Refunding, doc[payment.Data]{&format.PaymentDetail, d}, &d.Anomaly, &d.TransactionID,
			moment{&d.SucceededAt}, moment{&d.ClosedAt}, moment{&d.NextQueryAt}, &d.Queries, &d.Version,
			&d.Order, &d.Channel, &d.Method, &d.Amount, &d.Currency, &d.Merchant, &d.App,
			moment{&d.CreatedAt}, moment{&d.ExpiresAt}, &d.Trace)
	},
}.ready()

// paymentsOfOrders does not sort: SQLite would rather read all payments of
// the shop, for they are in that order.
var paymentsOfOrders = "SELECT " + payments.columns + ` FROM payments INDEXED BY payments_order
	WHERE shop = ? AND order_no IN (SELECT value FROM json_each(?))`

// Order reads an order with its payments.
func (s *Store) Order(ctx context.Context, shop, no string) (v app.OrderView, err error) {
	err = s.snapshot(ctx, func(q query) error {
		o, err := one(ctx, q, orders.scan, fault.New(fault.NotFound, "there is no order %s", no), orders.byKey, shop, no)
		if err != nil {
			return err
		}
		views, err := withPayments(ctx, q, shop, []order.Data{o})
		if err == nil {
			v = views[0]
		}
		return err
	})
	return v, err
}

// Bought says whether the user has an order that was not closed.
func (s *Store) Bought(ctx context.Context, shop, user string) (bool, error) {
	found, err := all(ctx, s.reading, scanText, boughtBy, shop, list([]string{user}))
	return len(found) > 0, err
}

// Payment reads one payment.
func (s *Store) Payment(ctx context.Context, shop, no string) (payment.Data, error) {
	return one(ctx, s.reading, payments.scan, fault.New(fault.NotFound, "there is no payment %s", no), payments.byKey, shop, no)
}

// ListOrders lists the newest number first, with all payments.
func (s *Store) ListOrders(ctx context.Context, shop string, f app.OrderFilter, p app.Page) (views []app.OrderView, next string, err error) {
	where, a := []string{"shop = ?"}, []any{shop}
	and := func(given bool, condition string, arg any) {
		if given {
			where, a = append(where, condition), append(a, arg)
		}
	}
	and(f.User != "", "user_id = ?", f.User)
	and(f.Status != "", "status = ?", string(f.Status))
	and(!f.CreatedFrom.IsZero(), "created_at >= ?", micros(f.CreatedFrom))
	and(!f.CreatedTo.IsZero(), "created_at < ?", micros(f.CreatedTo))
	and(p.Cursor != "", "order_no < ?", p.Cursor)
	text := "SELECT " + orders.columns + " FROM orders WHERE " + strings.Join(where, " AND ") + " ORDER BY order_no DESC LIMIT ?"
	err = s.snapshot(ctx, func(q query) error {
		found, err := all(ctx, q, orders.scan, text, append(a, limit(p))...)
		if err != nil {
			return err
		}
		found, next = page(found, p, orders.keyOf)
		views, err = withPayments(ctx, q, shop, found)
		return err
	})
	return views, next, err
}

// withPayments reads the payments of orders.
func withPayments(ctx context.Context, q query, shop string, found []order.Data) ([]app.OrderView, error) {
	views, at, nos := make([]app.OrderView, len(found)), make(map[string]int, len(found)), make([]string, len(found))
	for i := range found {
		views[i].Order, at[found[i].No], nos[i] = found[i], i, found[i].No
	}
	err := each(ctx, q, payments.scan, func(d payment.Data) error {
		v := &views[at[d.Order]]
		v.Payments = append(v.Payments, d)
		return nil
	}, paymentsOfOrders, shop, list(nos))
	for i := range views {
		slices.SortFunc(views[i].Payments, func(a, b payment.Data) int { return strings.Compare(a.No, b.No) })
	}
	return views, err
}
