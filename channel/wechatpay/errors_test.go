package wechatpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// errAnyRejection says that a row wants a *payment.RejectedError.
var errAnyRejection = errors.New("a RejectedError")

// is compares an error with what a row wants.
func is(err, want error) bool {
	if want != errAnyRejection {
		return errors.Is(err, want)
	}
	var r *payment.RejectedError
	return errors.As(err, &r)
}

// makeCall makes one of the calls.
func makeCall(ctx context.Context, c *Channel, call string) error {
	var err error
	switch call {
	case "query":
		_, err = c.Query(ctx, "PAY00000001")
	case "close":
		err = c.Close(ctx, "PAY00000001")
	case "refund":
		_, err = c.Refund(ctx, refundRequest())
	case "refund query":
		_, err = c.QueryRefund(ctx, refundRequest())
	case "finish":
		_, err = c.FinishRefund(ctx, abnormalRefund())
	case "bill":
		_, err = c.Bill(ctx, billDay, func(payment.BillRow) error { return nil })
	case "funds":
		_, err = c.FundFlow(ctx, billDay, func(payment.FundRow) error { return nil })
	case "refresh":
		err = c.Refresh(ctx)
	default: // a prepay by that method
		_, err = c.Prepay(ctx, prepayRequest(payment.Method(call)))
	}
	return err
}

// calls are all that a channel may make; the first four are prepays.
var calls = []string{"native", "jsapi", "h5", "app", "query", "close", "refund", "refund query", "finish", "bill", "funds", "refresh"}

// TestRefusals goes through the codes, in all their spellings.
func TestRefusals(t *testing.T) {
	var next answer
	g := newGateway(t, func(seen) answer { return next })
	c := g.channel(t, Options{})
	for _, row := range []struct {
		status              int
		code                string
		prepay, query, clos error
	}{
		{400, "PARAM_ERROR", errAnyRejection, errAnyRejection, errAnyRejection},
		{400, "INVALID_REQUEST", errAnyRejection, errAnyRejection, errAnyRejection},
		{401, "SIGN_ERROR", errAnyRejection, errAnyRejection, errAnyRejection},
		{400, "APPID_MCHID_NOT_MATCH", errAnyRejection, errAnyRejection, errAnyRejection},
		{400, "MCH_NOT_EXISTS", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "NO_AUTH", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "RULE_LIMIT", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "RULELIMIT", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "ACCOUNT_ERROR", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "TRADE_ERROR", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "OUT_TRADE_NO_USED", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{403, "NOT_ENOUGH", errAnyRejection, errAnyRejection, errAnyRejection},
		{403, "A_CODE_OF_TOMORROW", errAnyRejection, errAnyRejection, errAnyRejection},
		{500, "OPENID_MISMATCH", errAnyRejection, errAnyRejection, errAnyRejection},
		{500, "INVALID_TRANSACTIONID", errAnyRejection, errAnyRejection, errAnyRejection},
		{400, "ORDERPAID", payment.ErrPaid, payment.ErrUnknown, payment.ErrPaid},
		{400, "ORDER_PAID", payment.ErrPaid, payment.ErrUnknown, payment.ErrPaid},
		{400, "ORDER_CLOSED", payment.ErrClosed, payment.ErrUnknown, payment.ErrClosed},
		{400, "ORDERCLOSED", payment.ErrClosed, payment.ErrUnknown, payment.ErrClosed},
		{404, "ORDER_NOT_EXIST", payment.ErrNotExist, payment.ErrNotExist, payment.ErrNotExist},
		{404, "ORDERNOTEXIST", payment.ErrNotExist, payment.ErrNotExist, payment.ErrNotExist},
		{404, "RESOURCE_NOT_EXISTS", payment.ErrNotExist, payment.ErrNotExist, payment.ErrNotExist},
		{429, "FREQUENCY_LIMITED", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{403, "FREQUENCY_LIMITED", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{403, "RATELIMIT_EXCEEDED", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{403, "RATELIMIT_EXCEED", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{429, "ANYTHING", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{429, "", payment.ErrBusy, payment.ErrBusy, payment.ErrBusy},
		{500, "SYSTEM_ERROR", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{400, "SYSTEMERROR", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{500, "BANK_ERROR", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{400, "BANKERROR", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{403, "USERPAYING", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{202, "USERPAYING", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{500, "A_CODE_OF_TOMORROW", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{502, "", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{503, "", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{404, "", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
		{302, "", payment.ErrUnknown, payment.ErrUnknown, payment.ErrUnknown},
	} {
		t.Run(fmt.Sprintf("%d %s", row.status, row.code), func(t *testing.T) {
			next = answer{status: row.status, body: `{"code":"` + row.code + `","message":"说明"}`}
			for i, want := range []error{row.prepay, row.prepay, row.prepay, row.prepay, row.query, row.clos} {
				call := calls[i]
				err := makeCall(t.Context(), c, call)
				if !is(err, want) {
					t.Errorf("%s: got %v, want %v", call, err, want)
				}
				var r *payment.RejectedError
				if errors.As(err, &r) && (r.Code != row.code || r.Message != "说明") {
					t.Errorf("%s: not the channel's words: %+v", call, r)
				}
			}
		})
	}
}

// TestRefusalsThatAreNone are bodies that do not say what a refusal says.
func TestRefusalsThatAreNone(t *testing.T) {
	for _, body := range []string{
		"", "null", "[]", "<html>403 Forbidden</html>", `{"code":403}`, `{"code":null}`, `{"message":"no"}`,
		`{"code":"NO_AUTH"`, strings.Repeat("[", 20_000), `{"StatusCode":404,"Body":"{}"}`,
	} {
		c := newGateway(t, always(403, body)).channel(t, Options{})
		for _, call := range calls {
			if err := makeCall(t.Context(), c, call); !errors.Is(err, payment.ErrUnknown) {
				t.Errorf("%s %.40q: %v", call, body, err)
			}
		}
	}
	// The SDK's error takes a status out of the body; ours does not.
	c := newGateway(t, always(500, `{"StatusCode":404,"code":"X"}`)).channel(t, Options{})
	if err := makeCall(t.Context(), c, "query"); !errors.Is(err, payment.ErrUnknown) {
		t.Error(err)
	}
}

// TestAnswersThatProveNothing spoils 2xx answers.
func TestAnswersThatProveNothing(t *testing.T) {
	good := map[string]answer{"query": {status: 200, body: paidContent}, "close": {status: 204}}
	for _, call := range []string{"refund", "refund query", "finish"} {
		good[call] = answer{status: 200, body: refundAnswered}
	}
	for _, method := range calls[:4] {
		good[method] = answer{status: 200, body: `{"code_url":"weixin://abc","h5_url":"https://wx.tenpay.com/","prepay_id":"wx1"}`}
	}
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	for _, row := range []struct {
		name string
		how  func(http.Header)
	}{
		{"unsigned", func(h http.Header) { clear(h) }},
		{"no timestamp", func(h http.Header) { h.Del(headerTimestamp) }},
		{"corrupt", set(headerSignature, "AAAA")},
		{"probe", set(headerSignature, "WECHATPAY/SIGNTEST/abc")},
		{"unknown serial", set(headerSerial, "7777")},
		{"stale", set(headerTimestamp, "1795359000")},
		{"ahead", set(headerTimestamp, "1795359901")},
	} {
		for call, a := range good {
			c := newGateway(t, func(seen) answer { return a }).channel(t, Options{})
			if err := makeCall(t.Context(), c, call); err != nil {
				t.Fatalf("%s unspoiled: %v", call, err)
			}
			a.how = row.how
			if err := makeCall(t.Context(), c, call); !errors.Is(err, payment.ErrUnknown) {
				t.Errorf("%s %s: %v", call, row.name, err)
			}
		}
	}
	for _, row := range []struct {
		call string
		a    answer
	}{
		{"native", answer{status: 200, body: ""}},
		{"native", answer{status: 200, body: "{}"}},
		{"native", answer{status: 200, body: `{"code_url":""}`}},
		{"native", answer{status: 200, body: `{"code_url":7}`}},
		{"native", answer{status: 200, body: "[]"}},
		{"native", answer{status: 201, body: `{"code_url":"weixin://x"}`}},
		{"native", answer{status: 204}},
		{"jsapi", answer{status: 200, body: "{}"}},
		{"h5", answer{status: 200, body: "{}"}},
		{"h5", answer{status: 200, body: `{"h5_url":"http://[::1"}`}},
		{"app", answer{status: 200, body: "{}"}},
		{"query", answer{status: 200, body: ""}},
		{"query", answer{status: 200, body: "{}"}},
		{"query", answer{status: 200, body: "null"}},
		{"query", answer{status: 202, body: paidContent}},
		{"query", answer{status: 200, body: strings.Replace(paidContent, "PAY00000001", "PAY00000002", 1)}},
		{"query", answer{status: 200, body: strings.Replace(paidContent, `"SUCCESS"`, `"MAYBE"`, 1)}},
		{"query", answer{status: 200, body: strings.Replace(paidContent, `"total":900`, `"total":0`, 1)}},
		{"query", answer{status: 200, body: paidContent + strings.Repeat(" ", 1<<20)}},
		{"refund", answer{status: 200, body: "{}"}},
		{"refund", answer{status: 200, body: "[]"}},
		{"refund", answer{status: 202, body: refundAnswered}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, "REF1", "REF2", 1)}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, "PAY00000001", "PAY00000002", 1)}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, `"refund":150`, `"refund":151`, 1)}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, `"refund":150`, `"refund":-150`, 1)}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, `"refund":150`, `"refund":0`, 1)}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, `"refund":150`, `"refund":150.5`, 1)}},
		{"refund", answer{status: 200, body: strings.Replace(refundAnswered, "PROCESSING", "MAYBE", 1)}},
		{"refund query", answer{status: 200, body: strings.Replace(refundAnswered, `"status"`, `"refund_status"`, 1)}},
		{"refund query", answer{status: 200, body: strings.Replace(refundAnswered, "REF1", "", 1)}},
		{"refund query", answer{status: 204}},
		{"finish", answer{status: 200, body: strings.Replace(refundAnswered, "REF1", "REF2", 1)}},
		{"bill", answer{status: 200, body: "{}"}},
		{"bill", answer{status: 200, body: billAnswered("https://evil.example.test/v3/billdownload/file?token=1")}},
		{"bill", answer{status: 200, body: billAnswered("https://api.mch.weixin.qq.com.evil.example.test/v3/billdownload/file?token=1")}},
		{"bill", answer{status: 200, body: billAnswered("https://a:b@api.mch.weixin.qq.com/v3/billdownload/file?token=1")}},
		{"bill", answer{status: 200, body: billAnswered("https://api.mch.weixin.qq.com/elsewhere")}},
		{"bill", answer{status: 200, body: billAnswered("file:///v3/billdownload/file")}},
		{"bill", answer{status: 200, body: billAnswered("://")}},
		{"bill", answer{status: 200, body: strings.Replace(billAnswered("https://api.mch.weixin.qq.com/v3/x"), "SHA1", "MD5", 1)}},
		{"bill", answer{status: 200, body: strings.Replace(billAnswered("https://api.mch.weixin.qq.com/v3/x"), "00", "", 1)}},
		{"funds", answer{status: 200, body: "[]"}},
		{"refresh", answer{status: 200, body: "{}"}},
		{"refresh", answer{status: 200, body: `{"data":[{}]}`}},
		{"close", answer{status: 200, body: "{}"}},
		{"close", answer{status: 202}},
	} {
		c := newGateway(t, func(seen) answer { return row.a }).channel(t, Options{})
		err := makeCall(t.Context(), c, row.call)
		if !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s answered %d %.40q: %v", row.call, row.a.status, row.a.body, err)
		}
		if len(row.a.body) > maxAnswer && !errors.Is(err, errTooLong) {
			t.Errorf("%s answered %d bytes: %v", row.call, len(row.a.body), err)
		}
	}
}

// TestRedirects are not followed: what was signed was meant for one address.
func TestRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var requested atomic.Int32
		c := newGateway(t, func(seen) answer {
			requested.Add(1)
			return answer{status: status, how: func(h http.Header) { h.Set("Location", "/v3/elsewhere") }}
		}).channel(t, Options{})
		for _, call := range calls {
			requested.Store(0)
			if err := makeCall(t.Context(), c, call); !errors.Is(err, payment.ErrUnknown) || requested.Load() != 1 {
				t.Errorf("%s answered %d: %v after %d requests", call, status, err, requested.Load())
			}
		}
	}
}

func TestNoAnswer(t *testing.T) {
	release := make(chan struct{})
	g := newGateway(t, func(seen) answer { <-release; return answer{status: 500} })
	defer close(release)
	c := g.channel(t, Options{Timeout: 30 * time.Millisecond})
	gone := newGateway(t, nil)
	cfg := testConfig(t)
	cfg.BaseURL = "http://127.0.0.1:1"
	nobody := channelOf(t, cfg, Options{})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range calls {
		if err := makeCall(t.Context(), c, call); !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, silence: %v", call, err)
		}
		if err := makeCall(t.Context(), nobody, call); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s, nobody there: %v", call, err)
		}
		if err := makeCall(cancelled, gone.channel(t, Options{}), call); !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", call, err)
		}
	}
}

// TestErrorsTellNoSecrets looks for what must not be in a log.
func TestErrorsTellNoSecrets(t *testing.T) {
	secret := "s3cret-of-the-answer"
	for name, a := range map[string]answer{
		"refusal":     {status: 500, body: `{"code":"X","detail":"` + secret + `"}`},
		"page":        {status: 403, body: "<html>" + secret},
		"spoiled":     {status: 200, body: `{"code_url":"` + secret + `","prepay_id":"` + secret + `"}`, how: func(h http.Header) { h.Set(headerSignature, secret) }},
		"not as said": {status: 200, body: `{"code_url":["` + secret + `"],"prepay_id":["` + secret + `"],"h5_url":["` + secret + `"],"trade_state":["` + secret + `"]}`},
	} {
		g := newGateway(t, func(seen) answer { return a })
		for _, call := range calls {
			err := makeCall(t.Context(), g.channel(t, Options{}), call)
			if err == nil {
				t.Fatalf("%s %s: no error", name, call)
			}
			for _, hidden := range []string{secret, "mchid", "http://", "WECHATPAY2", apiV3Key} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("%s %s contains %q: %v", name, call, hidden, err)
				}
			}
		}
	}
}

func TestForeignWordsAreCut(t *testing.T) {
	long := strings.Repeat("长", 300)
	c := newGateway(t, always(400, `{"code":"NO_AUTH","message":"a\nb`+long+`"}`)).channel(t, Options{})
	var r *payment.RejectedError
	if !errors.As(makeCall(t.Context(), c, "close"), &r) {
		t.Fatal("not rejected")
	}
	if want := "a b" + long[:253*3]; r.Message != want {
		t.Errorf("message %q", r.Message)
	}
}
