package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// unit is one open transaction on a writing connection.
type unit struct {
	s    *Store
	conn *pgxpool.Conn // nil when it is over
	shop string
}

// begin names the isolation that the engine is made for: each statement sees
// what was committed before it, so that what is read behind a lock is what
// the holder before left.
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

// Begin sends BEGIN and one statement for each kind of rows that is needed,
// all together.
func (s *Store) Begin(ctx context.Context, shop string, n *app.Needs) (app.Unit, *app.Loaded, error) {
	for try := int32(0); ; try++ {
		conn, err := s.write.Acquire(ctx)
		if err != nil {
			return nil, nil, err
		}
		u := &unit{s: s, conn: conn, shop: shop}
		l, err := load(ctx, conn.Conn(), shop, n)
		if err == nil {
			return u, l, nil
		}
		// Nothing has been done yet: after the database was restarted all
		// connections of the pool are dead, and each is found so only once.
		again := conn.Conn().IsClosed() && ctx.Err() == nil && try < s.write.Config().MaxConns
		u.Rollback()
		if !again {
			return nil, nil, conflict(err)
		}
	}
}

// Rollback gives up, and the connection back.
func (u *unit) Rollback() {
	if u.conn == nil {
		return
	}
	if c := u.conn.Conn(); !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
		// A connection on which this fails is thrown away, and the server
		// rolls back when it notices.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, _ = c.Exec(ctx, "ROLLBACK")
		cancel()
	}
	u.conn.Release()
	u.conn = nil
}

const (
	shopRow     = "SELECT " + shopColumns + " FROM shops WHERE shop = $1"
	shopRowHeld = shopRow + " FOR UPDATE"
)

var (
	// Keys are never changed or removed: there is nothing to lock.
	loadKeys       = unlocked("idempotency_keys", "key", keyColumns)
	loadUsers      = unlocked("users", "user_id", userColumns)
	lockCursors    = locked("cursors", "follower", cursorColumns)
	lockCoupons    = locked("coupons", "code", couponColumns)
	lockSkus       = locked("skus", "sku", skuColumns)
	lockCounters   = locked("counters", "name", "name, value")
	lockPromotions = locked("promotions", "promotion_id", promotionColumns)
	lockTemplates  = locked("coupon_templates", "template_id", templateColumns)
	lockChannels   = locked("channels", "name", channelColumns)
	lockAPIKeys    = locked("api_keys", "key_id", apiKeyColumns)

	lockReconciliations = locked("reconciliations", "id", reconciliationColumns)
	lockDiscrepancies   = locked("discrepancies", "id", discrepancyColumns)

	// It comes after the counters: an order that counted itself a buyer's
	// first and committed while we waited for its counter is seen here.
	boughtBy = `SELECT k.x FROM unnest($2::text[]) AS k(x) CROSS JOIN LATERAL (SELECT FROM orders
		WHERE shop = $1 AND user_id = k.x AND user_id <> '' AND status NOT IN ('closed', 'draft') LIMIT 1) AS r`

	lockOrders   = locked("orders", "order_no", orderColumns)
	lockRefunds  = locked("refunds", "refund_no", refundColumns)
	loadPayments = `SELECT ` + paymentColumns + ` FROM unnest($2::text[]) AS k(x) ` + paymentsOf

	// With payments named, the orders are those named and those of the
	// payments. Two statements and not one: the second sees what was committed
	// about the payments while the first waited for the orders.
	lockOrdersThrough   = `SELECT ` + orderColumns + ` FROM ` + ordersThrough + ` CROSS JOIN LATERAL (SELECT * FROM orders WHERE shop = $1 AND order_no = k.x FOR UPDATE) AS r`
	loadPaymentsThrough = `SELECT ` + paymentColumns + ` FROM ` + ordersThrough + paymentsOf
)

const (
	// Payments are written only by those who hold their order, whose lock is
	// theirs too: a lock of their own would cost a write for each.
	paymentsOf    = ` CROSS JOIN LATERAL (SELECT * FROM payments WHERE shop = $1 AND order_no = k.x AND order_no <> '' OFFSET 0) AS r ORDER BY payment_no`
	ordersThrough = `(SELECT DISTINCT x COLLATE "C" FROM (
			SELECT x FROM unnest($2::text[]) AS o(x)
			UNION ALL
			SELECT p.order_no FROM unnest($3::text[]) AS m(x)
				CROSS JOIN LATERAL (SELECT order_no FROM payments WHERE shop = $1 AND payment_no = m.x OFFSET 0) AS p
		) AS u ORDER BY 1) AS k(x)`
)

// load locks and reads, kind by kind in the order of the fields of Needs; the
// keys, which it does not lock, last.
func load(ctx context.Context, conn *pgx.Conn, id string, n *app.Needs) (*app.Loaded, error) {
	var (
		l     = &app.Loaded{}
		shops []shop.Shop
		b     = &pgx.Batch{}
	)
	b.Queue(begin)
	sql := shopRow
	if n.Shop {
		sql = shopRowHeld
	}
	queue(b, &shops, 1, scanShop, sql, id)
	if len(n.Cursors) > 0 {
		l.Cursors = make(map[string]event.Position, len(n.Cursors))
		b.Queue(lockCursors, id, n.Cursors).Query(intoMap(l.Cursors, scanCursor))
	}
	switch {
	case len(n.Payments) > 0:
		room := len(n.Orders) + len(n.Payments)
		queue(b, &l.Orders, room, scanOrder, lockOrdersThrough, id, orEmpty(n.Orders), n.Payments)
		queue(b, &l.Payments, room, scanPayment, loadPaymentsThrough, id, orEmpty(n.Orders), n.Payments)
	case len(n.Orders) > 0:
		want(b, &l.Orders, scanOrder, lockOrders, id, n.Orders)
		want(b, &l.Payments, scanPayment, loadPayments, id, n.Orders)
	}
	want(b, &l.Refunds, scanRefund, lockRefunds, id, n.Refunds)
	want(b, &l.Users, scanUser, loadUsers, id, n.Users)
	want(b, &l.Coupons, scanCoupon, lockCoupons, id, n.Coupons)
	want(b, &l.Skus, scanSku, lockSkus, id, n.Skus)
	if len(n.Counters) > 0 {
		l.Counters = make(map[string]int64, len(n.Counters))
		b.Queue(lockCounters, id, n.Counters).Query(intoMap(l.Counters, scanCounter))
	}
	want(b, &l.Bought, scanText, boughtBy, id, n.Buyers)
	want(b, &l.Promotions, scanPromotion, lockPromotions, id, n.Promotions)
	if len(n.Promotions) > 0 {
		l.Retired = make(map[string]int64, len(n.Promotions))
		b.Queue(retired, id, n.Promotions).Query(intoMap(l.Retired, scanCounter))
	}
	want(b, &l.Templates, scanTemplate, lockTemplates, id, n.Templates)
	want(b, &l.Channels, scanChannel, lockChannels, id, n.Channels)
	want(b, &l.APIKeys, scanAPIKey, lockAPIKeys, id, n.APIKeys)
	want(b, &l.Reconciliations, scanReconciliation, lockReconciliations, id, n.Reconciliations)
	want(b, &l.Discrepancies, scanDiscrepancy, lockDiscrepancies, id, n.Discrepancies)
	// Last: what a duplicate at another instance did while we waited for its locks
	// must not be seen without its key.
	want(b, &l.Keys, scanKey, loadKeys, id, n.Keys)

	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	if len(shops) == 0 {
		return nil, noShop(id)
	}
	l.Shop = shops[0]
	return l, nil
}

// want queues a statement for the keys, if there are any.
func want[D any](b *pgx.Batch, into *[]D, scan scanner[D], sql, shop string, keys []string) {
	if len(keys) > 0 {
		queue(b, into, len(keys), scan, sql, shop, keys)
	}
}

// intoMap collects rows of a name and a value.
func intoMap[V any](m map[string]V, scan func(pgx.Rows, *string, *V) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			var name string
			var v V
			if err := scan(rows, &name, &v); err != nil {
				return err
			}
			m[name] = v
		}
		return rows.Err()
	}
}

// orEmpty makes an array of nothing out of nil, which would be NULL.
func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func noShop(id string) error { return fault.New(fault.NotFound, "there is no shop %s", id) }

func scanText(rows pgx.Rows, s *string) error { return rows.Scan(s) }

func scanCounter(rows pgx.Rows, name *string, v *int64) error { return rows.Scan(name, v) }
