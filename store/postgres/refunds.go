package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/payment"
)

const refundColumns = "refund_no, order_no, cause, status, amount, currency, detail, created_at, done_at, next_try_at, tries, trace, version"

func scanRefund(rows pgx.Rows, d *payment.RefundData) error {
	return rows.Scan(&d.No, &d.Order, (*string)(&d.Cause), (*string)(&d.Status), &d.Amount, &d.Currency, doc[payment.RefundData]{&format.RefundDetail, d},
		moment{&d.CreatedAt}, moment{&d.DoneAt}, moment{&d.NextTryAt}, &d.Tries, &d.Trace, &d.Version)
}

// Refund reads one refund.
func (s *Store) Refund(ctx context.Context, shop, no string) (payment.RefundData, error) {
	return one(ctx, s, "refund", no, scanRefund, "SELECT "+refundColumns+" FROM refunds WHERE shop = $1 AND refund_no = $2", shop, no)
}

// RefundsOf reads the refunds of an order, by number.
func (s *Store) RefundsOf(ctx context.Context, shop, orderNo string) ([]payment.RefundData, error) {
	return some(ctx, s, 2, scanRefund, "SELECT "+refundColumns+
		" FROM refunds WHERE shop = $1 AND order_no = $2 AND order_no <> '' ORDER BY refund_no", shop, orderNo)
}

// RefundsByNo reads those that exist.
func (s *Store) RefundsByNo(ctx context.Context, shop string, nos []string) ([]payment.RefundData, error) {
	return some(ctx, s, len(nos), scanRefund, "SELECT "+refundColumns+" FROM refunds WHERE shop = $1 AND refund_no = ANY($2)", shop, nos)
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
	return page(ctx, s, p, scanRefund, func(d *payment.RefundData) string { return d.No }, fmt.Sprintf("SELECT %s FROM refunds WHERE %s ORDER BY refund_no DESC LIMIT $%d",
		refundColumns, strings.Join(where, " AND "), len(args)+1), args...)
}

// EachRefund reads what was made before to and was not over before from, row
// by row.
func (s *Store) EachRefund(ctx context.Context, shop string, from, to time.Time, f func(payment.RefundData) error) error {
	return stream(ctx, s.read, f, scanRefund, "SELECT "+refundColumns+` FROM refunds WHERE shop = $1 AND status = 'pending' AND status <> '' AND created_at < $3
		UNION ALL SELECT `+refundColumns+" FROM refunds WHERE shop = $1 AND done_at >= $2 AND created_at < $3", shop, from, to)
}

var (
	insertRefunds = insertAll("refunds", "refund_no text", "order_no text", "cause text", "status text", "amount bigint", "currency text",
		"parked boolean", "detail json", "created_at timestamptz", "done_at timestamptz", "next_try_at timestamptz", "tries bigint",
		"trace text", "version bigint")
	updateRefunds = updateAll("refunds",
		"status = n.status, parked = n.parked, detail = n.detail, done_at = n.done_at, next_try_at = n.next_try_at, tries = n.tries, version = n.version + 1",
		"refund_no = n.no AND version = n.version",
		"no text", "version bigint", "status text", "parked boolean", "detail json", "done_at timestamptz", "next_try_at timestamptz", "tries bigint")
)

func (w *writer) refunds(changes []app.Change[payment.RefundData]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *payment.RefundData
		w.add(insertRefunds,
			column(added, func(d row) string { return d.No }), column(added, func(d row) string { return d.Order }),
			column(added, func(d row) string { return string(d.Cause) }), column(added, func(d row) string { return string(d.Status) }),
			column(added, func(d row) int64 { return d.Amount }), column(added, func(d row) string { return d.Currency }),
			column(added, row.Parked), docs(w, added, format.RefundDetail, func(d row) row { return d }),
			times(added, func(d row) time.Time { return d.CreatedAt }), times(added, func(d row) time.Time { return d.DoneAt }),
			times(added, func(d row) time.Time { return d.NextTryAt }), column(added, func(d row) int64 { return int64(d.Tries) }),
			column(added, func(d row) string { return d.Trace }), column(added, func(row) int64 { return 1 }))
	}
	if len(changed) > 0 {
		type change = *app.Change[payment.RefundData]
		w.add(updateRefunds,
			column(changed, func(c change) string { return c.Old.No }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return string(c.New.Status) }), column(changed, func(c change) bool { return c.New.Parked() }),
			docs(w, changed, format.RefundDetail, func(c change) *payment.RefundData { return &c.New }), times(changed, func(c change) time.Time { return c.New.DoneAt }),
			times(changed, func(c change) time.Time { return c.New.NextTryAt }), column(changed, func(c change) int64 { return int64(c.New.Tries) }))
	}
}
