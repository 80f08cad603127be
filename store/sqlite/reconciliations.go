package sqlite

import (
	"context"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

var reconciliations = kind[app.ReconciliationData]{
	table: "reconciliations", key: "id", guard: "version",
	moving:    "status runs started_at finished_at error summary version",
	fixed:     "channel day",
	keyOf:     func(d *app.ReconciliationData) string { return d.ID },
	versionOf: func(d *app.ReconciliationData) int64 { return d.Version },
	putMoving: func(a *args, d *app.ReconciliationData, version int64) {
		a.add(string(d.Status), d.Runs)
		a.time(d.StartedAt)
		a.time(d.FinishedAt)
		a.add(d.Error)
		if len(d.Summary) > 0 {
			a.add(string(d.Summary))
		} else {
			a.add(nil)
		}
		a.add(version)
	},
	putFixed: func(a *args, d *app.ReconciliationData) { a.add(d.Channel, d.Day) },
	scan: func(r row, d *app.ReconciliationData) error {
		return r.Scan(&d.ID, &d.Status, &d.Runs, moment{&d.StartedAt}, moment{&d.FinishedAt}, &d.Error, (*[]byte)(&d.Summary), &d.Version,
			&d.Channel, &d.Day)
	},
}.ready()

var discrepancies = kind[app.DiscrepancyData]{
	table: "discrepancies", key: "id", guard: "version",
	moving:    "class payment_no refund_no transaction_id ours theirs detail status resolution resolved_at version",
	fixed:     "channel day created_at",
	keyOf:     func(d *app.DiscrepancyData) string { return d.ID },
	versionOf: func(d *app.DiscrepancyData) int64 { return d.Version },
	putMoving: func(a *args, d *app.DiscrepancyData, version int64) {
		a.add(d.Class, d.PaymentNo, d.RefundNo, d.TransactionID, d.Ours, d.Theirs, d.Detail, string(d.Status), d.Resolution)
		a.time(d.ResolvedAt)
		a.add(version)
	},
	putFixed: func(a *args, d *app.DiscrepancyData) {
		a.add(d.Channel, d.Day)
		a.time(d.CreatedAt)
	},
	scan: func(r row, d *app.DiscrepancyData) error {
		return r.Scan(&d.ID, &d.Class, &d.PaymentNo, &d.RefundNo, &d.TransactionID, &d.Ours, &d.Theirs, &d.Detail, &d.Status, &d.Resolution,
			moment{&d.ResolvedAt}, &d.Version, &d.Channel, &d.Day, moment{&d.CreatedAt})
	},
}.ready()

// Reconciliation reads one day of one channel.
func (s *Store) Reconciliation(ctx context.Context, shop, id string) (app.ReconciliationData, error) {
	return one(ctx, s.reading, reconciliations.scan, fault.New(fault.NotFound, "there is no reconciliation %s", id), reconciliations.byKey, shop, id)
}

// ListReconciliations lists the newest day first.
func (s *Store) ListReconciliations(ctx context.Context, shop, channel string, p app.Page) ([]app.ReconciliationData, string, error) {
	return byID(ctx, s, reconciliations, shop, p, [][2]string{{"channel", channel}})
}

// Discrepancy reads one discrepancy.
func (s *Store) Discrepancy(ctx context.Context, shop, id string) (app.DiscrepancyData, error) {
	return one(ctx, s.reading, discrepancies.scan, fault.New(fault.NotFound, "there is no discrepancy %s", id), discrepancies.byKey, shop, id)
}

// ListDiscrepancies lists the newest id first. Those that are open, and those
// of a day, are found by an index.
func (s *Store) ListDiscrepancies(ctx context.Context, shop string, f app.DiscrepancyFilter, p app.Page) ([]app.DiscrepancyData, string, error) {
	// The word itself, and not a parameter: only then does SQLite know that
	// it may use the index of those that are open.
	status := string(f.Status)
	var fixed string
	if f.Status == app.DiscrepancyOpen {
		status, fixed = "", "status = 'open'"
	}
	return byID(ctx, s, discrepancies, shop, p, [][2]string{{"day", f.Day}, {"status", status}, {"channel", f.Channel}, {"class", f.Class}}, fixed)
}

// byID is a page, newest id first, of what has the given values ("" is any)
// and meets the conditions.
func byID[D any](ctx context.Context, s *Store, k *kind[D], shop string, p app.Page, values [][2]string, conditions ...string) ([]D, string, error) {
	where, a := []string{"shop = ?"}, []any{shop}
	for _, v := range values {
		if v[1] != "" {
			where, a = append(where, v[0]+" = ?"), append(a, v[1])
		}
	}
	for _, c := range conditions {
		if c != "" {
			where = append(where, c)
		}
	}
	if p.Cursor != "" {
		where, a = append(where, "id < ?"), append(a, p.Cursor)
	}
	items, err := all(ctx, s.reading, k.scan,
		"SELECT "+k.columns+" FROM "+k.table+" WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(a, limit(p))...)
	items, next := page(items, p, k.keyOf)
	return items, next, err
}
