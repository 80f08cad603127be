package main

import (
	"bufio"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tandem-pay/tandem/app"
)

// listen reads an order's event stream and returns its events' types; the
// channel closes with the stream.
func (c client) listen(orderNo, token string) <-chan string {
	c.t.Helper()
	resp, err := http.Get(c.url + "/v1/orders/" + orderNo + "/events?token=" + url.QueryEscape(token))
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		c.t.Fatalf("event stream: %s", resp.Status)
	}
	types := make(chan string, 100)
	go func() {
		defer close(types)
		defer resp.Body.Close()
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			if e, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				types <- e
			}
		}
	}()
	c.t.Cleanup(func() { resp.Body.Close() })
	if first := <-types; first != "subscribed" {
		c.t.Fatalf("first event %q", first)
	}
	return types
}

func wantEvent(t *testing.T, types <-chan string, want string) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case got, ok := <-types:
			if got == want {
				return
			}
			if !ok {
				t.Fatalf("the stream ended before %s", want)
			}
		case <-timeout:
			t.Fatalf("no %s came", want)
		}
	}
}

// TestFlow: an order placed with a coupon, paid on the sandbox's phone page
// and pushed, over HTTP alone.
func TestFlow(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		sv := serve(t, change)
		c := sv.client(t)
		c.shop()
		quote := c.must(200, "POST", "/v1/quotes", obj{"userId": "u1", "items": []obj{{"sku": "TEA", "quantity": 1}}, "couponCodes": []string{"C1"}})
		no, token := c.order("k1", "C1")
		browser := client{t, sv.url, token}
		order := browser.must(200, "GET", "/v1/orders/"+no, nil)
		if order["payableAmount"] != quote["payableAmount"] || order["payableAmount"] != 700.0 {
			t.Errorf("quoted %v, ordered %v", quote["payableAmount"], order["payableAmount"])
		}
		events := browser.listen(no, token)
		paymentNo := browser.pay(no, "p1")
		if err := sv.sandbox.Pay(paymentNo); err != nil {
			t.Fatal(err)
		}
		wantEvent(t, events, "order.paid")
		browser.until(no, "paid")
		c.must(409, "POST", "/v1/orders/"+no+"/cancel", obj{})
		if r := audited(t, sv.db); r.Orders != 1 || r.Suspense != 0 {
			t.Errorf("%+v", r)
		}
		if got := c.must(200, "GET", "/v1/coupons/C1", nil)["status"]; got != "used" {
			t.Errorf("coupon is %v", got)
		}
	})
}

// TestClock: moving the clock lets orders expire and payments close, at the
// gateway as well.
func TestClock(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		sv := serve(t, change)
		c := sv.client(t)
		c.shop()
		idle, _ := c.order("k1", "C1")
		open, _ := c.order("k2", "C2")
		lost, _ := c.order("k3", "C3")
		openPay, lostPay := c.pay(open, "p2"), c.pay(lost, "p3")
		if err := sv.sandbox.PaySilently(lostPay); err != nil { // paid, and its callback is lost
			t.Fatal(err)
		}
		c.must(200, "POST", "/v1/test/clock", obj{"advance": "16m"})
		c.until(idle, "closed")
		c.until(lost, "paid")
		c.until(open, "closed")
		if got := c.must(200, "GET", "/v1/payments/"+openPay, nil)["status"]; got != "closed" {
			t.Errorf("payment is %v", got)
		}
		audited(t, sv.db)
		for code, want := range map[string]string{"C1": "available", "C2": "available", "C3": "used"} {
			if got := c.must(200, "GET", "/v1/coupons/"+code, nil)["status"]; got != want {
				t.Errorf("coupon %s is %v, want %s", code, got, want)
			}
		}
	})
}

// TestTrace: one trace from the call that placed the order to the message on
// the socket.
func TestTrace(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	extraSpans = []trace.SpanProcessor{spans}
	defer func() { extraSpans = nil }()
	sv := serve(t, nil)
	c := sv.client(t)
	c.shop()
	const traceID = "0af7651916cd43dd8448eb211c80319c"
	out := c.must(201, "POST", "/v1/orders", obj{"userId": "u1", "items": []obj{{"sku": "TEA", "quantity": 1}}},
		"Idempotency-Key: k1", "traceparent: 00-"+traceID+"-b7ad6b7169203331-01")
	no, token := out["orderNo"].(string), out["clientToken"].(string)
	events := c.listen(no, token)
	if err := sv.sandbox.Pay(c.pay(no, "p1")); err != nil {
		t.Fatal(err)
	}
	wantEvent(t, events, "order.paid")
	audited(t, sv.db)
	var names []string
	for _, s := range spans.Ended() {
		if s.SpanContext().TraceID().String() == traceID {
			names = append(names, s.Name())
		}
	}
	for _, want := range []string{"POST /v1/orders", "place order", "open payment", "channel prepay", "settle", "push"} {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("no span %q in the order's trace: %q", want, names)
		}
	}
	for _, l := range c.must(200, "GET", "/v1/orders/"+no+"/timeline", nil)["items"].([]any) {
		if id := l.(obj)["traceId"]; id != traceID {
			t.Errorf("timeline: %v", l)
		}
	}
}

// TestTwoInstances: a buyer who listens at one instance receives what is
// settled at the other.
func TestTwoInstances(t *testing.T) {
	url := pg.NewDatabase(t)
	data := t.TempDir()
	one := serve(t, func(c *serveCmd) { c.DB, c.Data = url, data })
	two := serve(t, func(c *serveCmd) { c.DB, c.Data, c.NoDemo = url, data, true })
	c := one.client(t)
	c.shop()
	no, token := c.order("k1")
	events := two.client(t).listen(no, token)
	if err := one.sandbox.Pay(two.client(t).pay(no, "p1")); err != nil {
		t.Fatal(err)
	}
	wantEvent(t, events, "order.paid")
	audited(t, two.db)
}

// TestMasterKey: an instance with another master key is refused at start,
// not at the first payment.
func TestMasterKey(t *testing.T) {
	url := pg.NewEmptyDatabase(t)
	serve(t, func(c *serveCmd) { c.DB = url })
	cfg := &serveCmd{Listen: "127.0.0.1:0", APIKey: testKey, LogLevel: "error"}
	cfg.DB, cfg.Data = url, t.TempDir()
	_, err := start(t.Context(), cfg, streams{t.Output(), t.Output()})
	if err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("got %v", err)
	}
}

// TestSecretsAtRest: what is stored of a channel is sealed.
func TestSecretsAtRest(t *testing.T) {
	sv := serve(t, nil)
	row, err := sv.db.ChannelRow(t.Context(), "default", "wechatpay")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(row.Sealed), "PRIVATE KEY") || len(row.Sealed) == 0 {
		t.Error("the settings are stored in the clear")
	}
	shown := sv.client(t).must(200, "GET", "/v1/channels/wechatpay", nil)
	for name, v := range shown {
		if s, _ := v.(string); strings.Contains(s, "PRIVATE") || strings.Contains(s, sv.sandbox.Keys().WechatPay.APIv3Key) {
			t.Errorf("%s is shown: %v", name, v)
		}
	}
	if _, err := sv.auth.Authenticate(t.Context(), app.SecretPrefix+"wrong"); err == nil {
		t.Error("a wrong key passed")
	}
}
