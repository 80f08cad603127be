package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
)

// How the log is written and read
//
// A record's position is one number per shop, dense and increasing. The last
// statement before COMMIT takes as many numbers as there are records from the
// shop's row of logs and writes the records under them. From there on the
// transaction holds that row's lock, so that of one shop the takings and the
// commits alternate: whoever takes the next number has waited for the commit
// of the one before.
//
// That is right because of three things. Units run in READ COMMITTED (begin):
// an UPDATE that waited for a row's lock goes on with the row as the holder
// left it, so that no number is taken twice. A rollback gives the numbers back
// with the row, so that none is left out. And PostgreSQL makes a transaction
// visible before it lets go of its locks: who sees position n sees n-1 too, in
// whatever snapshot, on a standby as well, where commits are replayed in the
// order in which they were made. So a reader needs its last position and no
// more. Transactions that run elsewhere on the server are nothing to it, and
// the numbers mean the same after a restore, an upgrade or a move.
//
// The row is one of its own. In the shop's row the last statement would lock
// what another unit has locked first and holds while it waits for our rows.
// Nothing is locked after it, so it closes no circle.
//
// The price: the commits of one shop's batches that write events are made one
// after another, from the last statement on.

const (
	recordColumns = "shop, position, order_no, at, trace, body"
)

func scanRecord(rows pgx.Rows, r *event.Record) error {
	return rows.Scan(&r.Shop, &r.Position, &r.Order, moment{&r.At}, &r.Trace, doc[[]event.Event]{&format.Events, &r.Events})
}

// Events reads records, oldest first. Those that are requested by type are
// shared with whoever else reads them, and not to be changed.
func (s *Store) Events(ctx context.Context, shop string, q app.EventQuery) ([]event.Record, error) {
	sql, scan := "SELECT "+recordColumns+" FROM events WHERE shop = $1 AND position > $2 AND ($4 = 0 OR position <= $4)", scanRecord
	args := []any{shop, q.After, q.Limit, q.UpTo}
	if q.Types != nil {
		of := "string_to_array(types, ',') && $5::text[]"
		args = append(args, q.Types)
		if q.Known != nil {
			of = "(" + of + " OR NOT string_to_array(types, ',') <@ $6::text[])"
			args = append(args, q.Known)
		}
		sql, scan = sql+" AND "+of, s.recent.scan
	}
	return some(ctx, s, min(q.Limit, 1000), scan, sql+" ORDER BY position LIMIT $3", args...)
}

// OrderEvents reads the records of one order that hold an event after a
// number, or none that is numbered.
func (s *Store) OrderEvents(ctx context.Context, shop, orderNo string, after int64) ([]event.Record, error) {
	return some(ctx, s, 8, scanRecord, "SELECT "+recordColumns+
		" FROM events WHERE shop = $1 AND order_no = $2 AND (last_seq > $3 OR last_seq = 0) ORDER BY position", shop, orderNo, after)
}

// EndOfLog is the position of the last record.
func (s *Store) EndOfLog(ctx context.Context, shop string) (event.Position, error) {
	p, _, err := s.position(ctx, "SELECT seq FROM logs WHERE shop = $1", shop)
	return p, err
}

// FormerPosition finds the record that an earlier release placed at f.
func (s *Store) FormerPosition(ctx context.Context, shop string, f event.Former) (event.Position, error) {
	if f == (event.Former{}) {
		return 0, nil
	}
	p, there, err := s.position(ctx, "SELECT position FROM events WHERE shop = $1 AND former_tx = $2 AND former_id = $3", shop, f.Tx, f.ID)
	if err == nil && !there {
		err = fault.New(fault.NotFound, "the log has no record that was at %d-%d", f.Tx, f.ID)
	}
	return p, err
}

// Cursor is the position up to which a follower is done.
func (s *Store) Cursor(ctx context.Context, shop, follower string) (event.Position, bool, error) {
	return s.position(ctx, "SELECT position FROM cursors WHERE shop = $1 AND follower = $2", shop, follower)
}

func (s *Store) position(ctx context.Context, sql string, args ...any) (p event.Position, there bool, err error) {
	err = s.read.QueryRow(ctx, sql, args...).Scan(&p)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return p, err == nil, err
}

// ChannelMessages reads all channel messages about an order, oldest first, without bodies.
func (s *Store) ChannelMessages(ctx context.Context, shop, orderNo string) ([]rows.ChannelMessage, error) {
	return some(ctx, s, 8, scanLight(rows.ChannelMessages), "SELECT "+lightColumns(rows.ChannelMessages)+
		" FROM channel_messages WHERE shop = $1 AND order_no = $2 ORDER BY id", shop, orderNo)
}

var (
	// No row of logs, no numbers: then the count is wrong, and the division
	// by zero ends the transaction.
	insertRecords = `WITH log AS (UPDATE logs SET seq = seq + cardinality($2::text[]) WHERE shop = $1
			RETURNING seq - cardinality($2::text[]) AS before),
		placed AS (INSERT INTO events (shop, position, order_no, at, trace, first_seq, last_seq, types, body)
			SELECT $1, log.before + n.place, n.order_no, n.at, n.trace, n.first_seq, n.last_seq, n.types, n.body
			FROM log CROSS JOIN unnest($2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::json[])
				WITH ORDINALITY AS n(order_no, at, trace, first_seq, last_seq, types, body, place) RETURNING 1)
		SELECT 1 / (count(*) = cardinality($2::text[]))::int FROM placed`
)

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
	w.add(
		insertRecords,
		column(records, func(r row) string { return r.Order }),
		times(records, func(r row) time.Time { return r.At }),
		column(records, func(r row) string { return r.Trace }),
		first, last,
		column(records, func(r row) string { return event.TypeList(r.Events) }),
		docs(w, records, format.Events, func(r row) *[]event.Event { return &r.Events }),
	)
}
