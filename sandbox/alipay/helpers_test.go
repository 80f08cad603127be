package alipay_test

import (
	"context"
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

	"github.com/tandem-pay/tandem/sandbox/alipay"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

var ctx = context.Background()

// testKeys are the keys of both protocols, for Alipay those with which testdata
// was signed.
var testKeys = sync.OnceValue(func() *sandbox.Keys {
	keys := *sandboxtest.Keys()
	text, err := os.ReadFile("../sandboxtest/testdata/alipay_keys.json")
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(text, &keys.Alipay); err != nil {
		panic(err)
	}
	return &keys
})

// bench is a gateway that stands still, and a shop that answers success.
type bench struct {
	*sandboxtest.Wechat
	keys alipay.Keys
	shop *shop
}

func newBench(t testing.TB, change ...func(*sandbox.Options)) *bench {
	s := &shop{}
	b := sandboxtest.NewWechat(t, append([]func(*sandbox.Options){sandboxtest.OnClock, func(o *sandbox.Options) {
		o.Keys = testKeys()
		o.Client = &http.Client{Transport: s}
	}}, change...)...)
	return &bench{b, b.Gateway.Keys().Alipay, s}
}

// shop receives notifications. It answers with the texts in order, and with
// success after them.
type shop struct {
	mu      sync.Mutex
	answers []string
	got     []sandboxtest.Received
}

func (s *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, sandboxtest.Received{URL: r.URL.String(), Header: r.Header.Clone(), Body: body})
	answer := "success"
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer)), Header: http.Header{}}, nil
}

func (s *shop) all() []sandboxtest.Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sandboxtest.Received(nil), s.got...)
}

// client is the SDK as a shop uses it, with its own HTTP client, against the
// gateway under a prefix. Its clock is the computer's.
func (b *bench) client() *sdk.Client {
	b.T.Helper()
	server := httptest.NewServer(http.StripPrefix("/gw", b.Handler()))
	b.T.Cleanup(server.Close)
	m := b.Alipay().Merchant()
	c, err := sdk.New(m.AppID, m.AppPrivateKeyPEM, false, sdk.WithSandboxGateway(server.URL+"/gw/gateway.do"),
		sdk.WithHTTPClient(&http.Client{Timeout: 30 * time.Second}), sdk.WithTimeLocation(trade.China))
	if err == nil {
		err = c.LoadAliPayPublicKey(m.AlipayPublicKey)
	}
	if err != nil {
		b.T.Fatal(err)
	}
	return c
}

// read verifies a notification with the SDK.
func (b *bench) read(r sandboxtest.Received) (url.Values, *sdk.Notification, error) {
	b.T.Helper()
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		b.T.Fatal(err)
	}
	n, err := b.client().DecodeNotification(form)
	return form, n, err
}

// params are a request's parameters, signed with the shop's key unless change
// spoils them afterwards.
func (b *bench) params(method string, biz any, before ...func(alipay.Params)) alipay.Params {
	b.T.Helper()
	p := alipay.Params{
		"app_id": b.keys.AppID, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
		"timestamp": wireTime(b.RequestTime()), "version": "1.0", "biz_content": string(sandboxtest.Encode(b.T, biz)),
		"notify_url": "https://shop.example.test/ali/notify",
	}
	for _, f := range before {
		f(p)
	}
	return b.signParams(p)
}

func (b *bench) signParams(p alipay.Params) alipay.Params {
	b.T.Helper()
	signature, err := rsakey.Sign(b.keys.AppKey, p.Message("sign"))
	if err != nil {
		b.T.Fatal(err)
	}
	p["sign"] = signature
	return p
}

// post sends parameters as a form.
func (b *bench) post(p alipay.Params) *httptest.ResponseRecorder {
	b.T.Helper()
	req := httptest.NewRequest(http.MethodPost, "/gateway.do", strings.NewReader(p.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	rec := httptest.NewRecorder()
	b.Handler().ServeHTTP(rec, req)
	return rec
}

// node is a decoded answer.
type node map[string]any

func (n node) String() string { return fmt.Sprint(n["code"], " ", n["sub_code"]) }

// open reads an answer and verifies the raw bytes of its node, if it is signed.
func (b *bench) openAnswer(body []byte) (name string, n node, signed bool) {
	b.T.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		b.T.Fatalf("%s: %v", body, err)
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
			b.T.Fatalf("%s: %v", body, err)
		}
	}
	if signature == "" {
		return name, n, false
	}
	if err := rsakey.Verify(&b.keys.PlatformKey.PublicKey, string(raw[name]), sandboxtest.Base64(b.T, signature)); err != nil {
		b.T.Errorf("signature of %s: %v", body, err)
	}
	return name, n, true
}

// call makes a signed call and returns the node.
func (b *bench) call(method string, biz any) node {
	b.T.Helper()
	_, n, _ := b.openAnswer(b.post(b.params("alipay."+method, biz)).Body.Bytes())
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
func (b *bench) precreated(no string, pairs ...any) {
	b.T.Helper()
	if n := b.call("trade.precreate", asked(no, pairs...)); n["code"] != "10000" {
		b.T.Fatalf("precreate %s: %v", no, n)
	}
}

func (b *bench) scanned(no string, pairs ...any) {
	b.T.Helper()
	b.precreated(no, pairs...)
	if err := b.Scan(no); err != nil {
		b.T.Fatal(err)
	}
}

func (b *bench) paidFor(no string, pairs ...any) {
	b.T.Helper()
	b.precreated(no, pairs...)
	if err := b.Pay(no); err != nil {
		b.T.Fatal(err)
	}
}

func (b *bench) status(no string) any {
	b.T.Helper()
	n := b.call("trade.query", biz("out_trade_no", no))
	if n["code"] != "10000" {
		return n.String()
	}
	return n["trade_status"]
}

// wireTime is how times are written on the wire.
func wireTime(t time.Time) string { return t.In(trade.China).Format(time.DateTime) }
