package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are all metrics of one instance. Their labels have few values:
// never an order, a user or a path with a number in it.
type Metrics struct {
	registry *prometheus.Registry

	Requests  *prometheus.HistogramVec // route, status
	Callbacks *prometheus.CounterVec   // channel, verdict
	calls     *prometheus.CounterVec   // kind, call, outcome

	BatchCommands prometheus.Histogram
	BatchLoad     prometheus.Histogram
	BatchCommit   prometheus.Histogram
	BatchWait     prometheus.Histogram
	BatchRetries  prometheus.Counter
	BatchFailures prometheus.Counter

	PushDelay prometheus.Histogram // commit to socket
	PushSent  prometheus.Counter
	PushSlow  prometheus.Counter
	Sockets   prometheus.Gauge
}

var (
	fast  = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	sizes = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
)

// NewMetrics makes and registers the metrics.
func NewMetrics() *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		r.MustRegister(h)
		return h
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		r.MustRegister(c)
		return c
	}
	m := &Metrics{
		registry: r,
		Requests: prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Name: "tandem_http_request_seconds", Help: "HTTP requests by route and status.", Buckets: fast},
			[]string{"route", "status"},
		),
		Callbacks: prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: "tandem_callbacks_total", Help: "Channel callbacks by verdict."},
			[]string{"channel", "verdict"},
		),
		calls: prometheus.NewCounterVec(
			prometheus.CounterOpts{
				Name: "tandem_channel_calls_total",
				Help: "Calls to channels by outcome; call \"state\" counts changes of the circuit breaker.",
			},
			[]string{"kind", "call", "outcome"},
		),

		BatchCommands: histogram("tandem_batch_commands", "Commands in a batch.", sizes),
		BatchLoad:     histogram("tandem_batch_load_seconds", "Time to lock and load a batch.", fast),
		BatchCommit:   histogram("tandem_batch_commit_seconds", "Time to save and commit a batch.", fast),
		BatchWait:     histogram("tandem_batch_wait_seconds", "Time that the first command of a batch waited.", fast),
		BatchRetries:  counter("tandem_batch_retries_total", "Batches that were tried again."),
		BatchFailures: counter("tandem_batch_failures_total", "Tries of batches that failed as a whole."),
		PushDelay:     histogram("tandem_push_delay_seconds", "Commit to message written to a socket.", fast),
		PushSent:      counter("tandem_push_messages_total", "Messages written to sockets."),
		PushSlow:      counter("tandem_push_slow_readers_total", "Sockets that were closed because the client read too slowly."),
	}
	m.Sockets = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tandem_sockets", Help: "Open WebSockets and event streams."})
	r.MustRegister(m.Requests, m.Callbacks, m.calls, m.Sockets)
	return m
}

// Request counts one HTTP request.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.Requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// ChannelCall counts a call to a channel, or a change of its breaker.
func (m *Metrics) ChannelCall(kind, call, outcome string) {
	m.calls.WithLabelValues(kind, call, outcome).Inc()
}

// Callback counts one callback.
func (m *Metrics) Callback(channel, verdict string) {
	m.Callbacks.WithLabelValues(channel, verdict).Inc()
}

// Gauge registers a value that is read when the metrics are.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Register adds a collector.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// Handler serves the metrics in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
