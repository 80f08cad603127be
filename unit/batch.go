package unit

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// Batch is the memory of one batch of commands of a shop: loaded rows, and
// what the accepted commands made of them.
type Batch struct {
	shop   string
	unique string // no other batch has it
	ids    int    // given so far
	now    time.Time
	env    any
	keys   *Kind[SavedKey]
	tables []overlay // by rank; nil: nothing of it was loaded or put
	used   []overlay

	records []event.Record
}

// NewBatch makes the memory of a batch from what was loaded for its needs.
// unique is a word that no other batch has.
// env is what decisions go by beside rows.
func NewBatch(schema *Schema, shop, unique string, now time.Time, needs Needs, l *Loaded, env any) *Batch {
	b := &Batch{shop: shop, unique: unique, now: now, env: env, keys: schema.keys, tables: make([]overlay, len(schema.byRank))}
	for rank, k := range schema.byRank {
		if k == nil {
			continue
		}
		requested, found := needs.Of(k.Info()), l.of(k.Info())
		if len(requested) > 0 || found != nil && found.Len() > 0 {
			t := k.newTable()
			t.load(requested, found)
			b.tables[rank] = t
			b.used = append(b.used, t)
		}
	}
	return b
}

// tableOf is the table of a kind, made when it is first used.
func tableOf[D any](b *Batch, k *Kind[D]) *table[D] {
	if t := b.tables[k.info.Rank]; t != nil {
		return t.(*table[D])
	}
	t := &table[D]{kind: k}
	b.tables[k.info.Rank] = t
	b.used = append(b.used, t)
	return t
}

// Run decides one command. A refusal is the error; a *MissingError requests
// more rows. A decision that panics is a defect: it is refused as internal
// and leaves no trace, like any other.
func (b *Batch) Run(c *Command) (res Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.drop()
			res, err = Result{}, fault.From(fmt.Errorf("%s panicked: %v\n%s", c.Name, p, debug.Stack()))
		}
	}()
	return b.run(c)
}

func (b *Batch) drop() {
	for _, t := range b.used {
		t.drop()
	}
}

// run decides one command over the batch: accepted, its rows become the
// batch's; refused, nothing is left of it.
func (b *Batch) run(c *Command) (Result, error) {
	t := &Tx{b: b, trace: c.Trace}
	if c.Key != "" {
		switch saved, err := Get(t, b.keys, c.Key); {
		case err != nil:
			return Result{}, err
		case saved == nil:
		case !c.SameRequest(saved.Hash):
			return Result{}, fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key was used for another request; a new intent needs a new key")
		default:
			return Result{Replayed: true, Answer: saved.Answer}, nil
		}
	}
	value, err := c.Decide(t)
	if err != nil {
		b.drop()
		return Result{}, err
	}
	if c.Key != "" {
		answer, err := c.EncodeAnswer(value)
		if err != nil {
			b.drop()
			return Result{}, err
		}
		saved := SavedKey{Key: c.Key, Hash: c.Hash, Answer: answer, CreatedAt: b.now}
		for i := range t.events {
			if saved.Order = t.events[i].Order; saved.Order != "" {
				break
			}
		}
		Put(t, b.keys, saved)
	}
	for _, tb := range b.used {
		tb.accept()
	}
	b.log(t)
	return Result{Value: value}, nil
}

// log files the command's events, one record an order, in the order in which
// they happened.
func (b *Batch) log(t *Tx) {
	first := len(b.records)
next:
	for n := range t.events {
		e := &t.events[n]
		for i := len(b.records) - 1; i >= first; i-- {
			if b.records[i].Order == e.Order {
				b.records[i].Events = append(b.records[i].Events, e.Event)
				continue next
			}
		}
		// Room for those about the same order that come directly after: a
		// reaction has a few of each of hundreds of orders.
		room := 1
		for room < len(t.events)-n && t.events[n+room].Order == e.Order {
			room++
		}
		b.records = append(b.records, event.Record{
			Shop: b.shop, Order: e.Order, At: b.now, Trace: e.trace, Events: append(make([]event.Event, 0, room), e.Event),
		})
	}
}

// Changes is what the accepted commands want written; nil if nothing. Of the
// idempotency keys that it writes one is the marker; where there is none, a
// row of its own.
func (b *Batch) Changes() *Changes {
	c := &Changes{Shop: b.shop, Now: b.now, Records: b.records}
	for _, t := range b.tables {
		if t != nil {
			c.Writes = t.writes(c.Writes)
		}
	}
	if len(c.Writes)+len(c.Records) == 0 {
		return nil
	}
	if len(c.Writes) > 0 && c.Writes[0].Kind == &b.keys.info {
		c.Marker = c.Writes[0].Key(0)
		return c
	}
	c.Marker = "batch/" + b.unique
	own := newWrite(b.keys, Insert, 0, nil, []*SavedKey{{Key: c.Marker, CreatedAt: b.now}})
	c.Writes = append([]Write{own}, c.Writes...)
	return c
}

// IsMissing finds the needs that a decision requested.
func IsMissing(err error) (Needs, bool) {
	var m *MissingError
	if errors.As(err, &m) {
		return m.Needs, true
	}
	return nil, false
}
