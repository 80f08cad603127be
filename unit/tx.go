package unit

import (
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// Tx is what a command sees: the loaded rows as the commands before it in
// the batch left them. What it puts is kept aside until it is accepted.
//
// Reading a row that was not loaded gives a *MissingError, which a decision
// just returns.
type Tx struct {
	b      *Batch
	trace  string
	events []traced
}

// traced is an event with the trace that the command was part of at the time.
type traced struct {
	event.Event
	trace string
}

// Now is the batch's one timestamp, UTC.
func (t *Tx) Now() time.Time { return t.b.now }

// Env is what decisions go by beside rows, as the engine's Prepare gave it.
func (t *Tx) Env() any { return t.b.env }

// NewID is an id that no other row has; ids are in the order in which they were
// given, by the clock of the batch.
func (t *Tx) NewID() string {
	t.b.ids++
	return fmt.Sprintf("%015x-%s-%d", t.b.now.UnixMicro(), t.b.unique, t.b.ids)
}

// Trace is the traceparent under which the command's events are logged.
func (t *Tx) Trace() string { return t.trace }

// Join makes the command part of another trace: the order's.
func (t *Tx) Join(traceparent string) {
	if traceparent != "" {
		t.trace = traceparent
	}
}

// Record logs events with the change.
func (t *Tx) Record(events []event.Event) {
	for _, e := range events {
		t.events = append(t.events, traced{e, t.trace})
	}
}

// Get returns the present row of a key; nil if there is none. The caller does
// not change what it points to.
func Get[D any](t *Tx, k *Kind[D], key string) (*D, error) {
	if d, ok := tableOf(t.b, k).find(key); ok {
		return d, nil
	}
	return nil, &MissingError{Needs{k.Keys(key)}}
}

// Find is Get of a row that may not have been loaded: it is nil then, too.
func Find[D any](t *Tx, k *Kind[D], key string) *D {
	d, _ := tableOf(t.b, k).find(key)
	return d
}

// Has says whether a key was loaded, if only as absent.
func Has[D any](t *Tx, k *Kind[D], key string) bool {
	_, ok := tableOf(t.b, k).find(key)
	return ok
}

// Put saves a row under its key.
func Put[D any](t *Tx, k *Kind[D], d D) { tableOf(t.b, k).put(k.KeyOf(&d), &d) }

// Remove deletes a row.
func Remove[D any](t *Tx, k *Kind[D], key string) { tableOf(t.b, k).put(key, nil) }

// Append adds a row of an appended kind.
func Append[D any](t *Tx, k *Kind[D], d D) { tableOf(t.b, k).put("", &d) }

// OwnedBy are the present rows of an owned kind that belong to an owner that
// was loaded, in the order of loading; those that were made since come last.
func OwnedBy[D any](t *Tx, k *Kind[D], owner string) []*D {
	tb := tableOf(t.b, k)
	var out []*D
	for _, key := range tb.owned[owner] {
		if d, _ := tb.find(key); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// Need is for a step that only some commands come to: it requests all rows
// that the step may read at once, where each of them alone would have the
// command decided again. It returns a *MissingError if some were not loaded.
func (t *Tx) Need(n Needs) error {
	var missing Needs
	for _, a := range n {
		var keys []string
		for _, k := range a.Keys {
			if tb := t.b.tables[a.Kind.Rank]; tb == nil || !tb.has(k) {
				keys = append(keys, k)
			}
		}
		missing.Add(Need{a.Kind, keys})
	}
	if len(missing) > 0 {
		return &MissingError{missing}
	}
	return nil
}
