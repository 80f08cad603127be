package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/seal"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/sqlite"
	"github.com/tandem-pay/tandem/telemetry"
)

var ctx = context.Background()

const (
	ourKey   = "sk_test_default_key"
	theirKey = "sk_test_of_another_shop"
)

// env is the API over a real backend.
type env struct {
	*harness.Harness
	http.Handler
	log  *lines
	gate *gate

	mu       sync.Mutex
	observed []string // "POST /v1/orders 201"
	verdicts []string // "gate settled"
}

// lines is a log that tests read.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

// migrated is the file of an empty store: making the tables takes longer than
// most tests.
var migrated = func() func(testing.TB) []byte {
	var once sync.Once
	var file []byte
	return func(t testing.TB) []byte {
		t.Helper()
		once.Do(func() {
			path := filepath.Join(t.TempDir(), "empty.db")
			s, err := sqlite.Open(ctx, path, sqlite.Options{})
			if err == nil {
				err = errors.Join(s.Migrate(ctx), s.Close())
			}
			if err == nil {
				file, err = os.ReadFile(path)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		return file
	}
}()

// open makes an environment with two shops, each with a key, and the channel "gate".
func open(t testing.TB, tweaks ...func(*api.Options)) *env {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tandem.db")
	if err := os.WriteFile(file, migrated(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	h := &env{Harness: harness.New(t, s, 1, nil), log: &lines{}}
	h.gate = &gate{Gate: h.Harness.Gate}
	if err := s.EnsureShop(ctx, shop.Shop{ID: "other", Name: "other", Currency: "CNY", CreatedAt: h.Clock.Now()}); err != nil {
		t.Fatal(err)
	}
	for shopID, secret := range map[string]string{shop.Default: ourKey, "other": theirKey} {
		if _, _, err := h.AddKey(ctx, shopID, "test", secret); err != nil {
			t.Fatal(err)
		}
	}
	box, err := seal.New(make([]byte, seal.KeySize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	book := &app.ChannelBook{Store: s, Sealer: box, Kinds: []app.ChannelKind{gateKind(h.gate)}}
	h.App.Channels = book
	if _, err := h.PutChannel(ctx, book, shop.Default, "gate", json.RawMessage(`{"kind":"gate","key":"hush"}`)); err != nil {
		t.Fatal(err)
	}
	o := api.Options{
		App: h.App, Auth: &app.Auth{Store: s, Tokens: h.Tokens}, Book: book, Followers: h.Outbox,
		AdvanceClock: func(_ context.Context, d time.Duration) (time.Time, error) { return h.Harness.Clock.Advance(d), nil },
		Observe: func(route string, status int, _ time.Duration) {
			h.note(&h.observed, route+" "+http.StatusText(status))
		},
		Callback: func(channel, verdict string) { h.note(&h.verdicts, channel+" "+verdict) },
		Log:      telemetry.NewLog(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, tweak := range tweaks {
		tweak(&o)
	}
	h.Handler = api.New(o)
	return h
}

func (h *env) note(list *[]string, s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*list = append(*list, s)
}

// gate is the harness's, which can also send a stuck refund another way.
type gate struct {
	*harness.Gate
	sent []payment.AbnormalRefund
	fail error
}

func (g *gate) FinishRefund(_ context.Context, r payment.AbnormalRefund) (payment.Fact, error) {
	g.sent = append(g.sent, r)
	if g.fail != nil {
		return payment.Fact{}, g.fail
	}
	f := g.Finish(r.RefundNo, payment.Open)
	f.Source = payment.ByRefund
	return f, nil
}

// gateKind is the kind of channel whose gateway is in memory.
func gateKind(g *gate) app.ChannelKind {
	return app.ChannelKind{
		Kind: "gate",
		Check: func(m json.RawMessage) error {
			var in struct{ Key string }
			if err := json.Unmarshal(m, &in); err != nil || in.Key == "" {
				return fault.Invalidf("/key", "required")
			}
			return nil
		},
		Mask: func(json.RawMessage) (json.RawMessage, error) {
			return json.RawMessage(`{"kind":"gate","key":"****"}`), nil
		},
		Open: func(json.RawMessage) (app.Configured, error) {
			return app.Configured{Channel: g, Merchant: "mch", App: "app"}, nil
		},
	}
}

// do sends a request with our key, and an Idempotency-Key of its own on a
// POST. Headers are "Name: value"; one without a value takes the header away.
func (h *env) do(call, body string, headers ...string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(call, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+ourKey)
	if method == http.MethodPost {
		r.Header.Set("Idempotency-Key", "auto-"+rand.Text())
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// must sends a request that has to succeed, and returns the answer.
func (h *env) must(call, body string, headers ...string) map[string]any {
	h.T.Helper()
	w := h.do(call, body, headers...)
	if w.Code/100 != 2 {
		h.T.Fatalf("%s: %d %s", call, w.Code, w.Body)
	}
	var out map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			h.T.Fatalf("%s: %v: %s", call, err, w.Body)
		}
	}
	return out
}

// pay opens a payment of an order, of an amount or (0) of what comes next,
// and has it paid.
func (h *env) pay(orderNo string, amount int64) (paymentNo string) {
	h.T.Helper()
	body := `{"channel":"gate","method":"native"}`
	if amount > 0 {
		body = fmt.Sprintf(`{"channel":"gate","method":"native","amount":%d}`, amount)
	}
	paymentNo = h.must("POST /v1/orders/"+orderNo+"/payments", body)["paymentNo"].(string)
	h.callback(paymentNo, h.gate.Pay(paymentNo))
	return paymentNo
}

// callback brings a fact as the channel would.
func (h *env) callback(paymentNo string, f payment.Fact) {
	h.T.Helper()
	if w := h.do("POST /v1/notify/default/gate", string(harness.Callback(paymentNo, f)), "Authorization", "Idempotency-Key"); w.Code != http.StatusOK {
		h.T.Fatalf("callback: %d %s", w.Code, w.Body)
	}
}

// refunds calls the channel about what is due, as the worker does.
func (h *env) refunds() {
	h.T.Helper()
	if _, err := h.RunRefunds(ctx, shop.Default); err != nil {
		h.T.Fatal(err)
	}
}

// differ reconciles yesterday with a bill that has two payments too many: the
// ids of what was found, one resolved and one still open, and the day.
func (h *env) differ() map[string]any {
	h.T.Helper()
	yesterday := h.Clock.Now().Add(-24 * time.Hour)
	date := payment.DayOf(yesterday, h.gate.Zone()).String()
	h.gate.Rows = nil
	for i := range 2 {
		h.gate.Rows = append(h.gate.Rows, payment.BillRow{
			Kind: payment.BillPayment, Line: int64(i + 1), PaymentNo: fmt.Sprintf("A-%d", i), TransactionID: fmt.Sprintf("T-%d", i), Amount: 4200, Rate: -1,
			Currency: "CNY", Merchant: "mch", App: "app", Reported: "SUCCESS", Done: true, At: yesterday,
		})
	}
	h.must("POST /v1/reconciliations", `{"channel":"gate","date":"`+date+`"}`)
	found := h.must("GET /v1/discrepancies", "")["items"].([]any)
	if len(found) != 2 {
		h.T.Fatalf("found %v", found)
	}
	ids := map[string]any{"date": date, "open": found[0].(map[string]any)["id"], "resolved": found[1].(map[string]any)["id"]}
	h.must("POST /v1/discrepancies/"+ids["resolved"].(string)+"/resolve", `{"reason":"another till"}`)
	return ids
}

// paidOrder is an order of ours that is paid.
func (h *env) paidOrder(body string) (orderNo, paymentNo string) {
	h.T.Helper()
	orderNo = h.must("POST /v1/orders", body)["orderNo"].(string)
	return orderNo, h.pay(orderNo, 0)
}

// stock is what every scene has: tea (88.88, 100 units), milk (20.00, 50
// units, 2 for each buyer), a promotion, a template with codes, a blocked
// user.
func (h *env) stock() {
	h.T.Helper()
	h.must("PUT /v1/skus/tea", `{"name":"茶","price":8888,"categories":["tea"],"stock":100}`)
	h.must("PUT /v1/skus/milk", `{"name":"牛奶","price":2000,"stock":50,"maxPerUser":2}`)
	h.must("POST /v1/promotions", `{"id":"spring","name":"满100减10","kind":"amount_off","threshold":10000,"amountOff":1000}`)
	h.must("POST /v1/coupon-templates", `{"id":"five","name":"5 off","kind":"amount_off","amountOff":500,"supply":1000}`)
	h.must("POST /v1/coupon-templates", `{"id":"closed","name":"by the shop","kind":"amount_off","amountOff":500,"claimable":false}`)
	h.must("POST /v1/coupons", `{"templateId":"five","codes":["C-1","C-2","C-3"]}`)
	h.must("POST /v1/coupons", `{"templateId":"five","userId":"somebody","codes":["C-THEIRS"]}`)
	h.must("PUT /v1/users/blocked", `{"blocked":true}`)
}

const oneTea = `{"userId":"u1","items":[{"sku":"tea","quantity":1}]}`

// everything is the whole state of our shop as text: two of them are equal
// if nothing has changed.
func (h *env) everything() string {
	h.T.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	err := h.Store.Scan(ctx, shop.Default, unit.Scan{
		Visits: []unit.Visit{
			unit.Each(rows.Skus, func(d inventory.Data) error { return e.Encode(d) }),
			unit.Each(rows.Coupons, func(d marketing.CouponData) error { return e.Encode(d) }),
			unit.Each(rows.Templates, func(d marketing.Template) error { return e.Encode(d) }),
			unit.Each(rows.Counters, func(c rows.Counter) error { return e.Encode(c) }),
			unit.EachFamily(rows.Orders, rows.Payments, func(o order.Data, p []payment.Data) error { return e.Encode([]any{o, p}) }),
			unit.Each(rows.Refunds, func(d payment.RefundData) error { return e.Encode(d) }),
			unit.Each(rows.Keys, func(k unit.SavedKey) error { return e.Encode(k) }),
		},
		Record: func(r event.Record) error { return e.Encode(r) },
	})
	if err != nil {
		h.T.Fatal(err)
	}
	for _, call := range []string{"GET /v1/promotions", "GET /v1/channels", "GET /v1/keys", "GET /v1/users/u1", "GET /v1/users/blocked",
		"GET /v1/shop", "GET /v1/reconciliations", "GET /v1/discrepancies", "GET /v1/suspense"} {
		b.WriteString(h.do(call, "").Body.String())
	}
	return b.String()
}

// park puts the first record of the log aside for a follower.
func (h *env) park(follower string) {
	h.T.Helper()
	u, _, err := h.Store.Begin(ctx, shop.Default, nil)
	if err == nil {
		err = u.Commit(ctx, &unit.Changes{Shop: shop.Default, Writes: unit.Writes(rows.Parked, unit.Pair[rows.ParkedRecord]{New: &rows.ParkedRecord{
			ID: rows.ParkedID(follower, 1), Follower: follower, Position: 1, Error: "defect", Attempts: 5, FailedAt: h.Clock.Now(), ParkedAt: h.Clock.Now(),
		}})})
	}
	if err != nil {
		h.T.Fatal(err)
	}
}
