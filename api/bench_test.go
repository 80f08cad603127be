package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// shortEngine answers every command at once, so that what is measured is all
// that stands around it.
type shortEngine struct{ answer any }

func (r shortEngine) Do(context.Context, *app.Command) (unit.Result, error) {
	return unit.Result{Value: r.answer}, nil
}

// oneKey is a store that knows one key.
type oneKey struct{ app.Reader }

func (oneKey) KeyByHash(context.Context, []byte) (shop.Key, error) {
	return shop.Key{Shop: shop.Default}, nil
}

type noSpans struct{ app.Tracer }

func (noSpans) Start(ctx context.Context, _, _ string) (context.Context, func(error)) {
	return ctx, func(error) {}
}
func (noSpans) Parent(context.Context) string { return "" }

// placed is an order of two lines with a coupon.
func placed() order.Data {
	line := func(sku string) pricing.QuoteLine {
		return pricing.QuoteLine{Sku: sku, Name: "明前龙井 50g", Quantity: 2, UnitPrice: 8888, Total: 17776, Discount: 500, Payable: 17276}
	}
	now := time.Now().UTC()
	return order.Data{
		No: "12026060104000012300000000017", User: "u-1001", Status: order.PendingPayment, Currency: "CNY",
		Total: 35552, Discount: 1000, Payable: 34552, Items: []pricing.QuoteLine{line("tea"), line("milk")},
		Applied: []pricing.Applied{{Source: pricing.FromCoupon, ID: "five", Code: "C-1", Name: "5 off", Kind: "amount_off", Version: 1, Amount: 1000,
			Shares: []pricing.Share{{Line: 0, Amount: 500}, {Line: 1, Amount: 500}}}},
		CreatedAt: now, ExpiresAt: now.Add(15 * time.Minute), Seq: 1,
	}
}

func benchApp(commands app.Engine) *app.App {
	return &app.App{
		Engine: commands, Store: oneKey{}, Clock: clock.New(), Rand: rand.Reader, Tokens: app.NewTokens(make([]byte, 32)),
		Log: slog.New(slog.DiscardHandler), Tracer: noSpans{}, Channels: ackGate{},
		PriceInputs: func(context.Context, string, *app.PriceInputNeeds) (*app.PriceInputs, *marketing.Rules, error) {
			return nil, marketing.NewRules(1, nil, nil), nil
		},
	}
}

// ackGate is a channel whose callbacks are all good.
type ackGate struct{}

func (ackGate) Channel(context.Context, string, string) (app.Configured, error) {
	return app.Configured{Channel: ackGateChannel{}}, nil
}

type ackGateChannel struct{ payment.Channel }

func (ackGateChannel) Read(time.Time, http.Header, []byte) (payment.Notice, error) {
	return payment.Notice{ID: "n", PaymentNo: "2", Fact: payment.Fact{ID: "paid", Kind: payment.Paid}}, nil
}

func (ackGateChannel) Answer(bool) payment.CallbackAnswer {
	return payment.CallbackAnswer{Status: 200, ContentType: "application/json", Body: []byte(`{"code":"SUCCESS"}`)}
}

// nowhere is a ResponseWriter that keeps nothing.
type nowhere struct {
	h      http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.h }
func (w *nowhere) WriteHeader(s int)           { w.status = s }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }

func request(call, body string) *http.Request {
	method, path, _ := strings.Cut(call, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+ourKey)
	r.Header.Set("Idempotency-Key", "checkout-5f0c6d0e-1")
	r.Header.Set("Content-Type", "application/json")
	return r
}

const placeBody = `{"userId":"u-1001","items":[{"sku":"tea","quantity":2},{"sku":"milk","quantity":2}],"couponCodes":["C-1"],"expectedPayableAmount":34552,"expiresIn":"15m"}`

// BenchmarkPlaceOrder is POST /v1/orders over an engine of no cost; the use
// case alone, and reading and writing JSON alone, stand beside it.
func BenchmarkPlaceOrder(b *testing.B) {
	a := benchApp(shortEngine{placed()})
	h := api.New(api.Options{App: a, Auth: &app.Auth{Store: oneKey{}, Tokens: a.Tokens}, Log: slog.New(slog.DiscardHandler)})
	b.Run("handler", func(b *testing.B) {
		r := request("POST /v1/orders", "")
		w := &nowhere{h: http.Header{}}
		body := strings.NewReader(placeBody)
		r.Body = readCloser{body}
		b.ReportAllocs()
		for b.Loop() {
			body.Reset(placeBody)
			clear(w.h)
			h.ServeHTTP(w, r)
			if w.status != http.StatusCreated {
				b.Fatal(w.status)
			}
		}
	})
	b.Run("use case", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := a.PlaceOrder(ctx, shop.Default, "k", app.PlaceOrder{Cart: app.Cart{
				User: "u-1001", Items: []app.Item{{Sku: "tea", Quantity: 2}, {Sku: "milk", Quantity: 2}}, Coupons: []string{"C-1"},
			}, ExpiresIn: 15 * time.Minute})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("client token", func(b *testing.B) {
		for b.Loop() {
			a.Tokens.Issue(shop.Default, "12026060104000012300000000017")
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// BenchmarkNotify is a callback over an engine of no cost.
func BenchmarkNotify(b *testing.B) {
	a := benchApp(shortEngine{payment.Settled})
	h := api.New(api.Options{App: a, Auth: &app.Auth{Store: oneKey{}, Tokens: a.Tokens}, Log: slog.New(slog.DiscardHandler)})
	const text = `{"id":"EV-2018022511223320873","resource":{"ciphertext":"…"}}`
	r := request("POST /v1/notify/default/gate", "")
	w := &nowhere{h: http.Header{}}
	body := strings.NewReader(text)
	r.Body = readCloser{body}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(text)
		clear(w.h)
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkQuote is a quote over a real store with 100 skus.
func BenchmarkQuote(b *testing.B) {
	h := open(b, func(o *api.Options) { o.Log, o.Observe = slog.New(slog.DiscardHandler), nil })
	h.stock()
	for i := range 100 {
		h.must(fmt.Sprintf("PUT /v1/skus/s%d", i), `{"name":"s","price":100}`)
	}
	body, err := json.Marshal(json.RawMessage(`{"userId":"u1","items":[{"sku":"tea","quantity":2},{"sku":"milk","quantity":1}]}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if w := h.do("POST /v1/quotes", string(body)); w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}

// BenchmarkQuote20Lines is a quote of 20 lines against 10,000 promotions of
// which 20 match, with everything that it depends on in memory; and beside it
// what decoding its body and encoding its answer cost alone.
func BenchmarkQuote20Lines(b *testing.B) {
	facts := &app.PriceInputs{Shop: shop.Shop{ID: shop.Default, Currency: "CNY"}, User: shop.User{ID: "u-1001", Level: "silver", Tags: []string{"bench"}}}
	var items []string
	for i := range 20 {
		id := fmt.Sprintf("bench-%05d", 50*i+7)
		facts.Skus = append(facts.Skus, inventory.Data{Sku: id, Name: "Bench sku " + id, Price: int64(1000 + i), Categories: []string{"bench"}})
		items = append(items, fmt.Sprintf(`{"sku":%q,"quantity":%d}`, id, 1+i%2))
	}
	text := `{"userId":"u-1001","items":[` + strings.Join(items, ",") + `]}`
	var promotions []pricing.Promotion
	for i := range 10_000 {
		percent := money.Percent(1250)
		p := pricing.Promotion{ID: fmt.Sprint("bench-", i), Name: fmt.Sprint("满减 ", i), Priority: i % 7, Scope: &pricing.Scope{Skus: []string{fmt.Sprintf("bench-%05d", i)}}}
		switch i / 50 % 4 {
		case 0:
			p.Kind, p.Price = "fixed_price", 990
		case 1:
			p.Kind, p.Buy, p.Get = "buy_x_get_y", 1, 1
		case 2:
			p.Kind, p.PercentOff = "percent_off", &percent
		case 3:
			p.Kind, p.Threshold, p.AmountOff = "amount_off", 1000, 50
		}
		if i >= 1000 {
			p.Scope.Skus[0] = fmt.Sprint("other-", i)
		}
		promotions = append(promotions, p)
	}
	rules := marketing.NewRules(1, promotions, nil)
	a := benchApp(nil)
	a.PriceInputs = func(context.Context, string, *app.PriceInputNeeds) (*app.PriceInputs, *marketing.Rules, error) {
		return facts, rules, nil
	}
	h := api.New(api.Options{App: a, Auth: &app.Auth{Store: oneKey{}, Tokens: a.Tokens}, Log: slog.New(slog.DiscardHandler)})

	first := httptest.NewRecorder()
	h.ServeHTTP(first, request("POST /v1/quotes", text))
	var answer pricing.Quote
	if err := json.Unmarshal(first.Body.Bytes(), &answer); err != nil || len(answer.Applied)+len(answer.Skipped) != 20 {
		b.Fatalf("%v: %d %s", err, first.Code, first.Body)
	}
	serve := func(h http.Handler) func(b *testing.B) {
		return func(b *testing.B) {
			r := request("POST /v1/quotes", "")
			w := &nowhere{h: http.Header{}}
			body := strings.NewReader(text)
			r.Body = readCloser{body}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(text)
				clear(w.h)
				w.status = 0
				h.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		}
	}
	b.Run("whole", serve(h))
	b.Run("alone", serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			b.Fatal(err)
		}
		var in struct {
			UserID      string     `json:"userId"`
			Items       []app.Item `json:"items"`
			CouponCodes []string   `json:"couponCodes"`
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			b.Fatal(err)
		}
		out, err := json.Marshal(&answer)
		if err != nil {
			b.Fatal(err)
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(out)
	})))
}
