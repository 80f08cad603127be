package sqlite

import (
	"cmp"
	"context"
	"slices"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// Of all shops at once.
const (
	parkedOfAll  = "SELECT follower, count(*) FROM parked_records GROUP BY follower"
	endsOfAll    = "SELECT shop, seq FROM logs WHERE seq > 0"
	cursorsOfAll = "SELECT shop, follower, position FROM cursors"
)

// ParkedRecords reads what is parked, in the order of the ids.
func (s *Store) ParkedRecords(ctx context.Context, shop, follower string, p app.Page) ([]app.ParkedRecord, string, error) {
	found, err := all(ctx, s.reading, parkedRecords.scan, "SELECT "+parkedRecords.columns+
		" FROM parked_records WHERE shop = ? AND id > ? AND (?3 = '' OR follower = ?3) ORDER BY id LIMIT ?4", shop, p.Cursor, follower, limit(p))
	items, next := page(found, p, parkedRecords.keyOf)
	return items, next, err
}

// ParkedRecord reads one parked record.
func (s *Store) ParkedRecord(ctx context.Context, shop, id string) (app.ParkedRecord, error) {
	return one(ctx, s.reading, parkedRecords.scan, fault.New(fault.NotFound, "there is no parked record %s", id),
		parkedRecords.byKey, shop, id)
}

// ParkedOf reads what a follower has parked about the orders, by position.
func (s *Store) ParkedOf(ctx context.Context, shop, follower string, orders []string) ([]app.ParkedRecord, error) {
	found, err := all(ctx, s.reading, parkedRecords.scan, "SELECT "+parkedRecords.columns+
		" FROM parked_records INDEXED BY parked_records_follower WHERE shop = ? AND follower = ? AND order_no IN (SELECT value FROM json_each(?))",
		shop, follower, list(orders))
	slices.SortFunc(found, func(a, b app.ParkedRecord) int { return cmp.Compare(a.Position, b.Position) })
	return found, err
}

// ParkedCounts counts what is parked in all shops.
func (s *Store) ParkedCounts(ctx context.Context) ([]app.ParkedCount, error) {
	return all(ctx, s.reading, func(r row, c *app.ParkedCount) error { return r.Scan(&c.Follower, &c.Count) },
		parkedOfAll)
}

// LogEnds reads the ends of all shops' logs.
func (s *Store) LogEnds(ctx context.Context) (map[string]event.Position, error) {
	type end struct {
		shop string
		at   event.Position
	}
	found, err := all(ctx, s.reading, func(r row, e *end) error { return r.Scan(&e.shop, &e.at) }, endsOfAll)
	ends := make(map[string]event.Position, len(found))
	for _, e := range found {
		ends[e.shop] = e.at
	}
	return ends, err
}

// Cursors reads the cursors of all shops.
func (s *Store) Cursors(ctx context.Context) ([]app.FollowerCursor, error) {
	return all(ctx, s.reading, func(r row, c *app.FollowerCursor) error { return r.Scan(&c.Shop, &c.Follower, &c.Position) },
		cursorsOfAll)
}
