package sqlite

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
)

const (
	entryColumns = "payment_no, order_no, channel, transaction_id, amount, currency, status, merchant, app, created_at, succeeded_at"

	settledEntries = "SELECT " + entryColumns + ` FROM payments INDEXED BY payments_settled
		WHERE shop = ? AND channel = ? AND succeeded_at >= ? AND succeeded_at < ? AND succeeded_at IS NOT NULL`
	entriesByNo = "SELECT " + entryColumns + " FROM payments WHERE shop = ? AND payment_no IN (SELECT value FROM json_each(?))"
	orphanNos   = `SELECT value FROM json_each(?2) AS k
		WHERE EXISTS (SELECT 1 FROM channel_messages WHERE shop = ?1 AND payment_no = k.value AND verdict = 'orphan')`
	suspense = `SELECT channel, currency, sum(amount - applied - refunded), count(*) FROM payments INDEXED BY payments_suspense
		WHERE shop = ? AND status = 'succeeded' AND amount > applied + refunded GROUP BY channel, currency ORDER BY channel, currency`
)

func scanEntry(r row, e *app.BookEntry) error {
	return r.Scan(&e.PaymentNo, &e.Order, &e.Channel, &e.TransactionID, &e.Amount, &e.Currency, &e.Status,
		&e.Merchant, &e.App, moment{&e.CreatedAt}, moment{&e.SucceededAt})
}

// EachSettled reads what a channel took in [from, to), row by row, at one
// moment. It keeps one of the readers' connections for as long as f takes;
// the writer does not wait for it, but while it runs the write-ahead log
// cannot be wound back, so it grows by what is written. It reads some 350,000
// payments a second.
func (s *Store) EachSettled(ctx context.Context, shop, channel string, from, to time.Time, f func(app.BookEntry) error) error {
	return each(ctx, s.reading, scanEntry, f, settledEntries, shop, channel, from.UnixMicro(), to.UnixMicro())
}

// EntriesByNo reads those that exist.
func (s *Store) EntriesByNo(ctx context.Context, shop string, nos []string) ([]app.BookEntry, error) {
	return all(ctx, s.reading, scanEntry, entriesByNo, shop, list(nos))
}

// OrphanNos reads the numbers that callbacks named and no payment has.
func (s *Store) OrphanNos(ctx context.Context, shop string, paymentNos []string) ([]string, error) {
	return all(ctx, s.reading, scanNo, orphanNos, shop, list(paymentNos))
}

// Suspense sums what is neither applied nor refunded. Its index holds those
// payments only. (SQLite knows it again by its condition, word for word, and
// with a column on the left.)
func (s *Store) Suspense(ctx context.Context, shop string) ([]app.SuspenseRow, error) {
	return all(ctx, s.reading, func(r row, of *app.SuspenseRow) error {
		return r.Scan(&of.Channel, &of.Currency, &of.Amount, &of.Payments)
	}, suspense, shop)
}
