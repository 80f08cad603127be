package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/shop"
)

// logLines hands on a server's log and says how many lines have some text.
type logLines struct {
	testLog
	text string
	mu   sync.Mutex
	n    int
	came chan struct{} // has one value after a line that has the text
}

func (l *logLines) Write(p []byte) (int, error) {
	if strings.Contains(string(p), l.text) {
		l.mu.Lock()
		l.n++
		l.mu.Unlock()
		select {
		case l.came <- struct{}{}:
		default:
		}
	}
	return l.testLog.Write(p)
}

func (l *logLines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// metric is a line of /metrics, without its name.
func (c client) metric(name string) string {
	c.t.Helper()
	resp, err := http.Get(c.url + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(all), "\n") {
		if value, is := strings.CutPrefix(line, name+" "); is {
			return value
		}
	}
	return ""
}

// TestFollowerStops: a follower that stops is in the metrics, in the log and
// in the warnings of /readyz, which stays 200, a minute later; when it goes
// on, none of them speaks of it any more.
func TestFollowerStops(t *testing.T) {
	const (
		records = `tandem_follower_lag_records{follower="halting"}`
		seconds = `tandem_follower_lag_seconds{follower="halting"}`
	)
	each(t, func(t *testing.T, change func(*serveCmd)) {
		goOn := make(chan struct{})
		extraFollowers = []outbox.Follower{{
			Name: "halting", Types: []event.Type{event.OrderPaid},
			Deliver: func(ctx context.Context, _ *event.Record) error {
				select {
				case <-goOn:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		}}
		t.Cleanup(func() { extraFollowers = nil })
		log := &logLines{testLog: testLog{t}, text: `"a follower of the log is late" follower=halting`, came: make(chan struct{}, 1)}
		sv := serveLogging(t, log, func(c *serveCmd) {
			change(c)
			c.NoDemo = true
		})
		c := sv.client(t)
		c.shop()
		named := func() bool {
			w, _ := c.must(200, "GET", "/readyz", nil)["warnings"].([]any)
			for _, text := range w {
				if strings.Contains(text.(string), "follower halting is late") {
					return true
				}
			}
			return false
		}
		if named() || log.count() > 0 {
			t.Error("it is late before anything has happened")
		}

		no, _ := c.order("k1")
		if err := sv.sandbox.Pay(c.pay(no, "p1")); err != nil {
			t.Fatal(err)
		}
		c.until(no, "paid")
		audited(t, sv.db) // the other followers go on
		end, err := sv.db.EndOfLog(t.Context(), shop.Default)
		if err != nil {
			t.Fatal(err)
		}
		paid, err := sv.db.Events(t.Context(), shop.Default, app.EventQuery{Types: []event.Type{event.OrderPaid}, Limit: 2})
		if err != nil || len(paid) != 1 {
			t.Fatal(len(paid), err)
		}

		sv.clock.Advance(time.Minute)
		select {
		case <-log.came:
		case <-time.After(patience):
			t.Fatal("the log does not say that it is late")
		}
		if got, want := c.metric(records), fmt.Sprint(end-paid[0].Position+1); got != want {
			t.Errorf("%s %s, want %s", records, got, want)
		}
		if got := c.metric(seconds); !strings.HasPrefix(got, "6") {
			t.Errorf("%s %s", seconds, got)
		}
		if !named() {
			t.Error("/readyz does not name it")
		}

		close(goOn)
		wait(t, "the cursor to reach the end", func() bool {
			at, _, err := sv.db.Cursor(t.Context(), shop.Default, "halting")
			return err == nil && at > 0
		})
		sv.clock.Advance(time.Minute)
		wait(t, "the warning to go", func() bool { return !named() })
		if r, s := c.metric(records), c.metric(seconds); r != "0" || s != "0" {
			t.Errorf("it is behind by %s records and %s seconds", r, s)
		}
		lines := log.count()
		for range 2 { // the lines of one measurement are written before the next
			last := &sv.outbox.Lags()[0]
			sv.clock.Advance(time.Minute)
			wait(t, "another measurement", func() bool { return !named() && last != &sv.outbox.Lags()[0] })
		}
		if log.count() != lines {
			t.Error("the log goes on to say that it is late")
		}
	})
}

// wait asks again until it is so.
func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}
