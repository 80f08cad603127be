package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
)

// How the log is written and read
//
// Many transactions write the log at once, and neither the order of their
// ids nor that of their transaction numbers is the order in which they
// commit. A reader that remembers only the largest it has seen would overtake
// a slow writer and never see its records. So a record's place is (tx, id),
// where tx is not below the number of the transaction that writes it, and
// readers stop below the oldest transaction that is still running: whatever
// is not committed yet, or not begun, will have a tx from there on up.
//
// The transaction's own number would do for that, but not for the order of
// the records about one order. A transaction has its number since it locked
// its first row; it may then wait for the lock of an order while a younger
// one writes about it, and would put its own records, which are later, in an
// older place. So tx is the greater of its own number and the greatest that
// was completed when it writes, by when it holds all its locks: whoever held
// them before is completed, and what that one wrote has no greater tx. Where
// the two are equal the ids decide, and those are handed out one by one.
//
// The price: one long transaction that writes, anywhere on the server, holds
// back the readers of all logs for as long as it runs.

const (
	recordColumns         = "shop, tx, id, order_no, at, trace, body"
	positionColumns       = "reaction, tx, id"
	channelMessageColumns = "id, order_no, payment_no, channel, kind, verdict, detail, at, took_us, trace, header, message_id"
	keyColumns            = "key, hash, answer, order_no"

	// place is the tx of the records that a statement writes.
	place = "greatest(pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)"
	// settled is the first tx at which a record may still turn up.
	settled = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
)

func scanRecord(rows pgx.Rows, r *event.Record) error {
	return rows.Scan(&r.Shop, &r.Position.Tx, &r.Position.ID, &r.Order, moment{&r.At}, &r.Trace, doc[[]event.Event]{&format.Events, &r.Events})
}

func scanPosition(rows pgx.Rows, name *string, p *event.Position) error {
	return rows.Scan(name, &p.Tx, &p.ID)
}

func scanChannelMessage(rows pgx.Rows, x *app.ChannelMessage) error {
	var took int64
	err := rows.Scan(&x.ID, &x.Order, &x.Payment, &x.Channel, &x.Kind, &x.Verdict, &x.Detail,
		moment{&x.At}, &took, &x.Trace, &x.Header, &x.MessageID)
	x.Took = time.Duration(took) * time.Microsecond
	return err
}

func scanKey(rows pgx.Rows, k *app.SavedKey) error {
	return rows.Scan(&k.Key, &k.Hash, &k.Answer, &k.Order)
}

// Events reads the records after a position, oldest first, as far as no
// running transaction can still add to them. The events of ending records are
// shared with whoever else reads them, and not to be changed.
func (s *Store) Events(ctx context.Context, shop string, after event.Position, limit int, ending bool) ([]event.Record, error) {
	sql, scan := "SELECT "+recordColumns+" FROM events WHERE shop = $1 AND (tx, id) > ($2, $3) AND tx < "+settled, scanRecord
	if ending {
		sql, scan = sql+" AND ending", s.endings.scan
	}
	return some(ctx, s, min(limit, 1000), scan, sql+" ORDER BY tx, id LIMIT $4", shop, after.Tx, after.ID, limit)
}

// OrderEvents reads the records of one order that hold an event after a
// number, or none that is numbered.
func (s *Store) OrderEvents(ctx context.Context, shop, orderNo string, after int64) ([]event.Record, error) {
	return some(ctx, s, 8, scanRecord, "SELECT "+recordColumns+
		" FROM events WHERE shop = $1 AND order_no = $2 AND (last_seq > $3 OR last_seq = 0) ORDER BY id", shop, orderNo, after)
}

// EndOfLog is the position of the last record that Events can give now.
func (s *Store) EndOfLog(ctx context.Context, shop string) (event.Position, error) {
	return s.position(ctx, "SELECT '', tx, id FROM events WHERE shop = $1 AND tx < "+settled+" ORDER BY tx DESC, id DESC LIMIT 1", shop)
}

// ReactionPosition is where a reaction stands, zero before its first step.
func (s *Store) ReactionPosition(ctx context.Context, shop, reaction string) (event.Position, error) {
	return s.position(ctx, "SELECT "+positionColumns+" FROM positions WHERE shop = $1 AND reaction = $2", shop, reaction)
}

func (s *Store) position(ctx context.Context, sql string, args ...any) (p event.Position, err error) {
	var name string
	err = s.read.QueryRow(ctx, sql, args...).Scan(&name, &p.Tx, &p.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return event.Position{}, nil
	}
	return p, err
}

// ChannelMessages reads all channel messages about an order, oldest first, without bodies.
func (s *Store) ChannelMessages(ctx context.Context, shop, orderNo string) ([]app.ChannelMessage, error) {
	return some(ctx, s, 8, scanChannelMessage, "SELECT "+channelMessageColumns+" FROM exchanges WHERE shop = $1 AND order_no = $2 ORDER BY id", shop, orderNo)
}

var (
	insertRecords = "INSERT INTO events (shop, tx, order_no, at, trace, first_seq, last_seq, ending, body) " +
		"SELECT $1, (SELECT " + place + "), n.* FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[], $8::json[]) AS n"

	insertChannelMessages = insertAll("exchanges", "order_no text", "payment_no text", "channel text", "kind text", "verdict text", "detail text",
		"at timestamptz", "took_us bigint", "trace text", "header json", "body bytea", "message_id text")

	insertPositions = insertAll("positions", "reaction text", "tx bigint", "id bigint")
	updatePositions = updateAll("positions", "tx = n.tx, id = n.id", "reaction = n.reaction AND tx = n.was_tx AND id = n.was_id",
		"reaction text", "was_tx bigint", "was_id bigint", "tx bigint", "id bigint")
)

func (w *writer) positions(changes []app.PositionChange) {
	changes = slices.SortedFunc(slices.Values(changes), func(a, b app.PositionChange) int { return strings.Compare(a.Reaction, b.Reaction) })
	var added, changed []app.PositionChange
	for _, c := range changes {
		if c.Old == (event.Position{}) {
			added = append(added, c)
		} else {
			changed = append(changed, c)
		}
	}
	type row = app.PositionChange
	name := func(c row) string { return c.Reaction }
	tx := func(c row) int64 { return c.New.Tx }
	id := func(c row) int64 { return c.New.ID }
	if len(added) > 0 {
		w.add(insertPositions, column(added, name), column(added, tx), column(added, id))
	}
	if len(changed) > 0 {
		w.add(updatePositions, column(changed, name), column(changed, func(c row) int64 { return c.Old.Tx }),
			column(changed, func(c row) int64 { return c.Old.ID }), column(changed, tx), column(changed, id))
	}
}

func (w *writer) records(records []event.Record) {
	if len(records) == 0 {
		return
	}
	first, last := make([]int64, len(records)), make([]int64, len(records))
	for i := range records {
		for j := range records[i].Events {
			if seq := records[i].Events[j].Seq; seq > 0 {
				last[i] = max(last[i], seq)
				if first[i] == 0 || seq < first[i] {
					first[i] = seq
				}
			}
		}
	}
	type row = event.Record
	w.add(insertRecords, column(records, func(r row) string { return r.Order }), times(records, func(r row) time.Time { return r.At }),
		column(records, func(r row) string { return r.Trace }), first, last,
		column(records, func(r row) bool { return app.Ends(r.Events) }), docs(w, records, format.Events, func(r row) *[]event.Event { return &r.Events }))
}

func (w *writer) channelMessages(messages []app.ChannelMessage) {
	if len(messages) == 0 {
		return
	}
	type row = app.ChannelMessage
	w.add(insertChannelMessages,
		column(messages, func(x row) string { return x.Order }), column(messages, func(x row) string { return x.Payment }),
		column(messages, func(x row) string { return x.Channel }), column(messages, func(x row) string { return x.Kind }),
		column(messages, func(x row) string { return x.Verdict }), column(messages, func(x row) string { return x.Detail }),
		times(messages, func(x row) time.Time { return x.At }), column(messages, func(x row) int64 { return x.Took.Microseconds() }),
		column(messages, func(x row) string { return x.Trace }), column(messages, func(x row) []byte {
			if len(x.Header) == 0 {
				return nil // no JSON at all is NULL
			}
			return x.Header
		}),
		column(messages, func(x row) []byte { return x.Body }), column(messages, func(x row) string { return x.MessageID }))
}
