package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
)

// row is the present one of a result.
type row interface{ Scan(dest ...any) error }

// args gathers what a statement is run with, as the driver takes it: int64,
// string, bool, []byte or nil. It is used again and again.
type args struct {
	list []driver.NamedValue
	err  error
}

func (a *args) start(v ...any) *args {
	a.list = a.list[:0]
	a.add(v...)
	return a
}

func (a *args) add(v ...any) {
	for _, v := range v {
		a.list = append(a.list, driver.NamedValue{Ordinal: len(a.list) + 1, Value: v})
	}
}

// document adds a document.
func document[D any](a *args, f *format.Doc[D], d *D) {
	b, err := f.Encode(d)
	if err != nil && a.err == nil {
		a.err = err
	}
	if b == nil {
		a.add(nil)
	} else {
		a.add(string(b))
	}
}

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// moment scans what micros wrote.
type moment struct{ t *time.Time }

func (m moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m.t = time.Time{}
	case int64:
		*m.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", v)
	}
	return nil
}

// doc scans a document.
type doc[D any] struct {
	format *format.Doc[D]
	into   *D
}

func (d doc[D]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return d.format.Decode(nil, d.into)
	case string:
		return d.format.Decode([]byte(v), d.into)
	case []byte:
		return d.format.Decode(v, d.into)
	}
	return fmt.Errorf("a document is stored as %T", v)
}

// blob scans bytes and tells none from NULL, which *[]byte does not.
type blob struct{ b *[]byte }

func (d blob) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.b = nil
	case []byte:
		*d.b = append([]byte{}, v...)
	default:
		return fmt.Errorf("bytes are stored as %T", v)
	}
	return nil
}

// statements keeps what was prepared, by its text. All texts are made of
// constants of this package, so there are only so many.
type statements struct {
	db       *sql.DB
	prepared sync.Map // string → *sql.Stmt
}

func (s *statements) get(text string) (*sql.Stmt, bool) {
	st, ok := s.prepared.Load(text)
	if !ok {
		return nil, false
	}
	return st.(*sql.Stmt), true
}

func (s *statements) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := s.get(text); ok {
		return st, nil
	}
	st, err := s.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare %.40q: %w", text, err)
	}
	if first, ok := s.prepared.LoadOrStore(text, st); ok {
		_ = st.Close()
		return first.(*sql.Stmt), nil
	}
	return st, nil
}

// direct keeps statements that were prepared with the writer's driver and
// not through database/sql, which takes a sixth of the time of a batch. It
// belongs to whoever has the turn.
type direct struct {
	conn     driver.ConnPrepareContext // that they belong to
	prepared map[string]directStatement
}

type directStatement interface {
	driver.Stmt
	driver.StmtExecContext
}

func (d *direct) get(c driver.ConnPrepareContext, text string) (directStatement, error) {
	if d.conn != c {
		d.conn, d.prepared = c, map[string]directStatement{}
	}
	if st, ok := d.prepared[text]; ok {
		return st, nil
	}
	st, err := c.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, fmt.Errorf("prepare %.40q: %w", text, err)
	}
	d.prepared[text] = st.(directStatement)
	return d.prepared[text], nil
}

// close lets the connection close: SQLite keeps one open, with its files, as
// long as it has statements.
func (d *direct) close() (err error) {
	for _, st := range d.prepared {
		err = errors.Join(err, st.Close())
	}
	d.conn, d.prepared = nil, nil
	return err
}

// query is a prepared statement run for rows: of the pool, or inside a
// transaction.
type query func(ctx context.Context, text string, a ...any) (*sql.Rows, error)

// reading queries the readers' connections.
func (s *Store) reading(ctx context.Context, text string, a ...any) (*sql.Rows, error) {
	st, err := s.reads.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, a...)
}

// snapshot gives do queries that all see one committed moment. A statement
// that is new is prepared for next time when the transaction is over: to
// prepare takes a connection, and all may be waiting for one here.
func (s *Store) snapshot(ctx context.Context, do func(q query) error) (err error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	var unprepared []string
	err = do(func(ctx context.Context, text string, a ...any) (*sql.Rows, error) {
		if st, ok := s.reads.get(text); ok {
			return tx.StmtContext(ctx, st).QueryContext(ctx, a...)
		}
		unprepared = append(unprepared, text)
		return tx.QueryContext(ctx, text, a...)
	})
	_ = tx.Rollback() // it has only read
	for _, text := range unprepared {
		if err == nil {
			_, err = s.reads.prepare(ctx, text)
		}
	}
	return err
}

// all collects the rows of a query.
func all[D any](ctx context.Context, q query, scan func(row, *D) error, text string, a ...any) (out []D, err error) {
	err = each(ctx, q, scan, func(d D) error {
		out = append(out, d)
		return nil
	}, text, a...)
	return out, err
}

// each hands over the rows of a query one by one.
func each[D any](ctx context.Context, q query, scan func(row, *D) error, do func(D) error, text string, a ...any) error {
	rows, err := q(ctx, text, a...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var d D
		if err = scan(rows, &d); err == nil {
			err = do(d)
		}
		if err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// one reads the only row of a query; without one, missing says what is not
// there.
func one[D any](ctx context.Context, q query, scan func(row, *D) error, missing *fault.Error, text string, a ...any) (D, error) {
	found, err := all(ctx, q, scan, text, a...)
	if err == nil && len(found) == 0 {
		err = missing
	}
	if err != nil {
		var none D
		return none, err
	}
	return found[0], nil
}

// holds runs a query that answers yes or no.
func (s *Store) holds(ctx context.Context, text string, a ...any) (bool, error) {
	found, err := all(ctx, s.reading, func(r row, is *bool) error { return r.Scan(is) }, text, a...)
	return err == nil && found[0], err
}

// list is a list of keys as json_each takes it.
func list(keys []string) string {
	b, _ := json.Marshal(keys) // strings always marshal
	return string(b)
}

// defaultPage is for a caller that has no size in mind.
const defaultPage = 100

// limit is how many rows to read: one more than requested, which says
// whether there is another page.
func limit(p app.Page) int {
	if p.Limit <= 0 {
		return defaultPage + 1
	}
	return p.Limit + 1
}

// page cuts off the row too many; next is the cursor behind what is left.
func page[D any](items []D, p app.Page, key func(*D) string) ([]D, string) {
	n := limit(p) - 1
	if len(items) <= n {
		return items, ""
	}
	return items[:n], key(&items[n-1])
}
