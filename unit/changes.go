package unit

import (
	"time"

	"github.com/tandem-pay/tandem/event"
)

// Op is what is done to rows.
type Op int

// What is done to rows.
const (
	Insert Op = iota
	Change    // of rows that the unit has loaded
	Delete    // likewise
)

// Changes is everything that a batch writes, in one transaction.
type Changes struct {
	Shop string
	Now  time.Time // UTC
	// Marker is an idempotency key that the batch writes: whether it is there
	// says whether the batch was committed.
	Marker  string
	Writes  []Write        // by rank of their kinds
	Records []event.Record // of the log; the store gives them their positions
}

// Touches says whether rows of a kind are written.
func (c *Changes) Touches(k Any) bool {
	for i := range c.Writes {
		if c.Writes[i].Kind == k.Info() {
			return true
		}
	}
	return false
}

// Write is rows of one kind to which the same is done, so that one statement
// serves them all.
type Write struct {
	Kind *Info
	Op   Op
	Way  int // of a Change: its place in Kind.Updates
	Len  int

	rows written
}

// written are the rows of a write, whatever they hold.
type written interface {
	value(row, column int, old bool) (any, error)
	values(column int, old bool) (any, error)
	key(row int) string
}

type writtenRows[D any] struct {
	kind     *Kind[D]
	old, new []*D // by place; new is nil of a Delete, old of an Insert
}

func newWrite[D any](k *Kind[D], op Op, way int, before, after []*D) Write {
	return Write{Kind: &k.info, Op: op, Way: way, Len: max(len(before), len(after)), rows: &writtenRows[D]{k, before, after}}
}

func (w *writtenRows[D]) side(old bool) []*D {
	if old {
		return w.old
	}
	return w.new
}

func (w *writtenRows[D]) value(row, column int, old bool) (any, error) {
	return w.kind.columns[column].value(w.side(old)[row])
}

func (w *writtenRows[D]) values(column int, old bool) (any, error) {
	return w.kind.columns[column].values(w.side(old))
}

func (w *writtenRows[D]) key(row int) string {
	if w.old != nil {
		return w.kind.KeyOf(w.old[row])
	}
	return w.kind.KeyOf(w.new[row])
}

// Key is the key of a row.
func (w *Write) Key(row int) string { return w.rows.key(row) }

// Keys are the keys of all rows.
func (w *Write) Keys() []string {
	out := make([]string, w.Len)
	for i := range out {
		out[i] = w.rows.key(i)
	}
	return out
}

// Value is what is to be written into a column of a row: a string, int64,
// bool, time.Time, or []byte for bytes and documents.
func (w *Write) Value(row, column int) (any, error) { return w.rows.value(row, column, false) }

// Was is what a column of a row was when it was loaded.
func (w *Write) Was(row, column int) (any, error) { return w.rows.value(row, column, true) }

// Column is what is to be written into a column of all rows: []string,
// []int64, []bool, []time.Time or [][]byte.
func (w *Write) Column(column int) (any, error) { return w.rows.values(column, false) }

// ColumnWas is what a column was in all rows when they were loaded.
func (w *Write) ColumnWas(column int) (any, error) { return w.rows.values(column, true) }

// Written are the rows of a kind that are inserted or changed, as they will
// be, with what they were (nil for a new one).
func Written[D any](c *Changes, k *Kind[D]) (before, after []*D) {
	for i := range c.Writes {
		if r, ok := c.Writes[i].rows.(*writtenRows[D]); ok && r.kind == k {
			if r.old == nil {
				before = append(before, make([]*D, len(r.new))...)
			} else {
				before = append(before, r.old...)
			}
			after = append(after, r.new...)
		}
	}
	return before, after
}

// Inserting is a write of new rows outside of a batch.
func Inserting[D any](k *Kind[D], rows ...*D) Write { return newWrite(k, Insert, 0, nil, rows) }

// Pair is a row before and after a change: Old is nil for a new row, New for
// one that goes.
type Pair[D any] struct{ Old, New *D }

// Writes are what writes the changes, outside of a batch.
func Writes[D any](k *Kind[D], changes ...Pair[D]) []Write {
	t := &table[D]{kind: k, rows: map[string]*row[D]{}}
	for _, c := range changes {
		switch {
		case k.info.Appended:
			t.added = append(t.added, c.New)
		case c.New != nil:
			t.rows[k.KeyOf(c.New)] = &row[D]{c.Old, c.New, true}
		default:
			t.rows[k.KeyOf(c.Old)] = &row[D]{c.Old, nil, true}
		}
	}
	return t.writes(nil)
}
