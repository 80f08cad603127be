package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// unit is one open transaction. It has the turn from Begin to its end: what
// it has read cannot change meanwhile, so there is nothing to lock.
type unit struct {
	s    *Store
	conn *sql.Conn
	tx   *sql.Tx // on conn; nil when it is over
	shop string

	args args
	open map[string]*sql.Stmt // queries of this transaction
}

// Begin waits for its turn, as long as ctx allows, and loads what is needed
// with one statement for each kind of rows.
func (s *Store) Begin(ctx context.Context, shop string, n *app.Needs) (app.Unit, *app.Loaded, error) {
	if err := s.turn.take(ctx); err != nil {
		return nil, nil, err
	}
	// From here on it is a matter of milliseconds, and a caller who leaves
	// must not take the transaction of a batch with him.
	ctx = context.WithoutCancel(ctx)
	u := &unit{s: s, shop: shop, open: map[string]*sql.Stmt{}}
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

func (u *unit) begin(ctx context.Context) (err error) {
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
func (u *unit) Rollback() {
	if u.tx != nil {
		_ = u.tx.Rollback() // on failure the connection is thrown away, and its transaction with it
		u.end()
	}
}

func (u *unit) end() {
	u.tx = nil
	_ = u.conn.Close() // back to the pool
	u.s.turn.give()
}

// statement is a prepared query, inside this transaction. database/sql cannot
// prepare for longer than a transaction while it has the only connection; so
// one that is new is prepared for this transaction, and the next begins with
// preparing it for good.
func (u *unit) statement(ctx context.Context, text string) (*sql.Stmt, error) {
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

func (u *unit) query(ctx context.Context, text string, a ...any) (*sql.Rows, error) {
	st, err := u.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, a...)
}

const shopRow = "SELECT " + shopColumns + " FROM shops WHERE shop = ?"

// The orders that are named, and those of the payments that are named. The
// cross join goes from left to right: SQLite would rather read all payments
// of the shop in the order of their orders.
const ordersThrough = `(SELECT value FROM json_each(?2)
	UNION ALL SELECT p.order_no FROM json_each(?3) AS named CROSS JOIN payments AS p WHERE p.shop = ?1 AND p.payment_no = named.value)`

var (
	loadOrders     = "SELECT " + orders.columns + " FROM orders WHERE shop = ?1 AND order_no IN " + ordersThrough
	loadPaymentsOf = "SELECT " + payments.columns + " FROM payments INDEXED BY payments_order WHERE shop = ?1 AND order_no IN " + ordersThrough
)

func (u *unit) load(ctx context.Context, n *app.Needs) (*app.Loaded, error) {
	var err error
	l := &app.Loaded{}
	if l.Shop, err = one(ctx, u.query, scanShop, noShop(u.shop), shopRow, u.shop); err != nil {
		return nil, err
	}
	want(ctx, u, &l.Keys, &err, scanKey, loadKeys, n.Keys)
	if len(n.Cursors) > 0 {
		var found []cursor
		want(ctx, u, &found, &err, scanCursor, loadCursors, n.Cursors)
		l.Cursors = make(map[string]event.Position, len(found))
		for _, c := range found {
			l.Cursors[c.follower] = c.at
		}
	}
	if len(n.Orders)+len(n.Payments) > 0 && err == nil {
		named, through := list(n.Orders), list(n.Payments)
		if l.Orders, err = all(ctx, u.query, orders.scan, loadOrders, u.shop, named, through); err == nil {
			l.Payments, err = all(ctx, u.query, payments.scan, loadPaymentsOf, u.shop, named, through)
		}
	}
	want(ctx, u, &l.Refunds, &err, refunds.scan, refunds.byKeys, n.Refunds)
	want(ctx, u, &l.Users, &err, users.scan, users.byKeys, n.Users)
	want(ctx, u, &l.Coupons, &err, coupons.scan, coupons.byKeys, n.Coupons)
	want(ctx, u, &l.Skus, &err, skus.scan, skus.byKeys, n.Skus)
	if len(n.Counters) > 0 {
		var found []counter
		want(ctx, u, &found, &err, scanCounter, loadCounters, n.Counters)
		l.Counters = named(found)
	}
	want(ctx, u, &l.Bought, &err, scanText, boughtBy, n.Buyers)
	want(ctx, u, &l.Promotions, &err, promotions.scan, promotions.byKeys, n.Promotions)
	if len(n.Promotions) > 0 {
		var found []counter
		want(ctx, u, &found, &err, scanCounter, loadRetired, n.Promotions)
		l.Retired = named(found)
	}
	want(ctx, u, &l.Templates, &err, templates.scan, templates.byKeys, n.Templates)
	want(ctx, u, &l.Channels, &err, channels.scan, channels.byKeys, n.Channels)
	want(ctx, u, &l.APIKeys, &err, apiKeys.scan, apiKeys.byKeys, n.APIKeys)
	want(ctx, u, &l.Reconciliations, &err, reconciliations.scan, reconciliations.byKeys, n.Reconciliations)
	want(ctx, u, &l.Discrepancies, &err, discrepancies.scan, discrepancies.byKeys, n.Discrepancies)
	for i := range l.APIKeys {
		l.APIKeys[i].Shop = u.shop
	}
	return l, err
}

// want loads the rows of the keys, if there are any and nothing went wrong
// before.
func want[D any](ctx context.Context, u *unit, into *[]D, err *error, scan func(row, *D) error, text string, keys []string) {
	if len(keys) > 0 && *err == nil {
		*into, *err = all(ctx, u.query, scan, text, u.shop, list(keys))
	}
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

// boughtBy finds those of the users who have an order that was not closed.
const boughtBy = `SELECT value FROM json_each(?2) AS k WHERE EXISTS (SELECT 1 FROM orders INDEXED BY orders_user
	WHERE shop = ?1 AND user_id = k.value AND status NOT IN ('closed', 'draft'))`

func scanText(r row, s *string) error { return r.Scan(s) }

func scanCounter(r row, c *counter) error { return r.Scan(&c.name, &c.value) }
