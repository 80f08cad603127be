package postgres

import (
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
)

// recent keeps the events of the records that followers of some types were
// given last. Every one of them reads the same ones, a moment apart, and reading their JSON for each
// of them was an eighth of the server's work for a callback. A record never
// changes, so what was read once is what is there.
type recent struct {
	mu   sync.Mutex
	read map[recordKey][]event.Event
	ring [1024]recordKey // a few pages of the followers, about a megabyte
	next int
}

type recordKey struct {
	shop string
	at   event.Position
}

// scan is scanRecord, for records that several read.
func (k *recent) scan(rows pgx.Rows, r *event.Record) error {
	return rows.Scan(&r.Shop, &r.Position, &r.Order, moment{&r.At}, &r.Trace, body{k, r})
}

// body scans the body of a record whose place has been scanned before.
type body struct {
	k *recent
	r *event.Record
}

func (e body) ScanBytes(b []byte) error {
	key := recordKey{e.r.Shop, e.r.Position}
	e.k.mu.Lock()
	events, known := e.k.read[key]
	e.k.mu.Unlock()
	if known {
		e.r.Events = events
		return nil
	}
	if err := format.Events.Decode(b, &e.r.Events); err != nil {
		return err
	}
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	if _, known := e.k.read[key]; !known {
		e.k.keep(key, e.r.Events)
	}
	return nil
}

func (k *recent) keep(key recordKey, events []event.Event) {
	if k.read == nil {
		k.read = make(map[recordKey][]event.Event, len(k.ring))
	}
	delete(k.read, k.ring[k.next])
	k.read[key], k.ring[k.next] = events, key
	k.next = (k.next + 1) % len(k.ring)
}
