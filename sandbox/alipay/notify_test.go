package alipay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/alipay"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// A payment is reported at once by a form with the documented fields, which the
// SDK verifies; it says what the query says.
func TestNotification(t *testing.T) {
	b := newBench(t)
	b.precreated("TOLD", "body", "two cups")
	b.Clock.Advance(time.Minute)
	if err := b.Scan("TOLD"); err != nil {
		t.Fatal(err)
	}
	began := b.Now()
	b.Clock.Advance(30 * time.Second)
	if err := b.Pay("TOLD"); err != nil {
		t.Fatal(err)
	}
	if n := b.DeliverDue(ctx); n != 1 {
		t.Fatalf("%d tries", n)
	}
	got := b.shop.all()[0]
	form, n, err := b.read(got)
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != "https://shop.example.test/ali/notify" || got.Header.Get("Content-Type") != "application/x-www-form-urlencoded; charset=utf-8" {
		t.Errorf("%s %v", got.URL, got.Header)
	}
	asked := b.call("trade.query", biz("out_trade_no", "TOLD"))
	for name, want := range map[string]any{
		"notify_type": "trade_status_sync", "notify_time": wireTime(b.Now()), "charset": "utf-8", "version": "1.0", "sign_type": "RSA2",
		"app_id": "2021000000000001", "auth_app_id": "2021000000000001", "seller_id": "2088000000000001",
		"out_trade_no": "TOLD", "trade_no": asked["trade_no"], "trade_status": "TRADE_SUCCESS", "buyer_id": asked["buyer_user_id"],
		"total_amount": "88.88", "receipt_amount": "88.88", "buyer_pay_amount": "88.88", "invoice_amount": "88.88", "point_amount": "0.00",
		"fund_bill_list": `[{"amount":"88.88","fundChannel":"ALIPAYACCOUNT"}]`, "subject": "沙箱商品 A+B & 50%=半价", "body": "two cups",
		"passback_params": "a%3D1%26b%3D2", "gmt_create": wireTime(began), "gmt_payment": asked["send_pay_date"],
		"refund_fee": "", "gmt_refund": "", "out_biz_no": "", "gmt_close": "", "voucher_detail_list": "",
	} {
		if form.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, form.Get(name), want)
		}
	}
	if n.TradeNo != asked["trade_no"] || len(n.NotifyId) > 128 || n.NotifyId == "" {
		t.Errorf("%+v", n)
	}
	b.Clock.Advance(48 * time.Hour)
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d tries after success", n)
	}
	header, body, err := b.SignedCallback("TOLD")
	if err != nil {
		t.Fatal(err)
	}
	if again, _, err := b.read(sandboxtest.Received{Header: header, Body: body}); err != nil || again.Get("notify_id") != form.Get("notify_id") {
		t.Errorf("signed callback: %v %v", again, err)
	}
}

// Anything but the seven characters is asked again, on the documented schedule
// and not a moment earlier; the copies differ in time and signature alone.
func TestRetrySchedule(t *testing.T) {
	b := newBench(t)
	b.shop.answers = []string{"failure", "", "SUCCESS", "success\n", `"success"`, " success", "successful", "<html>success</html>"}
	b.paidFor("RETRIED")
	start := b.Now()
	var at []time.Duration
	for {
		if b.DeliverDue(ctx) > 0 {
			at = append(at, b.Now().Sub(start))
		}
		due, ok := b.NextDelivery()
		if !ok {
			break
		}
		b.Clock.Advance(due.Sub(b.Now()) - time.Nanosecond)
		if b.DeliverDue(ctx) != 0 {
			t.Error("sent early")
		}
		b.Clock.Advance(time.Nanosecond)
	}
	m := time.Minute
	if want := []time.Duration{0, 4 * m, 14 * m, 24 * m, 84 * m, 204 * m, 564 * m, 1464 * m}; !slices.Equal(at, want) {
		t.Errorf("tried at %v, want %v", at, want)
	}
	v, _ := b.Trade("RETRIED")
	if c := v.Callbacks[0]; c.Delivered || c.Tries != 8 || !c.NextTry.IsZero() {
		t.Errorf("%+v", c)
	}
	var times, texts []string
	for _, got := range b.shop.all() {
		form, _, err := b.read(got)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, form.Get("notify_time"))
		for _, name := range []string{"notify_time", "sign"} {
			form.Del(name)
		}
		texts = append(texts, form.Encode())
	}
	if len(slices.Compact(texts)) != 1 || len(slices.Compact(times)) != 8 {
		t.Errorf("%d texts, %d times", len(texts), len(times))
	}
}

// Refunds are reported with what has gone back so far; the last one closes.
func TestRefundIsTold(t *testing.T) {
	b := newBench(t)
	b.paidFor("BACK")
	b.DeliverDue(ctx)
	b.Clock.Advance(time.Minute)
	for i, amount := range []string{"1.50", "87.38"} {
		b.call("trade.refund", biz("out_trade_no", "BACK", "refund_amount", amount, "out_request_no", fmt.Sprint("R", i)))
		b.call("trade.refund", biz("out_trade_no", "BACK", "refund_amount", amount, "out_request_no", fmt.Sprint("R", i)))
	}
	if n := b.DeliverDue(ctx); n != 2 {
		t.Fatalf("%d tries for two refunds, each asked for twice", n)
	}
	for i, want := range []map[string]string{
		{"trade_status": "TRADE_SUCCESS", "refund_fee": "1.50", "out_biz_no": "R0", "send_back_fee": "1.50", "gmt_close": ""},
		{"trade_status": "TRADE_CLOSED", "refund_fee": "88.88", "out_biz_no": "R1", "send_back_fee": "87.38"},
	} {
		form, _, err := b.read(b.shop.all()[i+1])
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			if form.Get(name) != value {
				t.Errorf("refund %d: %s is %q", i, name, form.Get(name))
			}
		}
		if form.Get("gmt_refund") != b.Now().In(trade.China).Format("2006-01-02 15:04:05.000") || form.Get("gmt_payment") == "" {
			t.Errorf("refund %d: %v", i, form)
		}
	}
}

// What ends unpaid is reported as TRADE_CLOSED, unless nobody had opened it.
func TestClosingIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(b *bench)
		sent int
	}{
		{"closed by the shop", func(b *bench) { b.scanned("NO1"); b.call("trade.close", biz("out_trade_no", "NO1")) }, 1},
		{"cancelled", func(b *bench) { b.scanned("NO1"); b.call("trade.cancel", biz("out_trade_no", "NO1")) }, 1},
		{"expired", func(b *bench) { b.scanned("NO1", "timeout_express", "5m"); b.Clock.Advance(time.Hour) }, 1},
		{"expired unscanned", func(b *bench) {
			b.precreated("NO1", "qr_code_timeout_express", "5m")
			b.Clock.Advance(time.Hour)
		}, 0},
		{"not expired", func(b *bench) { b.scanned("NO1", "timeout_express", "5m"); b.Clock.Advance(4 * time.Minute) }, 0},
		{"closed, and then its time is up", func(b *bench) {
			b.scanned("NO1", "timeout_express", "5m")
			b.call("trade.close", biz("out_trade_no", "NO1"))
			b.Clock.Advance(time.Hour)
		}, 1},
	} {
		b := newBench(t)
		c.do(b)
		b.DeliverDue(ctx)
		got := b.shop.all()
		if len(got) != c.sent {
			t.Errorf("%s: %d reported", c.name, len(got))
		}
		for _, g := range got {
			form, _, err := b.read(g)
			if err != nil || form.Get("trade_status") != "TRADE_CLOSED" || form.Get("gmt_close") == "" || form.Get("gmt_payment") != "" || form.Get("trade_no") == "" {
				t.Errorf("%s: %v %v", c.name, form, err)
			}
		}
	}
}

// A shop that gives no notify_url gets none.
func TestWithoutNotifyURL(t *testing.T) {
	b := newBench(t)
	b.post(b.params("alipay.trade.precreate", asked("QUIET"), func(p alipay.Params) { delete(p, "notify_url") }))
	if err := b.Pay("QUIET"); err != nil {
		t.Fatal(err)
	}
	b.call("trade.refund", biz("out_trade_no", "QUIET", "refund_amount", "1.00", "out_request_no", "R1"))
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d tries", n)
	}
}

// The faults of notifications: a wrong one never counts as delivered.
func TestForgedNotifications(t *testing.T) {
	for _, fault := range []faults.Fault{faults.CorruptSignature, faults.Unsigned, faults.SigntestProbe} {
		b := newBench(t)
		b.MustArm(faults.Callback, fault, 1)
		b.paidFor("FORGED")
		b.DeliverDue(ctx)
		if _, _, err := b.read(b.shop.all()[0]); err == nil {
			t.Errorf("%s: the SDK believes it", fault)
		}
		b.Clock.Advance(4 * time.Minute)
		b.DeliverDue(ctx)
		if all := b.shop.all(); len(all) != 2 {
			t.Errorf("%s: %d tries", fault, len(all))
		} else if _, _, err := b.read(all[1]); err != nil {
			t.Errorf("%s: the true one: %v", fault, err)
		}
	}
	for fault, want := range map[faults.Fault]int{faults.Lost: 0, faults.Duplicated: 2, faults.ConcurrentDuplicate: 2, faults.SecondID: 2} {
		b := newBench(t)
		b.MustArm(faults.Callback, fault, 1)
		b.paidFor("ODD")
		b.DeliverDue(ctx)
		if n := len(b.shop.all()); n != want {
			t.Errorf("%s: reported %d times", fault, n)
		}
	}
}

// A coupon of Alipay's makes the buyer pay less than the merchant gets.
func TestCoupon(t *testing.T) {
	b := newBench(t)
	b.MustArm(faults.Pay, faults.PlatformCoupon, 1)
	b.paidFor("COUPON")
	b.DeliverDue(ctx)
	form, _, err := b.read(b.shop.all()[0])
	if err != nil {
		t.Fatal(err)
	}
	n := b.call("trade.query", biz("out_trade_no", "COUPON"))
	for name, want := range map[string]string{"total_amount": "88.88", "receipt_amount": "88.88", "buyer_pay_amount": "80.00", "invoice_amount": "80.00"} {
		if form.Get(name) != want || n[name] != want {
			t.Errorf("%s: reported %q, queried %v", name, form.Get(name), n[name])
		}
	}
	if form.Get("fund_bill_list") != `[{"amount":"80.00","fundChannel":"ALIPAYACCOUNT"},{"amount":"8.88","fundChannel":"DISCOUNT"}]` ||
		!strings.Contains(form.Get("voucher_detail_list"), `"otherContribute":"8.88"`) {
		t.Errorf("%v", form)
	}
	back := b.call("trade.refund", biz("out_trade_no", "COUPON", "refund_amount", "88.88"))
	if back["refund_fee"] != "88.88" || back["send_back_fee"] != "80.00" {
		t.Errorf("%v", back)
	}
}
