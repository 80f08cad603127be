package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/fault"
)

// openUnit is one open transaction. It has the turn from Begin to its end: what
// it has read cannot change meanwhile, so there is nothing to lock.
type openUnit struct {
	s    *Store
	conn *sql.Conn
	tx   *sql.Tx // on conn; nil when it is over
	shop string

	args args
	open map[string]*sql.Stmt // queries of this transaction
}

// Begin waits for its turn, as long as ctx allows, and loads what is needed
// with one statement for each kind of rows.
func (s *Store) Begin(ctx context.Context, shop string, n unit.Needs) (unit.Unit, *unit.Loaded, error) {
	if err := s.turn.take(ctx); err != nil {
		return nil, nil, err
	}
	// From here on it is a matter of milliseconds, and a caller who leaves
	// must not take the transaction of a batch with him.
	ctx = context.WithoutCancel(ctx)
	u := &openUnit{s: s, shop: shop, open: map[string]*sql.Stmt{}}
	if err := u.begin(ctx); err != nil {
		s.turn.give()
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	l, err := u.load(ctx, n)
	if err != nil {
		u.Rollback()
		return nil, nil, err
	}
	return u, l, nil
}

func (u *openUnit) begin(ctx context.Context) (err error) {
	if err := u.s.prepare(ctx); err != nil {
		return err
	}
	if u.conn, err = u.s.write.Conn(ctx); err != nil {
		return err
	}
	if u.tx, err = u.conn.BeginTx(ctx, nil); err != nil {
		return errors.Join(err, u.conn.Close())
	}
	return nil
}

// Rollback gives up, and the turn to the next.
func (u *openUnit) Rollback() {
	if u.tx != nil {
		_ = u.tx.Rollback() // on failure the connection is thrown away, and its transaction with it
		u.end()
	}
}

func (u *openUnit) end() {
	u.tx = nil
	_ = u.conn.Close() // back to the pool
	u.s.turn.give()
}

// statement is a prepared query, inside this transaction. database/sql cannot
// prepare for longer than a transaction while it has the only connection; so
// one that is new is prepared for this transaction, and the next begins with
// preparing it for good.
func (u *openUnit) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	st, ok := u.open[text]
	if ok {
		return st, nil
	}
	if st, ok = u.s.writes.get(text); ok {
		st = u.tx.StmtContext(ctx, st)
	} else {
		var err error
		if st, err = u.tx.PrepareContext(ctx, text); err != nil {
			return nil, fmt.Errorf("prepare %.40q: %w", text, err)
		}
		u.s.unprepared = append(u.s.unprepared, text)
	}
	u.open[text] = st
	return st, nil
}

// prepare prepares what the transaction before has met for the first time.
func (s *Store) prepare(ctx context.Context) error {
	for _, text := range s.unprepared {
		if _, err := s.writes.prepare(ctx, text); err != nil {
			return err
		}
	}
	s.unprepared = nil
	return nil
}

func (u *openUnit) query(ctx context.Context, text string, a ...any) (*sql.Rows, error) {
	st, err := u.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, a...)
}

var shopRow = kinds[rows.Shop.Info()].load

func (u *openUnit) load(ctx context.Context, n unit.Needs) (*unit.Loaded, error) {
	l := &unit.Loaded{}
	for _, k := range rows.Schema.Kinds() {
		info := k.Info()
		keys := n.Of(info)
		var err error
		switch {
		case info.Single:
			err = u.fill(ctx, l, k, kinds[info].load, u.shop)
		case info.Owned != nil && len(keys)+len(n.Of(info.Owned)) > 0:
			named, through := list(keys), list(n.Of(info.Owned))
			if err = u.fill(ctx, l, k, kinds[info].through, u.shop, named, through); err == nil {
				err = u.fill(ctx, l, rows.Schema.Kind(info.Owned), kinds[info.Owned].owned, u.shop, named, through)
			}
		case info.Owned != nil, info.Owner != nil: // with its owner
		case len(keys) > 0:
			err = u.fill(ctx, l, k, kinds[info].load, u.shop, list(keys))
		}
		if err != nil {
			return nil, err
		}
	}
	if len(unit.Of(l, rows.Shop)) == 0 {
		return nil, noShop(u.shop)
	}
	return l, nil
}

// fill files the rows of a query.
func (u *openUnit) fill(ctx context.Context, l *unit.Loaded, k unit.Any, text string, a ...any) error {
	found := k.NewRows(0)
	l.Put(k.Info(), found)
	return fillRows(ctx, u.query, found, text, a...)
}

func fillRows(ctx context.Context, q query, to unit.Rows, text string, a ...any) error {
	r, err := q(ctx, text, a...)
	if err != nil {
		return err
	}
	for err == nil && r.Next() {
		err = r.Scan(places(to.Next())...)
	}
	return errors.Join(err, r.Err(), r.Close())
}

func noShop(id string) *fault.Error { return fault.New(fault.NotFound, "there is no shop %s", id) }

type counter struct {
	name  string
	value int64
}

const loadCounters = "SELECT name, value FROM counters WHERE shop = ? AND name IN (SELECT value FROM json_each(?))"

func named(found []counter) map[string]int64 {
	m := make(map[string]int64, len(found))
	for _, c := range found {
		m[c.name] = c.value
	}
	return m
}

func scanText(r row, s *string) error { return r.Scan(s) }

func scanCounter(r row, c *counter) error { return r.Scan(&c.name, &c.value) }
