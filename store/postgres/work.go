package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
)

func scanNo(rows pgx.Rows, no *string) error { return rows.Scan(no) }

// DueOrders reads live orders and drafts whose time is over, oldest first. The
// conditions are those of an index, word for word.
func (s *Store) DueOrders(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return some(ctx, s, min(limit, 1000), scanNo, `SELECT order_no FROM orders WHERE shop = $1 AND expires_at <= $2
		AND status IN ('draft', 'pending_payment', 'partially_paid', 'payment_failed') AND closing = ''
		ORDER BY expires_at, order_no LIMIT $3`, shop, now, limit)
}

// DuePayments reads open payments to query the channel about, oldest first.
func (s *Store) DuePayments(ctx context.Context, shop string, now time.Time, limit int) ([]app.DuePayment, error) {
	scan := func(rows pgx.Rows, d *app.DuePayment) error { return rows.Scan(&d.No, &d.Channel) }
	return some(ctx, s, min(limit, 1000), scan, `SELECT payment_no, channel FROM payments WHERE shop = $1 AND next_query_at <= $2
		AND status IN ('created', 'pending') ORDER BY next_query_at, payment_no LIMIT $3`, shop, now, limit)
}

// DueRefunds reads refunds to request of the channel or to query, oldest first. One
// that is over has no next try.
func (s *Store) DueRefunds(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return some(ctx, s, min(limit, 1000), scanNo, `SELECT refund_no FROM refunds WHERE shop = $1 AND next_try_at <= $2
		ORDER BY next_try_at, refund_no LIMIT $3`, shop, now, limit)
}

// DueReminders reads live orders with a part to announce, oldest first.
func (s *Store) DueReminders(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return some(ctx, s, min(limit, 1000), scanNo, `SELECT order_no FROM orders WHERE shop = $1 AND remind_at <= $2
		AND status IN ('pending_payment', 'partially_paid', 'payment_failed')
		ORDER BY remind_at, order_no LIMIT $3`, shop, now, limit)
}

// DueCoupons reads available coupons whose validity has run out. Those that
// orders hold are passed over: there are no more of them than open orders.
func (s *Store) DueCoupons(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return some(ctx, s, min(limit, 10_000), scanNo, `SELECT code FROM coupons WHERE shop = $1 AND expire_at <= $2
		AND expire_at IS NOT NULL AND status = 'available' ORDER BY expire_at, code LIMIT $3`, shop, now, limit)
}

// PaymentAges counts open payments. An open payment always has a next query,
// and it is by those that they are found.
func (s *Store) PaymentAges(ctx context.Context, shop string, now time.Time) (map[payment.Status]app.Age, error) {
	rows, err := s.read.Query(ctx, `SELECT status, count(*), min(created_at) FROM payments
		WHERE shop = $1 AND next_query_at IS NOT NULL AND status IN ('created', 'pending') GROUP BY status`, shop)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[payment.Status]app.Age{}
	for rows.Next() {
		var status payment.Status
		var age app.Age
		var oldest time.Time
		if err := rows.Scan((*string)(&status), &age.Count, &oldest); err != nil {
			return nil, err
		}
		age.Oldest = now.Sub(oldest)
		out[status] = age
	}
	return out, rows.Err()
}
