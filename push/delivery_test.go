package push_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/push"
)

// However the records reach the hub — late, twice, in any order, or never, so
// that only the log has — each subscription sees its order's events one by
// one, none missing and none twice.
func TestSeqRisesByOne(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	var orders atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		no := fmt.Sprint("order-", orders.Add(1))
		w.publish(no, event.OrderPlaced)
		before := rapid.IntRange(0, 5).Draw(t, "events before")
		for range before {
			w.publish(no, event.PaymentCreated)
		}
		seq := w.log.orders[no].Seq
		c := w.dial("?token=" + w.token(no))
		defer c.c.CloseNow()
		last, live := seq, true
		if after := rapid.Int64Range(-1, seq).Draw(t, "after"); after >= 0 {
			c.say(subscribeAfter(no, after))
			last, live = after, false
		} else {
			c.say(subscribe(no))
		}
		early := rapid.Bool().Draw(t, "publish while subscribing")
		if !early {
			c.want("subscribed", seq)
		}
		var plan []event.Record
		for _, size := range rapid.SliceOfN(rapid.IntRange(1, 3), 1, 8).Draw(t, "records") {
			types := slices.Repeat([]event.Type{event.PaymentFailed}, size)
			r := w.log.commit(no, append(types, event.CouponLocked)...)
			for range rapid.IntRange(0, 2).Draw(t, "times published") {
				plan = append(plan, r)
			}
		}
		end := w.log.orders[no].Seq
		for _, r := range rapid.Permutation(plan).Draw(t, "in this order") {
			w.hub.Publish(shopID, []event.Record{r})
		}
		if early {
			m := c.next()
			if m.Type != "subscribed" || m.Seq < seq || m.Seq > end {
				t.Fatalf("subscribed: %+v", m)
			}
			if live { // without after the state is where it begins
				last = m.Seq
			}
		}
		for last < end {
			m := c.next()
			if m.Seq != last+1 {
				t.Fatalf("seq %d after %d", m.Seq, last)
			}
			last = m.Seq
		}
		w.publish(no, event.OrderPaid)
		c.want("order.paid", end+1)
	})
}

// A socket that breaks and reconnects with after has lost nothing.
func TestKillAndResume(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	rnd := rand.New(rand.NewPCG(1, 2))
	w.publish("o1", event.OrderPlaced)
	const events = 400
	go func() {
		for range events {
			w.publish("o1", event.PaymentCreated)
			time.Sleep(200 * time.Microsecond) // a pace, so that sockets die in the middle
		}
	}()
	last, kills := int64(1), 0
	for last < events+1 || kills < 100 {
		c := w.dial("?token=" + w.token("o1"))
		c.say(subscribeAfter("o1", last))
		if m := c.next(); m.Type != "subscribed" {
			t.Fatalf("%+v", m)
		}
		for range rnd.IntN(8) {
			if last == events+1 {
				break
			}
			m := c.next()
			if m.Seq != last+1 {
				t.Fatalf("seq %d after %d", m.Seq, last)
			}
			last = m.Seq
		}
		_ = c.c.CloseNow()
		kills++
	}
}

// A hub that nobody notifies reads from the log what others committed.
func TestTwoHubs(t *testing.T) {
	l := newLedger()
	here, there := newWorld(t, l, nil), newWorld(t, l, nil)
	here.publish("o1", event.OrderPlaced)
	c, d := here.dial("?token="+secret), there.dial("?token="+secret)
	c.say(subscribe("o1"))
	d.say(subscribe("o1"))
	c.want("subscribed", 1)
	d.want("subscribed", 1)
	for seq := int64(2); seq < 100; seq++ {
		from := here
		if seq%2 == 0 {
			from = there
		}
		from.publish("o1", event.PaymentCreated)
		c.want("payment.created", seq)
		d.want("payment.created", seq)
	}
}

// Should the log give two records of one order in the wrong order, the
// order's own count decides.
func TestLogOutOfOrder(t *testing.T) {
	l := newLedger()
	w := newWorld(t, l, nil)
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	seq := int64(1)
	for range 50 {
		a := l.commit("o1", event.PaymentCreated)
		b := l.commit("o1", event.PaymentFailed)
		l.mu.Lock()
		n := len(l.records)
		a.Position, b.Position = b.Position, a.Position
		l.records[n-2], l.records[n-1] = b, a
		l.mu.Unlock()
		c.want("payment.created", seq+1)
		c.want("payment.failed", seq+2)
		seq += 2
	}
}

// One who does not read is disconnected; one who reads gets everything.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.PollEvery = time.Hour })
	w.publish("o1", event.OrderPlaced)
	slow, good := w.dial("?token="+secret), w.dial("?token="+secret)
	for _, c := range []*client{slow, good} {
		c.say(subscribe("o1"))
		c.want("subscribed", 1)
	}
	seq := int64(1)
	for ; w.slow.Load() == 0; seq++ {
		if seq > 100_000 {
			t.Fatal("the slow reader is still there")
		}
		w.publish("o1", event.PaymentCreated)
		good.want("payment.created", seq+1)
	}
	w.publish("o1", event.OrderPaid)
	good.want("order.paid", seq+1)
	w.until("the end of the slow socket", func() bool { return w.open.Load() == 1 })

	// It comes back and has lost nothing, though it is far behind.
	last := int64(1)
	for {
		m, err := slow.read()
		if err != nil {
			break
		}
		if m.Seq != last+1 {
			t.Fatalf("seq %d after %d", m.Seq, last)
		}
		last = m.Seq
	}
	back := w.dial("?token=" + secret)
	back.say(subscribeAfter("o1", last))
	back.want("subscribed", seq+1)
	for ; last <= seq; last++ {
		if m := back.next(); m.Seq != last+1 {
			t.Fatalf("seq %d after %d", m.Seq, last)
		}
	}
}

// One who never answers a ping is not kept.
func TestSilentPeer(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) {
		o.PingEvery, o.SendTimeout = 5*time.Millisecond, 10*time.Millisecond
	})
	w.dial("?token=" + secret)
	w.until("the socket", func() bool { return w.open.Load() == 1 })
	w.until("its end", func() bool { return w.open.Load() == 0 })
}

// A gap that the log cannot fill is never skipped: the socket ends, and the
// client comes back with what it has.
func TestNeverSkips(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	w.hub.Publish(shopID, []event.Record{{Shop: shopID, Order: "o1", Events: []event.Event{{Type: event.OrderPaid, Order: "o1", Seq: 9}}}})
	c.wantClose(1013, "after")

	w.log.mu.Lock()
	w.log.broken = errors.New("away")
	w.log.mu.Unlock()
	c = w.dial("?token=" + secret)
	c.say(subscribeAfter("o1", 0))
	c.wantClose(1013, "after")

	w.keys.away.Store(true)
	w.dial("?token=sk_not_seen_before").wantClose(1013, "again")
}

// The follower goes on where it was once the store is back.
func TestFollowerOutlivesTheStore(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	w.log.breakDown(errors.New("away"))
	polled := w.log.count(&w.log.polls)
	w.until("a failed poll", func() bool { return w.log.count(&w.log.polls) > polled })
	w.log.commit("o1", event.OrderPaid)
	w.log.breakDown(nil)
	c.want("order.paid", 2)
}

func TestWait(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	ctx := context.Background()
	if err := w.hub.Wait(ctx, shopID, "o1", 0); err != nil {
		t.Errorf("there already: %v", err)
	}
	if err := w.hub.Wait(ctx, shopID, "o9", 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown order: %v", err)
	}
	if err := w.hub.Wait(ctx, otherShop, "o1", 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("another shop's order: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if err := w.hub.Wait(short, shopID, "o1", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing new: %v", err)
	}
	const waiters = 20
	for _, notified := range []bool{true, false} {
		done := make(chan error, waiters)
		seq, reads := w.log.orders["o1"].Seq, w.log.count(&w.log.reads)
		for range waiters {
			go func() { done <- w.hub.Wait(ctx, shopID, "o1", seq) }()
		}
		w.until("all to have read", func() bool { return w.log.count(&w.log.reads) == reads+waiters })
		r := w.log.commit("o1", event.PaymentCreated)
		if notified {
			w.hub.Publish(shopID, []event.Record{r, r})
		}
		for range waiters {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

// The log is reads at its pace while somebody listens, and never otherwise.
func TestFollowsOnlyWhileNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		l.commit("o1", event.OrderPlaced)
		h := push.New(push.Options{Store: l, Auth: &app.Auth{}, PollEvery: 100 * time.Millisecond})
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Run(ctx) }()
		polls := func() int {
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			n := l.polls
			l.polls = 0
			return n
		}
		time.Sleep(time.Hour)
		if n := polls(); n != 0 {
			t.Errorf("%d polls while nobody listens", n)
		}
		listening, leave := context.WithTimeout(ctx, 10*time.Second)
		defer leave()
		if err := h.Wait(listening, shopID, "o1", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n := polls(); n < 95 || n > 100 {
			t.Errorf("%d polls in ten seconds", n)
		}
		time.Sleep(time.Hour)
		if n := polls(); n != 0 {
			t.Errorf("%d polls after all have left", n)
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}
