package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/unit"
)

// Limits on one batch's tries.
const (
	maxTries   = 6 // of a batch of one, or before a larger one is split
	maxReloads = 4 // of one command that requests more rows
	// batchTime bounds one try; a database that is slower than this is down.
	batchTime = 30 * time.Second
	// resolveTime bounds the wait for a database that broke while
	// committing to come back and say what it did.
	resolveTime = 2 * time.Minute
)

// attempt is one decision of a batch, ready to be answered once committed.
type attempt struct {
	outcomes []outcome // by place in the batch; of no meaning where again is set
	again    []bool    // requested more rows
	changes  *unit.Changes
}

// commit takes a batch to its end: every entry is answered.
func (l *queue) commit(batch []*entry) {
	unique := rand.Text()[:12]
	var lost *attempt // committed or not: the connection broke
	for try := 1; ; try++ {
		a, err := l.try(batch, unique, try)
		if errors.Is(err, unit.ErrCommitUnknown) {
			lost = a
		}
		if err != nil && lost != nil {
			var landed bool
			if landed, err = l.landed(lost.changes.Marker, err); landed {
				a, err = lost, nil
			}
		}
		if err == nil {
			l.finish(batch, a)
			return
		}
		tryAgain := errors.Is(err, unit.ErrConflict)
		if tryAgain && try < maxTries && (len(batch) == 1 || try <= 2) {
			// Another instance holds or has changed what we need: a moment
			// apart, longer each time, so that two do not chase each other.
			time.Sleep(time.Duration(try) * time.Millisecond)
			continue
		}
		if len(batch) > 1 && fault.CodeOf(err) != fault.NotFound {
			// One of them may be to blame: halves find it.
			l.e.opts.Log.Warn("splitting a batch", "shop", l.shop, "commands", len(batch), "error", err)
			l.commit(batch[:len(batch)/2])
			l.commit(batch[len(batch)/2:])
			return
		}
		if tryAgain {
			f := fault.New(fault.RateLimited, "too many at once are changing the same thing; try again").Because(err)
			f.RetryAfter = time.Second
			err = f
		}
		for _, en := range batch {
			l.answer(en, outcome{err: err})
		}
		return
	}
}

// try loads, decides and saves once. After an error nothing is known to be
// committed, and nobody has been answered.
func (l *queue) try(batch []*entry, unique string, try int) (a *attempt, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	defer cancel()
	seen := Observation{Commands: len(batch), Waited: time.Since(batch[0].since), Retries: try - 1}
	defer func() {
		seen.Err = err
		l.e.opts.Observe(seen)
	}()

	needs := make([]unit.Needs, len(batch))
	for i, en := range batch {
		needs[i] = en.needs
	}
	all := unit.Sorted(needs...)
	start := time.Now()
	tx, loaded, err := l.e.store.Begin(ctx, l.shop, all)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	env, err := l.e.opts.Prepare(ctx, l.shop, loaded)
	if err != nil {
		return nil, err
	}
	seen.Load = time.Since(start)

	// Databases keep microseconds: what is answered is what will be read.
	b := unit.NewBatch(l.e.schema, l.shop, unique, l.e.opts.Clock.Now().UTC().Truncate(time.Microsecond), all, loaded, env)
	a = &attempt{outcomes: make([]outcome, len(batch)), again: make([]bool, len(batch))}
	for i, en := range batch {
		res, err := b.Run(en.c)
		if more, ok := unit.IsMissing(err); ok {
			if en.reloads++; en.reloads <= maxReloads {
				en.needs = append(slices.Clip(en.needs), more...)
				a.again[i] = true
				continue
			}
			err = fault.From(err)
		}
		if err == nil {
			seen.Accepted++
		}
		a.outcomes[i] = outcome{res, err}
	}
	// One key row of the batch says later whether all of it was committed; a
	// batch without any gets one of its own.
	if a.changes = b.Changes(); a.changes == nil {
		return a, nil
	}
	start = time.Now()
	err = tx.Commit(ctx, a.changes)
	seen.Commit = time.Since(start)
	return a, err
}

// finish answers a batch that is committed. Commands that requested more
// rows go round again.
func (l *queue) finish(batch []*entry, a *attempt) {
	if a.changes != nil {
		l.e.opts.Committed(a.changes)
	}
	var again []*entry
	for i, en := range batch {
		if a.again[i] {
			again = append(again, en)
		} else {
			l.answer(en, a.outcomes[i])
		}
	}
	if len(again) > 0 {
		l.commit(again)
	}
}

// landed queries the database whether the batch with this key was committed. If
// not, the batch is to be tried again, and the error says so.
func (l *queue) landed(key string, cause error) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	wait := 10 * time.Millisecond
	for {
		there, err := l.e.store.HasKey(ctx, l.shop, key)
		switch {
		case err == nil && there:
			return true, nil
		case err == nil:
			return false, unit.ErrConflict
		}
		l.e.opts.Log.Warn("the outcome of a commit is unknown; querying again", "shop", l.shop, "cause", cause, "error", err)
		select {
		case <-ctx.Done():
			f := fault.New(fault.Unavailable, "the connection to the database broke during the commit; repeat with the same Idempotency-Key to get the outcome")
			f.RetryAfter = time.Second
			return false, f.Because(cause)
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		}
	}
}
