package main

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/internal/prepared"
	"github.com/tandem-pay/tandem/sandbox"
)

// launch starts an instance that the test may stop itself, or says why it does
// not start.
func launch(t *testing.T, change func(*serveCmd)) (sv *server, stop func(), err error) {
	t.Helper()
	cfg := &serveCmd{Listen: "127.0.0.1:0", APIKey: testKey, MaxQueue: 4096, Drain: patience, LogLevel: "warn", LogFormat: "text", NoDemo: true}
	change(cfg)
	sv, err = start(t.Context(), cfg, streams{io.Discard, testLog{t}})
	if err != nil {
		return nil, nil, err
	}
	stop = sync.OnceFunc(func() {
		if err := sv.stop(cfg.Drain); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return sv, stop, nil
}

func launched(t *testing.T, change func(*serveCmd)) (*server, func()) {
	t.Helper()
	sv, stop, err := launch(t, change)
	if err != nil {
		t.Fatal(err)
	}
	return sv, stop
}

// ownMerchants are settings of channels of another merchant than the sandbox's.
var ownMerchants = sync.OnceValue(func() map[string]json.RawMessage {
	keys, err := sandbox.GenerateKeys(rand.Reader, time.Now())
	if err != nil {
		panic(err)
	}
	return sandboxSettings(keys, "http://127.0.0.1:1")
})

// reported waits until the sandbox has tried to report a payment.
func (c client) reported(paymentNo string) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) { // a poll
		callbacks, _ := c.must(200, "GET", "/sandbox/trades/"+paymentNo, nil)["callbacks"].([]any)
		if len(callbacks) > 0 && callbacks[0].(obj)["tries"] != 0.0 {
			return
		}
	}
	c.t.Fatalf("the payment %s is not reported", paymentNo)
}

// TestConfiguredChannelStays: the sandbox fills only channels that were never
// configured, its trades pay nothing on another's, and beside a real channel it
// is mounted only when that is asked for.
func TestConfiguredChannelStays(t *testing.T) {
	for _, channel := range []string{"wechatpay", "alipay"} {
		t.Run(channel, func(t *testing.T) {
			each(t, func(t *testing.T, change func(*serveCmd)) {
				data := prepared.Data(t)
				with := func(more func(*serveCmd)) func(*serveCmd) {
					return func(c *serveCmd) { change(c); c.Data = data; more(c) }
				}
				sv, stop := launched(t, with(func(*serveCmd) {}))
				c := sv.client(t)
				c.shop()
				no, _ := c.order("k1")
				method := map[string]string{"wechatpay": "native", "alipay": "precreate"}[channel]
				paymentNo := c.must(201, "POST", "/v1/orders/"+no+"/payments",
					obj{"channel": channel, "method": method}, "Idempotency-Key: p1")["paymentNo"].(string)

				c.must(200, "PUT", "/v1/channels/"+channel, ownMerchants()[channel])
				own := c.must(200, "GET", "/v1/channels/"+channel, nil)
				c.must(200, "POST", "/sandbox/trades/"+paymentNo+"/pay", obj{})
				c.reported(paymentNo)
				if got := c.must(200, "GET", "/v1/orders/"+no, nil); got["status"] != "pending_payment" || got["paidAmount"] != 0.0 {
					t.Errorf("the sandbox paid an order on a real channel: %v", got)
				}
				stop()

				_, _, err := launch(t, with(func(*serveCmd) {}))
				if err == nil || !strings.Contains(err.Error(), channel) || !strings.Contains(err.Error(), "--sandbox-beside-real-channels") {
					t.Errorf("it started, or does not say what to do: %v", err)
				}
				for _, more := range []func(*serveCmd){
					func(c *serveCmd) { c.NoSandbox = true },
					func(c *serveCmd) { c.SandboxBesideRealChannels = true },
				} {
					sv, stop := launched(t, with(more))
					for name, want := range own {
						got := sv.client(t).must(200, "GET", "/v1/channels/"+channel, nil)[name]
						if s, ok := want.(string); ok && got != s {
							t.Errorf("after a restart %s is %v, want %v", name, got, want)
						}
					}
					stop()
				}
				sv, _ = launched(t, with(func(c *serveCmd) { c.NoSandbox = true }))
				audited(t, sv.db)
			})
		})
	}
}

// TestSandboxChannelsWithoutSandbox: a server without the sandbox takes no money
// over its channels.
func TestSandboxChannelsWithoutSandbox(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		data := prepared.Data(t)
		with := func(without bool) func(*serveCmd) {
			return func(c *serveCmd) { change(c); c.Data, c.NoSandbox = data, without }
		}
		_, stop := launched(t, with(false))
		stop()
		sv, _ := launched(t, with(true))
		c := sv.client(t)
		c.shop()
		no, _ := c.order("k1")
		for channel, method := range map[string]string{"wechatpay": "native", "alipay": "precreate"} {
			out := c.must(409, "POST", "/v1/orders/"+no+"/payments", obj{"channel": channel, "method": method}, "Idempotency-Key: "+channel)
			if out["code"] != "channel_not_configured" {
				t.Errorf("%s: %v", channel, out)
			}
		}
		audited(t, sv.db)
	})
}

// TestSandboxMoves: the sandbox is where the server is, whatever the port was
// before.
func TestSandboxMoves(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		data := prepared.Data(t)
		at := func(c *serveCmd) { change(c); c.Data = data }
		first, stop := launched(t, at)
		first.client(t).shop()
		stop()
		taken, err := net.Listen("tcp", strings.TrimPrefix(first.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		sv, _ := launched(t, at)
		c := sv.client(t)
		no, _ := c.order("k1")
		if err := sv.sandbox.Pay(c.pay(no, "p1")); err != nil {
			t.Fatal(err)
		}
		c.until(no, "paid")
		audited(t, sv.db)
	})
}

// TestOneServerPerFolder: a second server on a SQLite database is refused and
// told of the first, which goes on.
func TestOneServerPerFolder(t *testing.T) {
	data := prepared.Data(t)
	first, stop := launched(t, func(c *serveCmd) { c.Data = data })
	c := first.client(t)
	c.shop()
	for _, without := range []bool{false, true} {
		_, _, err := launch(t, func(c *serveCmd) { c.Data, c.NoSandbox = data, without })
		if err == nil || !strings.Contains(err.Error(), first.url) || !strings.Contains(err.Error(), data) {
			t.Errorf("no sandbox %t: %v", without, err)
		}
	}
	no, _ := c.order("k1")
	if err := first.sandbox.Pay(c.pay(no, "p1")); err != nil {
		t.Fatal(err)
	}
	c.until(no, "paid")
	audited(t, first.db)
	stop()
	launched(t, func(c *serveCmd) { c.Data = data })
}

// TestInstancesShareSandbox: of two instances on one PostgreSQL one has the
// sandbox, and the other leads to it, wherever it is.
func TestInstancesShareSandbox(t *testing.T) {
	url, data := pg.NewDatabase(t), t.TempDir()
	at := func(c *serveCmd) { c.DB, c.Data = url, data }
	one, stop := launched(t, at)
	two, _ := launched(t, at)
	if one.sandbox == nil || two.sandbox != nil {
		t.Fatal("not just the first has the sandbox")
	}
	c := two.client(t)
	c.shop()
	no, _ := c.order("k1")
	paymentNo := c.pay(no, "p1")
	for _, sv := range []*server{one, two} {
		sv.client(t).must(200, "GET", "/sandbox/trades/"+paymentNo, nil)
	}
	c.must(200, "POST", "/sandbox/trades/"+paymentNo+"/pay", obj{})
	c.until(no, "paid")

	stop()
	no, _ = c.order("k2")
	out := c.must(502, "POST", "/v1/orders/"+no+"/payments", obj{"channel": "wechatpay", "method": "native"}, "Idempotency-Key: p2")
	if out["code"] != "channel_unavailable" {
		t.Errorf("with no sandbox: %v", out)
	}
	three, _ := launched(t, at)
	no, _ = c.order("k3")
	if err := three.sandbox.Pay(c.pay(no, "p3")); err != nil {
		t.Fatal(err)
	}
	c.until(no, "paid")
	audited(t, three.db)
}

// TestReachable: a sandbox on all addresses is called on the loopback.
func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		"[::]:8080": "127.0.0.1:8080", "0.0.0.0:8080": "127.0.0.1:8080", "127.0.0.1:8080": "127.0.0.1:8080",
		"10.0.0.1:80": "10.0.0.1:80", "[::1]:80": "[::1]:80",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
