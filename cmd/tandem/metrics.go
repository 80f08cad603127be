package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tandem-pay/tandem/engine"
	"github.com/tandem-pay/tandem/push"
)

func (sv *server) observeBatch(o engine.Observation) {
	sv.metrics.BatchCommands.Observe(float64(o.Commands))
	sv.metrics.BatchLoad.Observe(o.Load.Seconds())
	sv.metrics.BatchCommit.Observe(o.Commit.Seconds())
	sv.metrics.BatchWait.Observe(o.Waited.Seconds())
	if o.Retries > 0 {
		sv.metrics.BatchRetries.Inc()
	}
	if o.Err != nil {
		sv.metrics.BatchFailures.Inc()
	}
}

func (sv *server) observePush() push.Observe {
	return push.Observe{
		Sockets: func(open int) { sv.metrics.Sockets.Set(float64(open)) },
		Sent:    func(n int) { sv.metrics.PushSent.Add(float64(n)) },
		Slow:    sv.metrics.PushSlow.Inc,
		Latency: func(d time.Duration) { sv.metrics.PushDelay.Observe(d.Seconds()) },
	}
}

// registerGauges adds what is read when the metrics are.
func (sv *server) registerGauges() {
	sv.metrics.Gauge("tandem_queue_commands", "Commands that wait for a batch.", func() float64 { return float64(sv.engine.QueueLength()) })
	sv.metrics.Register(&openPayments{sv})
}

// openPayments counts open payments by state when asked, with the age of the
// oldest: one that grows old is what somebody should look at.
type openPayments struct{ sv *server }

var (
	openCount = prometheus.NewDesc("tandem_open_payments", "Payments that wait for the channel's word, by state.", []string{"shop", "status"}, nil)
	openAge   = prometheus.NewDesc("tandem_open_payment_oldest_seconds", "Age of the oldest open payment, by state.", []string{"shop", "status"}, nil)
)

func (*openPayments) Describe(ch chan<- *prometheus.Desc) {
	ch <- openCount
	ch <- openAge
}

func (p *openPayments) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	shops, err := p.sv.db.Shops(ctx)
	if err != nil {
		return // a scrape without these two beats none
	}
	for _, s := range shops {
		ages, err := p.sv.db.PaymentAges(ctx, s.ID, p.sv.clock.Now())
		if err != nil {
			return
		}
		for status, age := range ages {
			ch <- prometheus.MustNewConstMetric(openCount, prometheus.GaugeValue, float64(age.Count), s.ID, string(status))
			ch <- prometheus.MustNewConstMetric(openAge, prometheus.GaugeValue, age.Oldest.Seconds(), s.ID, string(status))
		}
	}
}
