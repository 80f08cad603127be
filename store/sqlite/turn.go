package sqlite

import (
	"context"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// turn is whose turn it is to write. SQLite has one writer at a time and lets
// the others poll, with pauses of up to a tenth of a second, so that under
// load a loser may wait for ever. Within this process everyone waits here
// instead: first come, first served, and nobody meets SQLITE_BUSY.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// polite opens connections whose every statement and transaction takes a
// turn. River writes through one: its statements are short, and some begin
// with a read and end with a write.
type polite struct {
	dsn  string
	turn turn
}

func (p polite) Driver() driver.Driver { return &sqlite.Driver{} }

func (p polite) Connect(context.Context) (driver.Conn, error) {
	c, err := p.Driver().Open(p.dsn)
	if err != nil {
		return nil, err
	}
	return &politeConn{conn: c.(conn), turn: p.turn}, nil
}

// conn is what modernc's connections can do.
type conn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type politeConn struct {
	conn
	turn turn
	held bool // by the transaction
}

// hold takes a turn, unless the transaction has it, and returns what gives
// it back.
func (c *politeConn) hold(ctx context.Context) (give func(), err error) {
	if c.held {
		return func() {}, nil
	}
	if err := c.turn.take(ctx); err != nil {
		return nil, err
	}
	return c.turn.give, nil
}

func (c *politeConn) ExecContext(ctx context.Context, text string, a []driver.NamedValue) (driver.Result, error) {
	give, err := c.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer give()
	return c.conn.ExecContext(ctx, text, a)
}

func (c *politeConn) QueryContext(ctx context.Context, text string, a []driver.NamedValue) (driver.Rows, error) {
	give, err := c.hold(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.conn.QueryContext(ctx, text, a)
	if err != nil {
		give()
		return nil, err
	}
	return &politeRows{rows, give}, nil
}

// politeRows give the turn back when they are closed: an UPDATE … RETURNING
// writes until then.
type politeRows struct {
	driver.Rows
	give func()
}

func (r *politeRows) Close() error {
	defer func() { r.give(); r.give = func() {} }()
	return r.Rows.Close()
}

func (c *politeConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.turn.take(ctx); err != nil {
		return nil, err
	}
	tx, err := c.conn.BeginTx(ctx, o)
	if err != nil {
		c.turn.give()
		return nil, err
	}
	c.held = true
	return &politeTx{tx, c}, nil
}

type politeTx struct {
	driver.Tx
	c *politeConn
}

func (t *politeTx) Commit() error {
	defer t.over()
	return t.Tx.Commit()
}

func (t *politeTx) Rollback() error {
	defer t.over()
	return t.Tx.Rollback()
}

func (t *politeTx) over() {
	if t.c.held {
		t.c.held = false
		t.c.turn.give()
	}
}
