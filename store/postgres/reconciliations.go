package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
)

const (
	reconciliationColumns = "id, channel, day, status, runs, started_at, finished_at, error, summary, version"
	discrepancyColumns    = "id, channel, day, class, payment_no, refund_no, transaction_id, ours, theirs, detail, status, resolution, " +
		"created_at, resolved_at, version"
)

func scanReconciliation(rows pgx.Rows, d *app.ReconciliationData) error {
	return rows.Scan(&d.ID, &d.Channel, &d.Day, (*string)(&d.Status), &d.Runs, moment{&d.StartedAt}, moment{&d.FinishedAt},
		&d.Error, (*[]byte)(&d.Summary), &d.Version)
}

func scanDiscrepancy(rows pgx.Rows, d *app.DiscrepancyData) error {
	return rows.Scan(&d.ID, &d.Channel, &d.Day, &d.Class, &d.PaymentNo, &d.RefundNo, &d.TransactionID, &d.Ours, &d.Theirs, &d.Detail,
		(*string)(&d.Status), &d.Resolution, moment{&d.CreatedAt}, moment{&d.ResolvedAt}, &d.Version)
}

// Reconciliation reads one day of one channel.
func (s *Store) Reconciliation(ctx context.Context, shop, id string) (app.ReconciliationData, error) {
	return one(ctx, s, "reconciliation", id, scanReconciliation,
		"SELECT "+reconciliationColumns+" FROM reconciliations WHERE shop = $1 AND id = $2", shop, id)
}

// ListReconciliations reads a page, newest day first.
func (s *Store) ListReconciliations(ctx context.Context, shop, channel string, p app.Page) ([]app.ReconciliationData, string, error) {
	return byID(ctx, s, p, scanReconciliation, func(d *app.ReconciliationData) string { return d.ID },
		reconciliationColumns, "reconciliations", shop, [][2]string{{"channel", channel}})
}

// Discrepancy reads one discrepancy.
func (s *Store) Discrepancy(ctx context.Context, shop, id string) (app.DiscrepancyData, error) {
	return one(ctx, s, "discrepancy", id, scanDiscrepancy,
		"SELECT "+discrepancyColumns+" FROM discrepancies WHERE shop = $1 AND id = $2", shop, id)
}

// ListDiscrepancies reads a page, newest id first. Those that are open, and
// those of a day, are found by an index.
func (s *Store) ListDiscrepancies(ctx context.Context, shop string, f app.DiscrepancyFilter, p app.Page) ([]app.DiscrepancyData, string, error) {
	return byID(ctx, s, p, scanDiscrepancy, func(d *app.DiscrepancyData) string { return d.ID },
		discrepancyColumns, "discrepancies", shop, [][2]string{{"day", f.Day}, {"status", string(f.Status)}, {"channel", f.Channel}, {"class", f.Class}})
}

// byID reads a page, newest id first, of what has the given values; "" is any.
func byID[D any](ctx context.Context, s *Store, p app.Page, scan scanner[D], key func(*D) string, columns, table, shop string, values [][2]string) ([]D, string, error) {
	where, args := []string{"shop = $1"}, []any{shop}
	for _, v := range values {
		if v[1] != "" {
			args = append(args, v[1])
			where = append(where, fmt.Sprintf("%s = $%d", v[0], len(args)))
		}
	}
	if p.Cursor != "" {
		args = append(args, p.Cursor)
		where = append(where, fmt.Sprintf("id < $%d", len(args)))
	}
	return page(ctx, s, p, scan, key, fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY id DESC LIMIT $%d",
		columns, table, strings.Join(where, " AND "), len(args)+1), args...)
}

var (
	insertReconciliations = insertAll("reconciliations", "id text", "channel text", "day text", "status text", "runs bigint",
		"started_at timestamptz", "finished_at timestamptz", "error text", "summary json", "version bigint")
	updateReconciliations = updateAll("reconciliations",
		"status = n.status, runs = n.runs, started_at = n.started_at, finished_at = n.finished_at, error = n.error, summary = n.summary, version = n.version + 1",
		"id = n.id AND version = n.version",
		"id text", "version bigint", "status text", "runs bigint", "started_at timestamptz", "finished_at timestamptz", "error text", "summary json")

	insertDiscrepancies = insertAll("discrepancies", "id text", "channel text", "day text", "class text", "payment_no text", "refund_no text",
		"transaction_id text", "ours bigint", "theirs bigint", "detail text", "status text", "resolution text",
		"created_at timestamptz", "resolved_at timestamptz", "version bigint")
	updateDiscrepancies = updateAll("discrepancies",
		"class = n.class, payment_no = n.payment_no, refund_no = n.refund_no, transaction_id = n.transaction_id, ours = n.ours, theirs = n.theirs, "+
			"detail = n.detail, status = n.status, resolution = n.resolution, resolved_at = n.resolved_at, version = n.version + 1",
		"id = n.id AND version = n.version",
		"id text", "version bigint", "class text", "payment_no text", "refund_no text", "transaction_id text", "ours bigint", "theirs bigint",
		"detail text", "status text", "resolution text", "resolved_at timestamptz")
)

func (w *writer) reconciliations(changes []app.Change[app.ReconciliationData]) {
	added, changed := split(changes)
	// No summary at all is NULL.
	summary := func(d *app.ReconciliationData) []byte {
		if len(d.Summary) == 0 {
			return nil
		}
		return d.Summary
	}
	if len(added) > 0 {
		type row = *app.ReconciliationData
		w.add(insertReconciliations,
			column(added, func(d row) string { return d.ID }), column(added, func(d row) string { return d.Channel }),
			column(added, func(d row) string { return d.Day }), column(added, func(d row) string { return string(d.Status) }),
			column(added, func(d row) int64 { return d.Runs }), times(added, func(d row) time.Time { return d.StartedAt }),
			times(added, func(d row) time.Time { return d.FinishedAt }), column(added, func(d row) string { return d.Error }),
			column(added, summary), column(added, func(row) int64 { return 1 }))
	}
	if len(changed) > 0 {
		type change = *app.Change[app.ReconciliationData]
		w.add(updateReconciliations,
			column(changed, func(c change) string { return c.Old.ID }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return string(c.New.Status) }), column(changed, func(c change) int64 { return c.New.Runs }),
			times(changed, func(c change) time.Time { return c.New.StartedAt }), times(changed, func(c change) time.Time { return c.New.FinishedAt }),
			column(changed, func(c change) string { return c.New.Error }), column(changed, func(c change) []byte { return summary(&c.New) }))
	}
}

func (w *writer) discrepancies(changes []app.Change[app.DiscrepancyData]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *app.DiscrepancyData
		w.add(insertDiscrepancies,
			column(added, func(d row) string { return d.ID }), column(added, func(d row) string { return d.Channel }),
			column(added, func(d row) string { return d.Day }), column(added, func(d row) string { return d.Class }),
			column(added, func(d row) string { return d.PaymentNo }), column(added, func(d row) string { return d.RefundNo }),
			column(added, func(d row) string { return d.TransactionID }), column(added, func(d row) int64 { return d.Ours }),
			column(added, func(d row) int64 { return d.Theirs }), column(added, func(d row) string { return d.Detail }),
			column(added, func(d row) string { return string(d.Status) }), column(added, func(d row) string { return d.Resolution }),
			times(added, func(d row) time.Time { return d.CreatedAt }), times(added, func(d row) time.Time { return d.ResolvedAt }),
			column(added, func(row) int64 { return 1 }))
	}
	if len(changed) > 0 {
		type change = *app.Change[app.DiscrepancyData]
		w.add(updateDiscrepancies,
			column(changed, func(c change) string { return c.Old.ID }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return c.New.Class }), column(changed, func(c change) string { return c.New.PaymentNo }),
			column(changed, func(c change) string { return c.New.RefundNo }), column(changed, func(c change) string { return c.New.TransactionID }),
			column(changed, func(c change) int64 { return c.New.Ours }), column(changed, func(c change) int64 { return c.New.Theirs }),
			column(changed, func(c change) string { return c.New.Detail }), column(changed, func(c change) string { return string(c.New.Status) }),
			column(changed, func(c change) string { return c.New.Resolution }), times(changed, func(c change) time.Time { return c.New.ResolvedAt }))
	}
}
