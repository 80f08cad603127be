package wechatpay

import (
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// TestRefundSent shows what is sent, and that a repeat is identical.
func TestRefundSent(t *testing.T) {
	g := newGateway(t, always(200, refundAnswered))
	c := g.channel(t, Options{})
	all := map[string]any{
		"transaction_id": "420000001", "out_refund_no": "REF1", "reason": "不想要了 & more",
		"notify_url": "https://shop.example.test/v1/notify/demo/wechatpay",
		"amount":     map[string]any{"refund": 150.0, "total": 900.0, "currency": "CNY"},
	}
	without := func(names ...string) map[string]any {
		m := map[string]any{}
		for k, v := range all {
			m[k] = v
		}
		for _, name := range names {
			delete(m, name)
		}
		return m
	}
	byNo := without("transaction_id")
	byNo["out_trade_no"] = "PAY00000001"
	long := without()
	long["reason"] = strings.Repeat("退", 80)
	for _, row := range []struct {
		name   string
		change func(*payment.RefundRequest)
		sent   map[string]any
	}{
		{"everything", func(*payment.RefundRequest) {}, all},
		{"no transaction", func(r *payment.RefundRequest) { r.TransactionID = "" }, byNo},
		{"no reason", func(r *payment.RefundRequest) { r.Reason = "" }, without("reason")},
		{"long reason", func(r *payment.RefundRequest) { r.Reason = strings.Repeat("退", 200) }, long},
		{"no notify URL", func(r *payment.RefundRequest) { r.NotifyURL = "" }, without("notify_url")},
	} {
		r := refundRequest()
		row.change(&r)
		got, err := c.Refund(t.Context(), r)
		want := payment.Fact{
			ID: "refund/REF1/PROCESSING", Kind: payment.Open, Source: payment.ByRefund, TransactionID: "50300001", RefundNo: "REF1",
			Amount: 150, Currency: "CNY", Merchant: mchID, Reported: "PROCESSING", ReceivedAt: vectorTime.UTC(),
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", row.name, err, diff)
		}
		checkRequest(t, g.last(), vectorTime)
		if g.last().Method != "POST" || g.last().URI != "/v3/refund/domestic/refunds" {
			t.Errorf("%s %s", g.last().Method, g.last().URI)
		}
		var sent map[string]any
		if err := json.Unmarshal(g.last().Body, &sent); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.sent, sent); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
		first := string(g.last().Body)
		if _, err := c.Refund(t.Context(), r); err != nil || string(g.last().Body) != first {
			t.Errorf("%s: a repeat is not identical: %v", row.name, err)
		}
	}
}

// TestRefundStates goes through the states, queried and reported, and wants the
// same fact.
func TestRefundStates(t *testing.T) {
	var body string
	g := newGateway(t, func(seen) answer { return answer{status: 200, body: body} })
	c := g.channel(t, Options{})
	at := time.Date(2026, 11, 22, 14, 59, 30, 0, time.UTC)
	for _, row := range []struct {
		word, id string
		kind     payment.FactKind
		at       time.Time
	}{
		{"SUCCESS", "refund/REF@1*|", payment.Refunded, at},
		{"ABNORMAL", "refund/REF@1*|/ABNORMAL", payment.RefundStuck, time.Time{}},
		{"CLOSED", "refund/REF@1*|/CLOSED", payment.RefundFailed, time.Time{}},
		{"PROCESSING", "refund/REF@1*|/PROCESSING", payment.Open, time.Time{}},
	} {
		said := strings.NewReplacer("REF1", "REF@1*|", "PROCESSING", row.word).Replace(refundAnswered)
		if !row.at.IsZero() {
			said = strings.Replace(said, `"create_time"`, `"success_time":"2026-11-22T22:59:30+08:00","create_time"`, 1)
		}
		want := payment.Fact{
			ID: row.id, Kind: row.kind, Source: payment.ByQuery, TransactionID: "50300001", RefundNo: "REF@1*|",
			Amount: 150, Currency: "CNY", Merchant: mchID, Reported: row.word, At: row.at, ReceivedAt: vectorTime.UTC(),
		}
		r := refundRequest()
		r.RefundNo, body = "REF@1*|", said
		got, err := c.QueryRefund(t.Context(), r)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s requested: %v %s", row.word, err, diff)
		}
		checkRequest(t, g.last(), vectorTime)
		if g.last().URI != "/v3/refund/domestic/refunds/REF@1%2A%7C" {
			t.Errorf("%s", g.last().URI)
		}
		if row.kind == payment.Open {
			continue // not reported
		}
		plain := strings.Replace(strings.Replace(said, `"status"`, `"refund_status"`, 1), "{", `{"mchid":"`+mchID+`",`, 1)
		note := notification(t, "REFUND."+row.word, "refund", plain)
		n, err := c.Read(vectorTime, g.sign(certSerial, vectorTime, note), note)
		want.Source = payment.ByCallback
		if diff := cmp.Diff(want, n.Fact); err != nil || diff != "" || n.RefundNo != r.RefundNo || n.PaymentNo != r.PaymentNo {
			t.Errorf("%s reported: %v %s", row.word, err, diff)
		}
		wrong := notification(t, "REFUND.SUCCESS", "refund", strings.Replace(plain, `"`+row.word+`"`, `"CLOSED!"`, 1))
		if _, err := c.Read(vectorTime, g.sign(certSerial, vectorTime, wrong), wrong); stageOf(t, err) != payment.StageBody {
			t.Errorf("a status that does not fit the event: %v", err)
		}
	}
}

// TestRefundRefusals goes through the codes of the calls about refunds.
func TestRefundRefusals(t *testing.T) {
	var next answer
	c := newGateway(t, func(seen) answer { return next }).channel(t, Options{})
	for _, row := range []struct {
		status               int
		code                 string
		refund, query, abnor error
	}{
		{403, "NOT_ENOUGH", payment.ErrShort, errAnyRejection, payment.ErrShort},
		{403, "NOTENOUGH", payment.ErrShort, errAnyRejection, payment.ErrShort},
		{403, "USER_ACCOUNT_ABNORMAL", errAnyRejection, errAnyRejection, errAnyRejection},
		{404, "RESOURCE_NOT_EXISTS", errAnyRejection, payment.ErrNotExist, errAnyRejection},
		{404, "ORDER_NOT_EXIST", errAnyRejection, payment.ErrNotExist, errAnyRejection},
		{400, "INVALID_REQUEST", errAnyRejection, errAnyRejection, errAnyRejection},
		{400, "PARAM_ERROR", errAnyRejection, errAnyRejection, errAnyRejection},
		{401, "SIGN_ERROR", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "NO_AUTH", errAnyRejection, errAnyRejection, errAnyRejection},
		{429, "FREQUENCY_LIMITED", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{403, "FREQUENCY_LIMITED", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{500, "SYSTEM_ERROR", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{502, "BANK_ERROR", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{400, "ORDERPAID", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{400, "ORDER_CLOSED", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{404, "", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{503, "", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
	} {
		t.Run(fmt.Sprintf("%d %s", row.status, row.code), func(t *testing.T) {
			next = answer{status: row.status, body: `{"code":"` + row.code + `","message":"说明"}`}
			for call, want := range map[string]error{"refund": row.refund, "refund query": row.query, "finish": row.abnor} {
				err := makeCall(t.Context(), c, call)
				if !is(err, want) {
					t.Errorf("%s: got %v, want %v", call, err, want)
				}
				if errors.Is(err, payment.ErrPaid) || errors.Is(err, payment.ErrClosed) {
					t.Errorf("%s: %v is no word about a refund", call, err)
				}
			}
		})
	}
}

// TestRefundCannotPass is refused here, and nothing is sent.
func TestRefundCannotPass(t *testing.T) {
	g := newGateway(t, always(200, refundAnswered))
	c := g.channel(t, Options{})
	for name, change := range map[string]func(*payment.RefundRequest){
		"no number":               func(r *payment.RefundRequest) { r.RefundNo = "" },
		"long number":             func(r *payment.RefundRequest) { r.RefundNo = strings.Repeat("9", 65) },
		"number with a path":      func(r *payment.RefundRequest) { r.RefundNo = "../REF1" },
		"number with a dot":       func(r *payment.RefundRequest) { r.RefundNo = "REF.1" },
		"no payment":              func(r *payment.RefundRequest) { r.PaymentNo, r.TransactionID = "", "" },
		"long transaction":        func(r *payment.RefundRequest) { r.TransactionID = strings.Repeat("4", 33) },
		"no amount":               func(r *payment.RefundRequest) { r.Amount = 0 },
		"amount past the total":   func(r *payment.RefundRequest) { r.Amount = 901 },
		"total past money":        func(r *payment.RefundRequest) { r.Total = 1 << 62 },
		"dollars":                 func(r *payment.RefundRequest) { r.Currency = "USD" },
		"long notify URL":         func(r *payment.RefundRequest) { r.NotifyURL = "https://" + strings.Repeat("a", 248) },
		"notify URL with a query": func(r *payment.RefundRequest) { r.NotifyURL += "?shop=1" },
	} {
		r := refundRequest()
		change(&r)
		if _, err := c.Refund(t.Context(), r); !is(err, errAnyRejection) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.QueryRefund(t.Context(), payment.RefundRequest{RefundNo: "a/../b"}); !is(err, errAnyRejection) {
		t.Errorf("query: %v", err)
	}
	for name, change := range map[string]func(*payment.AbnormalRefund){
		"no number":               func(r *payment.AbnormalRefund) { r.RefundNo = "" },
		"no id":                   func(r *payment.AbnormalRefund) { r.RefundID = "" },
		"id with a path":          func(r *payment.AbnormalRefund) { r.RefundID = "../1" },
		"no bank":                 func(r *payment.AbnormalRefund) { r.Bank = "" },
		"no card":                 func(r *payment.AbnormalRefund) { r.Account = "" },
		"card with spaces":        func(r *payment.AbnormalRefund) { r.Account = "6222 0212 3456" },
		"no name":                 func(r *payment.AbnormalRefund) { r.Name = "" },
		"long name":               func(r *payment.AbnormalRefund) { r.Name = strings.Repeat("张", 64) },
		"to the merchant, a card": func(r *payment.AbnormalRefund) { r.ToMerchant = true },
	} {
		r := abnormalRefund()
		change(&r)
		if _, err := c.FinishRefund(t.Context(), r); !is(err, errAnyRejection) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if g.last().Method != "" {
		t.Errorf("%s %s was sent", g.last().Method, g.last().URI)
	}
}

// TestFinishRefund opens what was encrypted, as WeChat Pay does with the key
// that the request names.
func TestFinishRefund(t *testing.T) {
	g := newGateway(t, always(200, refundAnswered))
	c := g.channel(t, Options{})
	for _, r := range []payment.AbnormalRefund{abnormalRefund(), {RefundNo: "REF1", RefundID: "50300001", ToMerchant: true}} {
		f, err := c.FinishRefund(t.Context(), r)
		if err != nil || f.Kind != payment.Open || f.RefundNo != "REF1" || f.Source != payment.ByRefund {
			t.Fatalf("%+v, %v", f, err)
		}
		checkRequest(t, g.last(), vectorTime)
		if g.last().Method != "POST" || g.last().URI != "/v3/refund/domestic/refunds/50300001/apply-abnormal-refund" {
			t.Errorf("%s %s", g.last().Method, g.last().URI)
		}
		var sent map[string]string
		if err := json.Unmarshal(g.last().Body, &sent); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"out_refund_no": "REF1", "type": "MERCHANT_BANK_CARD"}
		if !r.ToMerchant {
			want = map[string]string{
				"out_refund_no": "REF1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT", "bank_account": r.Account, "real_name": r.Name,
			}
			if strings.Contains(string(g.last().Body), r.Account) {
				t.Error("the card's number went as it is")
			}
		}
		for _, name := range []string{"bank_account", "real_name"} {
			if sent[name] == "" {
				continue
			}
			sealed, err := base64.StdEncoding.DecodeString(sent[name])
			if err != nil {
				t.Fatal(err)
			}
			plain, err := rsa.DecryptOAEP(sha1.New(), nil, g.keys[g.last().Header.Get(headerSerial)], sealed, nil)
			if err != nil {
				t.Fatal(err)
			}
			sent[name] = string(plain)
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Error(diff)
		}
	}
}
