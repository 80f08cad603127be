package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
)

// Reconciliation reads one day of one channel.
func (s *Store) Reconciliation(ctx context.Context, shop, id string) (rows.Reconciliation, error) {
	return one(ctx, s, "reconciliation", id, scan(rows.Reconciliations),
		"SELECT "+columns(rows.Reconciliations)+" FROM reconciliations WHERE shop = $1 AND id = $2", shop, id)
}

// ListReconciliations reads a page, newest day first.
func (s *Store) ListReconciliations(ctx context.Context, shop, channel string, p app.Page) ([]rows.Reconciliation, string, error) {
	return byID(ctx, s, p, scan(rows.Reconciliations), func(d *rows.Reconciliation) string { return d.ID },
		columns(rows.Reconciliations), "reconciliations", shop, [][2]string{{"channel", channel}})
}

// Discrepancy reads one discrepancy.
func (s *Store) Discrepancy(ctx context.Context, shop, id string) (rows.Discrepancy, error) {
	return one(ctx, s, "discrepancy", id, scan(rows.Discrepancies),
		"SELECT "+columns(rows.Discrepancies)+" FROM discrepancies WHERE shop = $1 AND id = $2", shop, id)
}

// ListDiscrepancies reads a page, newest id first. Those that are open, and
// those of a day, are found by an index.
func (s *Store) ListDiscrepancies(
	ctx context.Context, shop string, f app.DiscrepancyFilter, p app.Page,
) ([]rows.Discrepancy, string, error) {
	return byID(
		ctx, s, p, scan(rows.Discrepancies), func(d *rows.Discrepancy) string { return d.ID },
		columns(rows.Discrepancies), "discrepancies", shop,
		[][2]string{{"day", f.Day}, {"status", string(f.Status)}, {"channel", f.Channel}, {"class", f.Class}},
	)
}

// byID reads a page, newest id first, of what has the given values; "" is any.
func byID[D any](
	ctx context.Context, s *Store, p app.Page, scan scanner[D], key func(*D) string, columns, table, shop string,
	values [][2]string,
) ([]D, string, error) {
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
