package push_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/push"
)

func asClose(err error, ce *websocket.CloseError) bool { return errors.As(err, ce) }

func subscribe(orderNo string) string {
	return `{"type":"subscribe","orderNo":"` + orderNo + `"}`
}

func subscribeAfter(orderNo string, after int64) string {
	return `{"type":"subscribe","orderNo":"` + orderNo + `","after":` + strconv.FormatInt(after, 10) + `}`
}

// The contract's own words: the state as of now, then one message per event.
func TestStateThenEvents(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced, event.StockReserved, event.PaymentCreated)
	c := w.dial("?token=" + w.token("o1"))
	c.say(subscribe("o1"))
	if m := c.want("subscribed", 2); m.Order != "o1" || m.Status != "pending_payment" {
		t.Errorf("subscribed: %+v", m)
	}
	w.publish("o1", event.StockSold) // not of the order's sequence
	w.publish("o1", event.PaymentSucceeded, event.OrderPaid)
	c.want("payment.succeeded", 3)
	m := c.want("order.paid", 4)
	if m.Order != "o1" || m.Status != "paid" || m.Message != "支付成功" || m.Position != "" {
		t.Errorf("order.paid: %+v", m)
	}
	if at, err := time.Parse(time.RFC3339, m.At); err != nil || at.Location() != time.UTC {
		t.Errorf("at %q: %v", m.At, err)
	}
}

// Who listens to an order receives its refunds and instalments, and the shop
// receives the same.
func TestMoneyBack(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	buyer, shop := w.dial("?token="+w.token("o1")), w.dial("?token="+secret)
	buyer.say(subscribe("o1"))
	buyer.want("subscribed", 1)
	shop.say(`{"type":"subscribe","shop":true}`)
	shop.want("subscribed", 0)
	for i, tt := range []struct {
		kind    event.Type
		message string
	}{
		{event.InstalmentDue, "请支付下一期款项"},
		{event.RefundCreated, "退款申请中"},
		{event.RefundProgressed, "部分退款已到账"},
		{event.RefundParked, "退款需要人工处理，请稍候"},
		{event.RefundRetried, "正在重新退款"},
		{event.RefundSucceeded, "退款成功"},
		{event.OrderRefunded, "已全额退款"},
	} {
		w.publish("o1", tt.kind)
		for _, c := range []*client{buyer, shop} {
			m := c.want(string(tt.kind), int64(i+2))
			ofRefund := strings.HasPrefix(m.Type, "refund.")
			if m.Message != tt.message || (m.Refund == "r1") != ofRefund || (m.DueAt != "") != (tt.kind == event.InstalmentDue) {
				t.Errorf("%+v", m)
			}
		}
	}
}

func TestAuthentication(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	t.Run("by message", func(t *testing.T) {
		c := w.dial("")
		c.say(`{"type":"auth","token":"` + w.token("o1") + `"}`)
		c.want("authenticated", 0)
		c.say(`{"type":"subscribe"}`) // a client token has one order to mean
		c.want("subscribed", 1)
		c.say(`{"type":"auth","token":"` + secret + `"}`)
		if m := c.want("error", 0); m.Code != "validation_failed" {
			t.Errorf("%+v", m)
		}
	})
	t.Run("by header", func(t *testing.T) {
		c := w.dialWith("", http.Header{"Authorization": {"Bearer " + secret}})
		c.say(subscribe("o1"))
		c.want("subscribed", 1)
	})
	t.Run("bad token in the URL", func(t *testing.T) {
		w.dial("?token=ct_bad").wantClose(1008, "bad token")
	})
	t.Run("bad token in a message", func(t *testing.T) {
		c := w.dial("")
		c.say(`{"type":"auth","token":"sk_wrong"}`)
		c.wantClose(1008, "bad token")
	})
	t.Run("none", func(t *testing.T) {
		c := w.dial("")
		c.say(subscribe("o1"))
		c.wantClose(1008, "authenticate first")
	})
	t.Run("another order's token", func(t *testing.T) {
		c := w.dial("?token=" + w.token("o2"))
		c.say(subscribe("o1"))
		if m := c.want("error", 0); m.Code != "forbidden" || m.Order != "o1" {
			t.Errorf("%+v", m)
		}
	})
	t.Run("another shop's token", func(t *testing.T) {
		c := w.dial("?token=" + w.tokens.Issue(otherShop, "o1"))
		c.say(subscribe("o1"))
		if m := c.want("error", 0); m.Code != "not_found" {
			t.Errorf("%+v", m)
		}
	})
	t.Run("a client token for the shop", func(t *testing.T) {
		c := w.dial("?token=" + w.token("o1"))
		for _, text := range []string{`{"type":"subscribe","shop":true}`, `{"type":"subscribe","userId":"u"}`} {
			c.say(text)
			if m := c.want("error", 0); m.Code != "forbidden" {
				t.Errorf("%s: %+v", text, m)
			}
		}
	})
}

func TestAuthenticationTimesOut(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.AuthTimeout = time.Millisecond })
	w.dial("").wantClose(1008, "timed out")
}

func TestRevokedKey(t *testing.T) {
	t.Parallel() // a key is cached for some seconds
	w := newWorld(t, newLedger(), func(o *push.Options) { o.PingEvery = 10 * time.Millisecond })
	c := w.dial("?token=" + secret)
	c.say(`{"type":"subscribe","shop":true}`)
	c.want("subscribed", 0)
	w.keys.revoked.Store(true)
	c.wantClose(1008, "revoked")
}

func TestLanguage(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	for _, tt := range []struct{ query, header, want string }{
		{"", "", "支付成功"},
		{"&lang=en", "zh-CN", "Payment successful"},
		{"&lang=zh", "en", "支付成功"},
		{"", "fr, en-GB;q=0.8, zh;q=0.5", "Payment successful"},
		{"", "de", "支付成功"},
		{"&lang=xx", "en", "Payment successful"},
	} {
		c := w.dialWith("?token="+w.token("o1")+tt.query, http.Header{"Accept-Language": {tt.header}})
		c.say(subscribe("o1"))
		c.next()
		w.publish("o1", event.OrderPaid)
		if m := c.next(); m.Message != tt.want {
			t.Errorf("%+v: got %q", tt, m.Message)
		}
	}
}

func TestResume(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	for range 5 {
		w.publish("o1", event.PaymentCreated)
	}
	seq := int64(5)
	for _, after := range []int64{0, 3, 6, 7, 99} { // 99: more than there is
		c := w.dial("?token=" + w.token("o1"))
		c.say(subscribeAfter("o1", after))
		c.want("subscribed", seq)
		w.publish("o1", event.PaymentCreated)
		for seq, last := seq+1, min(after, seq); last < seq; last++ {
			c.want("payment.created", last+1)
		}
		seq++
	}
}

// Subscribing again on the same socket repeats the state, not the events.
func TestSubscribeTwiceAndUnsubscribe(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	w.publish("o2", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	c.say(subscribeAfter("o1", 0))
	c.want("subscribed", 1)
	c.say(subscribe("o2"))
	c.want("subscribed", 1)
	c.say(`{"type":"unsubscribe","orderNo":"o1"}`)
	c.want("unsubscribed", 0)
	w.publish("o1", event.OrderPaid)
	w.publish("o2", event.OrderPaid)
	if m := c.want("order.paid", 2); m.Order != "o2" {
		t.Errorf("%+v", m)
	}
	c.say(`{"type":"unsubscribe"}`)
	c.want("unsubscribed", 0)
	w.publish("o2", event.OrderClosed)
	c.say(subscribe("o2"))
	c.want("subscribed", 3)
}

func TestRubbish(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	bad := []struct{ text, code string }{
		{`hello`, "validation_failed"},
		{``, "validation_failed"},
		{`[]`, "validation_failed"},
		{`null`, "validation_failed"},
		{`{"type":"shout"}`, "validation_failed"},
		{`{"type":"subscribe","colour":"red"}`, "unknown_field"},
		{`{"type":"subscribe","orderNo":"o1","userId":"u1"}`, "validation_failed"},
		{`{"type":"subscribe","orderNo":"o1","after":-1}`, "validation_failed"},
		{`{"type":"subscribe","orderNo":"nowhere"}`, "not_found"},
		{`{"type":"subscribe"} {}`, "validation_failed"},
	}
	for _, b := range []struct{ text, code string }{
		{`{"type":"subscribe"}`, "validation_failed"},
		{`{"type":"auth"}`, "validation_failed"},
		{`{"type":"subscribe","shop":true,"after":"yesterday"}`, "validation_failed"},
		{`{"type":"subscribe","shop":true,"after":7}`, "validation_failed"},
		{`{"type":"subscribe","orderNo":"` + strings.Repeat("x", 65) + `"}`, "validation_failed"},
		{`{"type":"subscribe","userId":"` + strings.Repeat("x", 65) + `"}`, "validation_failed"},
	} {
		c := w.dial("?token=" + secret)
		c.say(b.text)
		if m := c.want("error", 0); m.Code != b.code || m.Detail == "" {
			t.Errorf("%s: %+v", b.text, m)
		}
	}
	c := w.dial("?token=" + secret)
	for _, b := range bad[:9] {
		c.say(b.text)
		if m := c.want("error", 0); m.Code != b.code || m.Detail == "" {
			t.Errorf("%s: %+v", b.text, m)
		}
	}
	c.say(subscribe("o1")) // it is still served
	c.want("subscribed", 1)
	c.say(bad[9].text)
	if m := c.want("error", 0); m.Code != bad[9].code {
		t.Errorf("%+v", m)
	}
	c.wantClose(1008, "too many bad messages")

	t.Run("too long", func(t *testing.T) {
		c := w.dial("?token=" + secret)
		c.say(`{"type":"subscribe","orderNo":"` + strings.Repeat("x", 5<<10) + `"}`)
		c.wantClose(1009, "")
	})
	t.Run("binary", func(t *testing.T) {
		c := w.dial("?token=" + secret)
		if err := c.c.Write(context.Background(), websocket.MessageBinary, []byte(subscribe("o1"))); err != nil {
			t.Fatal(err)
		}
		c.wantClose(1003, "")
	})
}

func TestTooManySubscriptions(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.MaxPerSocket = 2 })
	c := w.dial("?token=" + secret)
	for _, no := range []string{"o1", "o2", "o3"} {
		w.publish(no, event.OrderPlaced)
		c.say(subscribe(no))
	}
	c.want("subscribed", 1)
	c.want("subscribed", 1)
	if m := c.want("error", 0); m.Order != "o3" {
		t.Errorf("%+v", m)
	}
}

func TestTooManySockets(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.MaxSockets = 1 })
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	w.dial("?token="+secret).wantClose(1013, "overloaded")
	if got := w.get("/v1/orders/o1/events?token=" + w.token("o1")); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	_ = c.c.Close(websocket.StatusNormalClosure, "")
	w.until("room", func() bool { return w.open.Load() == 0 })
	c = w.dial("?token=" + secret)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
}

func TestDrain(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	var all []*client
	for range 5 {
		c := w.dial("?token=" + w.token("o1"))
		c.say(subscribe("o1"))
		c.want("subscribed", 1)
		all = append(all, c)
	}
	waited := make(chan error, 1)
	go func() { waited <- w.hub.Wait(context.Background(), shopID, "o1", 1) }()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		w.hub.Close(context.Background())
	}()
	for _, c := range all {
		c.wantClose(1001, "draining")
	}
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	<-closed
	if got := w.get("/v1/ws"); got.StatusCode != 503 {
		t.Errorf("after draining: %d", got.StatusCode)
	}
}

// A peer that answers nothing does not hold up the drain beyond its time.
func TestDrainCutsTheSilent(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.dial("?token=" + secret) // never reads, so never answers the close
	w.until("the socket", func() bool { return w.open.Load() == 1 })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.hub.Close(ctx)
	if n := w.open.Load(); n != 0 {
		t.Errorf("%d sockets open", n)
	}
}

// When the store is away a subscription is refused, and served once it is back.
func TestStoreAway(t *testing.T) {
	w := newWorld(t, newLedger(), nil)
	w.publish("o1", event.OrderPlaced)
	c := w.dial("?token=" + secret)
	w.log.breakDown(errors.New("connection refused"))
	for range 12 { // our fault, not rubbish
		c.say(subscribe("o1"))
		if m := c.want("error", 0); m.Code != "internal" || strings.Contains(m.Detail, "refused") {
			t.Fatalf("%+v", m)
		}
	}
	w.log.breakDown(nil)
	c.say(subscribe("o1"))
	c.want("subscribed", 1)
	w.publish("o1", event.OrderPaid)
	c.want("order.paid", 2)
}

func TestOrigins(t *testing.T) {
	w := newWorld(t, newLedger(), func(o *push.Options) { o.Origins = []string{"shop.example"} })
	for origin, ok := range map[string]bool{"https://shop.example": true, "https://evil.example": false} {
		c, _, err := websocket.Dial(context.Background(), w.server.URL+"/v1/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", origin, err)
		}
		if err == nil {
			_ = c.CloseNow()
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
