// Package outbox follows the logs of the shops for everybody: what must happen
// after a commit, soon, once in effect, and whatever breaks meanwhile.
//
// There are three ways to follow it, on one loop that gives every shop its
// rounds (see rounds: wake-ups, batches, backoff):
//
//   - a Follower with Apply does a command, and its cursor is moved in the
//     transaction of the command: the reactions;
//   - a Follower with Deliver calls something outside of any transaction, and
//     its cursor is moved after it;
//   - a Tail hands records to those who are connected to this instance and
//     keeps its position in memory: push.
//
// A Follower says which events it wants, where it begins and what it does with
// them. Its cursor is the position up to which it is done in a shop, and is
// stored. It promises:
//
//   - Every record that a follower wants is processed or parked, in the order
//     of the log; none is passed by. What a follower does as a command moves
//     the cursor in the same transaction: exactly once in effect, with several
//     instances that all follow everything. What it does as a plain function
//     happens at least once.
//   - It happens soon after the commit: Wake says that there is something, and
//     a look at the ends of all logs every LookEvery finds what nobody
//     announced, another instance's commits or those before a restart.
//   - A record that fails Attempts times is parked with its error, and the
//     follower goes on. If its OrderWaits, later records of the same order are
//     parked behind it, unattempted. A parked record waits for a person, who
//     retries or dismisses it (Retry, Dismiss); it is listed, counted and
//     logged.
//   - A failure that is not the record's (the database, the engine) is tried
//     again, longer apart each time up to maxBackoff, and parks nothing.
//   - A record with an event of a type that this release does not know is not
//     passed by either: the follower waits before it and says so, until an
//     instance that knows the type has processed it.
//   - How far each follower is behind the end of the log is measured every
//     MeasureEvery from what is stored, whether or not it runs: see Lag.
//
// Costs: one goroutine for each follower and for each round that runs, one
// query every LookEvery while nothing happens, and four small ones for a batch. Records that a follower
// does not want are never read; its cursor passes them in memory, and is
// stored when StoreEvery of them lie behind it or when it does something.
package outbox

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/shop"
)

// Begin is where a follower begins in the log of a shop that it has no cursor
// in.
type Begin int

// Where followers begin.
const (
	Beginning Begin = iota // every record that ever was
	Now                    // those after its first look
)

// Follower is somebody who follows the log of every shop. Either Apply or
// Deliver is set.
type Follower struct {
	Name  string       // of its cursors and parked records: never changes
	Types []event.Type // those it wants; nil: every record
	Begin Begin

	// OrderWaits: what comes later of an order waits while a record of that
	// order is parked.
	OrderWaits bool
	Batch      int // records in one command, or between two moves of the cursor: 200

	// Apply does what follows an event within a command that moves the
	// cursor; Needs names the rows that it takes. Both see the events of
	// Types only.
	Needs func(e *event.Event, n *app.Needs)
	Apply func(tx *app.Tx, e *event.Event) error

	// Deliver does what follows a record outside of any transaction. It may
	// be called again for a record that it has seen.
	Deliver func(ctx context.Context, r *event.Record) error

	// Pending is its part of the audit: what it has still to do, by the rows;
	// nil if they do not show it.
	Pending func() app.Pending
}

// Reactions are the followers that do the reactions.
func Reactions(reactions []app.Reaction) []Follower {
	out := make([]Follower, len(reactions))
	for i, r := range reactions {
		out[i] = Follower{Name: r.Name, Types: r.On, OrderWaits: true, Needs: r.Needs, Apply: r.Do, Pending: r.Pending}
	}
	return out
}

// Store is what followers read. An app.Reader is one.
type Store interface {
	Events(ctx context.Context, shop string, q app.EventQuery) ([]event.Record, error)
	EndOfLog(ctx context.Context, shop string) (event.Position, error)
	LogEnds(ctx context.Context) (map[string]event.Position, error)
	Cursor(ctx context.Context, shop, follower string) (event.Position, bool, error)
	Cursors(ctx context.Context) ([]app.FollowerCursor, error)
	ParkedRecord(ctx context.Context, shop, id string) (app.ParkedRecord, error)
	ParkedRecords(ctx context.Context, shop, follower string, p app.Page) ([]app.ParkedRecord, string, error)
	ParkedOf(ctx context.Context, shop, follower string, orders []string) ([]app.ParkedRecord, error)
	ParkedCounts(ctx context.Context) ([]app.ParkedCount, error)
	Shops(ctx context.Context) ([]shop.Shop, error)
}

// Options of New. Zero fields take the defaults given.
type Options struct {
	Store     Store
	Engine    app.Engine // what runs the commands
	Followers []Follower
	Tails     []*Tail   // whose lag is measured, too; they run by themselves
	Clock     app.Clock // what the age of records is measured by
	Log       *slog.Logger

	LookEvery    time.Duration // looks without a Wake: 500 ms
	Gather       time.Duration // between rounds of one follower and shop: 5 ms
	MeasureEvery time.Duration // of the lag, by Clock: 15 s
}

// Fixed limits.
const (
	// Attempts is how often a record is tried before it is parked: for about
	// two seconds.
	Attempts = 5
	// StoreEvery is after how many records that it did not want a follower
	// stores its cursor all the same.
	StoreEvery = 1000
	// Late is the age of an unprocessed record at which the log and /readyz
	// speak of it.
	Late = 30 * time.Second

	minBackoff = 100 * time.Millisecond
	maxBackoff = 30 * time.Second
	batch      = 200
)

// Outbox runs followers. It is safe for use by many at once.
type Outbox struct {
	o     Options
	loops []*loop
	lags  atomic.Pointer[[]Lag]

	mu   sync.Mutex
	ends map[string]event.Position
	read time.Time // when ends was
}

// New makes an outbox.
func New(o Options) *Outbox {
	o.LookEvery = or(o.LookEvery, 500*time.Millisecond)
	o.Gather = or(o.Gather, 5*time.Millisecond)
	o.MeasureEvery = or(o.MeasureEvery, 15*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	b := &Outbox{o: o}
	for _, f := range o.Followers {
		b.loops = append(b.loops, newLoop(b, f))
	}
	return b
}

func or[N int | time.Duration](v, def N) N {
	if v <= 0 {
		return def
	}
	return v
}

// Wake is an app.Wake: it has the followers process what was committed. It
// never blocks.
func (b *Outbox) Wake(shop string, records []event.Record) {
	for _, l := range b.loops {
		if slices.ContainsFunc(records, l.f.wants) {
			l.rounds.wake(shop)
		}
	}
}

// Run runs until ctx ends and everything has stopped. A round that runs at
// that time is given up; what it asked of the engine takes effect or not, as
// its cursor will tell.
func (b *Outbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range b.loops {
		wg.Go(func() { l.rounds.run(ctx) })
	}
	wg.Go(func() { b.measure(ctx) })
	wg.Wait()
	return nil
}

// CatchUp lets every follower process what is in the log of a shop, once, and
// returns the first error. It is for tests and tools; Run need not run.
func (b *Outbox) CatchUp(ctx context.Context, shop string) error {
	for _, l := range b.loops {
		for {
			n, err := l.step(ctx, l.of(shop))
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

// known are the ends of the logs, read anew once every LookEvery/2 at most:
// all followers look at about the same time.
func (b *Outbox) known(ctx context.Context) map[string]event.Position {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.read.IsZero() && time.Since(b.read) < b.o.LookEvery/2 {
		return b.ends
	}
	b.read = time.Now()
	ends, err := b.o.Store.LogEnds(ctx)
	if err != nil {
		if ctx.Err() == nil {
			b.o.Log.WarnContext(ctx, "the ends of the logs cannot be read", "error", err)
		}
		return nil
	}
	b.ends = ends
	return ends
}
