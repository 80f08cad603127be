package push

import (
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/outbox"
)

// subscribeLog begins to tail the log: of one user's orders, or of the
// shop where user is "".
func (s *subscriber) subscribeLog(user string, after *string) error {
	if !s.who.Secret() {
		return fault.New(fault.Forbidden, "a client token listens to its order; the shop's secret key to users and to the shop")
	}
	t := s.tails[user]
	if t != nil {
		return s.say(t.subscribed(), 0)
	}
	if err := s.reserve(); err != nil {
		return err
	}
	t = &tail{s: s, user: user}
	if after != nil {
		var err error
		if t.last, err = app.ParseCursor(s.ctx, s.hub.o.Store, s.who.Shop, "/after", *after); err != nil {
			return err
		}
	}
	s.tails[user] = t
	if after == nil {
		t.last = s.feed.join(t)
		return s.say(t.subscribed(), 0)
	}
	if err := s.say(t.subscribed(), 0); err != nil {
		return err
	}
	// The long way first, without having the present pile up behind it.
	if err := s.replay(t, nil); err != nil {
		return err
	}
	// Between the last read and joining a little may have been handed out;
	// what comes both ways is dropped by its position.
	if upto := s.feed.join(t); t.last.Compare(upto) < 0 {
		return s.replay(t, &upto)
	}
	return nil
}

func (t *tail) subscribed() answer {
	return answer{Type: "subscribed", User: t.user, Shop: t.user == "", Position: t.last.String()}
}

// replay sends the log from where the tail is up to its present end, or to
// upto at least once the tail has joined: then nothing that waits may
// overtake it.
func (s *subscriber) replay(t *tail, upto *event.Position) error {
	for records, err := range outbox.Read(s.ctx, s.hub.o.Store, s.who.Shop, t.last) {
		if err != nil {
			s.hub.o.Log.WarnContext(s.ctx, "push cannot read the log", "shop", s.who.Shop, "error", err)
			return errStore
		}
		before := t.last
		batch := make([]*notice, 0, len(records))
		for i := range records {
			r := &records[i]
			included := t.user == ""
			if !included {
				owner, err := s.hub.owner(s.ctx, s.who.Shop, r)
				if err != nil {
					return errStore
				}
				included = owner == t.user
			}
			if included {
				n := newNotice(r, before)
				n.live = false
				batch = append(batch, n)
			}
			before = r.Position
		}
		if err := s.sendBatch(t, batch); err != nil {
			return err
		}
		t.last = before
		if upto == nil {
			err = s.drain()
		}
		if err != nil || upto != nil && t.last.Compare(*upto) >= 0 {
			return err
		}
	}
	return nil
}

// drain sends what waits at the moment, so that a long replay does not make
// a slow reader of a good one.
func (s *subscriber) drain() error {
	for range len(s.queue) {
		if err := s.deliver(<-s.queue); err != nil {
			return err
		}
	}
	return nil
}

// sendBatch sends the part of the log that the tail has not had.
func (s *subscriber) sendBatch(t *tail, batch []*notice) error {
	if s.tails[t.user] != t {
		return nil // unsubscribed meanwhile
	}
	for _, n := range batch {
		if n.record.Position.Compare(t.last) <= 0 {
			continue
		}
		frames := n.forTail(s.lang, t.user != "")
		for i := range frames {
			if err := s.send(n, &frames[i]); err != nil {
				return err
			}
		}
		t.last = n.record.Position
	}
	return nil
}
