package wechatpay_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/wechatpay"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
)

// A request that others signed, at its own time: each way of spoiling it.
func TestRequestSignature(t *testing.T) {
	v := wechatpay.ReadVectors(t)["request_post"]
	lines := strings.SplitN(v.Message, "\n", 5)
	body := strings.TrimSuffix(lines[4], "\n")
	signedAt := time.Unix(1795359600, 0)
	replace := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
		}
	}
	parts := strings.Split(strings.TrimPrefix(v.Authorization, "WECHATPAY2-SHA256-RSA2048"+" "), ",")
	for _, c := range []struct {
		what   string
		now    time.Time
		uri    string
		body   string
		change func(*http.Request)
		want   string
		field  string
	}{
		{"as it was signed", signedAt, lines[1], body, nil, "200 ", ""},
		{"300 s later", signedAt.Add(300 * time.Second), lines[1], body, nil, "200 ", ""},
		{"300 s earlier", signedAt.Add(-300 * time.Second), lines[1], body, nil, "200 ", ""},
		{"parts the other way round, with blanks", signedAt, lines[1], body, func(r *http.Request) {
			r.Header.Set("Authorization", "WECHATPAY2-SHA256-RSA2048"+"  "+strings.Join([]string{parts[4], parts[3], parts[2], parts[1], parts[0]}, " , "))
		}, "200 ", ""},
		{"a part more", signedAt, lines[1], body, replace("mchid=", `new="1",mchid=`), "200 ", ""},

		{"301 s later", signedAt.Add(301 * time.Second), lines[1], body, nil, "401 SIGN_ERROR", "timestamp"},
		{"301 s earlier", signedAt.Add(-301 * time.Second), lines[1], body, nil, "401 SIGN_ERROR", "timestamp"},
		{"another body", signedAt, lines[1], body + " ", nil, "401 SIGN_ERROR", "signature"},
		{"another path", signedAt, "/v3/pay/transactions/app", body, nil, "401 SIGN_ERROR", "signature"},
		{"a query more", signedAt, lines[1] + "?", body, nil, "401 SIGN_ERROR", "signature"},
		{"another nonce", signedAt, lines[1], body, replace(`nonce_str="7`, `nonce_str="8`), "401 SIGN_ERROR", "signature"},
		{"another second", signedAt, lines[1], body, replace(`"1795359600"`, `"1795359601"`), "401 SIGN_ERROR", "signature"},
		{"another serial", signedAt, lines[1], body, replace(`serial_no="3`, `serial_no="4`), "401 SIGN_ERROR", "serial_no"},
		{"another merchant", signedAt, lines[1], body, replace(`mchid="19`, `mchid="18`), "401 SIGN_ERROR", "mchid"},
		{"no signature", signedAt, lines[1], body, replace(v.Signature, ""), "401 SIGN_ERROR", "Authorization"},
		{"signature not base64", signedAt, lines[1], body, replace(v.Signature, "?"), "401 SIGN_ERROR", "signature"},
		{"timestamp not a number", signedAt, lines[1], body, replace(`"1795359600"`, `"now"`), "401 SIGN_ERROR", "timestamp"},
		{"timestamp past all bounds", signedAt, lines[1], body, replace(`"1795359600"`, `"9223372036854775807"`), "401 SIGN_ERROR", "timestamp"},
		{"another scheme", signedAt, lines[1], body, replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"), "401 SIGN_ERROR", "Authorization"},
		{"no Authorization", signedAt, lines[1], body, func(r *http.Request) { r.Header.Del("Authorization") }, "401 SIGN_ERROR", "Authorization"},
	} {
		b := newBench(t, sandboxtest.OnClock, func(o *sandbox.Options) { o.Clock = clock.NewManual(c.now) })
		req := httptest.NewRequest("POST", c.uri, strings.NewReader(c.body))
		req.Header.Set("Authorization", v.Authorization)
		if c.change != nil {
			c.change(req)
		}
		rec := httptest.NewRecorder()
		b.Handler().ServeHTTP(rec, req)
		if got := sandboxtest.Code(rec); got != c.want || field(rec) != c.field {
			t.Errorf("%s: %s at %q, want %s at %q", c.what, got, field(rec), c.want, c.field)
		}
		if _, err := b.Trade("DEMO202611221050"); (err == nil) != (rec.Code == 200) {
			t.Errorf("%s: trade made: %v", c.what, err == nil)
		}
	}
}

// The prefix under which the gateway is mounted is not part of what is
// signed, whatever is escaped behind it.
func TestPrefixIsStripped(t *testing.T) {
	b := newBench(t)
	mounted := http.StripPrefix("/gw/wechat", b.Handler())
	rec := b.SendTo(mounted, "POST", "/gw/wechat/v3/pay/transactions/h5", "/v3/pay/transactions/h5", map[string]any{
		"appid": b.Keys.AppID, "mchid": b.Keys.MchID, "description": "x", "out_trade_no": "PRE|FIX*1", "notify_url": "https://a.test/n",
		"amount": map[string]any{"total": 1}, "scene_info": map[string]any{"payer_client_ip": "::1", "h5_info": map[string]any{"type": "Wap"}},
	})
	if got, want := rec.Body.String(), `{"h5_url":"http://example.com/gw/wechat/pay/`; !strings.HasPrefix(got, want) {
		t.Errorf("%d %s", rec.Code, got)
	}
	for _, no := range []string{"PRE%7CFIX%2A1", "PRE%7cFIX*1", "PRE|FIX*1"} {
		uri := "/v3/pay/transactions/out-trade-no/" + no + "?mchid=" + b.Keys.MchID + "&x=%2Fv3%2F&y=/v3/"
		if rec := b.SendTo(mounted, "GET", "/gw/wechat"+uri, uri, nil); rec.Code != 200 {
			t.Errorf("%s: %d %s", no, rec.Code, rec.Body)
		}
	}
}

// Whoever signed something else gets to know what the gateway expected.
func TestSignErrorTellsWhatWasExpected(t *testing.T) {
	b := newBench(t)
	uri := "/v3/certificates?x=1"
	rec := b.SendTo(b.Handler(), "GET", uri, "/v3/certificates", nil)
	if !strings.Contains(rec.Body.String(), `"url":"/v3/certificates?x=1"`) || !strings.Contains(rec.Body.String(), `"truncated_sign_message":"GET\n/v3/certificates?x=1\n`) {
		t.Errorf("%s", rec.Body)
	}
}
