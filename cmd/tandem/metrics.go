package main

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tandem-pay/tandem/app"
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

// openPayments counts at each scrape what a person should watch: open payments
// by state with the age of the oldest, money in suspense, refunds that wait
// for a person, and open discrepancies.
type openPayments struct{ sv *server }

var (
	openCount = prometheus.NewDesc(
		"tandem_open_payments", "Payments without a final answer of the channel, by state.", []string{"shop", "status"}, nil,
	)
	openAge = prometheus.NewDesc(
		"tandem_open_payment_oldest_seconds", "Age of the oldest open payment, by state.", []string{"shop", "status"}, nil,
	)
	suspense = prometheus.NewDesc(
		"tandem_suspense_minor_units", "Money that arrived and is neither applied nor refunded, by channel; normally 0.",
		[]string{"shop", "channel", "currency"}, nil,
	)
	parked = prometheus.NewDesc("tandem_parked_refunds", "Refunds that wait for a person; up to 200 are counted.", []string{"shop"}, nil)
	differ = prometheus.NewDesc(
		"tandem_open_discrepancies", "Discrepancies that nobody has resolved; up to 200 are counted.", []string{"shop"}, nil,
	)
)

func (*openPayments) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{openCount, openAge, suspense, parked, differ} {
		ch <- d
	}
}

func (p *openPayments) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	shops, err := p.sv.db.Shops(ctx)
	if err != nil {
		return // a scrape without these is better than none
	}
	for _, s := range shops {
		p.collect(ctx, s.ID, func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{s.ID}, labels...)...)
		})
	}
}

func (p *openPayments) collect(ctx context.Context, shop string, report func(*prometheus.Desc, float64, ...string)) {
	if ages, err := p.sv.db.PaymentAges(ctx, shop, p.sv.clock.Now()); err == nil {
		for status, age := range ages {
			report(openCount, float64(age.Count), string(status))
			report(openAge, age.Oldest.Seconds(), string(status))
		}
	}
	// A channel without any has the value 0: an alert on a missing series never
	// fires.
	if rows, err := p.sv.db.Suspense(ctx, shop); err == nil {
		has := map[string]bool{}
		for _, r := range rows {
			has[r.Channel] = true
			report(suspense, float64(r.Amount), r.Channel, r.Currency)
		}
		channels, _ := p.sv.db.ListChannels(ctx, shop)
		for _, c := range channels {
			if !has[c.Name] {
				report(suspense, 0, c.Name, "")
			}
		}
	}
	page := app.Page{Limit: 200}
	if items, _, err := p.sv.db.ListRefunds(ctx, shop, app.RefundFilter{Parked: true}, page); err == nil {
		report(parked, float64(len(items)))
	}
	if items, _, err := p.sv.db.ListDiscrepancies(ctx, shop, app.DiscrepancyFilter{Status: rows.DiscrepancyOpen}, page); err == nil {
		report(differ, float64(len(items)))
	}
}
