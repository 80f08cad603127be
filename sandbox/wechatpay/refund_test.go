package wechatpay_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

func (b *bench) refundState(refundNo string) string {
	b.T.Helper()
	return refundIn(b.T, b.Send("GET", sandboxtest.RefundsPath+"/"+refundNo, nil)).Status
}

func refundIn(t testing.TB, rec *httptest.ResponseRecorder) (r wechatpay.Refund) {
	t.Helper()
	if err := json.Unmarshal(rec.Body.Bytes(), &r); rec.Code != 200 || err != nil {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return r
}

// noticeIn is what a refund's callback has inside.
func (b *bench) noticeIn(r sandboxtest.Received) (event string, n wechatpay.RefundNotice) {
	b.T.Helper()
	req, _ := b.MustRead(r)
	if err := json.Unmarshal([]byte(req.Resource.Plaintext), &n); err != nil {
		b.T.Fatal(err)
	}
	return req.EventType, n
}

// A refund from the request to the callback, by the official SDK.
func TestRefundBySDK(t *testing.T) {
	k := testKeys()
	b := newBench(t)
	b.Paid("SDKREFUND1")
	b.DeliverDue(ctx)
	service := refunddomestic.RefundsApiService{Client: b.SDK(k.PublicKeyID)}
	ask := refunddomestic.CreateRequest{
		OutTradeNo: s("SDKREFUND1"), OutRefundNo: s("R-1|*@"), Reason: s("茶 & <cup>"), NotifyUrl: s("https://shop.example.test/r"),
		FundsAccount: refunddomestic.REQFUNDSACCOUNT_AVAILABLE.Ptr(),
		Amount:       &refunddomestic.AmountReq{Refund: i(300), Total: i(888), Currency: s("CNY")},
		GoodsDetail:  []refunddomestic.GoodsDetail{{MerchantGoodsId: s("1"), UnitPrice: i(300), RefundAmount: i(300), RefundQuantity: i(1)}},
	}
	first, _, err := service.Create(ctx, ask)
	if err != nil || *first.Status != refunddomestic.STATUS_PROCESSING || *first.Amount.Refund != 300 || *first.Amount.PayerRefund != 300 || first.SuccessTime != nil {
		t.Fatalf("%v %v", first, err)
	}
	again, _, err := service.Create(ctx, ask)
	if err != nil || *again.RefundId != *first.RefundId {
		t.Errorf("asked again: %v %v", again, err)
	}
	b.Clock.Advance(2 * time.Second)
	end := b.Now()
	got, _, err := service.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: s("R-1|*@")})
	if err != nil || *got.Status != refunddomestic.STATUS_SUCCESS || got.SuccessTime.Unix() != end.Unix() || *got.RefundId != *first.RefundId {
		t.Fatalf("%v %v", got, err)
	}
	if n := b.DeliverDue(ctx); n != 1 {
		t.Fatalf("%d callbacks", n)
	}
	all := b.Shop.All()
	event, n := b.noticeIn(all[len(all)-1])
	want := wechatpay.RefundNotice{
		MchID: k.MchID, TransactionID: *got.TransactionId, OutTradeNo: "SDKREFUND1", RefundID: *got.RefundId, OutRefundNo: "R-1|*@",
		RefundStatus: "SUCCESS", SuccessTime: end.In(trade.China).Format(time.RFC3339), UserReceivedAccount: "支付用户零钱",
		Amount: wechatpay.RefundNoticeAmount{888, 300, 888, 300},
	}
	if event != "REFUND.SUCCESS" || n != want || all[len(all)-1].URL != "https://shop.example.test/r" {
		t.Errorf("%s %+v", event, n)
	}
	if tx := b.Query("SDKREFUND1"); tx.TradeState != "REFUND" || tx.TransactionID != *got.TransactionId {
		t.Errorf("the trade after it: %+v", tx)
	}
	_, _, err = service.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: s("R-2")})
	if apiCode(err) != "RESOURCE_NOT_EXISTS" {
		t.Error(err)
	}
}

// The rules, one line each: what is changed in a good request, and the answer.
func TestRefundRules(t *testing.T) {
	b := newBench(t)
	b.Paid("RULES-PAID")
	b.Paid("RULES-MORE")
	b.Place("RULES-OPEN")
	v, _ := b.Trade("RULES-PAID")
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	amount := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m["amount"].(map[string]any)[name] = value }
	}
	drop := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	b.MustRefund("RULES-MORE", "USED", 1)
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		want   string
	}{
		{"good", func(map[string]any) {}, "200 "},
		{"by the transaction", func(m map[string]any) { delete(m, "out_trade_no"); m["transaction_id"] = v.TransactionIDs[0] }, "200 "},
		{"by both", set("transaction_id", v.TransactionIDs[0]), "200 "},
		{"by both, of two trades", func(m map[string]any) { m["transaction_id"], m["out_trade_no"] = v.TransactionIDs[0], "RULES-MORE" }, "400 INVALID_REQUEST"},
		{"by neither", drop("out_trade_no"), "400 PARAM_ERROR"},
		{"of no trade", set("out_trade_no", "NOWHERE001"), "404 RESOURCE_NOT_EXISTS"},
		{"of no transaction", func(m map[string]any) { delete(m, "out_trade_no"); m["transaction_id"] = "4200" }, "404 RESOURCE_NOT_EXISTS"},
		{"of an open trade", set("out_trade_no", "RULES-OPEN"), "400 INVALID_REQUEST"},
		{"no number", drop("out_refund_no"), "400 PARAM_ERROR"},
		{"a long number", set("out_refund_no", strings.Repeat("x", 65)), "400 PARAM_ERROR"},
		{"a number of other characters", set("out_refund_no", "a b"), "400 PARAM_ERROR"},
		{"a number that is used", set("out_refund_no", "USED"), "400 INVALID_REQUEST"},
		{"a long reason", set("reason", strings.Repeat("字", 81)), "400 PARAM_ERROR"},
		{"no reason", drop("reason"), "200 "},
		{"no address", drop("notify_url"), "200 "},
		{"an address with a query", set("notify_url", "https://a.test/?b"), "400 PARAM_ERROR"},
		{"another account", set("funds_account", "UNSETTLED"), "400 PARAM_ERROR"},
		{"a member that nobody knows", set("total", 888), "400 PARAM_ERROR"},
		{"no amount", drop("amount"), "400 PARAM_ERROR"},
		{"nothing", amount("refund", 0), "400 PARAM_ERROR"},
		{"less than nothing", amount("refund", -1), "400 PARAM_ERROR"},
		{"a part of a fen", amount("refund", 1.5), "400 PARAM_ERROR"},
		{"more than there is", amount("refund", 889), "400 INVALID_REQUEST"},
		{"another total", amount("total", 889), "400 INVALID_REQUEST"},
		{"another currency", amount("currency", "USD"), "400 PARAM_ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := sandboxtest.RefundOrder("RULES-PAID", fmt.Sprintf("N%d", time.Now().UnixNano()), 1)
			c.change(body)
			rec := b.Send("POST", sandboxtest.RefundsPath, body)
			if got := sandboxtest.Code(rec); got != c.want {
				t.Errorf("%s %s, want %s", got, rec.Body, c.want)
			}
		})
	}
}

// No sequence of refunds gives back more than was paid.
func TestRefundSum(t *testing.T) {
	b := newBench(t)
	b.Paid("SUMMED0001")
	for _, c := range []struct {
		no     string
		amount int64
		want   string
	}{
		{"A", 300, "200 "}, {"B", 589, "400 INVALID_REQUEST"}, {"B", 500, "200 "},
		{"C", 89, "400 INVALID_REQUEST"}, {"A", 300, "200 "}, {"A", 299, "400 INVALID_REQUEST"}, {"C", 88, "200 "}, {"D", 1, "400 INVALID_REQUEST"},
	} {
		if got := sandboxtest.Code(b.RequestRefund("SUMMED0001", c.no, c.amount)); got != c.want {
			t.Errorf("%s of %d: %s, want %s", c.no, c.amount, got, c.want)
		}
	}
	// One that is closed makes room again.
	if err := b.FinishRefund("B", trade.RefundClosed); err != nil {
		t.Fatal(err)
	}
	if got := sandboxtest.Code(b.RequestRefund("SUMMED0001", "E", 500)); got != "200 " {
		t.Error(got)
	}
}

func TestRefundLimits(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.RefundSpacing = time.Minute })
	b.Paid("LIMITED001")
	for n := range 50 {
		if n > 0 {
			if got := sandboxtest.Code(b.RequestRefund("LIMITED001", fmt.Sprint("R", n), 1)); got != "429 FREQUENCY_LIMITED" {
				t.Fatalf("too soon: %s", got)
			}
			b.Clock.Advance(time.Minute)
		}
		b.MustRefund("LIMITED001", fmt.Sprint("R", n), 1)
	}
	b.Clock.Advance(time.Minute)
	if got := sandboxtest.Code(b.RequestRefund("LIMITED001", "ONEMORE", 1)); got != "400 INVALID_REQUEST" {
		t.Errorf("the 51st: %s", got)
	}
	if got := sandboxtest.Code(b.RequestRefund("LIMITED001", "R0", 1)); got != "200 " {
		t.Errorf("a repeat: %s", got)
	}
	b.Paid("LIMITED002")
	b.Clock.Advance(trade.RefundPeriod + time.Second)
	if got := sandboxtest.Code(b.RequestRefund("LIMITED002", "LATE", 1)); got != "400 INVALID_REQUEST" {
		t.Errorf("after a year: %s", got)
	}
}

// Of a trade that was paid twice, each payment has its own rest.
func TestRefundOfTwoPayments(t *testing.T) {
	b := newBench(t)
	b.MustArm(faults.Pay, faults.PaidTwice, 1)
	b.Paid("DOUBLE0001")
	v, _ := b.Trade("DOUBLE0001")
	if len(v.TransactionIDs) != 2 {
		t.Fatalf("%+v", v)
	}
	second := sandboxtest.RefundOrder("", "BACK2", 888)
	delete(second, "out_trade_no")
	second["transaction_id"] = v.TransactionIDs[1]
	if r := refundIn(t, b.Send("POST", sandboxtest.RefundsPath, second)); r.TransactionID != v.TransactionIDs[1] {
		t.Errorf("against %s", r.TransactionID)
	}
	if tx := b.Query("DOUBLE0001"); tx.TradeState != "SUCCESS" {
		t.Errorf("the first payment is %s", tx.TradeState)
	}
	for _, c := range []struct{ no, want string }{{"BACK1", "200 "}, {"BACK3", "400 INVALID_REQUEST"}} {
		if got := sandboxtest.Code(b.RequestRefund("DOUBLE0001", c.no, 888)); got != c.want {
			t.Errorf("%s: %s", c.no, got)
		}
	}
}

// The platform's coupon: the buyer pays less, and gets back what they paid.
func TestPlatformCoupon(t *testing.T) {
	b := newBench(t)
	b.MustArm(faults.Pay, faults.PlatformCoupon, 1)
	b.Paid("COUPON0001")
	b.DeliverDue(ctx)
	_, tx := b.MustRead(b.Shop.All()[0])
	if *tx.Amount.Total != 888 || *tx.Amount.PayerTotal != 800 || len(tx.PromotionDetail) != 1 || *tx.PromotionDetail[0].Amount != 88 {
		t.Fatalf("%+v", tx)
	}
	var payer, coupon int64
	for n, amount := range []int64{1, 100, 333, 454} {
		no := fmt.Sprint("C", n)
		b.MustRefund("COUPON0001", no, amount)
		r := refundIn(t, b.Send("GET", sandboxtest.RefundsPath+"/"+no, nil))
		if r.Amount.PayerRefund+r.Amount.DiscountRefund != amount || r.Amount.PayerTotal != 800 {
			t.Errorf("%+v", r.Amount)
		}
		payer, coupon = payer+r.Amount.PayerRefund, coupon+r.Amount.DiscountRefund
	}
	if payer != 800 || coupon != 88 {
		t.Errorf("the buyer got %d, the coupon %d", payer, coupon)
	}
}

// Trades that make room take their refunds and movements along.
func TestRefundsAreForgotten(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.MaxTrades = 2 })
	for n := range 5 {
		no := fmt.Sprint("FORGOT000", n)
		b.Paid(no)
		b.MustRefund(no, "R"+no, 1)
	}
	b.Clock.Advance(time.Hour)
	b.DeliverDue(ctx)
	if n := b.Size(); n.Refunds != 2 || n.RefundIDs != 2 || n.Movements != 4 {
		t.Errorf("left: %+v", n)
	}
	if got := sandboxtest.Code(b.Send("GET", sandboxtest.RefundsPath+"/RFORGOT0000", nil)); got != "404 RESOURCE_NOT_EXISTS" {
		t.Error(got)
	}
}

// With a negative delay the answer itself reports the success.
func TestRefundAtOnce(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.RefundDelay = -1 })
	b.Paid("ATONCE0001")
	if r := refundIn(t, b.RequestRefund("ATONCE0001", "NOW1", 888)); r.Status != "SUCCESS" || r.SuccessTime == "" {
		t.Errorf("%+v", r)
	}
}
