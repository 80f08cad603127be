package push

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
)

// notice is one record on its way to its listeners. It is shared by all
// of them and encoded at most once for each form.
type notice struct {
	record event.Record
	before event.Position // of the record before it in the log; of notices for tails
	last   int64          // the highest Seq in it
	live   bool           // not a replay: its latency counts
	forms  [forms]encoded
}

// encoded are the frames of a notice in one form.
type encoded struct {
	once   sync.Once
	frames []frame
}

// frame is one message as it goes out.
type frame struct {
	seq  int64 // 0 on what has no place in an order's sequence
	kind string
	data []byte
}

// The forms: for subscribers of an order, of the shop and of a user, in each
// language.
const (
	forOrders = 0
	forShop   = languages
	forUsers  = 2 * languages
	forms     = 3 * languages
)

func newNotice(r *event.Record, before event.Position) *notice {
	return &notice{record: *r, before: before, last: lastSeq(r), live: true}
}

func lastSeq(r *event.Record) (last int64) {
	for i := range r.Events {
		last = max(last, r.Events[i].Seq)
	}
	return last
}

// forOrder are the messages to subscribers of the order.
func (n *notice) forOrder(l lang) []frame {
	e := &n.forms[forOrders+l]
	e.once.Do(func() {
		for i := range n.record.Events {
			if v := &n.record.Events[i]; v.Seq > 0 {
				e.frames = append(e.frames, encode(v.Seq, string(v.Type),
					format.PushToOrder(v, n.record.At, message(v.Type, l))))
			}
		}
	})
	return e.frames
}

// forTail are the messages to those who read the log: all events to the
// shop, those in the order's sequence to a user. Until a record is out
// completely the place to resume from is before it.
func (n *notice) forTail(l lang, user bool) []frame {
	form := forShop
	if user {
		form = forUsers
	}
	e := &n.forms[form+l]
	e.once.Do(func() {
		var messages []format.PushedToShop
		for i := range n.record.Events {
			v := &n.record.Events[i]
			if user && v.Seq == 0 {
				continue
			}
			text := ""
			if v.Seq > 0 {
				text = message(v.Type, l)
			}
			messages = append(messages, format.PushToShop(v, n.before, n.record.At, text))
		}
		for i := range messages {
			m := &messages[i]
			if i == len(messages)-1 {
				m.Position = n.record.Position.String()
			}
			e.frames = append(e.frames, encode(m.Seq, string(m.Type), m))
		}
	})
	return e.frames
}

// encode makes a frame of one of the messages of this package, which always
// marshal.
func encode(seq int64, kind string, message any) frame {
	data, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	return frame{seq, kind, data}
}

// owners caches the users of orders, for subscriptions to a user: few events
// carry the user themselves.
type owners struct {
	mu    sync.Mutex
	known map[ownerKey]string
}

type ownerKey struct{ shop, order string }

const ownersKept = 100_000

// owner is the user of the record's order, "" without one.
func (h *Hub) owner(ctx context.Context, shop string, r *event.Record) (string, error) {
	if r.Order == "" {
		return "", nil
	}
	key := ownerKey{shop, r.Order}
	for i := range r.Events {
		if e := &r.Events[i]; e.Seq > 0 && e.User != "" {
			h.owners.keep(key, e.User)
			return e.User, nil
		}
	}
	h.owners.mu.Lock()
	user, ok := h.owners.known[key]
	h.owners.mu.Unlock()
	if ok {
		return user, nil
	}
	view, err := h.o.Store.Order(ctx, shop, r.Order)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	h.owners.keep(key, view.Order.User)
	return view.Order.User, nil
}

func (o *owners) keep(key ownerKey, user string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || len(o.known) >= ownersKept {
		o.known = map[ownerKey]string{}
	}
	o.known[key] = user
}
