package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/rows"
)

var parkedColumns = columns(rows.Parked)

// ParkedRecords reads what is parked, in the order of the ids.
func (s *Store) ParkedRecords(ctx context.Context, shop, follower string, p app.Page) ([]app.ParkedRecord, string, error) {
	return page(ctx, s, p, scan(rows.Parked), func(r *app.ParkedRecord) string { return r.ID }, "SELECT "+parkedColumns+
		" FROM parked_records WHERE shop = $1 AND ($2 = '' OR follower = $2) AND id > $3 ORDER BY id LIMIT $4", shop, follower, p.Cursor)
}

// ParkedRecord reads one parked record.
func (s *Store) ParkedRecord(ctx context.Context, shop, id string) (app.ParkedRecord, error) {
	found, err := some(ctx, s, 1, scan(rows.Parked), "SELECT "+parkedColumns+" FROM parked_records WHERE shop = $1 AND id = $2", shop, id)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "there is no parked record %s", id)
	}
	if err != nil {
		return app.ParkedRecord{}, err
	}
	return found[0], nil
}

// ParkedOf reads what a follower has parked about the orders, by position.
func (s *Store) ParkedOf(ctx context.Context, shop, follower string, orders []string) ([]app.ParkedRecord, error) {
	return some(ctx, s, 0, scan(rows.Parked), "SELECT "+parkedColumns+
		" FROM parked_records WHERE shop = $1 AND follower = $2 AND follower <> '' AND order_no = ANY($3) ORDER BY position", shop, follower, orders)
}

// ParkedCounts counts what is parked in all shops.
func (s *Store) ParkedCounts(ctx context.Context) ([]app.ParkedCount, error) {
	return some(ctx, s, 8, func(r pgx.Rows, c *app.ParkedCount) error { return r.Scan(&c.Follower, &c.Count) },
		"SELECT follower, count(*) FROM parked_records GROUP BY follower ORDER BY follower")
}

// LogEnds reads the ends of all shops' logs.
func (s *Store) LogEnds(ctx context.Context) (map[string]event.Position, error) {
	type end struct {
		shop string
		at   event.Position
	}
	found, err := some(
		ctx, s, 16, func(r pgx.Rows, e *end) error { return r.Scan(&e.shop, &e.at) }, "SELECT shop, seq FROM logs WHERE seq > 0",
	)
	ends := make(map[string]event.Position, len(found))
	for _, e := range found {
		ends[e.shop] = e.at
	}
	return ends, err
}

// Cursors reads the cursors of all shops.
func (s *Store) Cursors(ctx context.Context) ([]app.FollowerCursor, error) {
	return some(ctx, s, 16, func(r pgx.Rows, c *app.FollowerCursor) error { return r.Scan(&c.Shop, &c.Follower, &c.Position) },
		"SELECT shop, follower, position FROM cursors ORDER BY shop, follower")
}
