package sqlite

import (
	"context"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

var (
	refundsOfOrder = "SELECT " + refunds.columns + " FROM refunds WHERE shop = ? AND order_no = ? ORDER BY refund_no"

	openRefunds = "SELECT " + refunds.columns + " FROM refunds WHERE shop = ?1 AND status = 'pending' AND created_at < ?3"
	overRefunds = "SELECT " + refunds.columns + " FROM refunds WHERE shop = ?1 AND done_at >= ?2 AND created_at < ?3 AND done_at IS NOT NULL"
)

// Refund reads one refund.
func (s *Store) Refund(ctx context.Context, shop, no string) (payment.RefundData, error) {
	return one(ctx, s.reading, refunds.scan, fault.New(fault.NotFound, "there is no refund %s", no), refunds.byKey, shop, no)
}

// RefundsOf reads the refunds of an order, by number.
func (s *Store) RefundsOf(ctx context.Context, shop, orderNo string) ([]payment.RefundData, error) {
	return all(ctx, s.reading, refunds.scan, refundsOfOrder, shop, orderNo)
}

// RefundsByNo reads those that exist.
func (s *Store) RefundsByNo(ctx context.Context, shop string, nos []string) ([]payment.RefundData, error) {
	return all(ctx, s.reading, refunds.scan, refunds.byKeys, shop, list(nos))
}

// ListRefunds lists the newest number first.
func (s *Store) ListRefunds(ctx context.Context, shop string, f app.RefundFilter, p app.Page) ([]payment.RefundData, string, error) {
	where, a := []string{"shop = ?"}, []any{shop}
	if f.Status != "" {
		where, a = append(where, "status = ?"), append(a, string(f.Status))
	}
	if f.Parked {
		where = append(where, "parked = 1")
	}
	if p.Cursor != "" {
		where, a = append(where, "refund_no < ?"), append(a, p.Cursor)
	}
	items, err := all(ctx, s.reading, refunds.scan,
		"SELECT "+refunds.columns+" FROM refunds WHERE "+strings.Join(where, " AND ")+" ORDER BY refund_no DESC LIMIT ?", append(a, limit(p))...)
	items, next := page(items, p, refunds.keyOf)
	return items, next, err
}

// EachRefund reads what was made before to and was not over before from, row
// by row.
func (s *Store) EachRefund(ctx context.Context, shop string, from, to time.Time, f func(payment.RefundData) error) error {
	return each(ctx, s.reading, refunds.scan, f, openRefunds+" UNION ALL "+overRefunds, shop, from.UnixMicro(), to.UnixMicro())
}
