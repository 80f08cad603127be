package outbox

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
)

// Tail follows the logs of some shops in the memory of one instance: it stores
// no cursor, parks nothing, and begins anew with its instance. It is for those
// who are connected to this instance, such as the sockets of push. It runs on
// the same loop as the followers whose cursors are stored.
type Tail struct {
	o      TailOptions
	rounds *rounds

	mu    sync.Mutex
	shops map[string]*tailed
}

// tailed is one shop's log as far as a tail has read it.
type tailed struct {
	at      event.Position // guarded by the tail
	deliver func(context.Context, []event.Record) error
}

// TailOptions are what NewTail takes. Zero fields take the defaults given.
type TailOptions struct {
	Name      string // in the log and in metrics
	Store     TailStore
	Log       *slog.Logger
	LookEvery time.Duration // reads of an open shop's log without a Wake: 100 ms
	Gather    time.Duration // between reads that find something: 5 ms
}

// TailStore is what a tail reads. An app.Reader is one.
type TailStore interface {
	Events(ctx context.Context, shop string, q app.EventQuery) ([]event.Record, error)
}

const (
	readBatch     = 256 // records that are read at once
	maxTailPauses = 5 * time.Second
)

// NewTail makes a tail.
func NewTail(o TailOptions) *Tail {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	t := &Tail{o: o, shops: map[string]*tailed{}}
	t.rounds = newRounds(&rounds{
		who: o.Name, log: o.Log, step: t.step, batch: readBatch, limit: maxTailPauses,
		gather: or(o.Gather, 5*time.Millisecond), idle: or(o.LookEvery, 100*time.Millisecond),
	})
	return t
}

// Run reads the logs of the shops that are open until ctx ends.
func (t *Tail) Run(ctx context.Context) error {
	t.rounds.run(ctx)
	return nil
}

// Open has deliver receive the records of a shop's log after a position, each
// once and in the order of the log, in batches. After an error of deliver the
// same batch comes again, later. A shop is open once at a time.
func (t *Tail) Open(shop string, after event.Position, deliver func(context.Context, []event.Record) error) {
	t.mu.Lock()
	t.shops[shop] = &tailed{at: after, deliver: deliver}
	t.mu.Unlock()
	t.rounds.ask(shop, time.Now().Add(t.rounds.idle))
}

// Close ends what Open began. A batch that is being delivered may still be.
func (t *Tail) Close(shop string) {
	t.mu.Lock()
	delete(t.shops, shop)
	t.mu.Unlock()
	t.rounds.forget(shop)
}

// Wake says that the shop's log has more: it is read at once. It never blocks.
func (t *Tail) Wake(shop string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shops[shop] != nil {
		t.rounds.wake(shop)
	}
}

func (t *Tail) step(ctx context.Context, shop string) (int, bool, error) {
	t.mu.Lock()
	s := t.shops[shop]
	t.mu.Unlock()
	if s == nil {
		return 0, false, nil
	}
	records, err := read(ctx, t.o.Store, shop, s.at)
	if err != nil || len(records) == 0 {
		return 0, false, err
	}
	if err := s.deliver(ctx, records); err != nil {
		return 0, false, err
	}
	t.mu.Lock()
	s.at = records[len(records)-1].Position
	t.mu.Unlock()
	return len(records), len(records) == readBatch, nil
}

// positions are how far the logs of the open shops are read.
func (t *Tail) positions() map[string]event.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]event.Position, len(t.shops))
	for shop, s := range t.shops {
		out[shop] = s.at
	}
	return out
}

// Read is a shop's log from the record after a position up to its present end,
// in batches that are not empty. An error is the last.
func Read(ctx context.Context, s TailStore, shop string, after event.Position) iter.Seq2[[]event.Record, error] {
	return func(yield func([]event.Record, error) bool) {
		for {
			records, err := read(ctx, s, shop, after)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(records) == 0 || !yield(records, nil) || len(records) < readBatch {
				return
			}
			after = records[len(records)-1].Position
		}
	}
}

func read(ctx context.Context, s TailStore, shop string, after event.Position) ([]event.Record, error) {
	return s.Events(ctx, shop, app.EventQuery{After: after, Limit: readBatch})
}
