package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/internal/prepared"
	"github.com/tandem-pay/tandem/shop"
)

// asMain makes the test binary be tandem: tests that kill need a process of
// its own. The tests run with it, so that whatever starts this program, a
// command of it too, starts tandem.
const asMain = "TANDEM_TEST_AS_MAIN"

var pg *pgtest.Server

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Setenv(asMain, "1")
	code := 1
	s, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(code)
	}
	pg = s
	if err := s.Template(context.Background(), prepared.Postgres); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// patience is how long a test waits for what must come, on a machine that has
// other work as well. Nothing waits that long unless it fails.
const patience = 3 * time.Minute

const testKey = "sk_test_first_key"

// serve starts an instance in this process on a free port. change may alter
// its flags.
func serve(t *testing.T, change func(*serveCmd)) *server {
	t.Helper()
	return serveLogging(t, testLog{t}, change)
}

// serveLogging is serve with a log of the test's own.
func serveLogging(t *testing.T, log io.Writer, change func(*serveCmd)) *server {
	t.Helper()
	cfg := &serveCmd{Listen: "127.0.0.1:0", APIKey: testKey, MaxQueue: 4096, Drain: patience, LogLevel: "warn", LogFormat: "text"}
	cfg.Data = prepared.Data(t)
	if change != nil {
		change(cfg)
	}
	sv, err := start(t.Context(), cfg, streams{io.Discard, log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sv.stop(cfg.Drain); err != nil {
			t.Error(err)
		}
	})
	return sv
}

// testLog hands the server's log to the test until it ends.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

// each runs a test on both databases.
func each(t *testing.T, f func(t *testing.T, change func(*serveCmd))) {
	t.Run("sqlite", func(t *testing.T) { f(t, func(*serveCmd) {}) })
	t.Run("postgres", func(t *testing.T) {
		url := pg.NewDatabase(t)
		f(t, func(c *serveCmd) { c.DB = url })
	})
}

// client calls one server as the shop, or as a browser.
type client struct {
	t   *testing.T
	url string
	key string
}

func (sv *server) client(t *testing.T) client { return client{t, sv.url, testKey} }

// call sends JSON and reads JSON; header is "Name: value" lines.
func (c client) call(method, path string, body any, header ...string) (int, map[string]any) {
	c.t.Helper()
	status, answer, err := c.try(method, path, body, header...)
	if err != nil {
		c.t.Fatal(err)
	}
	return status, answer
}

func (c client) try(method, path string, body any, header ...string) (int, map[string]any, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, c.url+path, in)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err
	}
	var out map[string]any
	if len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &out); err != nil {
			return 0, nil, fmt.Errorf("%s: %w", b, err)
		}
	}
	return resp.StatusCode, out, nil
}

// must is call that requires a status.
func (c client) must(want int, method, path string, body any, header ...string) map[string]any {
	c.t.Helper()
	status, out := c.call(method, path, body, header...)
	if status != want {
		c.t.Fatalf("%s %s: %d %v, want %d", method, path, status, out, want)
	}
	return out
}

type obj = map[string]any

// order places one unit of TEA and returns its number and client token.
func (c client) order(key string, coupons ...string) (no, token string) {
	c.t.Helper()
	out := c.must(201, "POST", "/v1/orders", obj{"userId": "u1", "items": []obj{{"sku": "TEA", "quantity": 1}}, "couponCodes": coupons}, "Idempotency-Key: "+key)
	return out["orderNo"].(string), out["clientToken"].(string)
}

func (c client) pay(orderNo, key string) string {
	c.t.Helper()
	out := c.must(201, "POST", "/v1/orders/"+orderNo+"/payments", obj{"channel": "wechatpay", "method": "native"}, "Idempotency-Key: "+key)
	return out["paymentNo"].(string)
}

// until reads an order until it has the status; changes are waited for, not
// slept for.
func (c client) until(orderNo, status string) obj {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	etag := `""`
	for {
		r, err := http.NewRequest("GET", c.url+"/v1/orders/"+orderNo+"?wait=2s", nil)
		if err != nil {
			c.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.key)
		r.Header.Set("If-None-Match", etag)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			c.t.Fatal(err)
		}
		var out obj
		_ = json.NewDecoder(resp.Body).Decode(&out) // a 304 has no body
		resp.Body.Close()
		if out["status"] == status {
			return out
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("order is %v, want %s", out, status)
		}
		etag = resp.Header.Get("ETag")
	}
}

func (c client) shop() {
	c.t.Helper()
	c.must(200, "PUT", "/v1/skus/TEA", obj{"name": "茶 Tea", "price": 1000, "stock": 100000})
	c.must(201, "POST", "/v1/coupon-templates", obj{"id": "three", "name": "3 off", "kind": "amount_off", "amountOff": 300})
	c.must(201, "POST", "/v1/coupons", obj{"templateId": "three", "codes": []string{"C1", "C2", "C3"}})
}

// audited waits until the reactions have caught up and requires that there is no offence.
func audited(t *testing.T, db app.Admin) *audit.Report {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		r, err := audit.Run(context.Background(), db, shop.Default, logFollowers())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range r.Offences {
			t.Errorf("invariant %d: %s: %s", o.Invariant, o.Subject, o.Message)
		}
		if r.Pending == 0 {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("the followers have %d things to do still", r.Pending)
		}
	}
}
