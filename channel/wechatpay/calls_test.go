package wechatpay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

var authorization = regexp.MustCompile(
	`^WECHATPAY2-SHA256-RSA2048 mchid="([0-9]+)",nonce_str="([0-9A-Za-z]{1,32})",timestamp="([0-9]+)",serial_no="([0-9A-F]+)",signature="([^"]+)"$`)

// checkRequest verifies a request as WeChat Pay does, over the raw bytes.
func checkRequest(t *testing.T, r seen, at time.Time) {
	t.Helper()
	a := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if a == nil {
		t.Fatalf("Authorization: %s", r.Header.Get("Authorization"))
	}
	if a[1] != mchID || a[3] != unix(at) || a[4] != testConfig(t).MerchantSerial {
		t.Errorf("signed as %q", a[:5])
	}
	pub, err := publicKey("", file(t, "keys", "wechat_merchant.public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := base64.StdEncoding.DecodeString(a[5])
	sum := sha256.Sum256([]byte(r.Method + "\n" + r.URI + "\n" + a[3] + "\n" + a[2] + "\n" + string(r.Body) + "\n"))
	if rsa.VerifyPKCS1v15(pub.pub, crypto.SHA256, sum[:], sig) != nil {
		t.Errorf("the signature does not verify over %s %s %s", r.Method, r.URI, r.Body)
	}
	if got := r.Header.Get(headerSerial); got != pubKeyID {
		t.Errorf("it requests an answer signed with %q", got)
	}
	if ua := r.Header.Get("User-Agent"); !strings.HasPrefix(ua, "Tandem/") {
		t.Errorf("User-Agent %q", ua)
	}
	if r.Header.Get("Accept") != "application/json" {
		t.Errorf("Accept %q", r.Header.Get("Accept"))
	}
}

// TestPrepay shows what each method sends and what the buyer gets.
func TestPrepay(t *testing.T) {
	g := newGateway(t, func(r seen) answer {
		return answer{status: 200, body: `{"code_url":"weixin://wxpay/bizpayurl?pr=abc","prepay_id":"wx2614",` +
			`"h5_url":"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2614&package=1"}`}
	})
	c := g.channel(t, Options{Nonce: func() string { return "nonce1" }, AppName: "旗舰店"})
	common := func(more map[string]any) map[string]any {
		m := map[string]any{
			"appid": appID, "mchid": mchID, "out_trade_no": "PAY00000001", "description": "沙箱商品 & more",
			"notify_url":  "https://shop.example.test/v1/notify/demo/wechatpay",
			"time_expire": "2026-11-22T23:30:00+08:00",
			"amount":      map[string]any{"total": 900.0, "currency": "CNY"},
		}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	for _, row := range []struct {
		method payment.Method
		sent   map[string]any
		want   payment.Action
	}{
		{payment.Native, common(nil), payment.Action{Kind: "qr_code", CodeURL: "weixin://wxpay/bizpayurl?pr=abc"}},
		{payment.JSAPI, common(map[string]any{"payer": map[string]any{"openid": "oDemo"}}), payment.Action{
			Kind: "sdk_params", Params: map[string]string{
				"appId": appID, "timeStamp": "1795359600", "nonceStr": "nonce1", "package": "prepay_id=wx2614", "signType": "RSA",
			},
		}},
		{payment.H5, common(map[string]any{"scene_info": map[string]any{
			"payer_client_ip": "192.0.2.7", "h5_info": map[string]any{"type": "Wap", "app_name": "旗舰店"},
		}}), payment.Action{Kind: "redirect", URL: "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2614&package=1" +
			"&redirect_url=https%3A%2F%2Fshop.example.test%2Fdone%3Forder%3D1%26x%3D%E4%B8%AD"}},
		{payment.App, common(nil), payment.Action{Kind: "sdk_params", Params: map[string]string{
			"appid": appID, "partnerid": mchID, "prepayid": "wx2614", "package": "Sign=WXPay", "noncestr": "nonce1", "timestamp": "1795359600",
		}}},
	} {
		t.Run(string(row.method), func(t *testing.T) {
			got, err := c.Prepay(t.Context(), prepayRequest(row.method))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"paySign", "sign"} { // compared in TestSigning
				if sig, ok := got.Params[name]; ok && len(sig) < 300 {
					t.Errorf("%s is %q", name, sig)
				}
				delete(got.Params, name)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			checkRequest(t, g.last(), vectorTime)
			if want := "/v3/pay/transactions/" + string(row.method); g.last().Method != "POST" || g.last().URI != want {
				t.Errorf("%s %s", g.last().Method, g.last().URI)
			}
			var sent map[string]any
			if err := json.Unmarshal(g.last().Body, &sent); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.sent, sent); diff != "" {
				t.Error(diff)
			}
			first := string(g.last().Body)
			if _, err := c.Prepay(t.Context(), prepayRequest(row.method)); err != nil || string(g.last().Body) != first {
				t.Errorf("a repeat is not identical: %v\n%s\n%s", err, first, g.last().Body)
			}
		})
	}
}

func TestPrepayDetails(t *testing.T) {
	g := newGateway(t, always(200, `{"code_url":"weixin://x","h5_url":"https://wx.tenpay.com/pay","prepay_id":"wx1"}`))
	c := g.channel(t, Options{})
	r := prepayRequest(payment.H5)
	r.Description, r.ReturnURL, r.ExpiresAt = strings.Repeat("商", 200), "", time.Time{}
	got, err := c.Prepay(t.Context(), r)
	if err != nil || got.URL != "https://wx.tenpay.com/pay" {
		t.Errorf("without return URL: %+v, %v", got, err)
	}
	var sent struct {
		Description string
		TimeExpire  *string `json:"time_expire"`
	}
	if err := json.Unmarshal(g.last().Body, &sent); err != nil || sent.Description != strings.Repeat("商", 127) || sent.TimeExpire != nil {
		t.Errorf("sent %+v, %v", sent, err)
	}
	r.ReturnURL = "https://shop.example.test/"
	if got, err = c.Prepay(t.Context(), r); err != nil || got.URL != "https://wx.tenpay.com/pay?redirect_url="+url.QueryEscape(r.ReturnURL) {
		t.Errorf("with return URL: %+v, %v", got, err)
	}
	r.Description = "\xff\xfe"
	if _, err := c.Prepay(t.Context(), r); err != nil {
		t.Error(err)
	}
	checkRequest(t, g.last(), vectorTime)
}

// TestPrepayCannotPass is refused here, and nothing is sent.
func TestPrepayCannotPass(t *testing.T) {
	g := newGateway(t, always(200, `{"code_url":"weixin://x"}`))
	c := g.channel(t, Options{})
	for name, change := range map[string]func(*payment.PrepayRequest){
		"method of another channel": func(r *payment.PrepayRequest) { r.Method = payment.Precreate },
		"no method":                 func(r *payment.PrepayRequest) { r.Method = "" },
		"short number":              func(r *payment.PrepayRequest) { r.PaymentNo = "PAY01" },
		"long number":               func(r *payment.PrepayRequest) { r.PaymentNo = strings.Repeat("9", 33) },
		"number with a path":        func(r *payment.PrepayRequest) { r.PaymentNo = "../../PAY1" },
		"no amount":                 func(r *payment.PrepayRequest) { r.Amount = 0 },
		"dollars":                   func(r *payment.PrepayRequest) { r.Currency = "USD" },
		"no notify URL":             func(r *payment.PrepayRequest) { r.NotifyURL = "" },
		"long notify URL":           func(r *payment.PrepayRequest) { r.NotifyURL = "https://" + strings.Repeat("a", 248) },
		"notify URL with a query":   func(r *payment.PrepayRequest) { r.NotifyURL += "?shop=1" },
		"JSAPI without open id":     func(r *payment.PrepayRequest) { r.Method, r.OpenID = payment.JSAPI, "" },
		"H5 without address":        func(r *payment.PrepayRequest) { r.Method, r.ClientIP = payment.H5, "" },
	} {
		r := prepayRequest(payment.Native)
		change(&r)
		if _, err := c.Prepay(t.Context(), r); !is(err, errAnyRejection) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Query(t.Context(), "a/../b"); !is(err, errAnyRejection) {
		t.Errorf("query: %v", err)
	}
	if err := c.Close(t.Context(), "a b c d e"); !is(err, errAnyRejection) {
		t.Errorf("close: %v", err)
	}
	if g.last().Method != "" {
		t.Errorf("%s %s was sent", g.last().Method, g.last().URI)
	}
}

// TestQuery goes through the trade states.
func TestQuery(t *testing.T) {
	var body string
	g := newGateway(t, func(seen) answer { return answer{status: 200, body: body} })
	c := g.channel(t, Options{})
	paid := payment.Fact{
		ID: "paid/420000001", Kind: payment.Paid, Source: payment.ByQuery, TransactionID: "420000001",
		Amount: 900, Currency: "CNY", Merchant: mchID, App: appID, Reported: "SUCCESS",
		At: time.Date(2026, 11, 22, 14, 59, 40, 0, time.UTC), ReceivedAt: vectorTime.UTC(),
	}
	refundedSince := paid
	refundedSince.Reported, refundedSince.Returned = "REFUND", payment.ReturnedSome
	state := func(id string, kind payment.FactKind, word string) payment.Fact {
		return payment.Fact{
			ID: id, Kind: kind, Source: payment.ByQuery, Amount: 900, Currency: "CNY",
			Merchant: mchID, App: appID, Reported: word, ReceivedAt: vectorTime.UTC(),
		}
	}
	for _, row := range []struct {
		word string
		want payment.Fact
	}{
		{"SUCCESS", paid},
		{"REFUND", refundedSince},
		{"NOTPAY", state("open", payment.Open, "NOTPAY")},
		{"USERPAYING", state("open", payment.Open, "USERPAYING")},
		{"ACCEPT", state("open", payment.Open, "ACCEPT")},
		{"CLOSED", state("closed", payment.Closed, "CLOSED")},
		{"REVOKED", state("closed", payment.Closed, "REVOKED")},
		{"PAYERROR", state("failed/PAYERROR", payment.Failed, "PAYERROR")},
	} {
		body = strings.Replace(paidContent, `"SUCCESS"`, `"`+row.word+`"`, 1)
		if row.want.Kind != payment.Paid {
			body = `{"mchid":"` + mchID + `","appid":"` + appID + `","out_trade_no":"PAY00000001","trade_state":"` + row.word +
				`","trade_state_desc":"x","amount":{"total":900}}`
		}
		got, err := c.Query(t.Context(), "PAY00000001")
		if diff := cmp.Diff(row.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", row.word, err, diff)
		}
	}
	checkRequest(t, g.last(), vectorTime)
	if g.last().Method != "GET" || g.last().URI != "/v3/pay/transactions/out-trade-no/PAY00000001?mchid="+mchID {
		t.Errorf("%s %s", g.last().Method, g.last().URI)
	}

	body = strings.Replace(paidContent, "PAY00000001", "PAY|0*_-1", 1)
	if _, err := c.Query(t.Context(), "PAY|0*_-1"); err != nil {
		t.Error(err)
	}
	checkRequest(t, g.last(), vectorTime) // over the escaped form, as it was sent
}

func TestClose(t *testing.T) {
	g := newGateway(t, always(204, ""))
	if err := g.channel(t, Options{}).Close(t.Context(), "PAY00000001"); err != nil {
		t.Fatal(err)
	}
	checkRequest(t, g.last(), vectorTime)
	if g.last().Method != "POST" || g.last().URI != "/v3/pay/transactions/out-trade-no/PAY00000001/close" ||
		strings.TrimSpace(string(g.last().Body)) != `{"mchid":"`+mchID+`"}` {
		t.Errorf("%s %s %s", g.last().Method, g.last().URI, g.last().Body)
	}
}

// TestMovedClock moves our clock and the gateway's by hours: they go on
// understanding each other, and a gateway left behind is not trusted.
func TestMovedClock(t *testing.T) {
	now := vectorTime
	g := newGateway(t, always(204, ""))
	g.now = func() time.Time { return now }
	c := g.channel(t, Options{Clock: func() time.Time { return now }})
	for _, step := range []time.Duration{0, 16 * time.Minute, 72 * time.Hour, -24 * time.Hour} {
		now = now.Add(step)
		if err := c.Close(t.Context(), "PAY00000001"); err != nil {
			t.Fatal(err)
		}
		checkRequest(t, g.last(), now)
	}
	g.now = func() time.Time { return now.Add(-301 * time.Second) }
	if err := c.Close(t.Context(), "PAY00000001"); !is(err, payment.ErrUnknown) {
		t.Errorf("a stale answer: %v", err)
	}
}

// TestKeyModes has a channel that knows one kind of key only.
func TestKeyModes(t *testing.T) {
	g := newGateway(t, always(204, ""))
	both := testConfig(t).PlatformKeys
	for i, k := range both {
		cfg := testConfig(t)
		cfg.BaseURL, cfg.PlatformKeys = g.URL, []PlatformKey{k}
		c := channelOf(t, cfg, Options{})
		if err := c.Close(t.Context(), "PAY00000001"); err != nil || g.last().Header.Get(headerSerial) != k.Serial {
			t.Errorf("%s: %v", k.Serial, err)
		}
		body := notification(t, "TRANSACTION.SUCCESS", "transaction", paidContent)
		if _, err := c.Read(vectorTime, g.sign(k.Serial, vectorTime, body), body); err != nil {
			t.Error(err)
		}
		_, err := c.Read(vectorTime, g.sign(both[1-i].Serial, vectorTime, body), body)
		if stageOf(t, err) != payment.StageSerial {
			t.Errorf("the other key: %v", err)
		}
	}
}

func TestAnswer(t *testing.T) {
	c := testChannel(t, Options{})
	for ok, want := range map[bool]payment.CallbackAnswer{
		true:  {Status: 200, ContentType: "application/json", Body: []byte(`{"code":"SUCCESS","message":"成功"}`)},
		false: {Status: 500, ContentType: "application/json", Body: []byte(`{"code":"FAIL","message":"失败"}`)},
	} {
		if diff := cmp.Diff(want, c.Answer(ok)); diff != "" {
			t.Error(diff)
		}
	}
}
