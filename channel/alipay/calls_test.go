package alipay

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// checkSigned verifies parameters as Alipay does: what is not empty, sign_type
// included.
func checkSigned(t *testing.T, v url.Values) {
	t.Helper()
	for name, values := range v {
		if len(values) != 1 || values[0] == "" {
			t.Errorf("%s is %q", name, values)
		}
	}
	sig, err := base64.StdEncoding.DecodeString(v.Get("sign"))
	sum := sha256.Sum256([]byte(message(v, "sign")))
	if err != nil || rsa.VerifyPKCS1v15(&testKey(t, "alipay_app").PublicKey, crypto.SHA256, sum[:], sig) != nil {
		t.Errorf("the signature does not verify over %s", message(v, "sign"))
	}
	for name, want := range map[string]string{
		"app_id": appID, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2", "version": "1.0", "timestamp": "2026-11-22 23:00:00",
	} {
		if v.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, v.Get(name), want)
		}
	}
}

// bizOf is the biz_content without what is empty: Alipay takes no notice of it.
func bizOf(t *testing.T, v url.Values) map[string]any {
	t.Helper()
	var biz map[string]any
	if err := json.Unmarshal([]byte(v.Get("biz_content")), &biz); err != nil {
		t.Fatal(err)
	}
	for name, value := range biz {
		if value == "" {
			delete(biz, name)
		}
	}
	return biz
}

// TestPrepay shows what each method sends and what the buyer gets.
func TestPrepay(t *testing.T) {
	g := newGateway(t, always(precreated))
	c := g.channel(t, Options{})
	for _, row := range []struct {
		method  payment.Method
		api     string
		returns bool
		more    map[string]any
	}{
		{payment.Precreate, "alipay.trade.precreate", false, nil},
		{payment.Page, "alipay.trade.page.pay", true, map[string]any{"product_code": "FAST_INSTANT_TRADE_PAY"}},
		{payment.Wap, "alipay.trade.wap.pay", true, map[string]any{
			"product_code": "QUICK_WAP_WAY", "quit_url": "https://shop.example.test/done?order=1&x=中",
		}},
		{payment.App, "alipay.trade.app.pay", false, map[string]any{"product_code": "QUICK_MSECURITY_PAY"}},
	} {
		t.Run(string(row.method), func(t *testing.T) {
			send := func() (payment.Action, url.Values) {
				g.methods()
				a, err := c.Prepay(t.Context(), prepayRequest(row.method))
				if err != nil {
					t.Fatal(err)
				}
				var query string
				switch row.method {
				case payment.Precreate:
					if diff := cmp.Diff(payment.Action{Kind: "qr_code", CodeURL: "https://qr.alipay.com/bax1"}, a); diff != "" {
						t.Error(diff)
					}
					r := g.last()
					if r.HTTP.Method != "POST" || r.HTTP.RequestURI != "/gateway.do" ||
						r.HTTP.Header.Get("Content-Type") != "application/x-www-form-urlencoded;charset=utf-8" {
						t.Errorf("%s %s %s", r.HTTP.Method, r.HTTP.RequestURI, r.HTTP.Header)
					}
					return a, r.Params
				case payment.App:
					if a.Kind != "sdk_params" || len(a.Params) != 1 || a.URL+a.CodeURL != "" {
						t.Errorf("%+v", a)
					}
					query = a.Params["orderString"]
				default:
					var ok bool
					if query, ok = strings.CutPrefix(a.URL, g.URL+"?"); !ok || a.Kind != "redirect" || a.CodeURL != "" || a.Params != nil {
						t.Errorf("%+v", a)
					}
				}
				if requested := g.methods(); requested != nil {
					t.Errorf("it called %s", requested)
				}
				v, err := url.ParseQuery(query)
				if err != nil {
					t.Fatal(err)
				}
				return a, v
			}
			first, v := send()
			checkSigned(t, v)
			if v.Get("method") != row.api || v.Get("notify_url") != prepayRequest(row.method).NotifyURL {
				t.Errorf("method %s to %s", v.Get("method"), v.Get("notify_url"))
			}
			if got := v.Get("return_url"); (got != "") != row.returns || got != "" && got != prepayRequest(row.method).ReturnURL {
				t.Errorf("return_url %q", got)
			}
			want := map[string]any{
				"out_trade_no": "PAY00000001", "total_amount": "9.00", "subject": "沙箱商品 A ＆ B／C＝D",
				"seller_id": seller, "time_expire": "2026-11-22 23:30:00",
			}
			for name, value := range row.more {
				want[name] = value
			}
			if diff := cmp.Diff(want, bizOf(t, v)); diff != "" {
				t.Error(diff)
			}
			again, w := send()
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("a repeat is not identical: %s", diff)
			}
			if diff := cmp.Diff(v, w); diff != "" {
				t.Errorf("a repeat is not identical: %s", diff)
			}
		})
	}
}

// TestPrepayRepeatedLater: only the stamp and the signature may differ.
func TestPrepayRepeatedLater(t *testing.T) {
	now := vectorTime
	g := newGateway(t, always(precreated))
	c := g.channel(t, Options{Clock: func() time.Time { return now }})
	var sent []string
	for range 2 {
		if _, err := c.Prepay(t.Context(), prepayRequest(payment.Precreate)); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, message(g.last().Params, "sign", "timestamp"))
		now = now.Add(7 * time.Minute)
	}
	if sent[0] != sent[1] {
		t.Errorf("first %s\nthen %s", sent[0], sent[1])
	}
	if got := g.last().Params.Get("timestamp"); got != "2026-11-22 23:07:00" {
		t.Errorf("stamped %s", got)
	}
}

func TestPrepayDetails(t *testing.T) {
	g := newGateway(t, always(precreated))
	cfg := testConfig(t)
	cfg.GatewayURL, cfg.SellerID = g.URL, ""
	c := channelOf(t, cfg, Options{})
	for _, row := range []struct {
		name   string
		change func(*payment.PrepayRequest)
		want   map[string]any
	}{
		{"no seller, no end", func(r *payment.PrepayRequest) { r.ExpiresAt = time.Time{} }, map[string]any{"subject": "沙箱商品 A ＆ B／C＝D"}},
		{"no description", func(r *payment.PrepayRequest) { r.Description, r.ExpiresAt = " \n", time.Time{} }, map[string]any{"subject": "PAY00000001"}},
		{"a long one", func(r *payment.PrepayRequest) { r.Description, r.ExpiresAt = strings.Repeat("商", 300), time.Time{} },
			map[string]any{"subject": strings.Repeat("商", 256)}},
		{"not UTF-8", func(r *payment.PrepayRequest) { r.Description, r.ExpiresAt = "a\xffb\nc", time.Time{} }, map[string]any{"subject": "a?b c"}},
		{"one fen", func(r *payment.PrepayRequest) { r.Amount, r.ExpiresAt = 1, time.Time{} },
			map[string]any{"subject": "沙箱商品 A ＆ B／C＝D", "total_amount": "0.01"}},
		{"a hundred million", func(r *payment.PrepayRequest) { r.Amount, r.ExpiresAt = maxTotal, time.Time{} },
			map[string]any{"subject": "沙箱商品 A ＆ B／C＝D", "total_amount": "100000000.00"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := prepayRequest(payment.Precreate)
			row.change(&r)
			if _, err := c.Prepay(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"out_trade_no": "PAY00000001", "total_amount": "9.00"}
			for name, value := range row.want {
				want[name] = value
			}
			if diff := cmp.Diff(want, bizOf(t, g.last().Params)); diff != "" {
				t.Error(diff)
			}
			checkSigned(t, g.last().Params)
		})
	}
}

// TestRefusedByUs are requests that Alipay need not be bothered with.
func TestRefusedByUs(t *testing.T) {
	g := newGateway(t, always(okNode))
	c := g.channel(t, Options{})
	prepay := func(m payment.Method, change func(*payment.PrepayRequest)) func() error {
		return func() error {
			r := prepayRequest(m)
			change(&r)
			_, err := c.Prepay(t.Context(), r)
			return err
		}
	}
	refund := func(change func(*payment.RefundRequest)) func() error {
		return func() error {
			r := refundRequest()
			change(&r)
			_, err := c.Refund(t.Context(), r)
			return err
		}
	}
	for name, call := range map[string]func() error{
		"no method":             prepay("carrier-pigeon", func(*payment.PrepayRequest) {}),
		"WeChat's method":       prepay(payment.JSAPI, func(*payment.PrepayRequest) {}),
		"no number":             prepay(payment.Precreate, func(r *payment.PrepayRequest) { r.PaymentNo = "" }),
		"a hyphen":              prepay(payment.Page, func(r *payment.PrepayRequest) { r.PaymentNo = "PAY-1" }),
		"a long number":         prepay(payment.App, func(r *payment.PrepayRequest) { r.PaymentNo = strings.Repeat("1", 65) }),
		"no amount":             prepay(payment.Precreate, func(r *payment.PrepayRequest) { r.Amount = 0 }),
		"a negative amount":     prepay(payment.Precreate, func(r *payment.PrepayRequest) { r.Amount = -1 }),
		"too much":              prepay(payment.Precreate, func(r *payment.PrepayRequest) { r.Amount = maxTotal + 1 }),
		"dollars":               prepay(payment.Precreate, func(r *payment.PrepayRequest) { r.Currency = "USD" }),
		"nowhere to notify":     prepay(payment.Page, func(r *payment.PrepayRequest) { r.NotifyURL = "" }),
		"notify with a query":   prepay(payment.Page, func(r *payment.PrepayRequest) { r.NotifyURL += "?a=1" }),
		"a long notify URL":     prepay(payment.Page, func(r *payment.PrepayRequest) { r.NotifyURL += strings.Repeat("x", 256) }),
		"wap and no way back":   prepay(payment.Wap, func(r *payment.PrepayRequest) { r.ReturnURL = "" }),
		"query of no number":    func() error { _, err := c.Query(t.Context(), ""); return err },
		"close of no number":    func() error { return c.Close(t.Context(), "a b") },
		"refund of no payment":  refund(func(r *payment.RefundRequest) { r.PaymentNo = "" }),
		"refund without number": refund(func(r *payment.RefundRequest) { r.RefundNo = "" }),
		"refund of a long one":  refund(func(r *payment.RefundRequest) { r.RefundNo = strings.Repeat("1", 65) }),
		"refund of nothing":     refund(func(r *payment.RefundRequest) { r.Amount = 0 }),
		"refund of too much":    refund(func(r *payment.RefundRequest) { r.Amount = r.Total + 1 }),
		"refund in dollars":     refund(func(r *payment.RefundRequest) { r.Currency = "USD" }),
		"refund query":          func() error { _, err := c.QueryRefund(t.Context(), payment.RefundRequest{PaymentNo: "1"}); return err },
	} {
		var r *payment.RejectedError
		if err := call(); !errors.As(err, &r) || r.Code != "ACQ.INVALID_PARAMETER" || r.Message == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if requested := g.methods(); requested != nil {
		t.Errorf("Alipay was called with %s", requested)
	}
}

// TestQuery reads every state.
func TestQuery(t *testing.T) {
	var node string
	g := newGateway(t, func(seen) answer { return answer{node: node} })
	c := g.channel(t, Options{})
	paid := paidFact(payment.ByQuery)
	with := func(f payment.Fact, change func(*payment.Fact)) payment.Fact { change(&f); return f }
	replace := strings.NewReplacer
	for _, row := range []struct {
		name string
		r    *strings.Replacer
		want payment.Fact
	}{
		{"success", replace(), paid},
		{"finished", replace("TRADE_SUCCESS", "TRADE_FINISHED"), with(paid, func(f *payment.Fact) { f.Reported = "TRADE_FINISHED" })},
		{"refunded in full", replace("TRADE_SUCCESS", "TRADE_CLOSED"), with(paid, func(f *payment.Fact) { f.Reported, f.Returned = "TRADE_CLOSED", 900 })},
		{"closed unpaid", replace("TRADE_SUCCESS", "TRADE_CLOSED", `"send_pay_date":"2026-11-22 22:59:30",`, ""), with(paid, func(f *payment.Fact) {
			f.ID, f.Kind, f.Reported, f.At = "closed", payment.Closed, "TRADE_CLOSED", time.Time{}
		})},
		{"waiting", replace("TRADE_SUCCESS", "WAIT_BUYER_PAY", `"send_pay_date":"2026-11-22 22:59:30",`, ""), with(paid, func(f *payment.Fact) {
			f.ID, f.Kind, f.Reported, f.At = "open", payment.Open, "WAIT_BUYER_PAY", time.Time{}
		})},
		{"one decimal", replace(`"total_amount":"9.00"`, `"total_amount":"9.0"`), paid},
		{"no decimals", replace(`"total_amount":"9.00"`, `"total_amount":"9"`), paid},
		{"a currency", replace(`"trade_status"`, `"trans_currency":"USD","trade_status"`), with(paid, func(f *payment.Fact) { f.Currency = "USD" })},
		{"a time that is none", replace("2026-11-22 22:59:30", "yesterday"), with(paid, func(f *payment.Fact) { f.At = time.Time{} })},
		{"members of tomorrow", replace(`"trade_status"`, `"charge_info_list":{"a":[1]},"trade_status"`), paid},
	} {
		t.Run(row.name, func(t *testing.T) {
			node = row.r.Replace(paidNode)
			got, err := c.Query(t.Context(), "PAY00000001")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			checkSigned(t, g.last().Params)
			if diff := cmp.Diff(map[string]any{"out_trade_no": "PAY00000001"}, bizOf(t, g.last().Params)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, r := range map[string]*strings.Replacer{
		"a state of tomorrow": replace("TRADE_SUCCESS", "TRADE_PENDING"),
		"another payment":     replace("PAY00000001", "PAY00000002"),
		"no trade number":     replace(`"trade_no":"2026112222001400000000000001"`, `"trade_no":""`),
		"no amount":           replace(`"total_amount":"9.00"`, `"total_amount":""`),
		"nothing":             replace(`"total_amount":"9.00"`, `"total_amount":"0.00"`),
		"less than nothing":   replace(`"total_amount":"9.00"`, `"total_amount":"-9.00"`),
		"a tenth of a fen":    replace(`"total_amount":"9.00"`, `"total_amount":"9.001"`),
		"an exponent":         replace(`"total_amount":"9.00"`, `"total_amount":"9e2"`),
		"too much":            replace(`"total_amount":"9.00"`, `"total_amount":"100000000.01"`),
		"a number":            replace(`"total_amount":"9.00"`, `"total_amount":9.00`),
	} {
		node = r.Replace(paidNode)
		if f, err := c.Query(t.Context(), "PAY00000001"); !errors.Is(err, payment.ErrUnknown) || f != (payment.Fact{}) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// TestClose follows a close that was refused with a query.
func TestClose(t *testing.T) {
	wait := strings.NewReplacer("TRADE_SUCCESS", "WAIT_BUYER_PAY", "send_pay_date", "x").Replace(paidNode)
	shut := strings.NewReplacer("TRADE_SUCCESS", "TRADE_CLOSED", "send_pay_date", "x").Replace(paidNode)
	back := strings.NewReplacer("TRADE_SUCCESS", "TRADE_CLOSED").Replace(paidNode)
	for _, row := range []struct {
		name         string
		close, query string
		want         error
		requested    int
	}{
		{"closed", closedNode, "", nil, 1},
		{"closed, without names", okNode, "", nil, 1},
		{"another one", strings.Replace(closedNode, "00000001", "00000002", 1), "", payment.ErrUnknown, 1},
		{"never scanned", no("40004", "ACQ.TRADE_NOT_EXIST"), "", payment.ErrNotExist, 1},
		{"just paid", no("40004", "ACQ.TRADE_STATUS_ERROR"), paidNode, payment.ErrPaid, 2},
		{"just paid, otherwise put", no("40004", "ACQ.REASON_TRADE_STATUS_INVALID"), paidNode, payment.ErrPaid, 2},
		{"just paid, in other words", no("40004", "ACQ.REASON_ILLEGAL_STATUS"), paidNode, payment.ErrPaid, 2},
		{"closed before", no("40004", "ACQ.TRADE_STATUS_ERROR"), shut, payment.ErrClosed, 2},
		{"closed before, it says", no("40004", "ACQ.TRADE_HAS_CLOSE"), shut, payment.ErrClosed, 2},
		{"paid and refunded, it says closed", no("40004", "ACQ.TRADE_HAS_CLOSE"), back, payment.ErrPaid, 2},
		{"it waits and cannot be closed", no("40004", "ACQ.TRADE_STATUS_ERROR"), wait, payment.ErrUnknown, 2},
		{"gone in between", no("40004", "ACQ.TRADE_STATUS_ERROR"), no("40004", "ACQ.TRADE_NOT_EXIST"), payment.ErrUnknown, 2},
		{"busy in between", no("40004", "ACQ.TRADE_STATUS_ERROR"), no("40005", ""), payment.ErrUnknown, 2},
		{"busy", no("40005", "isv.app-call-limited"), "", payment.ErrBusy, 1},
		{"nobody knows", no("40004", "ACQ.SYSTEM_ERROR"), "", payment.ErrUnknown, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newGateway(t, func(r seen) answer {
				if r.Method == "alipay.trade.close" {
					return answer{node: row.close}
				}
				return answer{node: row.query}
			})
			err := g.channel(t, Options{}).Close(t.Context(), "PAY00000001")
			if !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			for _, other := range []error{payment.ErrPaid, payment.ErrClosed, payment.ErrNotExist, payment.ErrUnknown} {
				if other != row.want && errors.Is(err, other) {
					t.Errorf("%v is %v as well", err, other)
				}
			}
			if requested := g.methods(); len(requested) != row.requested || requested[0] != "close" {
				t.Errorf("requested %s", requested)
			}
		})
	}
}

func TestCancelledCalls(t *testing.T) {
	g := newGateway(t, always(okNode))
	c := g.channel(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range calls {
		if err := makeCall(ctx, c, call); !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", call, err)
		}
	}
	if requested := g.methods(); requested != nil {
		t.Errorf("requested %s", requested)
	}
}
