package sqlite

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
)

// How the log is written and read
//
// A record's position is one number per shop, dense and increasing. The last
// statements of a transaction take numbers from the shop's row of logs and
// write the records under them. There is one transaction that writes at a
// time, and a rollback gives its numbers back: so positions become visible in
// their order, and whoever has read up to one and requests what comes after
// misses nothing. (PostgreSQL has many writers; log.go there says why the same
// holds.) The id is the place in the table, no more.

const (
	recordColumns = "shop, position, order_no, at, trace, body"
)

func scanRecord(r row, e *event.Record) error {
	return r.Scan(&e.Shop, &e.Position, &e.Order, moment{&e.At}, &e.Trace, doc[[]event.Event]{&format.Events, &e.Events})
}

const (
	eventsAfter = "SELECT " + recordColumns + " FROM events WHERE shop = ?1 AND position > ?2 AND (?4 = 0 OR position <= ?4)"
	ofTypes     = "EXISTS (SELECT 1 FROM json_each(?5) AS t WHERE instr(',' || types || ',', ',' || t.value || ',') > 0)"
	// A list of types becomes a list of JSON.
	unknown     = `types <> '' AND EXISTS (SELECT 1 FROM json_each('["' || replace(types, ',', '","') || '"]') AS t WHERE t.value NOT IN (SELECT value FROM json_each(?6)))`
	oldestFirst = " ORDER BY position LIMIT ?3"
)

// Events reads records, oldest first.
func (s *Store) Events(ctx context.Context, shop string, q app.EventQuery) ([]event.Record, error) {
	if q.Types == nil {
		return all(ctx, s.reading, scanRecord, eventsAfter+oldestFirst, shop, q.After, q.Limit, q.UpTo)
	}
	types, err := json.Marshal(q.Types)
	if err != nil {
		return nil, err
	}
	if q.Known == nil {
		return all(ctx, s.reading, scanRecord, eventsAfter+" AND "+ofTypes+oldestFirst, shop, q.After, q.Limit, q.UpTo, string(types))
	}
	known, err := json.Marshal(q.Known)
	if err != nil {
		return nil, err
	}
	return all(
		ctx, s.reading, scanRecord, eventsAfter+" AND ("+ofTypes+" OR "+unknown+")"+oldestFirst, shop, q.After, q.Limit, q.UpTo,
		string(types), string(known),
	)
}

// OrderEvents reads the records of one order that hold an event after a
// number, or none that is numbered.
func (s *Store) OrderEvents(ctx context.Context, shop, orderNo string, after int64) ([]event.Record, error) {
	return all(ctx, s.reading, scanRecord, "SELECT "+recordColumns+
		" FROM events WHERE shop = ? AND order_no = ? AND (last_seq > ? OR last_seq = 0) ORDER BY position", shop, orderNo, after)
}

// EndOfLog is the position of the last record.
func (s *Store) EndOfLog(ctx context.Context, shop string) (event.Position, error) {
	p, _, err := s.position(ctx, "SELECT seq FROM logs WHERE shop = ?", shop)
	return p, err
}

// FormerPosition finds the record that an earlier release placed at f.
func (s *Store) FormerPosition(ctx context.Context, shop string, f event.Former) (event.Position, error) {
	if f == (event.Former{}) {
		return 0, nil
	}
	p, there, err := s.position(ctx, "SELECT position FROM events WHERE shop = ? AND id = ?", shop, f.ID)
	if err == nil && (!there || f.Tx != 0) {
		err = fault.New(fault.NotFound, "the log has no record that was at %d-%d", f.Tx, f.ID)
	}
	return p, err
}

// Cursor is the position up to which a follower is done.
func (s *Store) Cursor(ctx context.Context, shop, follower string) (event.Position, bool, error) {
	return s.position(ctx, "SELECT position FROM cursors WHERE shop = ? AND follower = ?", shop, follower)
}

func (s *Store) position(ctx context.Context, text string, a ...any) (event.Position, bool, error) {
	found, err := all(ctx, s.reading, func(r row, p *event.Position) error { return r.Scan(p) }, text, a...)
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	return found[0], true, nil
}

// ChannelMessages reads all channel messages about an order, oldest first, without bodies.
func (s *Store) ChannelMessages(ctx context.Context, shop, orderNo string) ([]rows.ChannelMessage, error) {
	return all(ctx, s.reading, scanInto(rows.ChannelMessages, true), "SELECT "+strings.Join(rows.ChannelMessages.Info().Read(true), ", ")+
		" FROM channel_messages WHERE shop = ? AND order_no = ? ORDER BY id", shop, orderNo)
}

const (
	takeNumbers  = "UPDATE logs SET seq = seq + ? WHERE shop = ?"
	insertRecord = "INSERT INTO events (shop, position, order_no, at, trace, first_seq, last_seq, types, body) " +
		"VALUES (?1, (SELECT seq - ?2 FROM logs WHERE shop = ?1), ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
)

func (u *openUnit) records(records []event.Record) error {
	if len(records) == 0 {
		return nil
	}
	u.args.start(int64(len(records)), u.shop)
	if err := u.exec(takeNumbers); err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		var first, last int64
		for j := range r.Events {
			if seq := r.Events[j].Seq; seq > 0 {
				last = max(last, seq)
				if first == 0 || seq < first {
					first = seq
				}
			}
		}
		document(
			u.args.start(u.shop, int64(len(records)-1-i), r.Order, micros(r.At), r.Trace, first, last, event.TypeList(r.Events)),
			&format.Events, &r.Events,
		)
		if err := u.exec(insertRecord); err != nil {
			return err
		}
	}
	return nil
}
