// Package engine takes every change of state to the database by group
// commit. Commands wait in their shop's queue; a committer takes all that
// wait, loads what they need with rows locked in key order (one round trip),
// decides them one after another in memory, saves the changed rows with
// their events and commits (one round trip), and answers each. While one
// batch commits, the next gathers: under light load a batch is one command
// and waits for nothing; under heavy load hundreds share one commit, and a
// hot sku is locked once per batch, not once per order.
//
// It promises:
//   - a command sees the effects of those before it in its batch; one that
//     is refused leaves no trace;
//   - nothing is answered before the commit that it rests on, refusals
//     included;
//   - a batch that meets another instance's change is decided again from
//     fresh rows, then split, within a limit;
//   - when a commit's outcome is unknown, the batch's key in the database
//     has it, and only then is anyone answered;
//   - duplicates of one idempotency key in flight share one execution;
//   - a queue holds at most Options.MaxQueue commands: the next is refused at
//     once with rate_limited, it never waits without bound.
package engine

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/unit"
)

// Options of New. Zero fields take the defaults given.
type Options struct {
	Clock      interface{ Now() time.Time }
	Committers int // batches of one shop in flight at once: 2; 1 where the store has one writer
	MaxBatch   int // commands in a batch: 256
	MaxQueue   int // commands that may wait in one shop's queue: 4096
	// Prepare is called with each batch that was loaded, before its commands
	// are decided, and returns what they go by beside rows: see unit.Tx.Env.
	Prepare func(ctx context.Context, shop string, l *unit.Loaded) (env any, err error)
	// Committed is called after each commit, on the committing goroutine: it
	// must not block. What it misses is found in the log.
	Committed func(c *unit.Changes)
	Tracer    interface {
		Start(ctx context.Context, name, traceparent string) (context.Context, func(err error))
	}
	Observe func(Observation) // called after each batch
	Log     *slog.Logger
}

// Observation is what one batch did, for metrics.
type Observation struct {
	Commands int           // taken
	Accepted int           // of them
	Load     time.Duration // begin, lock, load
	Commit   time.Duration
	Waited   time.Duration // of the command that waited longest
	Retries  int
	Err      error // nil unless the whole batch failed
}

// Engine takes commands to committed state. It runs what app.Engine declares.
type Engine struct {
	store  unit.Store
	schema *unit.Schema
	opts   Options

	mu     sync.Mutex
	queues map[string]*queue
	closed bool
	busy   sync.WaitGroup
}

// New makes an engine over a store.
func New(store unit.Store, schema *unit.Schema, o Options) *Engine {
	o.Committers = or(o.Committers, 2)
	o.MaxBatch = or(o.MaxBatch, 256)
	o.MaxQueue = or(o.MaxQueue, 4096)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Prepare == nil {
		o.Prepare = func(context.Context, string, *unit.Loaded) (any, error) { return nil, nil }
	}
	if o.Committed == nil {
		o.Committed = func(*unit.Changes) {}
	}
	if o.Observe == nil {
		o.Observe = func(Observation) {}
	}
	return &Engine{store: store, schema: schema, opts: o, queues: map[string]*queue{}}
}

func or(v, def int) int {
	if v <= 0 {
		return def
	}
	return v
}

// entry is one command on its way, with everyone who waits for it.
type entry struct {
	c          *unit.Command
	needs      unit.Needs // the command's, and what it requested since
	since      time.Time
	done       chan outcome
	duplicates []chan outcome
	reloads    int
}

type outcome struct {
	res unit.Result
	err error
}

// queue is one shop's queue.
type queue struct {
	e    *Engine
	shop string

	mu      sync.Mutex
	waiting []*entry
	keyed   map[string]*entry // by idempotency key: waiting or in a batch
	running int
}

// Do takes a command to committed state, or brings back its refusal. If ctx
// ends first, Do returns its error and the command goes on: its key shows
// what became of it.
func (e *Engine) Do(ctx context.Context, c *unit.Command) (unit.Result, error) {
	if t := e.opts.Tracer; t != nil {
		var end func(error)
		ctx, end = t.Start(ctx, c.Name, "")
		res, err := e.do(ctx, c)
		end(err)
		return res, err
	}
	return e.do(ctx, c)
}

func (e *Engine) do(ctx context.Context, c *unit.Command) (unit.Result, error) {
	l, err := e.queue(c.Shop)
	if err != nil {
		return unit.Result{}, err
	}
	done, duplicate, err := l.enqueue(c)
	if err != nil {
		return unit.Result{}, err
	}
	select {
	case o := <-done:
		if duplicate && o.err == nil && !o.res.Replayed {
			answer, err := c.EncodeAnswer(o.res.Value)
			return unit.Result{Replayed: true, Answer: answer}, err
		}
		return o.res, o.err
	case <-ctx.Done():
		ended := fault.New(fault.Unavailable, "the request ended before its answer; repeat it with the same Idempotency-Key")
		return unit.Result{}, ended.Because(ctx.Err())
	}
}

func (e *Engine) queue(shop string) (*queue, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, draining()
	}
	l := e.queues[shop]
	if l == nil {
		l = &queue{e: e, shop: shop, keyed: map[string]*entry{}}
		e.queues[shop] = l
	}
	return l, nil
}

func draining() error {
	err := fault.New(fault.Unavailable, "this instance is shutting down; try again")
	err.RetryAfter = time.Second
	return err
}

func (l *queue) enqueue(c *unit.Command) (done chan outcome, duplicate bool, err error) {
	done = make(chan outcome, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Key != "" {
		if first := l.keyed[c.Key]; first != nil {
			if !first.c.SameRequest(c.Hash) {
				return nil, false, fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key is being used for another request; a new intent needs a new key")
			}
			if len(first.duplicates) >= l.e.opts.MaxQueue {
				return nil, false, full()
			}
			first.duplicates = append(first.duplicates, done)
			return done, true, nil
		}
	}
	if len(l.waiting) >= l.e.opts.MaxQueue {
		return nil, false, full()
	}
	en := &entry{c: c, needs: c.Needs, since: time.Now(), done: done}
	if c.Key != "" {
		l.keyed[c.Key] = en
		// The list may share its array with the caller's; keep ours apart.
		en.needs = append(slices.Clip(en.needs), l.e.schema.Key(c.Key))
	}
	l.waiting = append(l.waiting, en)
	if l.running < l.e.opts.Committers {
		l.running++
		l.e.busy.Add(1)
		go l.loop()
	}
	return done, false, nil
}

func full() error {
	err := fault.New(fault.RateLimited, "more requests wait than can be served; try again in a second")
	err.RetryAfter = time.Second
	return err
}

// loop commits batches until nothing waits.
func (l *queue) loop() {
	defer l.e.busy.Done()
	for {
		batch := l.take()
		if batch == nil {
			return
		}
		l.commit(batch)
	}
}

// take hands over what waits, at most MaxBatch, a command that must be alone
// by itself. nil ends the committer.
func (l *queue) take() []*entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.waiting) && n < l.e.opts.MaxBatch {
		if l.waiting[n].c.Alone {
			if n == 0 {
				n = 1
			}
			break
		}
		n++
	}
	if n == 0 {
		l.running--
		return nil
	}
	batch := make([]*entry, n)
	copy(batch, l.waiting)
	rest := copy(l.waiting, l.waiting[n:])
	clear(l.waiting[rest:])
	l.waiting = l.waiting[:rest]
	return batch
}

// answer answers everyone who waits for the entry.
func (l *queue) answer(en *entry, o outcome) {
	if en.c.Key != "" {
		l.mu.Lock()
		delete(l.keyed, en.c.Key)
		duplicates := en.duplicates
		l.mu.Unlock()
		for _, t := range duplicates {
			t <- o
		}
	}
	en.done <- o
}

// QueueLength is how many commands wait in all queues.
func (e *Engine) QueueLength() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, l := range e.queues {
		l.mu.Lock()
		n += len(l.waiting)
		l.mu.Unlock()
	}
	return n
}

// Close refuses new commands and returns when those taken have been answered.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.busy.Wait()
}
