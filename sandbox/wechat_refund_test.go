package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
)

const refundsPath = "/v3/refund/domestic/refunds"

// asking is a refund body that every rule is content with; the trades of
// these tests cost 888.
func asking(no, refundNo string, amount int64) map[string]any {
	return map[string]any{
		"out_trade_no": no, "out_refund_no": refundNo, "reason": "不想要了", "notify_url": "https://shop.example.test/wx/refunds",
		"amount": map[string]any{"refund": amount, "total": 888, "currency": "CNY"},
	}
}

func (b *bench) refundNow(no, refundNo string, amount int64) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send("POST", refundsPath, asking(no, refundNo, amount))
}

func (b *bench) mustRefund(no, refundNo string, amount int64) {
	b.t.Helper()
	if rec := b.refundNow(no, refundNo, amount); rec.Code != 200 {
		b.t.Fatalf("refund %s: %d %s", refundNo, rec.Code, rec.Body)
	}
}

func (b *bench) refundState(refundNo string) string {
	b.t.Helper()
	return refundIn(b.t, b.send("GET", refundsPath+"/"+refundNo, nil)).Status
}

func refundIn(t testing.TB, rec *httptest.ResponseRecorder) (r Refund) {
	t.Helper()
	if err := json.Unmarshal(rec.Body.Bytes(), &r); rec.Code != 200 || err != nil {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return r
}

// noticeIn is what a refund's callback has inside.
func (b *bench) noticeIn(r received) (event string, n RefundNotice) {
	b.t.Helper()
	req, _ := b.mustRead(r)
	if err := json.Unmarshal([]byte(req.Resource.Plaintext), &n); err != nil {
		b.t.Fatal(err)
	}
	return req.EventType, n
}

// A refund from the request to the callback, by the official SDK.
func TestRefundBySDK(t *testing.T) {
	k := testKeys()
	b := newBench(t)
	b.paid("SDKREFUND1")
	b.DeliverDue(ctx)
	service := refunddomestic.RefundsApiService{Client: b.sdk(k.PublicKeyID)}
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
	b.clock.Advance(2 * time.Second)
	end := b.now()
	got, _, err := service.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: s("R-1|*@")})
	if err != nil || *got.Status != refunddomestic.STATUS_SUCCESS || got.SuccessTime.Unix() != end.Unix() || *got.RefundId != *first.RefundId {
		t.Fatalf("%v %v", got, err)
	}
	if n := b.DeliverDue(ctx); n != 1 {
		t.Fatalf("%d callbacks", n)
	}
	all := b.shop.all()
	event, n := b.noticeIn(all[len(all)-1])
	want := RefundNotice{
		MchID: k.MchID, TransactionID: *got.TransactionId, OutTradeNo: "SDKREFUND1", RefundID: *got.RefundId, OutRefundNo: "R-1|*@",
		RefundStatus: "SUCCESS", SuccessTime: wireTime(end), UserReceivedAccount: "支付用户零钱",
		Amount: RefundNoticeAmount{888, 300, 888, 300},
	}
	if event != "REFUND.SUCCESS" || n != want || all[len(all)-1].url != "https://shop.example.test/r" {
		t.Errorf("%s %+v", event, n)
	}
	if tx := b.query("SDKREFUND1"); tx.TradeState != "REFUND" || tx.TransactionID != *got.TransactionId {
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
	b.paid("RULES-PAID")
	b.paid("RULES-MORE")
	b.place("RULES-OPEN")
	v, _ := b.Trade("RULES-PAID")
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	amount := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m["amount"].(map[string]any)[name] = value }
	}
	drop := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	b.mustRefund("RULES-MORE", "USED", 1)
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
			body := asking("RULES-PAID", fmt.Sprintf("N%d", time.Now().UnixNano()), 1)
			c.change(body)
			rec := b.send("POST", refundsPath, body)
			if got := code(rec); got != c.want {
				t.Errorf("%s %s, want %s", got, rec.Body, c.want)
			}
		})
	}
}

// No sequence of refunds gives back more than was paid.
func TestRefundSum(t *testing.T) {
	b := newBench(t)
	b.paid("SUMMED0001")
	for _, c := range []struct {
		no     string
		amount int64
		want   string
	}{
		{"A", 300, "200 "}, {"B", 589, "400 INVALID_REQUEST"}, {"B", 500, "200 "},
		{"C", 89, "400 INVALID_REQUEST"}, {"A", 300, "200 "}, {"A", 299, "400 INVALID_REQUEST"}, {"C", 88, "200 "}, {"D", 1, "400 INVALID_REQUEST"},
	} {
		if got := code(b.refundNow("SUMMED0001", c.no, c.amount)); got != c.want {
			t.Errorf("%s of %d: %s, want %s", c.no, c.amount, got, c.want)
		}
	}
	// One that is closed makes room again.
	if err := b.FinishRefund("B", RefundClosed); err != nil {
		t.Fatal(err)
	}
	if got := code(b.refundNow("SUMMED0001", "E", 500)); got != "200 " {
		t.Error(got)
	}
}

func TestRefundLimits(t *testing.T) {
	b := newBench(t, func(o *Options) { o.RefundSpacing = time.Minute })
	b.paid("LIMITED001")
	for n := range maxRefunds {
		if n > 0 {
			if got := code(b.refundNow("LIMITED001", fmt.Sprint("R", n), 1)); got != "429 FREQUENCY_LIMITED" {
				t.Fatalf("too soon: %s", got)
			}
			b.clock.Advance(time.Minute)
		}
		b.mustRefund("LIMITED001", fmt.Sprint("R", n), 1)
	}
	b.clock.Advance(time.Minute)
	if got := code(b.refundNow("LIMITED001", "ONEMORE", 1)); got != "400 INVALID_REQUEST" {
		t.Errorf("the 51st: %s", got)
	}
	if got := code(b.refundNow("LIMITED001", "R0", 1)); got != "200 " {
		t.Errorf("a repeat: %s", got)
	}
	b.paid("LIMITED002")
	b.clock.Advance(refundPeriod + time.Second)
	if got := code(b.refundNow("LIMITED002", "LATE", 1)); got != "400 INVALID_REQUEST" {
		t.Errorf("after a year: %s", got)
	}
}

// Of a trade that was paid twice, each payment has its own rest.
func TestRefundOfTwoPayments(t *testing.T) {
	b := newBench(t)
	b.arm(OpPay, PaidTwice, 1)
	b.paid("DOUBLE0001")
	v, _ := b.Trade("DOUBLE0001")
	if len(v.TransactionIDs) != 2 {
		t.Fatalf("%+v", v)
	}
	second := asking("", "BACK2", 888)
	delete(second, "out_trade_no")
	second["transaction_id"] = v.TransactionIDs[1]
	if r := refundIn(t, b.send("POST", refundsPath, second)); r.TransactionID != v.TransactionIDs[1] {
		t.Errorf("against %s", r.TransactionID)
	}
	if tx := b.query("DOUBLE0001"); tx.TradeState != "SUCCESS" {
		t.Errorf("the first payment is %s", tx.TradeState)
	}
	for _, c := range []struct{ no, want string }{{"BACK1", "200 "}, {"BACK3", "400 INVALID_REQUEST"}} {
		if got := code(b.refundNow("DOUBLE0001", c.no, 888)); got != c.want {
			t.Errorf("%s: %s", c.no, got)
		}
	}
}

// Each fault of a refund: how it is answered, what becomes of it, what the
// shop is told.
func TestFaultsOfRefunds(t *testing.T) {
	for _, c := range []struct {
		fault               Fault
		answer, ends, event string
	}{
		{"", "200 ", "SUCCESS", "REFUND.SUCCESS"},
		{EndsAbnormal, "200 ", "ABNORMAL", "REFUND.ABNORMAL"},
		{EndsClosed, "200 ", "CLOSED", "REFUND.CLOSED"},
		{NeverEnds, "200 ", "PROCESSING", ""},
		{MerchantShort, "403 NOT_ENOUGH", "", ""},
		{UserAccountClosed, "403 USER_ACCOUNT_ABNORMAL", "", ""},
	} {
		b := newBench(t)
		b.paid("FATED00001")
		b.DeliverDue(ctx)
		if c.fault != "" {
			b.arm(OpRefund, c.fault, 1)
		}
		if got := code(b.refundNow("FATED00001", "F1", 888)); got != c.answer {
			t.Errorf("%s: %s", c.fault, got)
		}
		if c.ends == "" { // refused: the same number may be tried again
			if got := code(b.refundNow("FATED00001", "F1", 888)); got != "200 " {
				t.Errorf("%s: again %s", c.fault, got)
			}
			continue
		}
		b.clock.Advance(24 * time.Hour)
		b.DeliverDue(ctx)
		if got := b.refundState("F1"); got != c.ends {
			t.Errorf("%s: ends %s", c.fault, got)
		}
		told := ""
		for _, r := range b.shop.all()[1:] {
			event, n := b.noticeIn(r)
			if told += event; n.RefundStatus != c.ends || (n.SuccessTime != "") != (c.ends == "SUCCESS") {
				t.Errorf("%s: told %+v", c.fault, n)
			}
		}
		if told != c.event {
			t.Errorf("%s: told %q", c.fault, told)
		}
		wantTrade := "REFUND"
		if c.ends == "CLOSED" {
			wantTrade = "SUCCESS"
		}
		if got := b.query("FATED00001").TradeState; got != wantTrade {
			t.Errorf("%s: the trade is %s", c.fault, got)
		}
	}
}

// A refund may be struck by one fault of its answer and one of its fate.
func TestRefundIsStruckTwice(t *testing.T) {
	b := newBench(t)
	b.paid("STRUCK0001")
	b.arm(OpRefund, EndsClosed, 1)
	b.arm(OpRefund, Error500WithEffect, 1)
	if got := code(b.refundNow("STRUCK0001", "S1", 1)); got != "500 SYSTEM_ERROR" {
		t.Error(got)
	}
	b.clock.Advance(time.Minute)
	if got := b.refundState("S1"); got != "CLOSED" {
		t.Error(got)
	}
}

// An operator ends refunds; what has come to its end stays there.
func TestFinishRefund(t *testing.T) {
	b := newBench(t)
	b.paid("FINISHED01")
	b.arm(OpRefund, NeverEnds, 3)
	for _, c := range []struct {
		no    string
		state RefundState
		want  error
	}{
		{"A", RefundSucceeded, nil}, {"A", RefundClosed, ErrRefundFinal},
		{"B", RefundAbnormal, nil}, {"B", RefundAbnormal, ErrRefundFinal}, {"B", RefundSucceeded, nil},
		{"C", RefundClosed, nil}, {"C", RefundSucceeded, ErrRefundFinal}, {"D", RefundSucceeded, ErrNoRefund},
	} {
		if c.no != "D" {
			b.mustRefund("FINISHED01", c.no, 100)
		}
		if err := b.FinishRefund(c.no, c.state); err != c.want {
			t.Errorf("%s %s: %v, want %v", c.no, c.state, err, c.want)
		}
	}
	// The operator is faster than the plan.
	b.mustRefund("FINISHED01", "E", 100)
	if err := b.FinishRefund("E", RefundClosed); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Hour)
	if got := b.refundState("E"); got != "CLOSED" {
		t.Error(got)
	}
	if b.FinishRefund("E", RefundProcessing) == nil {
		t.Error("a refund went back")
	}
}

// An abnormal refund goes to a bank card instead.
func TestApplyAbnormalRefund(t *testing.T) {
	k := testKeys()
	seal := func(key *rsa.PublicKey, text string) string {
		out, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(out)
	}
	user := func(key *rsa.PublicKey) map[string]any {
		return map[string]any{"out_refund_no": "AB1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
			"bank_account": seal(key, "6222020202020403"), "real_name": seal(key, "张三")}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	without := func(name string) map[string]any {
		m := user(&k.PlatformKey.PublicKey)
		delete(m, name)
		return m
	}
	merchant := map[string]any{"out_refund_no": "AB1", "type": "MERCHANT_BANK_CARD"}
	for _, c := range []struct {
		name, serial string
		body         map[string]any
		want         string
	}{
		{"user, certificate", k.PlatformSerial, user(&k.PlatformKey.PublicKey), "200 "},
		{"user, public key", k.PublicKeyID, user(&k.PublicKeyPrivate.PublicKey), "200 "},
		{"merchant", "", merchant, "200 "},
		{"another key", k.PlatformSerial, user(&other.PublicKey), "400 PARAM_ERROR"},
		{"the other of our keys", k.PublicKeyID, user(&k.PlatformKey.PublicKey), "400 PARAM_ERROR"},
		{"no serial", "", user(&k.PlatformKey.PublicKey), "400 PARAM_ERROR"},
		{"no bank", k.PlatformSerial, without("bank_type"), "400 PARAM_ERROR"},
		{"no card", k.PlatformSerial, without("bank_account"), "400 PARAM_ERROR"},
		{"no name", k.PlatformSerial, without("real_name"), "400 PARAM_ERROR"},
		{"no type", "", map[string]any{"out_refund_no": "AB1"}, "400 PARAM_ERROR"},
		{"an unknown type", "", map[string]any{"out_refund_no": "AB1", "type": "CASH"}, "400 PARAM_ERROR"},
		{"another refund's number", "", map[string]any{"out_refund_no": "AB2", "type": "MERCHANT_BANK_CARD"}, "400 INVALID_REQUEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.paid("ABNORMAL01")
			b.DeliverDue(ctx)
			b.arm(OpRefund, EndsAbnormal, 1)
			b.mustRefund("ABNORMAL01", "AB1", 888)
			name := func(r *http.Request) { r.Header.Set("Wechatpay-Serial", c.serial) }
			id := refundIn(t, b.send("GET", refundsPath+"/AB1", nil)).RefundID
			path := refundsPath + "/" + id + "/apply-abnormal-refund"
			if got := code(b.send("POST", path, c.body, name)); got[:1] == "2" {
				t.Errorf("while it is processing: %s", got)
			}
			b.clock.Advance(2 * time.Second)
			b.DeliverDue(ctx)
			rec := b.send("POST", path, c.body, name)
			if got := code(rec); got != c.want {
				t.Fatalf("%s %s", got, rec.Body)
			}
			if rec.Code != 200 {
				return
			}
			if again := code(b.send("POST", path, c.body, name)); again != "200 " {
				t.Errorf("asked again: %s", again)
			}
			b.clock.Advance(2 * time.Second)
			if n := b.DeliverDue(ctx); n != 1 {
				t.Errorf("%d callbacks", n)
			}
			all := b.shop.all()
			event, n := b.noticeIn(all[len(all)-1])
			r := refundIn(t, b.send("GET", refundsPath+"/AB1", nil))
			if event != "REFUND.SUCCESS" || r.Status != "SUCCESS" || r.Channel != "OTHER_BANKCARD" || n.UserReceivedAccount != r.UserReceivedAccount || strings.Contains(r.UserReceivedAccount, "6222") {
				t.Errorf("%s %+v", event, r)
			}
		})
	}
}

// The platform's coupon: the buyer pays less, and gets back what they paid.
func TestPlatformCoupon(t *testing.T) {
	b := newBench(t)
	b.arm(OpPay, PlatformCoupon, 1)
	b.paid("COUPON0001")
	b.DeliverDue(ctx)
	_, tx := b.mustRead(b.shop.all()[0])
	if *tx.Amount.Total != 888 || *tx.Amount.PayerTotal != 800 || len(tx.PromotionDetail) != 1 || *tx.PromotionDetail[0].Amount != 88 {
		t.Fatalf("%+v", tx)
	}
	var payer, coupon int64
	for n, amount := range []int64{1, 100, 333, 454} {
		no := fmt.Sprint("C", n)
		b.mustRefund("COUPON0001", no, amount)
		r := refundIn(t, b.send("GET", refundsPath+"/"+no, nil))
		if r.Amount.PayerRefund+r.Amount.DiscountRefund != amount || r.Amount.PayerTotal != 800 {
			t.Errorf("%+v", r.Amount)
		}
		payer, coupon = payer+r.Amount.PayerRefund, coupon+r.Amount.DiscountRefund
	}
	if payer != 800 || coupon != 88 {
		t.Errorf("the buyer got %d, the coupon %d", payer, coupon)
	}
}

// The retries of a refund's callback follow the same schedule, one copy and
// one id in all tries.
func TestRefundRetrySchedule(t *testing.T) {
	b := newBench(t, onClock)
	b.paid("RETRIEDR01")
	b.DeliverDue(ctx)
	b.mustRefund("RETRIEDR01", "RR1", 1)
	for range 40 {
		b.shop.answers = append(b.shop.answers, 500)
	}
	start := b.now().Add(2 * time.Second)
	var at []time.Duration
	for {
		due, ok := b.NextDelivery()
		if !ok {
			break
		}
		b.clock.Advance(due.Sub(b.now()))
		if b.DeliverDue(ctx) != 1 {
			t.Fatal("not sent when due")
		}
		at = append(at, b.now().Sub(start))
	}
	want := []time.Duration{0}
	for _, wait := range notifySchedule {
		want = append(want, want[len(want)-1]+wait)
	}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("sent after %v, want %v", at, want)
	}
	got := b.shop.all()[1:]
	for _, r := range got {
		if string(r.body) != string(got[0].body) {
			t.Fatal("the body of a retry differs")
		}
	}
}

func TestSignRefundCallback(t *testing.T) {
	k, now := testKeys(), time.Now()
	for _, c := range []struct{ status, event string }{
		{"SUCCESS", "REFUND.SUCCESS"}, {"ABNORMAL", "REFUND.ABNORMAL"}, {"CLOSED", "REFUND.CLOSED"}, {"PROCESSING", ""}, {"", ""},
	} {
		h, body, err := SignRefundCallback(k, k.PublicKeyID, now, "", RefundNotice{OutRefundNo: "X", RefundStatus: c.status})
		if (err == nil) != (c.event != "") {
			t.Errorf("%q: %v", c.status, err)
		}
		if err != nil {
			continue
		}
		n, _, err := received{header: h, body: body}.read()
		if err != nil || n.EventType != c.event || n.Resource.OriginalType != "refund" {
			t.Errorf("%q: %+v %v", c.status, n, err)
		}
	}
	if _, _, err := SignRefundCallback(k, "?", now, "", RefundNotice{RefundStatus: "SUCCESS"}); err == nil {
		t.Error("signed with a key that does not exist")
	}
}

// Trades that make room take their refunds and movements along.
func TestRefundsAreForgotten(t *testing.T) {
	b := newBench(t, func(o *Options) { o.MaxTrades = 2 })
	for n := range 5 {
		no := fmt.Sprint("FORGOT000", n)
		b.paid(no)
		b.mustRefund(no, "R"+no, 1)
	}
	b.clock.Advance(time.Hour)
	b.DeliverDue(ctx)
	moves := 0
	for _, day := range b.trades.days {
		moves += day.Len()
	}
	if len(b.trades.byRefund) != 2 || len(b.trades.byRefundID) != 2 || moves != 4 {
		t.Errorf("%d and %d refunds, %d movements", len(b.trades.byRefund), len(b.trades.byRefundID), moves)
	}
	if got := code(b.send("GET", refundsPath+"/RFORGOT0000", nil)); got != "404 RESOURCE_NOT_EXISTS" {
		t.Error(got)
	}
}

// Run ends refunds and tells of them by itself, when the clock gets there.
func TestRunEndsRefunds(t *testing.T) {
	b := newBench(t)
	b.paid("RUNREFUND1")
	b.DeliverDue(ctx)
	told := make(chan struct{})
	b.shop.during = func() { told <- struct{}{} }
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- b.Run(running) }()
	b.mustRefund("RUNREFUND1", "RUN1", 1)
	b.clock.Advance(2 * time.Second)
	<-told
	if got := b.refundState("RUN1"); got != "SUCCESS" {
		t.Error(got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// With a negative delay the answer itself tells of the success.
func TestRefundAtOnce(t *testing.T) {
	b := newBench(t, func(o *Options) { o.RefundDelay = -1 })
	b.paid("ATONCE0001")
	if r := refundIn(t, b.refundNow("ATONCE0001", "NOW1", 888)); r.Status != "SUCCESS" || r.SuccessTime == "" {
		t.Errorf("%+v", r)
	}
}
