package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/outbox"
)

// logFollowers are those who follow the log with a stored cursor.
func logFollowers() []outbox.Follower {
	return append(outbox.Reactions(app.Reactions), extraFollowers...)
}

// extraFollowers lets a test have a follower of its own in a whole instance.
var extraFollowers []outbox.Follower

// followers are the metrics of those who follow the log. There are as many
// series as followers, whatever the number of shops.
type followers struct{ b *outbox.Outbox }

var (
	followerRecords = prometheus.NewDesc(
		"tandem_follower_lag_records",
		"Records up to the end of the log, from the oldest that the follower has not processed; of all shops.",
		[]string{"follower"}, nil,
	)
	followerSeconds = prometheus.NewDesc(
		"tandem_follower_lag_seconds",
		"Age of the oldest record that the follower has not processed; of all shops.",
		[]string{"follower"}, nil,
	)
	followerParked = prometheus.NewDesc(
		"tandem_follower_parked_records",
		"Records that the follower could not process and that wait for a person; of all shops.",
		[]string{"follower"}, nil,
	)
)

// Describe is prometheus.Collector's.
func (followers) Describe(c chan<- *prometheus.Desc) {
	c <- followerRecords
	c <- followerSeconds
	c <- followerParked
}

// Collect is prometheus.Collector's.
func (f followers) Collect(c chan<- prometheus.Metric) {
	for _, l := range f.b.Lags() {
		c <- prometheus.MustNewConstMetric(followerRecords, prometheus.GaugeValue, float64(l.Records), l.Follower)
		c <- prometheus.MustNewConstMetric(followerSeconds, prometheus.GaugeValue, l.Age.Seconds(), l.Follower)
		c <- prometheus.MustNewConstMetric(followerParked, prometheus.GaugeValue, float64(l.Parked), l.Follower)
	}
}

// warnings are what an operator should look at although the server can serve:
// a follower that is late, records that are parked. An instance that is taken
// out of service for them would not help them; all instances follow the same
// logs, and all would be taken out.
func (sv *server) warnings(context.Context) []string {
	var out []string
	for _, l := range sv.outbox.Late() {
		age := l.Age.Round(time.Second)
		out = append(out, fmt.Sprintf("follower %s is late: %d records, the oldest %s old (shop %s)", l.Follower, l.Records, age, l.Shop))
	}
	var parked []string
	for _, l := range sv.outbox.Lags() {
		if l.Parked > 0 {
			parked = append(parked, fmt.Sprintf("%s %d", l.Follower, l.Parked))
		}
	}
	if len(parked) > 0 {
		out = append(out, "records are parked: "+strings.Join(parked, ", "))
	}
	return out
}
