package postgres

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tandem-pay/tandem/event"
)

// Columns are written as pgx writes arrays, to the byte.
func TestColumns(t *testing.T) {
	ours, theirs := pgtype.NewMap(), pgtype.NewMap()
	registerColumns(ours)
	at := time.Date(2026, 11, 27, 3, 4, 5, 678_901_234, time.FixedZone("", 8*3600))
	stamps := func(times ...time.Time) (out pgtype.FlatArray[pgtype.Timestamptz]) {
		for _, t := range times {
			out = append(out, timestamp(t))
		}
		return out
	}
	for _, tt := range []struct {
		oid          uint32
		ours, theirs any
	}{
		{pgtype.TextArrayOID, []string{"a", "", "支付"}, []string{"a", "", "支付"}},
		{pgtype.TextArrayOID, []string{}, []string{}},
		{pgtype.TextArrayOID, []string(nil), []string(nil)},
		{pgtype.Int8ArrayOID, []int64{0, -1, 1 << 62}, []int64{0, -1, 1 << 62}},
		{pgtype.BoolArrayOID, []bool{true, false}, []bool{true, false}},
		{pgtype.JSONArrayOID, [][]byte{[]byte("{}"), nil}, [][]byte{[]byte("{}"), nil}},
		{pgtype.ByteaArrayOID, [][]byte{{0, 255}, {}, nil}, [][]byte{{0, 255}, {}, nil}},
		{pgtype.TimestamptzArrayOID, instants{at, {}, time.Unix(0, 0)}, stamps(at, time.Time{}, time.Unix(0, 0))},
		{pgtype.TimestamptzArrayOID, instants{}, pgtype.FlatArray[pgtype.Timestamptz]{}},
		// What is no column of the engine goes pgx's way.
		{pgtype.TimestamptzArrayOID, []time.Time{at}, []time.Time{at}},
		{pgtype.TextArrayOID, [][]byte{[]byte("a")}, [][]byte{[]byte("a")}},
		{pgtype.Int8ArrayOID, []int32{7}, []int32{7}},
	} {
		format := theirs.FormatCodeForOID(tt.oid)
		want, err := theirs.Encode(tt.oid, format, tt.theirs, []byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.Encode(tt.oid, ours.FormatCodeForOID(tt.oid), tt.ours, []byte("before"))
		if err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%d, %v:\n%x, want\n%x (%v)", tt.oid, tt.ours, got, want, err)
		}
	}
}

// Only the latest are kept, and shops are apart.
func TestRecentForgets(t *testing.T) {
	var k recent
	scan := func(shop string, id int64) (reason string) {
		r := event.Record{Shop: shop, Position: event.Position(id)}
		if err := (body{&k, &r}).ScanBytes(fmt.Appendf(nil, `[{"type":"order.paid","reason":"read %d"}]`, k.next)); err != nil {
			t.Fatal(err)
		}
		return r.Events[0].Reason
	}
	n := int64(len(k.ring))
	for id := range n {
		scan("a", id)
	}
	for _, tt := range []struct {
		shop string
		id   int64
		want string
	}{
		{"a", 0, "read 0"}, {"a", n - 1, fmt.Sprintf("read %d", n-1)}, // known
		{"b", 0, "read 0"}, {"b", 1, "read 1"}, // new, in the places of the oldest
		{"a", 0, "read 2"}, {"a", 3, "read 3"}, {"a", 2, "read 3"}, // one forgotten, one known, one forgotten
	} {
		if got := scan(tt.shop, tt.id); got != tt.want {
			t.Errorf("%s %d: %q, want %q", tt.shop, tt.id, got, tt.want)
		}
	}
	if len(k.read) != len(k.ring) {
		t.Errorf("%d are kept in %d places", len(k.read), len(k.ring))
	}
}

func TestRecentNoJSON(t *testing.T) {
	var k recent
	if err := (body{&k, &event.Record{}}).ScanBytes([]byte("{")); err == nil || len(k.read) != 0 {
		t.Errorf("%v, and %d are kept", err, len(k.read))
	}
}
