package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// Scan reads a whole shop in one snapshot. Rows are handed over as they
// arrive; at no time are there more than a few hundred here.
func (s *Store) Scan(ctx context.Context, shop string, to app.Scan) error {
	conn, err := s.read.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // a transaction that is left open ends with the connection
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	if err := stream(ctx, tx, to.Sku, scanSku, "SELECT "+skuColumns+" FROM skus WHERE shop = $1 ORDER BY sku", shop); err != nil {
		return err
	}
	if err := stream(ctx, tx, to.Template, scanTemplate, "SELECT "+templateColumns+" FROM coupon_templates WHERE shop = $1 ORDER BY template_id", shop); err != nil {
		return err
	}
	if err := stream(ctx, tx, to.Coupon, scanCoupon, "SELECT "+couponColumns+" FROM coupons WHERE shop = $1 ORDER BY code", shop); err != nil {
		return err
	}
	if err := stream(ctx, tx, pair(to.Counter), scanPair(scanCounter), "SELECT name, value FROM counters WHERE shop = $1 ORDER BY name", shop); err != nil {
		return err
	}
	if err := stream(ctx, tx, pair(to.Cursor), scanPair(scanCursor), "SELECT "+cursorColumns+" FROM cursors WHERE shop = $1 ORDER BY follower", shop); err != nil {
		return err
	}
	if to.Order != nil {
		if err := scanOrders(ctx, tx, shop, to.Order); err != nil {
			return err
		}
	}
	if err := stream(ctx, tx, to.Refund, scanRefund, "SELECT "+refundColumns+" FROM refunds WHERE shop = $1 ORDER BY refund_no", shop); err != nil {
		return err
	}
	if err := stream(ctx, tx, to.Record, scanRecord, "SELECT "+recordColumns+" FROM events WHERE shop = $1 ORDER BY position", shop); err != nil {
		return err
	}
	return stream(ctx, tx, to.Key, scanKey, "SELECT key, hash, NULL::bytea, order_no FROM idempotency_keys WHERE shop = $1 ORDER BY key", shop)
}

// stream hands rows over one by one.
func stream[D any](ctx context.Context, from rowsOf, to func(D) error, scan scanner[D], sql string, args ...any) error {
	if to == nil {
		return nil
	}
	rows, err := from.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d D
		if err := scan(rows, &d); err != nil {
			return err
		}
		if err := to(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rowsOf is a transaction, or a pool.
type rowsOf interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

type named[V any] struct {
	name  string
	value V
}

func pair[V any](to func(string, V) error) func(named[V]) error {
	if to == nil {
		return nil
	}
	return func(n named[V]) error { return to(n.name, n.value) }
}

func scanPair[V any](scan func(pgx.Rows, *string, *V) error) scanner[named[V]] {
	return func(rows pgx.Rows, n *named[V]) error { return scan(rows, &n.name, &n.value) }
}

// scanOrders reads orders and their payments side by side, a few hundred at
// a time.
func scanOrders(ctx context.Context, tx pgx.Tx, shop string, to func(app.OrderView) error) error {
	const step = 500
	for last := ""; ; {
		var orders []order.Data
		var payments []payment.Data
		from := fmt.Sprintf("FROM orders WHERE shop = $1 AND order_no > $2 ORDER BY order_no LIMIT %d", step)
		b := &pgx.Batch{}
		queue(b, &orders, step, scanOrder, "SELECT "+orderColumns+" "+from, shop, last)
		queue(b, &payments, step, scanPayment, "SELECT "+paymentColumns+" FROM (SELECT order_no AS k "+from+
			") AS o CROSS JOIN LATERAL (SELECT * FROM payments WHERE shop = $1 AND order_no = o.k AND order_no <> '') AS p ORDER BY payment_no", shop, last)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		for _, v := range views(orders, payments) {
			if err := to(v); err != nil {
				return err
			}
		}
		if len(orders) < step {
			return nil
		}
		last = orders[len(orders)-1].No
	}
}
