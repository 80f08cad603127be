package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// openUnit is one open transaction on a writing connection.
type openUnit struct {
	s    *Store
	conn *pgxpool.Conn // nil when it is over
	pid  uint32        // of the server's process
	shop string
}

// begin names the isolation that the engine is made for: each statement sees
// what was committed before it, so that what is read behind a lock is what
// the holder before left.
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

// Begin sends BEGIN and one statement for each kind of rows that is needed,
// all together.
func (s *Store) Begin(ctx context.Context, shop string, n unit.Needs) (unit.Unit, *unit.Loaded, error) {
	for try := int32(0); ; try++ {
		conn, err := s.write.Acquire(ctx)
		if err != nil {
			return nil, nil, err
		}
		u := &openUnit{s: s, conn: conn, shop: shop, pid: conn.Conn().PgConn().PID()}
		l, err := u.load(ctx, n)
		if err == nil {
			return u, l, nil
		}
		// Nothing has been done yet: after the database was restarted all
		// connections of the pool are dead, and each is found so only once.
		again := conn.Conn().IsClosed() && ctx.Err() == nil && try < s.write.Config().MaxConns
		u.Rollback()
		if !again {
			return nil, nil, conflict(err)
		}
	}
}

// Rollback gives up, and the connection back.
func (u *openUnit) Rollback() {
	if u.conn == nil {
		return
	}
	if c := u.conn.Conn(); !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
		// A connection on which this fails is thrown away, and the server
		// rolls back when it notices.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, _ = c.Exec(ctx, "ROLLBACK")
		cancel()
	}
	u.conn.Release()
	u.conn = nil
}

var shopRow = kinds[rows.Shop.Info()].load

// load locks and reads, kind by kind by rank; the keys, which it does not
// lock, last: what a duplicate at another instance did while we waited for its
// locks must not be seen without its key.
func (u *openUnit) load(ctx context.Context, n unit.Needs) (*unit.Loaded, error) {
	var (
		id   = u.shop
		l    = &unit.Loaded{}
		b    = &pgx.Batch{}
		shop = rows.Shop.Info()
		sql  = kinds[shop].load
	)
	if len(n.Of(shop)) > 0 {
		sql = kinds[shop].held
	}
	b.Queue(begin)
	if u.s.pooled {
		queuePooled(b, &u.pid)
	}
	b.Queue(sql, id).Query(fill(l, rows.Shop, 1))
	for _, k := range rows.Schema.Kinds() {
		info := k.Info()
		keys := n.Of(info)
		switch {
		case info.Single || info == rows.Keys.Info():
		case info.Owned != nil:
			loadFamily(b, l, k, id, keys, n.Of(info.Owned))
		case info.Owner != nil: // with its owner
		case len(keys) > 0:
			b.Queue(kinds[info].load, id, keys).Query(fill(l, k, len(keys)))
		}
	}
	if keys := n.Of(rows.Keys.Info()); len(keys) > 0 {
		b.Queue(kinds[rows.Keys.Info()].load, id, keys).Query(fill(l, rows.Keys, len(keys)))
	}
	if err := u.conn.Conn().SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	if len(unit.Of(l, rows.Shop)) == 0 {
		return nil, noShop(id)
	}
	return l, nil
}

// loadFamily loads owners and all that they own; with owned rows named, also
// those rows' owners.
func loadFamily(b *pgx.Batch, l *unit.Loaded, owners unit.Any, id string, keys, ownedKeys []string) {
	o := owners.Info()
	owned := rows.Schema.Kind(o.Owned)
	room := len(keys) + len(ownedKeys)
	switch {
	case len(ownedKeys) > 0:
		b.Queue(kinds[o].through, id, orEmpty(keys), ownedKeys).Query(fill(l, owners, room))
		b.Queue(kinds[o.Owned].ownedBy, id, orEmpty(keys), ownedKeys).Query(fill(l, owned, room))
	case len(keys) > 0:
		b.Queue(kinds[o].load, id, keys).Query(fill(l, owners, room))
		b.Queue(kinds[o.Owned].owned, id, keys).Query(fill(l, owned, room))
	}
}

// want queues a statement for the keys, if there are any.
func want[D any](b *pgx.Batch, into *[]D, scan scanner[D], sql, shop string, keys []string) {
	if len(keys) > 0 {
		queue(b, into, len(keys), scan, sql, shop, keys)
	}
}

// intoMap collects rows of a name and a value.
func intoMap[V any](m map[string]V, scan func(pgx.Rows, *string, *V) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			var name string
			var v V
			if err := scan(rows, &name, &v); err != nil {
				return err
			}
			m[name] = v
		}
		return rows.Err()
	}
}

// orEmpty makes an array of nothing out of nil, which would be NULL.
func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func noShop(id string) error { return fault.New(fault.NotFound, "there is no shop %s", id) }

func scanText(r pgx.Rows, s *string) error { return r.Scan(s) }

func scanCount(r pgx.Rows, name *string, v *int64) error { return r.Scan(name, v) }
