package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
)

// Refund reads one refund.
func (s *Store) Refund(ctx context.Context, shop, no string) (payment.RefundData, error) {
	return one(
		ctx, s, "refund", no, scan(rows.Refunds),
		"SELECT "+columns(rows.Refunds)+" FROM refunds WHERE shop = $1 AND refund_no = $2", shop, no,
	)
}

// RefundsOf reads the refunds of an order, by number.
func (s *Store) RefundsOf(ctx context.Context, shop, orderNo string) ([]payment.RefundData, error) {
	return some(ctx, s, 2, scan(rows.Refunds), "SELECT "+columns(rows.Refunds)+
		" FROM refunds WHERE shop = $1 AND order_no = $2 AND order_no <> '' ORDER BY refund_no", shop, orderNo)
}

// RefundsByNo reads those that exist.
func (s *Store) RefundsByNo(ctx context.Context, shop string, nos []string) ([]payment.RefundData, error) {
	return some(
		ctx, s, len(nos), scan(rows.Refunds),
		"SELECT "+columns(rows.Refunds)+" FROM refunds WHERE shop = $1 AND refund_no = ANY($2)", shop, nos,
	)
}

// ListRefunds reads a page, newest number first.
func (s *Store) ListRefunds(ctx context.Context, shop string, f app.RefundFilter, p app.Page) ([]payment.RefundData, string, error) {
	where, args := []string{"shop = $1"}, []any{shop}
	if f.Status != "" {
		args = append(args, string(f.Status))
		where = append(where, "status <> '' AND status = $2") // what its index covers
	}
	if f.Parked {
		where = append(where, "parked")
	}
	if p.Cursor != "" {
		args = append(args, p.Cursor)
		where = append(where, fmt.Sprintf("refund_no < $%d", len(args)))
	}
	return page(
		ctx, s, p, scan(rows.Refunds), func(d *payment.RefundData) string { return d.No },
		fmt.Sprintf("SELECT %s FROM refunds WHERE %s ORDER BY refund_no DESC LIMIT $%d",
			columns(rows.Refunds), strings.Join(where, " AND "), len(args)+1),
		args...,
	)
}

// EachRefund reads what was made before to and was not over before from, row
// by row.
func (s *Store) EachRefund(ctx context.Context, shop string, from, to time.Time, f func(payment.RefundData) error) error {
	return stream(
		ctx, s.read, f, scan(rows.Refunds),
		"SELECT "+columns(rows.Refunds)+` FROM refunds WHERE shop = $1 AND status = 'pending' AND status <> '' AND created_at < $3
		UNION ALL SELECT `+columns(rows.Refunds)+" FROM refunds WHERE shop = $1 AND done_at >= $2 AND created_at < $3",
		shop, from, to,
	)
}
