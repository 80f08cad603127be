package push_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/push"
)

// latency reports how long an event takes from Publish until the client has it.
func latency(b *testing.B, w *world, c *client) {
	took := make([]time.Duration, 0, b.N)
	seq := int64(1)
	for b.Loop() {
		seq++
		start := time.Now()
		w.publish("o1", event.PaymentCreated)
		c.want("payment.created", seq)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkLatency is the way from Publish to a client that has decoded the
// message, over a real socket.
func BenchmarkLatency(b *testing.B) {
	w := newWorld(b, newLedger(), func(o *push.Options) { o.PollEvery = time.Hour })
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	latency(b, w, c)
}

// BenchmarkPublish is what a commit of 256 orders costs the engine while 1,000
// other orders are listened to.
func BenchmarkPublish(b *testing.B) {
	l := newLedger()
	w := newWorld(b, l, func(o *push.Options) { o.PollEvery, o.MaxPerSocket = time.Hour, 1000 })
	c := w.dial("?token=" + secret)
	for i := range 1000 {
		no := fmt.Sprint("other-", i)
		l.commit(no, event.OrderPlaced)
		c.say(subscribe(no))
		c.want("subscribed", 1)
	}
	records := make([]event.Record, 256)
	for i := range records {
		no := fmt.Sprint("unheard-", i)
		records[i] = event.Record{Shop: shopID, Order: no, Events: []event.Event{{Type: event.OrderPlaced, Order: no, Seq: 1}}}
	}
	for b.Loop() {
		w.hub.Publish(shopID, records)
	}
}

// BenchmarkSockets is what an open, subscribed socket costs in memory: both
// ends of it, since both are here.
func BenchmarkSockets(b *testing.B) {
	const sockets = 1000
	for b.Loop() {
		w := newWorld(b, newLedger(), nil)
		w.publish("o1", event.OrderPlaced)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range sockets {
			c := w.dial("?token=" + w.token("o1"))
			c.say(subscribe("o1"))
			c.want("subscribed", 1)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/sockets/1024, "KiB/socket-pair")
	}
}

// BenchmarkTailLatency is the way from Publish over a read of the log to a
// client that listens to the whole shop and has decoded the message.
func BenchmarkTailLatency(b *testing.B) {
	w := newWorld(b, newLedger(), func(o *push.Options) { o.PollEvery = time.Hour })
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(`{"type":"subscribe","shop":true}`)
	c.want("subscribed", 0)
	latency(b, w, c)
}
