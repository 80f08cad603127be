package outbox

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// rounds is the loop that every follower runs on: it says when a shop has its
// next round, and what a round does is the follower's. Of one shop there is
// one round at a time, and up to abreast of different shops at once, so that a
// slow shop does not keep the others waiting.
type rounds struct {
	who string // for the log
	log *slog.Logger

	// step is one round of a shop: n is how many records it processed, more
	// says that there may be others.
	step func(ctx context.Context, shop string) (n int, more bool, err error)

	batch  int           // a round of so many was full: the next follows at once
	gather time.Duration // after any other that found something: under load one round serves many commits
	limit  time.Duration // of the pauses after rounds that failed

	// Either of these finds what nobody announced: every shop has a round
	// when it has had none for idle, or look names the shops every lookEvery.
	idle      time.Duration
	lookEvery time.Duration
	look      func(ctx context.Context) []string

	woken chan struct{}
	busy  sync.WaitGroup // rounds

	mu    sync.Mutex
	turns map[string]*turn // by shop
}

// abreast is how many shops of one follower have a round at once.
const abreast = 4

// turn is when a shop has its next round.
type turn struct {
	shop    string
	at      time.Time // zero: when it is woken or named by a look
	rests   time.Time // not before, whoever wakes it
	running bool
	failed  int // rounds in a row
}

func newRounds(r *rounds) *rounds {
	r.woken, r.turns = make(chan struct{}, 1), map[string]*turn{}
	return r
}

// wake asks for a round of the shop, as soon as it has rested. It never
// blocks.
func (r *rounds) wake(shop string) { r.ask(shop, time.Now()) }

// ask asks for a round at a time, or sooner if one was asked for.
func (r *rounds) ask(shop string, at time.Time) {
	r.mu.Lock()
	t := r.turns[shop]
	if t == nil {
		t = &turn{shop: shop}
		r.turns[shop] = t
	}
	t.ask(at)
	r.mu.Unlock()
	r.again()
}

// forget ends the rounds of a shop; one that runs ends by itself.
func (r *rounds) forget(shop string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.turns, shop)
}

// again has run see who is due.
func (r *rounds) again() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// ask asks for a turn at a time. An earlier one that was asked for stays.
func (t *turn) ask(at time.Time) {
	if at.Before(t.rests) {
		at = t.rests
	}
	if t.at.IsZero() || at.Before(t.at) {
		t.at = at
	}
}

// run gives every shop its rounds until ctx ends and all have ended.
func (r *rounds) run(ctx context.Context) {
	defer r.busy.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	slots := make(chan struct{}, abreast)
	var look time.Time // the next one
	for ctx.Err() == nil {
		if now := time.Now(); r.look != nil && !now.Before(look) {
			look = now.Add(r.lookEvery)
			for _, shop := range r.look(ctx) {
				r.wake(shop)
			}
		}
		// Each that is due gets one round, then it is looked again who is: a
		// busy shop does not keep the others waiting.
		due, next := r.due()
		for _, t := range due {
			select {
			case slots <- struct{}{}:
				r.busy.Go(func() {
					r.round(ctx, t)
					<-slots
				})
			case <-ctx.Done():
				return
			}
		}
		if len(due) > 0 {
			continue
		}
		if r.look != nil && (next.IsZero() || look.Before(next)) {
			next = look
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.woken:
		}
	}
}

// due takes the shops whose turn has come, those that have waited longest
// first, and says when the next one's is.
func (r *rounds) due() (due []*turn, next time.Time) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.turns {
		switch {
		case t.running || t.at.IsZero():
		case !t.at.After(now):
			t.running = true
			due = append(due, t)
		case next.IsZero() || t.at.Before(next):
			next = t.at
		}
	}
	slices.SortFunc(due, func(a, b *turn) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.shop, b.shop)) })
	return due, next
}

func (r *rounds) round(ctx context.Context, t *turn) {
	r.mu.Lock()
	t.at = time.Time{} // what wakes it from here on asks for another
	r.mu.Unlock()
	n, more, err := r.step(ctx, t.shop)
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.again()
	t.running = false
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		t.failed++
		t.rests = now.Add(min(r.limit, minBackoff<<min(t.failed-1, 16)))
		t.at = t.rests
		r.log.WarnContext(ctx, "a follower of the log failed", "follower", r.who, "shop", t.shop,
			"failures", t.failed, "again", t.rests.Sub(now), "error", err)
		return
	}
	t.failed, t.rests = 0, now
	if n > 0 && n < r.batch {
		t.rests = now.Add(r.gather)
	}
	switch {
	case more || !t.at.IsZero(): // it was woken in the meantime
		t.at = t.rests
	case r.idle > 0:
		t.at = now.Add(r.idle)
	}
}
