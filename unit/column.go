package unit

import (
	"time"
)

// Type is what a column holds in a database. A store knows how its own
// database spells each.
type Type int

// The types of columns.
const (
	TypeText Type = iota
	TypeInt       // 64 bits
	TypeBool
	TypeTime  // UTC, to the microsecond; a zero time is NULL
	TypeBytes // nil is NULL
	TypeJSON  // a document in a stored format; nil is NULL
)

// Column is one column of a kind of rows: its name and where its value is in
// the row.
type Column[D any] struct {
	ColumnInfo

	text    func(*D) *string
	integer func(*D) *int64
	count   func(*D) *int
	truth   func(*D) *bool
	moment  func(*D) *time.Time
	bytes   func(*D) *[]byte
	encode  func(*D) ([]byte, error)
	decode  func([]byte, *D) error
}

// ColumnInfo is what stores need to know of a column.
type ColumnInfo struct {
	Name     string
	Type     Type
	Fixed    bool // written when the row is inserted, and never again
	Derived  bool // follows from the other columns: written for queries, never read
	Assigned bool // given by the database: read, never written
	Heavy    bool // left out where a whole table is read
	version  bool
}

// Text is a column of text.
func Text[D any](name string, at func(*D) *string) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeText}, text: at}
}

// Int is a column of whole numbers.
func Int[D any](name string, at func(*D) *int64) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeInt}, integer: at}
}

// Count is Int for a field of type int.
func Count[D any](name string, at func(*D) *int) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeInt}, count: at}
}

// Bool is a column of truth values.
func Bool[D any](name string, at func(*D) *bool) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeBool}, truth: at}
}

// Time is a column of times.
func Time[D any](name string, at func(*D) *time.Time) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeTime}, moment: at}
}

// Bytes is a column of bytes.
func Bytes[D any](name string, at func(*D) *[]byte) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeBytes}, bytes: at}
}

// Document is a column with a JSON document. encode may return nil, which is
// NULL; decode is then not called.
func Document[D any](name string, encode func(*D) ([]byte, error), decode func([]byte, *D) error) Column[D] {
	return Column[D]{ColumnInfo: ColumnInfo{Name: name, Type: TypeJSON}, encode: encode, decode: decode}
}

// Version is the column that counts the changes of a row: 1 when it is
// inserted (or what the row says, where that is more: a row that is made again
// goes on counting), one more with each change.
func Version[D any](name string, at func(*D) *int64) Column[D] {
	c := Int(name, at)
	c.version = true
	return c
}

// DerivedBool is a truth value that follows from the row, stored for queries.
func DerivedBool[D any](name string, of func(*D) bool) Column[D] {
	c := Bool(name, func(d *D) *bool { v := of(d); return &v })
	c.Derived = true
	return c
}

// DerivedTime is a time that follows from the row, stored for queries.
func DerivedTime[D any](name string, of func(*D) time.Time) Column[D] {
	c := Time(name, func(d *D) *time.Time { v := of(d); return &v })
	c.Derived = true
	return c
}

// Fixed is the column, written when the row is inserted and never again.
func (c Column[D]) Fixed() Column[D] { c.ColumnInfo.Fixed = true; return c }

// Assigned is the column, given by the database and never written.
func (c Column[D]) Assigned() Column[D] { c.ColumnInfo.Assigned = true; return c }

// Heavy is the column, left out where a whole table is read.
func (c Column[D]) Heavy() Column[D] { c.ColumnInfo.Heavy = true; return c }

// Decoder is where a document is to be scanned into.
type Decoder interface {
	// Decode reads a document that is not NULL.
	Decode(b []byte) error
}

type decoder[D any] struct {
	c *Column[D]
	d *D
}

func (x decoder[D]) Decode(b []byte) error { return x.c.decode(b, x.d) }

// pointer is where the column's value of a row is: a *string, *int64, *int,
// *bool, *time.Time, *[]byte or a Decoder.
func (c *Column[D]) pointer(d *D) any {
	switch {
	case c.text != nil:
		return c.text(d)
	case c.integer != nil:
		return c.integer(d)
	case c.count != nil:
		return c.count(d)
	case c.truth != nil:
		return c.truth(d)
	case c.moment != nil:
		return c.moment(d)
	case c.bytes != nil:
		return c.bytes(d)
	}
	return decoder[D]{c, d}
}

// value is a string, int64, bool, time.Time or []byte.
func (c *Column[D]) value(d *D) (any, error) {
	switch {
	case c.text != nil:
		return *c.text(d), nil
	case c.integer != nil:
		return *c.integer(d), nil
	case c.count != nil:
		return int64(*c.count(d)), nil
	case c.truth != nil:
		return *c.truth(d), nil
	case c.moment != nil:
		return *c.moment(d), nil
	case c.bytes != nil:
		return *c.bytes(d), nil
	}
	return c.encode(d)
}

// values is the column of rows as one slice: []string, []int64, []bool,
// []time.Time or [][]byte.
func (c *Column[D]) values(rows []*D) (any, error) {
	switch {
	case c.text != nil:
		return gather(rows, c.text), nil
	case c.integer != nil:
		return gather(rows, c.integer), nil
	case c.count != nil:
		out := make([]int64, len(rows))
		for i, d := range rows {
			out[i] = int64(*c.count(d))
		}
		return out, nil
	case c.truth != nil:
		return gather(rows, c.truth), nil
	case c.moment != nil:
		return gather(rows, c.moment), nil
	case c.bytes != nil:
		return gather(rows, c.bytes), nil
	}
	out := make([][]byte, len(rows))
	for i, d := range rows {
		var err error
		if out[i], err = c.encode(d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func gather[D, V any](rows []*D, at func(*D) *V) []V {
	out := make([]V, len(rows))
	for i, d := range rows {
		out[i] = *at(d)
	}
	return out
}
