package postgres

import (
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
)

// endings keeps the events of the ending records that were read last. Every
// reaction reads the same ones, a moment apart, and reading their JSON for each
// of them was an eighth of the server's work for a callback. A record never
// changes, so what was read once is what is there.
type endings struct {
	mu   sync.Mutex
	read map[endingKey][]event.Event
	ring [1024]endingKey // a few pages of the reactions, about a megabyte
	next int
}

type endingKey struct {
	shop string
	at   event.Position
}

// scan is scanRecord, for ending records.
func (k *endings) scan(rows pgx.Rows, r *event.Record) error {
	return rows.Scan(&r.Shop, &r.Position.Tx, &r.Position.ID, &r.Order, moment{&r.At}, &r.Trace, ending{k, r})
}

// ending scans the body of a record whose place has been scanned before.
type ending struct {
	k *endings
	r *event.Record
}

func (e ending) ScanBytes(b []byte) error {
	key := endingKey{e.r.Shop, e.r.Position}
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

func (k *endings) keep(key endingKey, events []event.Event) {
	if k.read == nil {
		k.read = make(map[endingKey][]event.Event, len(k.ring))
	}
	delete(k.read, k.ring[k.next])
	k.read[key], k.ring[k.next] = events, key
	k.next = (k.next + 1) % len(k.ring)
}
