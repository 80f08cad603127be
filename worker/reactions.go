package worker

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/app"
)

// loop runs one reaction for all shops.
type loop struct {
	w        *Worker
	reaction *app.Reaction
	woken    chan struct{}

	mu    sync.Mutex
	lanes map[string]*lane // by shop
}

// lane is where one reaction stands with one shop. The loop's mutex guards it.
type lane struct {
	shop  string
	at    time.Time // its next turn; zero: at the next look
	rests time.Time // no turn before, whoever wakes it

	owed   int       // announced and not followed yet
	since  time.Time // when the oldest of them was announced
	looks  int       // that found nothing of it
	failed int       // in a row
}

// again are the pauses between looks that find nothing of what was
// announced: on PostgreSQL a record shows in the log only when every older
// transaction has ended.
var again = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
}

// announce says that n records of the shop wait to be followed.
func (l *loop) announce(shop string, n int, now time.Time) {
	l.mu.Lock()
	p := l.lane(shop)
	if p.owed == 0 {
		p.since = now
	}
	p.owed += n
	p.looks = 0
	p.turn(now)
	l.mu.Unlock()
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *loop) lane(shop string) *lane {
	p := l.lanes[shop]
	if p == nil {
		p = &lane{shop: shop}
		l.lanes[shop] = p
	}
	return p
}

// turn asks for a turn at t, or as soon after as the lane has rested. An
// earlier one that was asked for stays.
func (p *lane) turn(t time.Time) {
	if t.Before(p.rests) {
		t = p.rests
	}
	if p.at.IsZero() || t.Before(p.at) {
		p.at = t
	}
}

// run gives every lane its turns until ctx ends.
func (l *loop) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var look time.Time // the next look at all shops
	for ctx.Err() == nil {
		if now := time.Now(); !now.Before(look) {
			look = now.Add(l.w.o.ReactEvery)
			shops := l.w.known(ctx)
			l.mu.Lock()
			for _, shop := range shops {
				l.lane(shop).turn(now)
			}
			l.mu.Unlock()
		}
		// Each that is due gets one round, then it is looked again who is: a
		// busy shop does not keep the others waiting.
		due, next := l.due()
		for _, p := range due {
			l.round(ctx, p)
		}
		if len(due) > 0 {
			continue
		}
		if next.IsZero() || look.Before(next) {
			next = look
		}
		wait := time.Until(next)
		if wait <= 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.woken:
		}
	}
}

// due takes the lanes whose turn has come, those that wait longest first,
// and says when the next one's is.
func (l *loop) due() (due []*lane, next time.Time) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.lanes {
		switch {
		case p.at.IsZero():
		case !p.at.After(now):
			due = append(due, p)
		case next.IsZero() || p.at.Before(next):
			next = p.at
		}
	}
	slices.SortFunc(due, func(a, b *lane) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.shop, b.shop)) })
	return due, next
}

// round follows one batch of a shop's records.
func (l *loop) round(ctx context.Context, p *lane) {
	start := time.Now()
	l.mu.Lock()
	p.at = time.Time{} // a Wake from here on asks for another turn
	l.mu.Unlock()
	n, err := l.w.o.App.React(ctx, p.shop, l.reaction)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()

	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		p.failed++
		p.rests = now.Add(backoff(p.failed))
		l.w.o.Log.ErrorContext(ctx, "a reaction failed", "reaction", l.reaction.Name, "shop", p.shop,
			"failures", p.failed, "again", p.rests.Sub(now), "error", err)
		p.at = p.rests
		return
	case n > 0:
		if p.rests = now; n < app.ReactionBatch {
			p.rests = now.Add(l.w.o.Gather)
		}
		since := p.since
		if p.owed == 0 {
			since = start
		}
		if p.owed = max(0, p.owed-n); p.owed > 0 {
			p.since = start // of the rest it is not known; about now
		}
		p.looks = 0
		p.at = p.rests // whatever a Wake asked for meanwhile
		l.w.o.Observe(l.reaction.Name, p.shop, now.Sub(since))
	case p.owed > 0 && p.looks < len(again):
		p.turn(now.Add(again[p.looks]))
		p.looks++
	default:
		// Caught up, or another instance has followed it. If not, the next
		// look at all shops finds it.
		p.owed = 0
	}
	p.failed = 0
}
