package push_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/push"
)

func TestShopFeed(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o0", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(`{"type":"subscribe","shop":true}`)
	if m := c.want("subscribed", 0); m.Position != "1" || !m.Shop {
		t.Fatalf("%+v", m)
	}
	w.publish("o1", event.OrderPlaced, event.StockReserved)
	if m := c.want("order.placed", 1); m.Position != "1" { // not complete yet: resume before it
		t.Errorf("%+v", m)
	}
	if m := c.want("stock.reserved", 0); m.Position != "2" || m.Order != "o1" {
		t.Errorf("%+v", m)
	}
	for range 2 * 256 {
		w.log.commit("o1", event.PaymentCreated)
	}
	d := w.dial("?token=" + secret)
	d.say(`{"type":"subscribe","shop":true,"after":"1"}`)
	if m := d.want("subscribed", 0); m.Position != "1" {
		t.Fatalf("%+v", m)
	}
	d.want("order.placed", 1)
	d.want("stock.reserved", 0)
	for seq := int64(2); seq <= 2*256+1; seq++ {
		d.want("payment.created", seq)
	}
	w.publish("o2", event.OrderPlaced)
	if m := d.want("order.placed", 1); m.Position != "515" {
		t.Errorf("%+v", m)
	}
}

// However a tail comes and goes, it sees the log in order and without a gap.
func TestShopFeedResumes(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	const records = 3000
	go func() {
		for i := range records {
			r := w.log.commit(fmt.Sprint("o", i%7), event.PaymentCreated)
			if i%3 > 0 {
				w.hub.Publish(shopID, []event.Record{r})
			}
		}
	}()
	rnd := rand.New(rand.NewPCG(3, 4))
	last := event.Position(0)
	for last < records {
		c := w.dial("?token=" + secret)
		c.say(`{"type":"subscribe","shop":true,"after":"` + last.String() + `"}`)
		c.want("subscribed", 0)
		for range rnd.IntN(400) {
			if last == records {
				break
			}
			p, err := event.ParsePosition(c.next().Position)
			if err != nil || p != last+1 {
				t.Fatalf("position %v after %v: %v", p, last, err)
			}
			last = p
		}
		_ = c.c.CloseNow()
	}
}

func TestUserFeed(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	for _, no := range []string{"o1", "o2"} {
		w.publish(no, event.OrderPlaced)
	}
	c := w.dial("?token=" + secret)
	c.say(`{"type":"subscribe","userId":"user-of-o2"}`)
	if m := c.want("subscribed", 0); m.User != "user-of-o2" {
		t.Fatalf("%+v", m)
	}
	w.publish("o1", event.OrderPaid)
	w.publish("o2", event.CouponUsed)
	w.publish("o2", event.PaymentSucceeded, event.OrderPaid, event.CouponUsed)
	if m := c.want("payment.succeeded", 2); m.Order != "o2" || m.Position != "4" {
		t.Errorf("%+v", m)
	}
	if m := c.want("order.paid", 3); m.Position != "5" {
		t.Errorf("%+v", m)
	}
	d := w.dial("?token=" + secret)
	d.say(`{"type":"subscribe","userId":"user-of-o2","after":"0"}`)
	d.want("subscribed", 0)
	d.want("order.placed", 1)
	d.want("payment.succeeded", 2)
	d.want("order.paid", 3)
	d.say(`{"type":"subscribe","userId":"user-of-o2"}`) // again: where it stands
	if m := d.want("subscribed", 0); m.Position != "5" {
		t.Errorf("%+v", m)
	}
	d.say(`{"type":"unsubscribe","userId":"user-of-o2"}`)
	d.want("unsubscribed", 0)
	w.publish("o2", event.OrderClosed)
	d.say(subscribe("o2"))
	d.want("subscribed", 4)
}

// A long replay does not make a slow reader of one who reads.
func TestLongReplay(t *testing.T) {
	l := newLedger()
	for range 10 * 256 {
		l.commit("o0", event.PaymentCreated)
	}
	w := newWorld(t, l, func(o *push.Options) { o.Buffer, o.PollEvery = 8, time.Hour })
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	l.mu.Lock()
	l.onPoll = func() {
		for range 4 {
			w.publish("o1", event.PaymentCreated)
		}
	}
	l.mu.Unlock()
	c.say(`{"type":"subscribe","shop":true,"after":"0"}`)
	c.want("subscribed", 0)
	seq, last := int64(1), event.Position(0)
	for last < 10*256 || seq < 20 {
		m := c.next()
		if m.Position != "" {
			p, err := event.ParsePosition(m.Position)
			if err != nil || p != last+1 {
				t.Fatalf("position %v after %v: %v", p, last, err)
			}
			last = p
		} else if seq++; m.Seq != seq {
			t.Fatalf("%+v, want seq %d", m, seq)
		}
	}
}
