package sqlite

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
)

// How the log is read
//
// A record's id is given by the only transaction that writes at the time, so
// ids become visible in their order: whoever has read up to an id and asks
// for greater ones later misses nothing. There is no second part to a
// position, Tx is always 0. (PostgreSQL, with many writers, needs one.)

const (
	recordColumns         = "shop, tx, id, order_no, at, trace, body"
	positionColumns       = "reaction, tx, id"
	channelMessageColumns = "id, order_no, payment_no, channel, kind, verdict, detail, at, took_us, trace, header, message_id"
	keyColumns            = "key, hash, answer, order_no"

	loadKeys      = "SELECT " + keyColumns + " FROM idempotency_keys WHERE shop = ? AND key IN (SELECT value FROM json_each(?))"
	loadPositions = "SELECT " + positionColumns + " FROM positions WHERE shop = ? AND reaction IN (SELECT value FROM json_each(?))"
)

func scanRecord(r row, e *event.Record) error {
	return r.Scan(&e.Shop, &e.Position.Tx, &e.Position.ID, &e.Order, moment{&e.At}, &e.Trace, doc[[]event.Event]{&format.Events, &e.Events})
}

type position struct {
	reaction string
	at       event.Position
}

func scanPosition(r row, p *position) error { return r.Scan(&p.reaction, &p.at.Tx, &p.at.ID) }

func scanChannelMessage(r row, x *app.ChannelMessage) error {
	var took int64
	err := r.Scan(&x.ID, &x.Order, &x.Payment, &x.Channel, &x.Kind, &x.Verdict, &x.Detail, moment{&x.At}, &took, &x.Trace, &x.Header, &x.MessageID)
	x.Took = time.Duration(took) * time.Microsecond
	return err
}

func scanKey(r row, k *app.SavedKey) error {
	return r.Scan(&k.Key, blob{&k.Hash}, blob{&k.Answer}, &k.Order)
}

const (
	eventsAfter = "SELECT " + recordColumns + " FROM events WHERE shop = ? AND id > ? ORDER BY id LIMIT ?"
	endingAfter = "SELECT " + recordColumns + " FROM events WHERE shop = ? AND id > ? AND ending = 1 ORDER BY id LIMIT ?"
)

// Events reads the records after a position, oldest first.
func (s *Store) Events(ctx context.Context, shop string, after event.Position, limit int, ending bool) ([]event.Record, error) {
	text := eventsAfter
	if ending {
		text = endingAfter
	}
	return all(ctx, s.reading, scanRecord, text, shop, after.ID, limit)
}

// OrderEvents reads the records of one order that hold an event after a
// number, or none that is numbered.
func (s *Store) OrderEvents(ctx context.Context, shop, orderNo string, after int64) ([]event.Record, error) {
	return all(ctx, s.reading, scanRecord, "SELECT "+recordColumns+
		" FROM events WHERE shop = ? AND order_no = ? AND (last_seq > ? OR last_seq = 0) ORDER BY id", shop, orderNo, after)
}

// EndOfLog is the position of the last record.
func (s *Store) EndOfLog(ctx context.Context, shop string) (event.Position, error) {
	return s.position(ctx, "SELECT '', tx, id FROM events WHERE shop = ? ORDER BY id DESC LIMIT 1", shop)
}

// ReactionPosition is where a reaction stands, zero before its first step.
func (s *Store) ReactionPosition(ctx context.Context, shop, reaction string) (event.Position, error) {
	return s.position(ctx, "SELECT "+positionColumns+" FROM positions WHERE shop = ? AND reaction = ?", shop, reaction)
}

func (s *Store) position(ctx context.Context, text string, a ...any) (event.Position, error) {
	found, err := all(ctx, s.reading, scanPosition, text, a...)
	if err != nil || len(found) == 0 {
		return event.Position{}, err
	}
	return found[0].at, nil
}

// ChannelMessages reads all channel messages about an order, oldest first, without bodies.
func (s *Store) ChannelMessages(ctx context.Context, shop, orderNo string) ([]app.ChannelMessage, error) {
	return all(ctx, s.reading, scanChannelMessage, "SELECT "+channelMessageColumns+" FROM exchanges WHERE shop = ? AND order_no = ? ORDER BY id", shop, orderNo)
}

const (
	insertRecord          = "INSERT INTO events (shop, order_no, at, trace, first_seq, last_seq, ending, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
	insertChannelMessages = `INSERT INTO exchanges (shop, order_no, payment_no, channel, kind, verdict, detail, at, took_us, trace, header, body, message_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertPosition = "INSERT INTO positions (shop, reaction, tx, id) VALUES (?, ?, ?, ?)"
	updatePosition = "UPDATE positions SET tx = ?, id = ? WHERE shop = ? AND reaction = ? AND tx = ? AND id = ?"
)

func (u *unit) positions(changes []app.PositionChange) error {
	for _, c := range changes {
		statement := updatePosition
		if c.Old == (event.Position{}) {
			statement = insertPosition
			u.args.start(u.shop, c.Reaction, c.New.Tx, c.New.ID)
		} else {
			u.args.start(c.New.Tx, c.New.ID, u.shop, c.Reaction, c.Old.Tx, c.Old.ID)
		}
		if err := u.exec(statement); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) records(records []event.Record) error {
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
		document(u.args.start(u.shop, r.Order, micros(r.At), r.Trace, first, last, app.Ends(r.Events)), &format.Events, &r.Events)
		if err := u.exec(insertRecord); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) channelMessages(messages []app.ChannelMessage) error {
	for i := range messages {
		x := &messages[i]
		var header any // no JSON at all is NULL
		if len(x.Header) > 0 {
			header = string(x.Header)
		}
		u.args.start(u.shop, x.Order, x.Payment, x.Channel, x.Kind, x.Verdict, x.Detail,
			micros(x.At), x.Took.Microseconds(), x.Trace, header, x.Body, x.MessageID)
		if err := u.exec(insertChannelMessages); err != nil {
			return err
		}
	}
	return nil
}
