package outbox

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// loop runs one follower for all shops.
type loop struct {
	b     *Outbox
	f     Follower
	woken chan struct{}

	mu    sync.Mutex
	lanes map[string]*lane // by shop
}

// lane is where one follower stands with one shop. The loop's mutex guards
// the times; the rest belongs to whoever runs the rounds.
type lane struct {
	shop  string
	at    time.Time // its next turn; zero: at the next look
	rests time.Time // no turn before, whoever wakes it

	failed int // in a row

	cursor *event.Position // as it was last stored; nil: there is none
	seen   event.Position  // nothing is wanted up to here
	bad    event.Position  // the record that failed last
	tries  int             // of it
	since  time.Time       // when it failed first; of the outbox's clock
}

// announce says that the shop has something to process.
func (l *loop) announce(shop string, now time.Time) {
	l.mu.Lock()
	l.lane(shop).turn(now)
	l.mu.Unlock()
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *loop) state(shop string) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lane(shop)
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
			look = now.Add(l.b.o.LookEvery)
			ends := l.b.known(ctx)
			l.mu.Lock()
			for shop, end := range ends {
				if p := l.lane(shop); p.seen < end || p.cursor == nil {
					p.turn(now)
				}
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

// round processes one batch of a shop's records.
func (l *loop) round(ctx context.Context, p *lane) {
	l.mu.Lock()
	p.at = time.Time{} // a Wake from here on asks for another turn
	l.mu.Unlock()
	n, err := l.step(ctx, p)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		p.failed++
		p.rests = now.Add(backoff(p.failed))
		p.at = p.rests
		l.b.o.Log.WarnContext(ctx, "a follower of the log failed", "follower", l.f.Name, "shop", p.shop,
			"failures", p.failed, "again", p.rests.Sub(now), "error", err)
		return
	}
	p.failed = 0
	if n > 0 {
		if p.rests = now; n < l.f.Batch {
			p.rests = now.Add(l.b.o.Gather)
		}
		p.at = p.rests // whatever a Wake asked for meanwhile
	}
}
