package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vector is one entry of testdata/signing.json, which was made without Go.
type vector struct {
	Message       string
	Signature     string
	Authorization string
	Headers       map[string]string
}

func vectors(t *testing.T) map[string]vector {
	t.Helper()
	text, err := os.ReadFile("testdata/signing.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]vector
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The same message and key give the same signature as openssl's.
func TestSigningVectors(t *testing.T) {
	for name, v := range vectors(t) {
		if strings.HasPrefix(name, "request") {
			lines := strings.SplitN(v.Message, "\n", 5)
			body := []byte(strings.TrimSuffix(lines[4], "\n"))
			if got := requestMessage(lines[0], lines[1], lines[2], lines[3], body); got != v.Message {
				t.Errorf("%s: message %q", name, got)
			}
			if got, err := sign(testKeys().MerchantKey, v.Message); err != nil || got != v.Signature {
				t.Errorf("%s: signature differs: %v", name, err)
			}
			if err := verify(&testKeys().MerchantKey.PublicKey, v.Message, mustBase64(t, v.Signature)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		seconds, err := strconv.ParseInt(v.Headers["Wechatpay-Timestamp"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(strings.SplitN(v.Message, "\n", 2)[1], "\n")
		h := http.Header{}
		serial, key := testKeys().platformKey(v.Headers["Wechatpay-Serial"], time.Now())
		err = seal(h, serial, key, time.Unix(seconds, 0), v.Headers["Wechatpay-Nonce"], 0, []byte(strings.TrimSuffix(body, "\n")), "")
		if err != nil {
			t.Fatal(err)
		}
		for header, want := range v.Headers {
			if got := h.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

// A request that others signed, at its own time: each way of spoiling it.
func TestRequestSignature(t *testing.T) {
	v := vectors(t)["request_post"]
	lines := strings.SplitN(v.Message, "\n", 5)
	body := strings.TrimSuffix(lines[4], "\n")
	signedAt := time.Unix(1795359600, 0)
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	parts := strings.Split(strings.TrimPrefix(v.Authorization, signatureType+" "), ",")
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
			r.Header.Set("Authorization", signatureType+"  "+strings.Join([]string{parts[4], parts[3], parts[2], parts[1], parts[0]}, " , "))
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
		{"another scheme", signedAt, lines[1], body, replace(signatureType, "WECHATPAY2-SM2-WITH-SM3"), "401 SIGN_ERROR", "Authorization"},
		{"no Authorization", signedAt, lines[1], body, func(r *http.Request) { r.Header.Del("Authorization") }, "401 SIGN_ERROR", "Authorization"},
	} {
		b := newBench(t, onClock, func(o *Options) { o.Clock = NewVirtualClock(c.now) })
		req := httptest.NewRequest("POST", c.uri, strings.NewReader(c.body))
		req.Header.Set("Authorization", v.Authorization)
		if c.change != nil {
			c.change(req)
		}
		rec := httptest.NewRecorder()
		b.Handler().ServeHTTP(rec, req)
		if got := code(rec); got != c.want || field(rec) != c.field {
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
	rec := b.sendTo(mounted, "POST", "/gw/wechat/v3/pay/transactions/h5", "/v3/pay/transactions/h5", map[string]any{
		"appid": b.keys.AppID, "mchid": b.keys.MchID, "description": "x", "out_trade_no": "PRE|FIX*1", "notify_url": "https://a.test/n",
		"amount": map[string]any{"total": 1}, "scene_info": map[string]any{"payer_client_ip": "::1", "h5_info": map[string]any{"type": "Wap"}},
	})
	if got, want := rec.Body.String(), `{"h5_url":"http://example.com/gw/wechat/pay/`; !strings.HasPrefix(got, want) {
		t.Errorf("%d %s", rec.Code, got)
	}
	for _, no := range []string{"PRE%7CFIX%2A1", "PRE%7cFIX*1", "PRE|FIX*1"} {
		uri := "/v3/pay/transactions/out-trade-no/" + no + "?mchid=" + b.keys.MchID + "&x=%2Fv3%2F&y=/v3/"
		if rec := b.sendTo(mounted, "GET", "/gw/wechat"+uri, uri, nil); rec.Code != 200 {
			t.Errorf("%s: %d %s", no, rec.Code, rec.Body)
		}
	}
}

// What the gateway expected is told to who signed something else.
func TestSignErrorTellsWhatWasExpected(t *testing.T) {
	b := newBench(t)
	uri := "/v3/certificates?x=1"
	rec := b.sendTo(b.Handler(), "GET", uri, "/v3/certificates", nil)
	if !strings.Contains(rec.Body.String(), `"url":"/v3/certificates?x=1"`) || !strings.Contains(rec.Body.String(), `"truncated_sign_message":"GET\n/v3/certificates?x=1\n`) {
		t.Errorf("%s", rec.Body)
	}
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add(`WECHATPAY2-SHA256-RSA2048 mchid="1900012345",nonce_str="n",timestamp="1795359600",serial_no="3775",signature="aDg="`)
	f.Add(`WECHATPAY2-SHA256-RSA2048 signature="a" , mchid="",x="=\",",timestamp="1",`)
	f.Add(`WECHATPAY2-SHA256-RSA2048 mchid="1",mchid="2"`)
	f.Add(`Bearer x`)
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		a, err := parseAuthorization(header)
		if err != nil {
			return
		}
		// What was read can be written, in another order, and is read again.
		again, err := parseAuthorization(signatureType + ` signature="` + a.signature + `",serial_no="` + a.serial +
			`",timestamp="` + a.timestamp + `",nonce_str="` + a.nonce + `",mchid="` + a.mchID + `"`)
		if err != nil || again != a {
			t.Fatalf("%+v became %+v, %v", a, again, err)
		}
	})
}

func FuzzPrepayBody(f *testing.F) {
	for _, m := range wechatMethods {
		f.Add(m.name, encode(f, order("FUZZED01")))
	}
	f.Add("jsapi", []byte(`{"payer":{"openid":"o"},"amount":{"total":1e2}}`))
	f.Add("h5", []byte(`{"scene_info":null,"amount":[]}`))
	f.Fuzz(func(t *testing.T, method string, body []byte) {
		for _, m := range wechatMethods {
			if m.name != method {
				continue
			}
			p, no := parsePrepay(m, body, false)
			if no != nil {
				if no.status != http.StatusBadRequest || no.code != "PARAM_ERROR" || no.detail == nil {
					t.Fatalf("refused by %+v", no)
				}
				return
			}
			if !outTradeNoShape.MatchString(p.no) || p.total < 1 || p.description == "" || p.notifyURL == "" || p.appID == "" || p.mchID == "" {
				t.Fatalf("accepted %+v", p)
			}
			// Members in another order and other blanks are the same request.
			var v any
			dec := json.NewDecoder(bytes.NewReader(body))
			dec.UseNumber()
			if err := dec.Decode(&v); err != nil {
				t.Fatal(err)
			}
			again, err := json.MarshalIndent(v, " ", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if q, no := parsePrepay(m, again, false); no != nil || q.fingerprint != p.fingerprint {
				t.Fatalf("the same request differs: %v", no)
			}
		}
	})
}
