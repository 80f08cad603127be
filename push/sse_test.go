package push_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/push"
)

// get sends one request and closes the body.
func (w *world) get(path string) *http.Response {
	w.t.Helper()
	req, _ := http.NewRequest("GET", w.server.URL+path, nil)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

type stream struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Scanner
	end  context.CancelFunc
}

func (w *world) stream(path string, header http.Header) *stream {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	req, _ := http.NewRequestWithContext(ctx, "GET", w.server.URL+path, nil)
	req.Header = header
	if header == nil {
		req.Header = http.Header{}
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &stream{w.t, resp, bufio.NewScanner(resp.Body), func() { cancel(); _ = resp.Body.Close() }}
	w.t.Cleanup(s.end)
	return s
}

// want reads the next event and checks its id, name and data.
func (s *stream) want(kind string, id, seq int64) message {
	s.t.Helper()
	got := map[string]string{}
	for s.in.Scan() {
		line := s.in.Text()
		if line == "" && got["data"] != "" {
			break
		}
		if name, value, ok := strings.Cut(line, ": "); ok && name != "" {
			got[name] = value
		}
	}
	var m message
	if err := json.Unmarshal([]byte(got["data"]), &m); err != nil {
		s.t.Fatalf("%v: %v (%v)", got, err, s.in.Err())
	}
	if got["event"] != kind || m.Type != kind || got["id"] != fmt.Sprint(id) || m.Seq != seq {
		s.t.Fatalf("got %v, want %s with id %d and seq %d", got, kind, id, seq)
	}
	return m
}

func TestEventStream(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced, event.PaymentCreated)
	s := w.stream("/v1/orders/o1/events?token="+w.token("o1"), nil)
	if got := s.resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Errorf("Content-Type %s", got)
	}
	if got := s.resp.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin %q", got)
	}
	if m := s.want("subscribed", 2, 2); m.Status != "pending_payment" {
		t.Errorf("%+v", m)
	}
	w.publish("o1", event.PaymentSucceeded, event.OrderPaid)
	s.want("payment.succeeded", 3, 3)
	if m := s.want("order.paid", 4, 4); m.Message != "支付成功" || m.Status != "paid" {
		t.Errorf("%+v", m)
	}
	s.end()

	// The first id is where the client stands: breaking off right after it
	// would lose nothing.
	s = w.stream("/v1/orders/o1/events?after=3&lang=en", http.Header{"Authorization": {"Bearer " + secret}, "Last-Event-Id": {"1"}})
	s.want("subscribed", 1, 4)
	for seq, kind := range []string{2: "payment.created", 3: "payment.succeeded", 4: "order.paid"} {
		if kind != "" {
			s.want(kind, int64(seq), int64(seq))
		}
	}
	w.publish("o1", event.OrderClosed)
	if m := s.want("order.closed", 5, 5); m.Message != "The order was closed" {
		t.Errorf("%+v", m)
	}
}

func TestEventStreamRefusals(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	for _, tt := range []struct {
		path   string
		status int
		code   string
	}{
		{"/v1/orders/o1/events", 401, "unauthorized"},
		{"/v1/orders/o1/events?token=ct_bad", 401, "unauthorized"},
		{"/v1/orders/o1/events?token=" + w.token("o2"), 403, "forbidden"},
		{"/v1/orders/o9/events?token=" + secret, 404, "not_found"},
		{"/v1/orders/o1/events?after=x&token=" + secret, 400, "validation_failed"},
	} {
		s := w.stream(tt.path, nil)
		var p struct {
			Type, Title, Detail, Code string
			Status                    int
		}
		if err := json.NewDecoder(s.resp.Body).Decode(&p); err != nil {
			t.Fatal(err)
		}
		if s.resp.StatusCode != tt.status || p.Status != tt.status || p.Code != tt.code || p.Title == "" || p.Detail == "" ||
			s.resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %+v", tt.path, s.resp.StatusCode, p)
		}
		s.end()
	}
	w.until("the end of all", func() bool { return w.open.Load() == 0 })
}

func TestEventStreamDrains(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	s := w.stream("/v1/orders/o1/events?token="+secret, nil)
	s.want("subscribed", 1, 1)
	w.hub.Close(context.Background())
	var rest []string
	for s.in.Scan() {
		rest = append(rest, s.in.Text())
	}
	if len(rest) == 0 || !strings.Contains(rest[0], "1001") || s.in.Err() != nil {
		t.Errorf("%q %v", rest, s.in.Err())
	}
}

func TestEventStreamSlowReader(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.PollEvery, o.SendTimeout = time.Hour, 50*time.Millisecond })
	w.publish("o1", event.OrderPlaced)
	s := w.stream("/v1/orders/o1/events?token="+secret, nil)
	s.want("subscribed", 1, 1)
	good := w.dial("?token=" + secret)
	good.say(subscribe("o1"))
	good.want("subscribed", 1)
	for seq := int64(2); w.slow.Load() == 0; seq++ {
		if seq > 200_000 {
			t.Fatal("the slow reader is still there")
		}
		w.publish("o1", event.PaymentCreated)
		good.want("payment.created", seq)
	}
}

// A stream that its reader leaves is given up.
func TestEventStreamLeft(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	s := w.stream("/v1/orders/o1/events?token="+secret, nil)
	s.want("subscribed", 1, 1)
	s.end()
	w.until("its end", func() bool { return w.open.Load() == 0 })
}

func TestEventStreamOrigins(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.Origins = []string{"shop.example", "https://*.example.org"} })
	w.publish("o1", event.OrderPlaced)
	for origin, want := range map[string]string{
		"https://shop.example":  "https://shop.example",
		"https://a.example.org": "https://a.example.org",
		"http://a.example.org":  "",
		"https://evil.example":  "",
		"":                      "",
	} {
		s := w.stream("/v1/orders/o1/events?token="+secret, http.Header{"Origin": {origin}})
		if got := s.resp.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: %q", origin, got)
		}
		s.end()
	}
}
