package wechatpay_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

// sample is a callback with what must be in the database before, and what
// must be there afterwards.
type sample struct {
	Now     int64
	Headers map[string]string
	Body    string
	Context struct {
		Orders []struct {
			OutTradeNo string `json:"out_trade_no"`
			AmountFen  int64  `json:"amount_fen"`
			Currency   string
			MchID      string
			AppID      string
			Status     string
		}
	}
	Expect struct {
		Ack         string
		Effect      string
		EffectCount int    `json:"effect_count"`
		After       string `json:"order_status_after"`
		RefundFen   int64  `json:"refund_fen"`
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
				deliver(t, open(nil), &s)
			})
		})
	}
}

func deliver(t *testing.T, r *harness.Harness, s *sample) {
	now := time.Unix(s.Now, 0).UTC()
	ctx := t.Context()
	ch, err := wechatpay.New(config(t), wechatpay.Options{Clock: at(now).Now})
	if err != nil {
		t.Fatal(err)
	}
	r.App.Clock = at(now)
	r.App.Channels = one{app.Configured{Channel: ch, Merchant: s.Context.Orders[0].MchID, App: s.Context.Orders[0].AppID}}
	before := s.Context.Orders[0]
	put(t, r, before.OutTradeNo, before.AmountFen, before.MchID, before.AppID, before.Status == "PAID")

	effects := 0
	for range 2 {
		first := view(t, r, before.OutTradeNo)
		answer, verdict, err := r.Callback(ctx, shop.Default, "wechatpay", header(s.Headers), []byte(s.Body))
		if err != nil {
			t.Fatal(err)
		}
		acked := answer.Status == http.StatusOK || answer.Status == http.StatusNoContent
		if s.Expect.Ack == "success" && !acked || s.Expect.Ack == "failure" && acked {
			t.Errorf("answered %d (%s), want %s", answer.Status, verdict, s.Expect.Ack)
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
	if s.Expect.RefundFen != v.Order.Refunded {
		t.Errorf("refunded %d, want %d", v.Order.Refunded, s.Expect.RefundFen)
	}
	if (s.Expect.Effect == "alert") != (v.Payments[0].Anomaly != "") {
		t.Errorf("anomaly %q, want effect %s", v.Payments[0].Anomaly, s.Expect.Effect)
	}
	r.Audit()
}

// put makes an order of one line with an open payment under the number.
func put(t *testing.T, r *harness.Harness, no string, amount int64, merchant, appID string, paid bool) {
	t.Helper()
	r.Sku("A", amount, 1)
	c := &app.Command{Shop: shop.Default, Name: "set the scene", Needs: app.Needs{rows.Skus.Keys("A")}}
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
		p := payment.New("O"+no, "wechatpay", merchant, appID, "", payment.PrepayRequest{PaymentNo: no, Method: payment.Native, Amount: amount, Currency: "CNY"}, tx.Now())
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
		f := payment.Fact{ID: "paid/before", Kind: payment.Paid, Amount: amount, Currency: "CNY", Merchant: merchant, App: appID}
		if _, err := r.Settle(t.Context(), shop.Default, no, f, app.ChannelMessage{Kind: app.MessageQuery, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
}

func view(t *testing.T, r *harness.Harness, no string) app.OrderView {
	t.Helper()
	v, err := r.Store.Order(t.Context(), shop.Default, "O"+no)
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

func config(t *testing.T) wechatpay.Config {
	t.Helper()
	key := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", "keys", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var ids struct{ WeChat map[string]string }
	if err := json.Unmarshal([]byte(key("keys.json")), &ids); err != nil {
		t.Fatal(err)
	}
	return wechatpay.Config{
		MchID: ids.WeChat["mchid"], AppID: ids.WeChat["appid"], APIv3Key: ids.WeChat["api_v3_key"],
		MerchantSerial: ids.WeChat["merchant_serial_no"], MerchantPrivateKey: key("wechat_merchant.private.pem"),
		PlatformKeys: []wechatpay.PlatformKey{
			{Serial: ids.WeChat["platform_serial_no"], PEM: key("wechat_platform.crt.pem")},
			{Serial: ids.WeChat["public_key_id"], PEM: key("wechat_pubkey.public.pem")},
		},
	}
}
