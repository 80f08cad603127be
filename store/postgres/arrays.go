package postgres

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// columnCodec writes the columns of the engine's statements as binary arrays,
// straight from the slices. pgx's own codec boxes each value, and reflects for
// documents; here a column costs a copy. What is no column is pgx's.
type columnCodec struct{ *pgtype.ArrayCodec }

// columnTypes are the arrays that columns are sent as.
var columnTypes = []uint32{
	pgtype.TextArrayOID, pgtype.Int8ArrayOID, pgtype.BoolArrayOID, pgtype.TimestamptzArrayOID, pgtype.JSONArrayOID, pgtype.ByteaArrayOID,
}

// writeColumns has a connection encode columns with columnCodec.
func writeColumns(_ context.Context, conn *pgx.Conn) error {
	registerColumns(conn.TypeMap())
	return nil
}

func registerColumns(m *pgtype.Map) {
	for _, oid := range columnTypes {
		t, _ := m.TypeForOID(oid)
		m.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: columnCodec{t.Codec.(*pgtype.ArrayCodec)}})
	}
}

// PlanEncode is pgtype.Codec's.
func (c columnCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	element := c.ElementType.OID
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case []string:
			if element == pgtype.TextOID {
				return columnPlan[string]{element, slice[string], func(s string) int { return len(s) }, appendText}
			}
		case [][]byte:
			if element == pgtype.JSONOID || element == pgtype.ByteaOID {
				return columnPlan[[]byte]{element, slice[[]byte], bytesSize, appendBytes}
			}
		case []int64:
			if element == pgtype.Int8OID {
				return columnPlan[int64]{element, slice[int64], func(int64) int { return 8 }, appendInt}
			}
		case []bool:
			if element == pgtype.BoolOID {
				return columnPlan[bool]{element, slice[bool], func(bool) int { return 1 }, appendBool}
			}
		case instants:
			if element == pgtype.TimestamptzOID {
				return columnPlan[time.Time]{element, func(v any) []time.Time { return v.(instants) }, timeSize, appendTime}
			}
		}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// null is the size of a value that is NULL.
const null = -1

// columnPlan writes an array of T.
type columnPlan[T any] struct {
	element uint32
	of      func(value any) []T
	size    func(T) int // in bytes; null
	append  func(b []byte, v T) []byte
}

// instants is a column of times in which a zero time is NULL.
type instants []time.Time

func slice[T any](value any) []T { return value.([]T) }

// Encode appends the array in PostgreSQL's binary form: the number of
// dimensions, whether there may be NULLs, the type of the elements; of the one
// dimension its length and its lower bound; then each element with its size.
func (p columnPlan[T]) Encode(value any, b []byte) ([]byte, error) {
	column := p.of(value)
	room, nulls := 0, uint32(0)
	for _, v := range column {
		if n := p.size(v); n == null {
			nulls = 1
		} else {
			room += n
		}
	}
	b = slices.Grow(b, 20+4*len(column)+room)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, nulls)
	b = binary.BigEndian.AppendUint32(b, p.element)
	b = binary.BigEndian.AppendUint32(b, uint32(len(column)))
	b = binary.BigEndian.AppendUint32(b, 1)
	for _, v := range column {
		n := p.size(v)
		b = binary.BigEndian.AppendUint32(b, uint32(int32(n)))
		if n != null {
			b = p.append(b, v)
		}
	}
	return b, nil
}

func appendText(b []byte, s string) []byte { return append(b, s...) }

// nil is NULL; nothing at all is not.
func bytesSize(v []byte) int {
	if v == nil {
		return null
	}
	return len(v)
}

func appendBytes(b, v []byte) []byte { return append(b, v...) }

func appendInt(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func timeSize(t time.Time) int {
	if t.IsZero() {
		return null
	}
	return 8
}

// y2k is where PostgreSQL begins to count microseconds.
var y2k = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func appendTime(b []byte, t time.Time) []byte { return appendInt(b, t.UnixMicro()-y2k) }
