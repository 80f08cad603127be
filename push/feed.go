package push

import (
	"context"
	"slices"
	"sync"

	"github.com/tandem-pay/tandem/event"
)

// listener receives the events of an order. offer is called with the feed locked: it must
// not block and not call the feed.
type listener interface{ offer(n *notice) }

// feed is who listens here to one shop. It lives as long as it has users.
type feed struct {
	hub  *Hub
	shop string
	uses int // guarded by the hub's mu

	ready chan struct{} // closed once from is known, or err
	err   error

	mu     sync.Mutex
	at     event.Position // what was handed out of the log
	orders map[string]*audience
	tails  map[string][]*tail // by user, "" all of the shop
}

// audience is who listens to one order.
type audience struct {
	listeners []listener
	// upto is the highest Seq that was offered. Those who joined later read
	// the state after they joined, so what is not above upto is new to
	// nobody: that is how Publish and the reader of the log do not repeat each
	// other.
	upto int64
}

// tail is one subscription to the log of a shop.
type tail struct {
	s    *subscriber
	user string // "": every event
	last event.Position
}

// feedOf finds the shop's feed, or begins one at the end of the log. Who
// reads a state after feedOf has returned misses nothing that came later.
func (h *Hub) feedOf(ctx context.Context, shop string) (*feed, error) {
	h.mu.Lock()
	if h.draining {
		h.mu.Unlock()
		return nil, draining().Because(context.Canceled)
	}
	f := h.feeds[shop]
	first := f == nil
	if first {
		f = &feed{
			hub: h, shop: shop, ready: make(chan struct{}),
			orders: map[string]*audience{}, tails: map[string][]*tail{},
		}
		h.feeds[shop] = f
	}
	f.uses++
	h.mu.Unlock()

	if first {
		// Others may wait for this answer: it must not hang on one caller.
		read, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
		f.at, f.err = h.o.Store.EndOfLog(read, shop)
		cancel()
		if f.err != nil {
			h.forget(f)
		} else {
			h.log.Open(shop, f.at, f.dispatch)
		}
		close(f.ready)
	}
	err := error(nil)
	select {
	case <-f.ready:
		err = f.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		h.release(f)
		return nil, err
	}
	return f, nil
}

// forget lets the next caller begin a new feed.
func (h *Hub) forget(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.feeds[f.shop] == f {
		delete(h.feeds, f.shop)
	}
}

func (h *Hub) release(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.uses--; f.uses == 0 {
		if h.feeds[f.shop] == f {
			delete(h.feeds, f.shop)
			h.log.Close(f.shop)
		}
	}
}

func (f *feed) listen(orderNo string, l listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.orders[orderNo]
	if a == nil {
		a = &audience{}
		f.orders[orderNo] = a
	}
	a.listeners = append(a.listeners, l)
}

func (f *feed) leave(orderNo string, l listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.orders[orderNo]
	if a == nil {
		return
	}
	a.listeners = without(a.listeners, l)
	if len(a.listeners) == 0 {
		delete(f.orders, orderNo)
	}
}

// join begins to hand the log to the tail and says from where on.
func (f *feed) join(t *tail) event.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tails[t.user] = append(f.tails[t.user], t)
	return f.at
}

func (f *feed) part(t *tail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tails[t.user] = without(f.tails[t.user], t); len(f.tails[t.user]) == 0 {
		delete(f.tails, t.user)
	}
}

// without removes one, in no order.
func without[T comparable](s []T, x T) []T {
	i := slices.Index(s, x)
	if i < 0 {
		return s
	}
	last := len(s) - 1
	s[i] = s[last]
	clear(s[last:])
	return s[:last]
}

// publish offers fresh records to the listeners of their orders. Tails get
// theirs from the log, in its order: they are only woken.
func (f *feed) publish(records []event.Record) {
	f.mu.Lock()
	for i := range records {
		f.offer(&records[i], nil)
	}
	tailed := len(f.tails) > 0
	f.mu.Unlock()
	if tailed {
		f.hub.log.Wake(f.shop)
	}
}

// offer hands a record to the listeners of its order; n is its notice if
// there is one already.
func (f *feed) offer(r *event.Record, n *notice) {
	a := f.orders[r.Order]
	if a == nil || r.Order == "" {
		return
	}
	upto := lastSeq(r)
	if upto <= a.upto {
		return
	}
	a.upto = upto
	if n == nil {
		n = newNotice(r, 0)
	}
	for _, l := range a.listeners {
		l.offer(n)
	}
}

// dispatch hands records of the log to their listeners and advances. After
// an error nothing was handed out.
func (f *feed) dispatch(ctx context.Context, records []event.Record) error {
	var owners []string // by place in records; found before the lock is taken
	for {
		f.mu.Lock()
		if owners != nil || !f.hasUsers() {
			break
		}
		f.mu.Unlock()
		owners = make([]string, len(records))
		for i := range records {
			var err error
			if owners[i], err = f.hub.owner(ctx, f.shop, &records[i]); err != nil {
				return err
			}
		}
	}
	defer f.mu.Unlock()
	all := len(f.tails[""]) > 0
	var everything []*notice
	var of map[string][]*notice
	before := f.at
	for i := range records {
		r := &records[i]
		var n *notice
		if mine := owners != nil && owners[i] != "" && len(f.tails[owners[i]]) > 0 && lastSeq(r) > 0; mine || all {
			n = newNotice(r, before)
			if all {
				everything = append(everything, n)
			}
			if mine {
				if of == nil {
					of = map[string][]*notice{}
				}
				of[owners[i]] = append(of[owners[i]], n)
			}
		}
		f.offer(r, n)
		before = r.Position
	}
	for _, t := range f.tails[""] {
		t.s.put(item{tail: t, batch: everything})
	}
	for user, batch := range of {
		for _, t := range f.tails[user] {
			t.s.put(item{tail: t, batch: batch})
		}
	}
	f.at = before
	return nil
}

func (f *feed) hasUsers() bool {
	return len(f.tails) > 1 || len(f.tails) == 1 && f.tails[""] == nil
}
