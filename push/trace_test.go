package push_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/push"
)

// spans is an app.Tracer that writes down what began and ended.
type spans struct {
	mu    sync.Mutex
	ended []string
}

func (s *spans) Start(ctx context.Context, name, parent string) (context.Context, func(error)) {
	return ctx, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = append(s.ended, name+" "+parent)
	}
}

func (s *spans) AddSpan(context.Context, string, string, time.Time) {}

func (s *spans) Parent(context.Context) string { return "" }

// A message is a span of the flow that caused it; what nobody receives is none.
func TestTraceAndLatency(t *testing.T) {
	tracer := &spans{}
	lags := make(chan time.Duration, 10)
	w := newWorld(t, newLedger(), func(o *push.Options) {
		o.Tracer = tracer
		o.Observe.Latency = func(d time.Duration) { lags <- d }
	})
	w.publish("o1", event.OrderPlaced)
	w.publish("o2", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribeAfter("o1", 0))
	c.want("subscribed", 1)
	c.want("order.placed", 1) // a replay: its latency says nothing
	w.publish("o1", event.OrderPaid)
	c.want("order.paid", 2)
	if d := <-lags; d < 0 || d > timeout || len(lags) > 0 {
		t.Errorf("latency %v, %d more", d, len(lags))
	}
	w.publish("o2", event.OrderPaid)
	c.say(subscribe("o2"))
	c.want("subscribed", 2)
	tracer.mu.Lock()
	defer tracer.mu.Unlock()
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if len(tracer.ended) != 2 || tracer.ended[0] != "push "+trace || tracer.ended[1] != "push "+trace {
		t.Errorf("spans %q", tracer.ended)
	}
}
