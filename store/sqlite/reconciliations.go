package sqlite

import (
	"context"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// Reconciliation reads one day of one channel.
func (s *Store) Reconciliation(ctx context.Context, shop, id string) (rows.Reconciliation, error) {
	return one(
		ctx, s.reading, reconciliations.scan, fault.New(fault.NotFound, "there is no reconciliation %s", id),
		reconciliations.byKey, shop, id,
	)
}

// ListReconciliations lists the newest day first.
func (s *Store) ListReconciliations(ctx context.Context, shop, channel string, p app.Page) ([]rows.Reconciliation, string, error) {
	return byID(ctx, s, reconciliations, shop, p, [][2]string{{"channel", channel}})
}

// Discrepancy reads one discrepancy.
func (s *Store) Discrepancy(ctx context.Context, shop, id string) (rows.Discrepancy, error) {
	return one(
		ctx, s.reading, discrepancies.scan, fault.New(fault.NotFound, "there is no discrepancy %s", id), discrepancies.byKey,
		shop, id,
	)
}

// ListDiscrepancies lists the newest id first. Those that are open, and those
// of a day, are found by an index.
func (s *Store) ListDiscrepancies(
	ctx context.Context, shop string, f app.DiscrepancyFilter, p app.Page,
) ([]rows.Discrepancy, string, error) {
	// The word itself, and not a parameter: only then does SQLite know that
	// it may use the index of those that are open.
	status := string(f.Status)
	var fixed string
	if f.Status == rows.DiscrepancyOpen {
		status, fixed = "", "status = 'open'"
	}
	return byID(
		ctx, s, discrepancies, shop, p,
		[][2]string{{"day", f.Day}, {"status", status}, {"channel", f.Channel}, {"class", f.Class}}, fixed,
	)
}

// byID is a page, newest id first, of what has the given values ("" is any)
// and meets the conditions.
func byID[D any](
	ctx context.Context, s *Store, k *table[D], shop string, p app.Page, values [][2]string, conditions ...string,
) ([]D, string, error) {
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
		"SELECT "+k.columns+" FROM "+k.name+" WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(a, limit(p))...)
	items, next := page(items, p, k.keyOf)
	return items, next, err
}
