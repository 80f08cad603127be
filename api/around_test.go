package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/shop"
)

// TestLines: a request is one line of the log, which says what a person needs
// to find it and nothing that must stay secret; and one observation.
func TestLines(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	for _, tt := range []struct {
		call, body string
		headers    []string
		level      string
		want       map[string]any
		observed   string
	}{
		{"GET /v1/orders/" + no, "", nil, "DEBUG", map[string]any{"route": "GET /v1/orders/{orderNo}", "status": 200.0, "orderNo": no, "shop": "default"}, "GET /v1/orders/{orderNo} OK"},
		{"POST /v1/orders", oneTea, nil, "DEBUG", map[string]any{"route": "POST /v1/orders", "status": 201.0}, "POST /v1/orders Created"},
		{"POST /v1/orders", `{"userId":"hunter2"}`, nil, "INFO", map[string]any{"status": 400.0, "code": "validation_failed"}, "POST /v1/orders Bad Request"},
		{"GET /v1/skus", "", []string{"Authorization: Bearer sk_hunter2"}, "INFO", map[string]any{"status": 401.0, "code": "unauthorized"}, "GET /v1/skus Unauthorized"},
		{"GET /nowhere", "", nil, "INFO", map[string]any{"route": "unmatched", "status": 404.0}, "unmatched Not Found"},
		{"DELETE /v1/orders", "", nil, "INFO", map[string]any{"route": "unmatched", "status": 405.0}, "unmatched Method Not Allowed"},
	} {
		h.log.Reset()
		h.observed = nil
		h.do(tt.call, tt.body, append(tt.headers, "Traceparent: 00-"+trace+"-00f067aa0ba902b7-01")...)
		text := strings.TrimSpace(h.log.String())
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("%s: not one line: %v: %s", tt.call, err, text)
			continue
		}
		if line["level"] != tt.level {
			t.Errorf("%s at %v: %s", tt.call, line["level"], text)
		}
		for name, want := range tt.want {
			if line[name] != want {
				t.Errorf("%s: %s is %v, want %v", tt.call, name, line[name], want)
			}
		}
		if strings.Contains(text, "hunter2") || strings.Contains(text, ourKey) {
			t.Errorf("a secret is in the log: %s", text)
		}
		if len(h.observed) != 1 || h.observed[0] != tt.observed {
			t.Errorf("observed %v, want %s", h.observed, tt.observed)
		}
	}
}

// TestOurFault: what breaks on our side is a problem that reveals nothing, and
// a line of the log that has it all, under the same trace id.
func TestOurFault(t *testing.T) {
	const secret = "dial tcp 10.0.0.7:5432: password is hunter2"
	for _, tt := range []struct {
		name   string
		ready  func(context.Context) error
		status int
		code   string
		level  string
	}{
		{"an error", func(context.Context) error { return errors.New(secret) }, 503, "unavailable", "WARN"},
		{"a panic", func(context.Context) error { panic(secret) }, 500, "internal", "ERROR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, func(o *api.Options) { o.Ready = tt.ready })
			h.log.Reset()
			w := h.do("GET /readyz", "", "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
			wantCode(t, w, tt.status, tt.code)
			if strings.Contains(w.Body.String(), "hunter2") || !strings.Contains(w.Body.String(), `"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"`) {
				t.Errorf("%s", w.Body)
			}
			for _, want := range []string{`"level":"` + tt.level + `"`, "hunter2", "4bf92f3577b34da6a3ce929d0e0e4736"} {
				if !strings.Contains(h.log.String(), want) {
					t.Errorf("no %s in %s", want, h.log)
				}
			}
		})
	}
}

// TestStoreAway: when the store is gone the answer is a problem, not the
// store's words.
func TestStoreAway(t *testing.T) {
	h := open(t)
	h.stock()
	h.do("GET /v1/skus", "") // the key is known
	h.Engine.Close()
	w := h.do("POST /v1/orders", oneTea)
	wantCode(t, w, 503, "unavailable")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestNotify: a callback gets the channel's own answer; what was not applied
// is not acknowledged; unknown channels create no metrics.
func TestNotify(t *testing.T) {
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	p := h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`)["paymentNo"].(string)
	good := string(harness.Callback(p, h.Gate.Pay(p)))
	for _, tt := range []struct {
		name, path, body string
		status           int
		verdict          string
	}{
		{"not ours", "/v1/notify/default/gate", `{"forged":true}`, 401, "gate refused:signature"},
		{"too large", "/v1/notify/default/gate", strings.Repeat("x", 5<<20), 401, "gate refused:signature"},
		{"unknown payment", "/v1/notify/default/gate", string(harness.Callback("2999", h.Gate.Pay(p))), 404, "gate orphan"},
		{"good", "/v1/notify/default/gate?from=channel", good, 200, "gate settled"},
		{"good again", "/v1/notify/default/gate", good, 200, "gate repeated"},
		{"no such channel", "/v1/notify/default/made-up", good, 409, "unknown no_channel"},
		{"no such shop", "/v1/notify/made-up/gate", good, 409, "unknown no_channel"},
	} {
		h.verdicts = nil
		w := h.do("POST "+tt.path, tt.body, "Authorization", "Idempotency-Key", "Content-Type: text/plain")
		if w.Code != tt.status || len(h.verdicts) != 1 || h.verdicts[0] != tt.verdict {
			t.Errorf("%s: %d %v, want %d %s", tt.name, w.Code, h.verdicts, tt.status, tt.verdict)
		}
	}
	if o := h.must("GET /v1/orders/"+no, ""); o["status"] != "paid" {
		t.Errorf("the order is %v", o["status"])
	}
	h.Audit()
}

// TestClientIP: the payer's address is the connection's, or what a trusted
// proxy saw.
func TestClientIP(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trust   bool
		forward string
		want    string
	}{
		{"direct", false, "", "192.0.2.1"},
		{"proxy", true, "8.8.8.8, 203.0.113.9", "203.0.113.9"},
	} {
		h := open(t, func(o *api.Options) { o.TrustProxy = tt.trust })
		h.stock()
		no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
		r := request("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"h5"}`)
		r.Header["X-Forwarded-For"] = strings.Split(tt.forward, "\n")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var made struct{ PaymentNo string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
			t.Fatal(err)
		}
		p := made.PaymentNo
		d, err := h.Store.Payment(ctx, shop.Default, p)
		if err != nil || d.Request.ClientIP != tt.want {
			t.Errorf("%s: %q, want %q (%v)", tt.name, d.Request.ClientIP, tt.want, err)
		}
	}
}

// TestNoClock: outside of the sandbox there is no clock to move.
func TestNoClock(t *testing.T) {
	h := open(t, func(o *api.Options) { o.AdvanceClock = nil })
	wantCode(t, h.do("POST /v1/test/clock", `{"advance":"1h"}`), 404, "not_found")
	if w := h.do("GET /openapi.json", ""); strings.Contains(w.Body.String(), "/v1/test/clock") {
		t.Error("it is published")
	}
}

// TestDocs: the pages of the document are all from the binary.
func TestDocs(t *testing.T) {
	h := open(t)
	for path, want := range map[string]string{
		"/docs": "/openapi.json", "/docs/": "/docs/swagger-ui.css", "/docs/swagger-ui.css": "swagger-ui", "/openapi.json": `"openapi":"3.1.0"`,
	} {
		w := h.do("GET "+path, "", "Authorization")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "cdn") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	etag := h.do("GET /openapi.json", "").Header().Get("ETag")
	if w := h.do("GET /openapi.json", "", "If-None-Match: "+etag); w.Code != http.StatusNotModified {
		t.Errorf("%d", w.Code)
	}
	if w := h.do("PATCH /v1/orders", ""); w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("Allow: %q", w.Header().Get("Allow"))
	}
}
