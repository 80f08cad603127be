package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/smartwalle/alipay/v3"
)

// alipayTestKeys are the keys of both sides with which testdata was signed.
var alipayTestKeys = sync.OnceValue(func() *Keys {
	text, err := os.ReadFile("testdata/alipay_keys.json")
	if err != nil {
		panic(err)
	}
	var j alipayKeysJSON
	if err := json.Unmarshal(text, &j); err != nil {
		panic(err)
	}
	keys := *testKeys()
	if keys.Alipay, err = j.keys(); err != nil {
		panic(err)
	}
	return &keys
})

// alipayBench is a gateway that stands still, and a shop that answers success.
type alipayBench struct {
	*bench
	told *alipayShop
}

func newAlipayBench(t testing.TB, change ...func(*Options)) *alipayBench {
	told := &alipayShop{}
	b := newBench(t, append([]func(*Options){onClock, func(o *Options) {
		o.Keys = alipayTestKeys()
		o.Client = &http.Client{Transport: told}
	}}, change...)...)
	return &alipayBench{b, told}
}

// alipayShop receives notifications. It answers with the texts in order, and
// with success after them.
type alipayShop struct {
	mu      sync.Mutex
	answers []string
	got     []received
}

func (s *alipayShop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, received{r.URL.String(), r.Header.Clone(), body})
	answer := "success"
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer)), Header: http.Header{}}, nil
}

func (s *alipayShop) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

// client is the SDK as a shop uses it, with its own HTTP client, against the
// gateway under a prefix. Its clock is the computer's.
func (b *alipayBench) client() *sdk.Client {
	b.t.Helper()
	server := httptest.NewServer(http.StripPrefix("/gw", b.Handler()))
	b.t.Cleanup(server.Close)
	m := b.AlipayMerchant()
	c, err := sdk.New(m.AppID, m.AppPrivateKeyPEM, false, sdk.WithSandboxGateway(server.URL+"/gw/gateway.do"),
		sdk.WithHTTPClient(&http.Client{Timeout: 30 * time.Second}), sdk.WithTimeLocation(china))
	if err == nil {
		err = c.LoadAliPayPublicKey(m.AlipayPublicKey)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// read verifies a notification with the SDK.
func (b *alipayBench) read(r received) (url.Values, *sdk.Notification, error) {
	b.t.Helper()
	form, err := url.ParseQuery(string(r.body))
	if err != nil {
		b.t.Fatal(err)
	}
	n, err := b.client().DecodeNotification(form)
	return form, n, err
}

// params are a request's parameters, signed with the shop's key unless change
// spoils them afterwards.
func (b *alipayBench) params(method string, biz any, before ...func(alipayParams)) alipayParams {
	b.t.Helper()
	p := alipayParams{
		"app_id": b.keys.Alipay.AppID, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
		"timestamp": alipayTime(b.apiTime()), "version": "1.0", "biz_content": string(encode(b.t, biz)),
		"notify_url": "https://shop.example.test/ali/notify",
	}
	for _, f := range before {
		f(p)
	}
	return b.signParams(p)
}

func (b *alipayBench) signParams(p alipayParams) alipayParams {
	b.t.Helper()
	signature, err := sign(b.keys.Alipay.AppKey, p.message("sign"))
	if err != nil {
		b.t.Fatal(err)
	}
	p["sign"] = signature
	return p
}

// post sends parameters as a form.
func (b *alipayBench) post(p alipayParams) *httptest.ResponseRecorder {
	b.t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/gateway.do", strings.NewReader(p.encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	rec := httptest.NewRecorder()
	b.Handler().ServeHTTP(rec, req)
	return rec
}

// node is a decoded answer.
type node map[string]any

func (n node) String() string { return fmt.Sprint(n["code"], " ", n["sub_code"]) }

// open reads an answer and verifies the raw bytes of its node, if it is signed.
func (b *alipayBench) open(body []byte) (name string, n node, signed bool) {
	b.t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		b.t.Fatalf("%s: %v", body, err)
	}
	var signature string
	for key, value := range raw {
		var err error
		if key == "sign" {
			err = json.Unmarshal(value, &signature)
		} else {
			name, err = key, json.Unmarshal(value, &n)
		}
		if err != nil {
			b.t.Fatalf("%s: %v", body, err)
		}
	}
	if signature == "" {
		return name, n, false
	}
	if err := verify(&b.keys.Alipay.PlatformKey.PublicKey, string(raw[name]), mustDecode(b.t, signature)); err != nil {
		b.t.Errorf("signature of %s: %v", body, err)
	}
	return name, n, true
}

// call makes a signed call and returns the node.
func (b *alipayBench) call(method string, biz any) node {
	b.t.Helper()
	_, n, _ := b.open(b.post(b.params("alipay."+method, biz)).Body.Bytes())
	return n
}

// biz is a biz_content in pairs.
func biz(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// asked is the biz_content of an order that every rule is content with.
func asked(no string, pairs ...any) map[string]any {
	out := biz("out_trade_no", no, "total_amount", "88.88", "subject", "沙箱商品 A+B & 50%=半价", "passback_params", "a%3D1%26b%3D2")
	for name, value := range biz(pairs...) {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// precreated makes a code that nobody has scanned.
func (b *alipayBench) precreated(no string, pairs ...any) {
	b.t.Helper()
	if n := b.call("trade.precreate", asked(no, pairs...)); n["code"] != "10000" {
		b.t.Fatalf("precreate %s: %v", no, n)
	}
}

func (b *alipayBench) scanned(no string, pairs ...any) {
	b.t.Helper()
	b.precreated(no, pairs...)
	if err := b.Scan(no); err != nil {
		b.t.Fatal(err)
	}
}

func (b *alipayBench) paidFor(no string, pairs ...any) {
	b.t.Helper()
	b.precreated(no, pairs...)
	if err := b.Pay(no); err != nil {
		b.t.Fatal(err)
	}
}

func (b *alipayBench) status(no string) any {
	b.t.Helper()
	n := b.call("trade.query", biz("out_trade_no", no))
	if n["code"] != "10000" {
		return n.String()
	}
	return n["trade_status"]
}

func mustDecode(t testing.TB, s string) []byte {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
