package push

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// closing is why a socket ends, as its close frame reports it.
type closing struct {
	code   websocket.StatusCode
	reason string
}

func (g *closing) Error() string { return g.reason }

// Why sockets end.
var (
	errGone        = &closing{websocket.StatusNormalClosure, ""} // the peer has left
	errDraining    = &closing{websocket.StatusGoingAway, "draining: this instance is shutting down, connect again with after"}
	errBinary      = &closing{websocket.StatusUnsupportedData, "messages are JSON text"}
	errToken       = &closing{websocket.StatusPolicyViolation, "bad token"}
	errRevoked     = &closing{websocket.StatusPolicyViolation, "bad token: it was revoked"}
	errNoAuth      = &closing{websocket.StatusPolicyViolation, "authenticate first"}
	errLate        = &closing{websocket.StatusPolicyViolation, "authentication timed out"}
	errBadMessages = &closing{websocket.StatusPolicyViolation, "too many bad messages"}
	errSlow        = &closing{websocket.StatusTryAgainLater, "too slow: connect again with after"}
	errFull        = &closing{websocket.StatusTryAgainLater, "overloaded: too many sockets, try again later"}
	errStore       = &closing{websocket.StatusTryAgainLater, "the store does not answer: connect again with after"}
)

// sink is where frames go: a WebSocket or an event stream. An error is the
// end of it.
type sink interface{ write(f *frame) error }

// subscriber is one socket or stream. One goroutine owns it; offer, put,
// kick and cut are for the others.
type subscriber struct {
	hub  *Hub
	lang lang
	out  sink

	ctx   context.Context // ends with kick
	kick  context.CancelCauseFunc
	hard  context.Context // ends with cut: reads and writes break
	cut   context.CancelFunc
	queue chan item

	who     app.Identity
	token   string
	feed    *feed // nil before the first subscription
	streams map[string]*stream
	tails   map[string]*tail // by user, "" the shop
	refused int              // bad messages so far
	late    *time.Timer      // nil, or the limit on authentication
}

// stream is a subscription to an order: last is the seq that was sent last.
type stream struct{ last int64 }

// item is what waits for the reader: a notice for the subscribers of its
// order, or a batch of the log for a tail.
type item struct {
	notice *notice
	tail   *tail
	batch  []*notice
}

func newSubscriber(ctx context.Context, h *Hub, l lang) *subscriber {
	s := &subscriber{
		hub: h, lang: l, queue: make(chan item, h.o.Buffer),
		streams: map[string]*stream{}, tails: map[string]*tail{},
	}
	s.hard, s.cut = context.WithCancel(ctx)
	s.ctx, s.kick = context.WithCancelCause(s.hard)
	return s
}

// end gives up all subscriptions. Later offers have no effect.
func (s *subscriber) end() {
	s.unsubscribe(&request{})
	if s.feed != nil {
		s.hub.release(s.feed)
		s.feed = nil
	}
	s.kick(errGone)
}

// offer makes it a listener.
func (s *subscriber) offer(n *notice) { s.put(item{notice: n}) }

// put adds to what waits; a full buffer ends the socket.
func (s *subscriber) put(it item) {
	select {
	case s.queue <- it:
	default:
		s.kick(errSlow)
	}
}

// loop serves the socket until it ends, and returns why it did.
func (s *subscriber) loop(requests <-chan received, tick <-chan time.Time, onTick func() error) error {
	for {
		var err error
		select {
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case it := <-s.queue:
			err = s.deliver(it)
		case q := <-requests:
			err = s.serve(q)
		case <-tick:
			if err = s.recheck(); err == nil {
				err = onTick()
			}
		}
		if err != nil {
			return s.why(err)
		}
	}
}

// why prefers the reason for which the socket was closed over the error
// that resulted from it.
func (s *subscriber) why(err error) error {
	if cause := context.Cause(s.ctx); cause != nil {
		return cause
	}
	return err
}

// recheck checks the token again: a key may have been revoked. When
// the store does not answer, the socket stays.
func (s *subscriber) recheck() error {
	if s.token == "" {
		return nil
	}
	if _, err := s.hub.o.Auth.Authenticate(s.ctx, s.token); fault.Is(err, fault.Unauthorized) {
		return errRevoked
	}
	return nil
}

// deliver sends what Publish or the reader of the log brought.
func (s *subscriber) deliver(it item) error {
	if it.tail != nil {
		return s.sendBatch(it.tail, it.batch)
	}
	n := it.notice
	st := s.streams[n.record.Order]
	if st == nil {
		return nil // unsubscribed in the meantime
	}
	for i := range n.forOrder(s.lang) {
		f := &n.forOrder(s.lang)[i]
		if f.seq > st.last+1 {
			// An event was committed that has not arrived here yet: the log has it.
			if err := s.catchUp(n.record.Order, st, f.seq); err != nil {
				return err
			}
		}
		if err := s.sendNext(n, f, st); err != nil {
			return err
		}
	}
	return nil
}

// sendNext sends a message if it is the next one of its order, and only then.
func (s *subscriber) sendNext(n *notice, f *frame, st *stream) error {
	if f.seq != st.last+1 {
		return nil
	}
	if err := s.send(n, f); err != nil {
		return err
	}
	st.last = f.seq
	return nil
}

// catchUp sends what the log has of the order after st.last: all up to upto
// at least.
func (s *subscriber) catchUp(orderNo string, st *stream, upto int64) error {
	records, err := s.hub.o.Store.OrderEvents(s.ctx, s.who.Shop, orderNo, st.last)
	if err != nil {
		s.hub.o.Log.WarnContext(s.ctx, "push cannot read an order's events", "shop", s.who.Shop, "orderNo", orderNo, "error", err)
		return errStore
	}
	// Whatever order the log has, subscribers get the order's own.
	slices.SortStableFunc(records, func(a, b event.Record) int { return cmp.Compare(lastSeq(&a), lastSeq(&b)) })
	for i := range records {
		n := newNotice(&records[i], 0)
		n.live = false
		for j := range n.forOrder(s.lang) {
			if err := s.sendNext(n, &n.forOrder(s.lang)[j], st); err != nil {
				return err
			}
		}
	}
	if st.last < upto {
		s.hub.o.Log.ErrorContext(s.ctx, "an order's events have a gap", "shop", s.who.Shop, "orderNo", orderNo, "after", st.last, "below", upto)
		return errStore
	}
	return nil
}

// send sends one event, as a span of the flow that caused it.
func (s *subscriber) send(n *notice, f *frame) error {
	var err error
	if t := s.hub.o.Tracer; t != nil && n.record.Trace != "" {
		_, end := t.Start(s.ctx, "push", n.record.Trace)
		err = s.out.write(f)
		end(err)
	} else {
		err = s.out.write(f)
	}
	if err != nil {
		return err
	}
	if s.hub.o.Observe.Sent != nil {
		s.hub.o.Observe.Sent(1)
	}
	if s.hub.o.Observe.Latency != nil && n.live {
		s.hub.o.Observe.Latency(max(0, s.hub.now().Sub(n.record.At)))
	}
	return nil
}

func (s *subscriber) say(a answer, at int64) error {
	f := a.frame(at)
	return s.out.write(&f)
}

// subscribeOrder answers with the order's state and goes on from there, or
// from after. A fault is a refusal, any other error the end of the socket.
func (s *subscriber) subscribeOrder(orderNo string, after *int64) error {
	if err := s.who.Reaches(orderNo); err != nil {
		return err
	}
	st := s.streams[orderNo]
	again := st != nil
	if !again {
		if err := s.reserve(); err != nil {
			return err
		}
		// Listen first, then read: what is committed in between waits in the
		// queue and is dropped by its seq if the state has it already.
		s.feed.listen(orderNo, s)
	}
	view, err := s.hub.o.Store.Order(s.ctx, s.who.Shop, orderNo)
	if err != nil {
		if !again {
			s.feed.leave(orderNo, s)
		}
		return fault.From(err)
	}
	d := &view.Order
	subscribed := answer{Type: "subscribed", Order: orderNo, Status: string(d.Status), Seq: &d.Seq}
	if again {
		// It has had everything up to st.last, and will not get it twice.
		if err := s.catchUp(orderNo, st, d.Seq); err != nil {
			return err
		}
		return s.say(subscribed, st.last)
	}
	st = &stream{last: d.Seq}
	s.streams[orderNo] = st
	if after != nil && *after < d.Seq {
		st.last = *after
	}
	if err := s.say(subscribed, st.last); err != nil || st.last == d.Seq {
		return err
	}
	return s.catchUp(orderNo, st, d.Seq)
}

// reserve makes sure of the feed and of the limit on subscriptions.
func (s *subscriber) reserve() error {
	if limit := s.hub.o.MaxPerSocket; len(s.streams)+len(s.tails) >= limit {
		return fault.New(fault.ValidationFailed, "at most %d subscriptions on one socket", limit)
	}
	if s.feed != nil {
		return nil
	}
	f, err := s.hub.feedOf(s.ctx, s.who.Shop)
	if err != nil {
		return fault.From(err)
	}
	s.feed = f
	return nil
}

func (s *subscriber) unsubscribe(q *request) {
	for orderNo := range s.streams {
		if q.Order == orderNo || q.Order == "" && q.User == "" && !q.Shop {
			s.feed.leave(orderNo, s)
			delete(s.streams, orderNo)
		}
	}
	for user, t := range s.tails {
		if q.Order == "" && q.User == user && (q.Shop || user != "") || q.Order == "" && q.User == "" && !q.Shop {
			s.feed.part(t)
			delete(s.tails, user)
		}
	}
}
