// Package push sends the events of orders to browsers and servers when they
// happen: over WebSocket, as Server-Sent Events, and to callers of a long poll
// (Wait).
//
// It promises:
//
//   - A subscriber of an order gets its present state and from then
//     on every event, its seq rising by one, none missing and none twice,
//     however Publish is called: late, twice, in the wrong order or, for
//     events that another instance committed, not at all. With `after` the
//     events since then come first. The log is the truth; Publish only saves
//     the wait for the next read of it.
//   - Publish never blocks and never reads the store. A client that reads too
//     slowly is disconnected (1013) and reconnects with `after`; no other
//     client is affected.
//   - A socket is closed with the reason: 1008 a bad token or ten bad messages,
//     1003 binary, 1009 a message over 4 KiB, 1001 draining, 1013 overloaded,
//     too slow, or the store does not answer.
//   - A secret key that is revoked loses its open sockets with the next ping.
//
// The feed of a shop or of one user, for secret keys, comes from the log
// alone and in its order. Each message's `position` is the place to resume
// from, here with `after` or in GET /v1/events: events of one record that
// were sent before the connection broke come again, none is lost.
//
// Costs: a Publish costs one map look-up for each record and one channel
// send for each subscriber of its order; a message is encoded once for each
// language. A socket costs two goroutines, some 30 KB, and one query (two
// with `after`) when it subscribes. Each shop with a subscriber costs one
// query every PollEvery on each instance, and none while nobody listens.
//
// Limits: see Options. Who may connect is decided by tokens alone; no cookie
// is read, so that a foreign page can do nothing with a buyer's session.
// Therefore any origin may connect unless Options.Origins restricts them. A token in a URL may end in a proxy's log: client tokens reach
// one order, secret keys belong in the Authorization header or the first
// message.
package push

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/outbox"
)

// Store is what the hub reads. An app.Reader is one.
type Store interface {
	Order(ctx context.Context, shop, no string) (app.OrderView, error)
	Events(ctx context.Context, shop string, q app.EventQuery) ([]event.Record, error)
	OrderEvents(ctx context.Context, shop, orderNo string, after int64) ([]event.Record, error)
	EndOfLog(ctx context.Context, shop string) (event.Position, error)
	FormerPosition(ctx context.Context, shop string, f event.Former) (event.Position, error)
}

// Options of New. Zero fields take the defaults given.
type Options struct {
	Store  Store
	Auth   *app.Auth
	Clock  app.Clock  // for Observe.Latency alone; nil: the computer's
	Tracer app.Tracer // nil: no spans
	Log    *slog.Logger

	Observe Observe

	// Problem writes a refusal as application/problem+json, where the
	// server has its own way of doing so.
	Problem func(w http.ResponseWriter, r *http.Request, err error)

	// Origins are the patterns (path.Match, over the host or over
	// scheme://host) of the pages that may connect beside our own. nil is
	// "*": any page.
	Origins []string

	MaxSockets   int           // open sockets and streams: 20000
	MaxPerSocket int           // subscriptions of one socket: 64
	Buffer       int           // messages that may wait for one reader: 64
	PingEvery    time.Duration // 25 s
	PollEvery    time.Duration // reads of the log for what other instances committed: 100 ms
	SendTimeout  time.Duration // of one message: 5 s
	AuthTimeout  time.Duration // for the first message: 10 s
}

// Observe receives what happens here, for metrics. Functions may be
// nil; they must not block.
type Observe struct {
	Sockets func(open int)
	Sent    func(messages int)
	Slow    func()                     // a slow reader was disconnected
	Latency func(commit time.Duration) // from the event's time, which is before its commit, to the socket
}

// Fixed limits.
const (
	maxMessage = 4 << 10 // bytes of a client's message
	maxErrors  = 10      // bad messages of one socket
	keepAlive  = 15 * time.Second
	closeGrace = time.Second // for the close frame to get through
	maxRefused = 64          // sockets that are being refused because there are too many
	storeTime  = 5 * time.Second
)

// Hub keeps who listens to what. It is safe for use by many at once.
type Hub struct {
	o      Options
	owners owners
	log    *outbox.Tail // of the shops that have a feed

	mu       sync.RWMutex
	feeds    map[string]*feed // by shop: those that have subscribers
	members  map[*subscriber]struct{}
	draining bool
	drain    chan struct{}  // closed by Close
	busy     sync.WaitGroup // members
	refused  atomic.Int32   // sockets that are being refused at the moment
}

// New makes a hub. Run must run for it to receive other instances' events and
// to serve the feeds.
func New(o Options) *Hub {
	o.MaxSockets = or(o.MaxSockets, 20_000)
	o.MaxPerSocket = or(o.MaxPerSocket, 64)
	o.Buffer = or(o.Buffer, 64)
	o.PingEvery = or(o.PingEvery, 25*time.Second)
	o.PollEvery = or(o.PollEvery, 100*time.Millisecond)
	o.SendTimeout = or(o.SendTimeout, 5*time.Second)
	o.AuthTimeout = or(o.AuthTimeout, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Origins == nil {
		o.Origins = []string{"*"}
	}
	if o.Problem == nil {
		o.Problem = o.problem
	}
	return &Hub{
		o:     o,
		log:   outbox.NewTail(outbox.TailOptions{Name: "push", Store: o.Store, Log: o.Log, LookEvery: o.PollEvery}),
		feeds: map[string]*feed{}, members: map[*subscriber]struct{}{}, drain: make(chan struct{}),
	}
}

func or[N int | time.Duration](v, def N) N {
	if v <= 0 {
		return def
	}
	return v
}

// Publish is an app.Wake: it hands the records of a commit to those who
// listen to their orders. It never blocks.
func (h *Hub) Publish(shop string, records []event.Record) {
	h.mu.RLock()
	f := h.feeds[shop]
	h.mu.RUnlock()
	if f != nil {
		f.publish(records)
	}
}

// Run reads the log of every shop that has subscribers here, until ctx
// ends; so events that other instances commit reach the sockets here too.
func (h *Hub) Run(ctx context.Context) error { return h.log.Run(ctx) }

// Log is what follows the log for the hub.
func (h *Hub) Log() *outbox.Tail { return h.log }

// Wait returns nil once the order has an event with Seq > seq, at once if it
// has one already. Otherwise it returns ctx's error, the store's (an unknown
// order is a not_found fault) or, when the hub drains, a fault that is
// context.Canceled too.
func (h *Hub) Wait(ctx context.Context, shop, orderNo string, seq int64) error {
	f, err := h.feedOf(ctx, shop)
	if err != nil {
		return err
	}
	defer h.release(f)
	w := &waiter{seq: seq, reached: make(chan struct{})}
	f.listen(orderNo, w) // before the store is read, or an event in between could be missed
	defer f.leave(orderNo, w)
	view, err := h.o.Store.Order(ctx, shop, orderNo)
	if err != nil || view.Order.Seq > seq {
		return err
	}
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-h.drain:
		return draining().Because(context.Canceled)
	}
}

// waiter is a listener for one event.
type waiter struct {
	seq     int64
	reached chan struct{}
	done    bool // guarded by the feed
}

func (w *waiter) offer(n *notice) {
	if n.last > w.seq && !w.done {
		w.done = true
		close(w.reached)
	}
}

// Close closes every socket because this instance drains (1001), refuses new
// ones, and returns when all have ended; when ctx ends first, they are cut.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	if !h.draining {
		h.draining = true
		close(h.drain)
	}
	for s := range h.members {
		s.kick(errDraining)
	}
	h.mu.Unlock()
	done := make(chan struct{})
	go func() {
		h.busy.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	h.mu.RLock()
	for s := range h.members {
		s.cut()
	}
	h.mu.RUnlock()
	<-done
}

// admit counts one more socket or stream, or returns why it may not open.
func (h *Hub) admit(ctx context.Context, r *http.Request) (*subscriber, error) {
	s := newSubscriber(ctx, h, language(r))
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return nil, draining()
	case len(h.members) >= h.o.MaxSockets:
		err := fault.New(fault.Unavailable, "there are too many open sockets on this instance; try again in a few seconds")
		err.RetryAfter = 5 * time.Second
		return nil, err.Because(errFull)
	}
	h.members[s] = struct{}{}
	h.busy.Add(1)
	h.count(len(h.members))
	return s, nil
}

// dismiss ends what admit began.
func (h *Hub) dismiss(s *subscriber) {
	s.end()
	s.cut()
	h.mu.Lock()
	delete(h.members, s)
	h.count(len(h.members))
	h.mu.Unlock()
	h.busy.Done()
}

// count is called under mu, so that the last value is the latest.
func (h *Hub) count(open int) {
	if h.o.Observe.Sockets != nil {
		h.o.Observe.Sockets(open)
	}
}

func draining() *fault.Error {
	err := fault.New(fault.Unavailable, "this instance is shutting down; connect again")
	err.RetryAfter = time.Second
	return err
}

func (h *Hub) now() time.Time {
	if h.o.Clock != nil {
		return h.o.Clock.Now()
	}
	return time.Now()
}
