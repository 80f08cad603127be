package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// loop runs one follower, whose cursor is stored, for all shops.
type loop struct {
	b      *Outbox
	f      Follower
	rounds *rounds

	mu    sync.Mutex
	shops map[string]*progress
}

// progress is how far one follower is in the log of one shop. The loop's mutex
// guards cursor and seen; the rest belongs to the shop's round.
type progress struct {
	shop   string
	cursor *event.Position // as it was last stored; nil: there is none
	seen   event.Position  // nothing is wanted up to here
	bad    event.Position  // the record that failed last
	tries  int             // of it
	since  time.Time       // when it failed first; of the outbox's clock
}

func newLoop(b *Outbox, f Follower) *loop {
	f.Batch = or(f.Batch, batch)
	l := &loop{b: b, f: f, shops: map[string]*progress{}}
	l.rounds = newRounds(&rounds{
		who: f.Name, log: b.o.Log, batch: f.Batch, gather: b.o.Gather, limit: maxBackoff,
		lookEvery: b.o.LookEvery, look: l.behind,
		step: func(ctx context.Context, shop string) (int, bool, error) {
			n, err := l.step(ctx, l.of(shop))
			return n, n > 0, err
		},
	})
	return l
}

// behind are the shops whose logs end after what the follower has seen.
func (l *loop) behind(ctx context.Context) (shops []string) {
	ends := l.b.known(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	for shop, end := range ends {
		if p := l.shops[shop]; p == nil || p.cursor == nil || p.seen < end {
			shops = append(shops, shop)
		}
	}
	return shops
}

func (l *loop) of(shop string) *progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.shops[shop]
	if p == nil {
		p = &progress{shop: shop}
		l.shops[shop] = p
	}
	return p
}
