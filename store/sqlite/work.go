package sqlite

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
)

func scanNo(r row, no *string) error { return r.Scan(no) }

// The conditions are those of the indexes, word for word.
const (
	dueOrders = `SELECT order_no FROM orders WHERE shop = ? AND expires_at <= ?
		AND status IN ('draft', 'pending_payment', 'partially_paid', 'payment_failed') AND closing = ''
		ORDER BY expires_at, order_no LIMIT ?`
	duePayments = `SELECT payment_no, channel FROM payments WHERE shop = ? AND next_query_at <= ? AND next_query_at IS NOT NULL
		AND status IN ('created', 'pending') ORDER BY next_query_at, payment_no LIMIT ?`
	dueRefunds = `SELECT refund_no FROM refunds WHERE shop = ? AND next_try_at <= ? AND next_try_at IS NOT NULL
		ORDER BY next_try_at, refund_no LIMIT ?`
	dueReminders = `SELECT order_no FROM orders WHERE shop = ? AND remind_at <= ?
		AND remind_at IS NOT NULL AND status IN ('pending_payment', 'partially_paid', 'payment_failed')
		ORDER BY remind_at, order_no LIMIT ?`
	dueCoupons = `SELECT code FROM coupons INDEXED BY coupons_expiring WHERE shop = ? AND expire_at <= ?
		AND expire_at IS NOT NULL AND status = 'available' ORDER BY expire_at, code LIMIT ?`
	paymentAges = `SELECT status, count(*), min(created_at) FROM payments
		WHERE shop = ? AND next_query_at IS NOT NULL AND status IN ('created', 'pending') GROUP BY status`
)

// DueOrders reads live orders and drafts whose time is over, oldest first.
func (s *Store) DueOrders(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return all(ctx, s.reading, scanNo, dueOrders, shop, now.UnixMicro(), limit)
}

// DuePayments reads open payments to query the channel about, oldest first.
func (s *Store) DuePayments(ctx context.Context, shop string, now time.Time, limit int) ([]app.DuePayment, error) {
	scan := func(r row, d *app.DuePayment) error { return r.Scan(&d.No, &d.Channel) }
	return all(ctx, s.reading, scan, duePayments, shop, now.UnixMicro(), limit)
}

// DueRefunds reads refunds to request of the channel or to query, oldest first. One
// that is over has no next try.
func (s *Store) DueRefunds(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return all(ctx, s.reading, scanNo, dueRefunds, shop, now.UnixMicro(), limit)
}

// DueReminders reads live orders with a part to announce, oldest first.
func (s *Store) DueReminders(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return all(ctx, s.reading, scanNo, dueReminders, shop, now.UnixMicro(), limit)
}

// DueCoupons reads available coupons whose validity has run out. Those that
// orders hold are passed over: there are no more of them than open orders.
func (s *Store) DueCoupons(ctx context.Context, shop string, now time.Time, limit int) ([]string, error) {
	return all(ctx, s.reading, scanNo, dueCoupons, shop, now.UnixMicro(), limit)
}

// PaymentAges counts open payments. An open payment always has a next query,
// and it is by those that they are found.
func (s *Store) PaymentAges(ctx context.Context, shop string, now time.Time) (map[payment.Status]app.Age, error) {
	type age struct {
		status payment.Status
		app.Age
	}
	found, err := all(ctx, s.reading, func(r row, a *age) error {
		var oldest time.Time
		err := r.Scan(&a.status, &a.Count, moment{&oldest})
		a.Oldest = now.Sub(oldest)
		return err
	}, paymentAges, shop)
	out := make(map[payment.Status]app.Age, len(found))
	for _, a := range found {
		out[a.status] = a.Age
	}
	return out, err
}
