package alipay_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/alipay"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	shops "github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

// sample is a notification with what must be in the database before, and what
// must be there afterwards.
type sample struct {
	Now     int64
	Headers map[string]string
	Body    string
	Context struct {
		Orders []struct {
			OutTradeNo string `json:"out_trade_no"`
			AmountFen  int64  `json:"amount_fen"`
			SellerID   string `json:"seller_id"`
			AppID      string `json:"app_id"`
			Status     string
		}
		Refunds []struct {
			OutRequestNo string `json:"out_request_no"`
			OutTradeNo   string `json:"out_trade_no"`
			RefundFen    int64  `json:"refund_fen"`
		}
	}
	Expect struct {
		Ack         string
		Effect      string
		EffectCount int    `json:"effect_count"`
		After       string `json:"order_status_after"`
		RefundTotal int64  `json:"refund_fen_total"`
	}
}

// at is a clock that stands still at a sample's time.
type at time.Time

func (c at) Now() time.Time                         { return time.Time(c) }
func (c at) After(d time.Duration) <-chan time.Time { return time.After(d) }

// one is the only channel there is.
type one struct{ app.Configured }

func (o one) Channel(context.Context, string, string) (app.Configured, error) {
	return o.Configured, nil
}

// wants remembers the effects that are stored, which a worker would run.
type wants struct {
	unit.Store
	mu      sync.Mutex
	effects []app.Job
}

func (w *wants) Begin(ctx context.Context, shop string, n unit.Needs) (unit.Unit, *unit.Loaded, error) {
	u, l, err := w.Store.Begin(ctx, shop, n)
	return recordingUnit{u, w}, l, err
}

// take gives the effects and forgets them.
func (w *wants) take() []app.Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.effects
	w.effects = nil
	return e
}

type recordingUnit struct {
	unit.Unit
	wants *wants
}

func (u recordingUnit) Commit(ctx context.Context, c *unit.Changes) error {
	err := u.Unit.Commit(ctx, c)
	if err == nil {
		_, jobs := unit.Written(c, rows.Jobs)
		u.wants.mu.Lock()
		for _, j := range jobs {
			u.wants.effects = append(u.wants.effects, *j)
		}
		u.wants.mu.Unlock()
	}
	return err
}

// TestEffects delivers every sample to a whole backend, twice over, and wants
// the effect that it says, once.
func TestEffects(t *testing.T) {
	names, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				var s sample
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(b, &s); err != nil {
					t.Fatal(err)
				}
				w := &wants{}
				deliver(t, open(func(s unit.Store) unit.Store { w.Store = s; return w }), w, &s)
			})
		})
	}
}

func deliver(t *testing.T, r *harness.Harness, w *wants, s *sample) {
	now := time.Unix(s.Now, 0).UTC()
	ctx := t.Context()
	ch, err := alipay.New(config(t), alipay.Options{Clock: at(now).Now, Transport: knows{t, s}})
	if err != nil {
		t.Fatal(err)
	}
	before := s.Context.Orders[0]
	r.App.Clock = at(now)
	r.App.Channels = one{app.Configured{Channel: ch, Merchant: before.SellerID, App: before.AppID}}
	put(t, r, before.OutTradeNo, before.AmountFen, before.SellerID, before.AppID, before.Status == "PAID", transactionOf(t, s.Body))
	w.take()

	effects := 0
	for range 2 {
		first := view(t, r, before.OutTradeNo)
		answer, verdict, err := r.Callback(ctx, shops.Default, "alipay", header(s.Headers), []byte(s.Body))
		if err != nil {
			t.Fatal(err)
		}
		acked := answer.Status == http.StatusOK && string(answer.Body) == "success"
		if s.Expect.Ack == "success" && !acked || s.Expect.Ack == "failure" && acked {
			t.Errorf("answered %d %s (%s), want %s", answer.Status, answer.Body, verdict, s.Expect.Ack)
		}
		for _, e := range w.take() {
			if err := r.RunJob(ctx, shops.Default, e); err != nil {
				t.Errorf("%s: %v", e.Kind, err)
			}
		}
		if v := view(t, r, before.OutTradeNo); v.Order.Paid != first.Order.Paid || v.Order.Refunded != first.Order.Refunded {
			effects++
		}
	}
	v := view(t, r, before.OutTradeNo)
	if effects != s.Expect.EffectCount {
		t.Errorf("%d effects, want %d", effects, s.Expect.EffectCount)
	}
	if got := neutral(v); got != s.Expect.After {
		t.Errorf("the order is %s, want %s", got, s.Expect.After)
	}
	if s.Expect.RefundTotal != v.Order.Refunded {
		t.Errorf("refunded %d, want %d", v.Order.Refunded, s.Expect.RefundTotal)
	}
	if (s.Expect.Effect == "alert") != (v.Payments[0].Anomaly != "") {
		t.Errorf("anomaly %q, want effect %s", v.Payments[0].Anomaly, s.Expect.Effect)
	}
	r.Audit()
}

// transactionOf is the transaction that a notification is about.
func transactionOf(t *testing.T, body string) string {
	t.Helper()
	form, err := url.ParseQuery(body)
	if err != nil {
		return ""
	}
	return form.Get("trade_no")
}

// knows is Alipay, who knows the refunds of a sample.
type knows struct {
	t *testing.T
	s *sample
}

func (k knows) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	var biz struct {
		OutTradeNo   string `json:"out_trade_no"`
		OutRequestNo string `json:"out_request_no"`
	}
	if err := json.Unmarshal([]byte(form.Get("biz_content")), &biz); err != nil {
		return nil, err
	}
	node := `{"code":"10000","msg":"Success"}`
	for _, f := range k.s.Context.Refunds {
		if f.OutRequestNo == biz.OutRequestNo && (biz.OutTradeNo == "" || f.OutTradeNo == biz.OutTradeNo) {
			node = fmt.Sprintf(`{"code":"10000","msg":"Success","out_trade_no":%q,"out_request_no":%q,"refund_amount":"%d.%02d","refund_status":"REFUND_SUCCESS"}`,
				f.OutTradeNo, f.OutRequestNo, f.RefundFen/100, f.RefundFen%100)
		}
	}
	name := strings.ReplaceAll(form.Get("method"), ".", "_") + "_response"
	answer := fmt.Sprintf(`{%q:%s,"sign":%q}`, name, node, signed(k.t, node))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

func signed(t *testing.T, text string) string {
	block, _ := pem.Decode([]byte(key(t, "alipay_platform.private.pem")))
	platform, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, platform.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// put makes an order of one line with an open payment under the number.
func put(t *testing.T, r *harness.Harness, no string, amount int64, merchant, appID string, paid bool, transaction string) {
	t.Helper()
	r.Sku("A", amount, 1)
	c := &app.Command{Shop: shops.Default, Name: "set the scene", Needs: app.Needs{rows.Skus.Keys("A")}}
	_, err := app.Run(t.Context(), r.App, c, func(tx *app.Tx) error {
		a, err := tx.Sku("A")
		if err != nil {
			return err
		}
		o, err := order.Place(order.Placement{No: "O" + no, User: "u", Now: tx.Now(), Quote: &pricing.Quote{
			Currency: "CNY", Total: amount, Payable: amount,
			Lines: []pricing.QuoteLine{{Sku: "A", Name: "A", Quantity: 1, UnitPrice: amount, Total: amount, Payable: amount}},
		}})
		if err != nil {
			return err
		}
		p := payment.New("O"+no, "alipay", merchant, appID, "", payment.PrepayRequest{PaymentNo: no, Method: payment.Precreate, Amount: amount, Currency: "CNY"}, tx.Now())
		if err := a.Reserve("O"+no, 1); err != nil {
			return err
		}
		tx.PutOrder(o)
		tx.PutPayment(p)
		tx.PutSku(a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if paid {
		f := payment.Fact{ID: "paid/" + transaction, Kind: payment.Paid, TransactionID: transaction, Amount: amount, Currency: "CNY", Merchant: merchant, App: appID}
		if _, err := r.Settle(t.Context(), shops.Default, no, f, app.ChannelMessage{Kind: app.MessageQuery, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
}

func view(t *testing.T, r *harness.Harness, no string) app.OrderView {
	t.Helper()
	v, err := r.Store.Order(t.Context(), shops.Default, "O"+no)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// neutral says an order's state in the samples' words.
func neutral(v app.OrderView) string {
	switch {
	case v.Order.Status == order.Refunded:
		return "REFUNDED"
	case v.Order.Refunded > 0:
		return "PARTIALLY_REFUNDED"
	case v.Order.Status == order.Paid:
		return "PAID"
	case v.Order.Status == order.Closed:
		return "CLOSED"
	}
	return "PENDING"
}

func header(lines map[string]string) http.Header {
	h := http.Header{}
	for name, value := range lines {
		h.Set(name, value)
	}
	return h
}

func key(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "keys", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func config(t *testing.T) alipay.Config {
	t.Helper()
	var ids struct{ Alipay map[string]string }
	if err := json.Unmarshal([]byte(key(t, "keys.json")), &ids); err != nil {
		t.Fatal(err)
	}
	return alipay.Config{
		AppID: ids.Alipay["app_id"], SellerID: ids.Alipay["seller_id"],
		AppPrivateKey: key(t, ids.Alipay["app_private_key"]), AlipayPublicKey: key(t, ids.Alipay["alipay_public_key"]),
	}
}
