package alipay_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/alipay"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// The vector's request is served as it stands, wherever its parts are put.
func TestVectorIsServed(t *testing.T) {
	v := alipay.ReadVectors(t)
	at, err := time.ParseInLocation(time.DateTime, v.Request.Params["timestamp"], trade.China)
	if err != nil {
		t.Fatal(err)
	}
	all := alipay.Params{"sign": v.Request.Sign}
	for name, value := range v.Request.Params {
		all[name] = value
	}
	common, content := alipay.Params{}, alipay.Params{"biz_content": all["biz_content"]}
	for name, value := range all {
		if name != "biz_content" {
			common[name] = value
		}
	}
	for name, c := range map[string]struct{ method, query, body string }{
		"all in the body":            {"POST", "", all.Encode()},
		"content in the body":        {"POST", "?" + common.Encode(), content.Encode()},
		"all in the query":           {"POST", "?" + all.Encode(), ""},
		"all in the query, by GET":   {"GET", "?" + all.Encode(), ""},
		"body of a GET is not there": {"GET", "?" + all.Encode(), "app_id=other"},
	} {
		b := newBench(t, func(o *sandbox.Options) { o.APITime = func() time.Time { return at } })
		rec := httptest.NewRecorder()
		http.StripPrefix("/gw", b.Handler()).ServeHTTP(rec, httptest.NewRequest(c.method, "/gw/gateway.do"+c.query, strings.NewReader(c.body)))
		node, n, signed := b.openAnswer(rec.Body.Bytes())
		if node != "alipay_trade_precreate_response" || n["code"] != "10000" || n["out_trade_no"] != "DEMOALI3050" || !signed {
			t.Errorf("%s: %s", name, rec.Body)
		}
		if !strings.HasPrefix(n["qr_code"].(string), "https://qr.alipay.com/") || !strings.Contains(rec.Body.String(), `https:\/\/`) {
			t.Errorf("%s: %s", name, rec.Body)
		}
	}
}

// What is refused before anybody looks at the business, and what is not.
func TestRequestsAreAuthenticated(t *testing.T) {
	b := newBench(t)
	set := func(name, value string) func(alipay.Params) {
		return func(p alipay.Params) { p[name] = value }
	}
	shift := func(d time.Duration) func(alipay.Params) {
		return set("timestamp", wireTime(b.Now().Add(d)))
	}
	for _, c := range []struct {
		name          string
		before, after func(alipay.Params)
		want          string
	}{
		{"as it should be", nil, nil, "40004 ACQ.TRADE_NOT_EXIST"},
		{"charset in capitals", set("charset", "UTF-8"), nil, "40004 ACQ.TRADE_NOT_EXIST"},
		{"without charset and format", func(p alipay.Params) { p["charset"], p["format"] = "", "" }, nil, "40004 ACQ.TRADE_NOT_EXIST"},
		{"an empty parameter is not signed", nil, set("app_auth_token", ""), "40004 ACQ.TRADE_NOT_EXIST"},
		{"just in time", shift(-10*time.Minute + 2*time.Second), nil, "40004 ACQ.TRADE_NOT_EXIST"},

		{"no method", nil, set("method", ""), "40001 isv.missing-method"},
		{"no app id", nil, set("app_id", ""), "40001 isv.missing-app-id"},
		{"no timestamp", nil, set("timestamp", ""), "40001 isv.missing-timestamp"},
		{"no version", nil, set("version", ""), "40001 isv.missing-version"},
		{"no sign type", nil, set("sign_type", ""), "40001 isv.missing-signature-type"},
		{"no signature", nil, set("sign", ""), "40001 isv.missing-signature"},

		{"another app", set("app_id", "2021999999999999"), nil, "40002 isv.invalid-app-id"},
		{"RSA, not RSA2", set("sign_type", "RSA"), nil, "40002 isv.invalid-signature-type"},
		{"GBK", set("charset", "GBK"), nil, "40002 isv.invalid-charset"},
		{"XML", set("format", "XML"), nil, "40002 isv.invalid-format"},
		{"version 2", set("version", "2.0"), nil, "40002 isv.invalid-parameter"},
		{"a parameter too many", nil, set("app_auth_token", "x"), "40002 isv.invalid-signature"},
		{"altered content", nil, set("biz_content", `{"out_trade_no":"OTHER"}`), "40002 isv.invalid-signature"},
		{"not base64", nil, set("sign", "!"), "40002 isv.invalid-signature"},
		{"signed without sign_type", nil, func(p alipay.Params) {
			p["sign"], _ = rsakey.Sign(b.keys.AppKey, p.Message("sign", "sign_type"))
		}, "40002 isv.invalid-signature"},
		{"signed with Alipay's own key", nil, func(p alipay.Params) {
			p["sign"], _ = rsakey.Sign(b.keys.PlatformKey, p.Message("sign"))
		}, "40002 isv.invalid-signature"},
		{"too late", shift(-10*time.Minute - 2*time.Second), nil, "40002 isv.invalid-timestamp"},
		{"too early", shift(10*time.Minute + 2*time.Second), nil, "40002 isv.invalid-timestamp"},
		{"eight hours off", set("timestamp", b.Now().UTC().Format(time.DateTime)), nil, "40002 isv.invalid-timestamp"},
		{"no time at all", set("timestamp", "now"), nil, "40002 isv.invalid-timestamp"},
		{"unknown method", set("method", "alipay.trade.pay"), nil, "40002 isv.invalid-method"},
		{"content is no JSON", set("biz_content", "{"), nil, "40002 isv.invalid-parameter"},
		{"content is a list", set("biz_content", "[]"), nil, "40002 isv.invalid-parameter"},
		{"content has a tail", set("biz_content", "{}{}"), nil, "40002 isv.invalid-parameter"},
	} {
		p := b.params("alipay.trade.query", biz("out_trade_no", "NOBODY"))
		if c.before != nil {
			p = b.params("alipay.trade.query", biz("out_trade_no", "NOBODY"), c.before)
		}
		if c.after != nil {
			c.after(p)
		}
		name, n, signed := b.openAnswer(b.post(p).Body.Bytes())
		if n.String() != c.want {
			t.Errorf("%s: %v %v", c.name, n, n["sub_msg"])
		}
		if business := strings.HasPrefix(c.want, "40004"); signed != business || business != (name == "alipay_trade_query_response") {
			t.Errorf("%s: answered in %s, signed %t", c.name, name, signed)
		}
	}
}

// A request that is ambiguous, broken or too large is refused unread.
func TestMalformedRequests(t *testing.T) {
	b := newBench(t)
	good := b.params("alipay.trade.query", biz("out_trade_no", "NOBODY")).Encode()
	for name, c := range map[string]struct {
		query, body, want string
		status            int
	}{
		"twice in the body":   {"", good + "&app_id=2021000000000001", "40002 isv.invalid-parameter", 200},
		"in both":             {"?app_id=2021000000000001", good, "40002 isv.invalid-parameter", 200},
		"broken escape":       {"", "method=%zz", "40002 isv.invalid-parameter", 200},
		"nothing":             {"", "", "40001 isv.missing-method", 200},
		"64 KiB and a bit":    {"", "biz_content=" + strings.Repeat("x", 64<<10), "40002 isv.invalid-parameter", 413},
		"a query of 64 KiB +": {"?biz_content=" + strings.Repeat("x", 64<<10), "", "40002 isv.invalid-parameter", 413},
	} {
		rec := httptest.NewRecorder()
		b.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "/gateway.do"+c.query, strings.NewReader(c.body)))
		node, n, signed := b.openAnswer(rec.Body.Bytes())
		if rec.Code != c.status || n.String() != c.want || node != "error_response" || signed {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// Keys that were stored before there was Alipay gain it, always the same.
func TestOldKeysGainAlipay(t *testing.T) {
	old := string(sandboxtest.Encode(t, sandboxtest.Keys()))
	var parts map[string]string
	if err := json.Unmarshal([]byte(old), &parts); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alipayAppId", "alipaySellerId", "alipayAppPrivateKey", "alipayPrivateKey"} {
		delete(parts, name)
	}
	var first, second sandbox.Keys
	for _, into := range []*sandbox.Keys{&first, &second} {
		if err := json.Unmarshal(sandboxtest.Encode(t, parts), into); err != nil {
			t.Fatal(err)
		}
	}
	m := first.Alipay.Merchant()
	if m != second.Alipay.Merchant() || len(m.AppID) != 16 || m.AppID[:4] != "2021" || len(m.SellerID) != 16 || m.SellerID[:4] != "2088" {
		t.Errorf("%+v", m)
	}
	if string(sandboxtest.Encode(t, &first)) != old {
		t.Error("what they gained is not what a newer version stores")
	}
	made, err := sandbox.GenerateKeys(nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if made.Alipay.AppKey.Equal(made.WechatPay.MerchantKey) || made.Alipay.AppKey.Equal(made.Alipay.PlatformKey) || made.Alipay.Merchant().AppID[:4] != "2021" {
		t.Error("generated keys are shared")
	}
	g := sandbox.New(sandbox.Options{Keys: made, PublicURL: "https://pay.example.test/gw/"})
	defer g.Close()
	if u, err := url.Parse(g.Alipay().Merchant().GatewayURL); err != nil || u.Path != "/gw/gateway.do" {
		t.Errorf("gatewayUrl %q, %v", g.Alipay().Merchant().GatewayURL, err)
	}
}
