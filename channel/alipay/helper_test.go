package alipay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// vectorTime is the clock of the stored vectors.
var vectorTime = time.Unix(1795359600, 0)

const (
	appID  = "2021000000000001"
	seller = "2088000000000001"
)

func file(t testing.TB, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func testConfig(t testing.TB) Config {
	return Config{
		AppID: appID, SellerID: seller,
		AppPrivateKey:   file(t, "keys", "alipay_app.private.pem"),
		AlipayPublicKey: file(t, "keys", "alipay_platform.public.pem"),
	}
}

func testChannel(t testing.TB, opts Options) *Channel {
	t.Helper()
	return channelOf(t, testConfig(t), opts)
}

func channelOf(t testing.TB, cfg Config, opts Options) *Channel {
	t.Helper()
	if opts.Clock == nil {
		opts.Clock = func() time.Time { return vectorTime }
	}
	c, err := New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testKey(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	key, err := privateKey(file(t, "keys", name+".private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rsa2 is a signature made without any payment SDK.
func rsa2(key *rsa.PrivateKey, message string) string {
	sum := sha256.Sum256([]byte(message))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// message is what is signed of parameters.
func message(v url.Values, leaveOut ...string) string {
	var pairs []string
	for name := range v {
		if v.Get(name) != "" && !slices.Contains(leaveOut, name) {
			pairs = append(pairs, name+"="+v.Get(name))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// notification is a signed body with these fields over those of a payment; ""
// drops one.
func notification(key *rsa.PrivateKey, change map[string]string) []byte {
	v := url.Values{
		"notify_type": {"trade_status_sync"}, "notify_id": {"N1"}, "notify_time": {"2026-11-22 22:59:58"},
		"app_id": {appID}, "seller_id": {seller}, "out_trade_no": {"PAY00000001"}, "trade_no": {"2026112222001400000000000001"},
		"trade_status": {"TRADE_SUCCESS"}, "total_amount": {"9.00"}, "buyer_pay_amount": {"8.50"},
		"gmt_payment": {"2026-11-22 22:59:30"}, "subject": {"订单 A+B & 50%=半价"}, "charset": {"utf-8"}, "version": {"1.0"},
	}
	for name, value := range change {
		if value == "" {
			v.Del(name)
			continue
		}
		v.Set(name, value)
	}
	v.Set("sign", rsa2(key, message(v)))
	v.Set("sign_type", "RSA2")
	return []byte(v.Encode())
}

// seen is a request as the gateway received it.
type seen struct {
	HTTP   *http.Request
	Params url.Values
	Method string
	Biz    map[string]any
}

// answer is what the gateway says.
type answer struct {
	status int    // 0 is 200
	node   string // signed
	raw    string // instead of a node: the body as it is
	sign   string // instead of a signature: this; "-" is none
	name   string // instead of the method's: the node's name
}

// gateway answers with what the test sets, signed as Alipay signs.
type gateway struct {
	URL string
	key *rsa.PrivateKey
	say func(seen) answer

	mu   sync.Mutex
	came []seen
}

// last is the request that came last.
func (g *gateway) last() seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.came[len(g.came)-1]
}

// methods are what was requested since the last call.
func (g *gateway) methods() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for _, s := range g.came {
		names = append(names, strings.TrimPrefix(s.Method, "alipay.trade."))
	}
	g.came = nil
	return names
}

func (g *gateway) body(a answer, method string) string {
	if a.raw != "" {
		return a.raw
	}
	if a.name == "" {
		a.name = strings.ReplaceAll(method, ".", "_") + "_response"
	}
	if a.sign == "-" {
		return `{"` + a.name + `":` + a.node + `}`
	}
	if a.sign == "" {
		a.sign = rsa2(g.key, a.node)
	}
	return `{"` + a.name + `":` + a.node + `,"sign":"` + a.sign + `"}`
}

func newGateway(t testing.TB, say func(seen) answer) *gateway {
	g := &gateway{key: testKey(t, "alipay_platform"), say: say}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := seen{HTTP: r}
		got.Params, _ = url.ParseQuery(string(body))
		got.Method = got.Params.Get("method")
		_ = json.Unmarshal([]byte(got.Params.Get("biz_content")), &got.Biz)
		g.mu.Lock()
		g.came = append(g.came, got)
		g.mu.Unlock()
		a := g.say(got)
		if a.status != 0 {
			if a.status/100 == 3 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(a.status)
		}
		_, _ = io.WriteString(w, g.body(a, got.Method))
	}))
	t.Cleanup(srv.Close)
	g.URL = srv.URL + "/gateway.do"
	return g
}

// channel is a channel that talks to the gateway.
func (g *gateway) channel(t testing.TB, opts Options) *Channel {
	cfg := testConfig(t)
	cfg.GatewayURL = g.URL
	return channelOf(t, cfg, opts)
}

// always answers every call with one node.
func always(node string) func(seen) answer {
	return func(seen) answer { return answer{node: node} }
}

// no is a signed refusal.
func no(code, sub string) string {
	return `{"code":"` + code + `","msg":"Business Failed","sub_code":"` + sub + `","sub_msg":"说明"}`
}

const (
	precreated = `{"code":"10000","msg":"Success","out_trade_no":"PAY00000001","qr_code":"https:\/\/qr.alipay.com\/bax1"}`
	closedNode = `{"code":"10000","msg":"Success","out_trade_no":"PAY00000001","trade_no":"2026112222001400000000000001"}`
	paidNode   = `{"code":"10000","msg":"Success","buyer_pay_amount":"8.50","out_trade_no":"PAY00000001","receipt_amount":"9.00",` +
		`"send_pay_date":"2026-11-22 22:59:30","total_amount":"9.00","trade_no":"2026112222001400000000000001","trade_status":"TRADE_SUCCESS"}`
	refundNode = `{"code":"10000","msg":"Success","fund_change":"Y","gmt_refund_pay":"2026-11-22 22:59:55","out_trade_no":"PAY00000001",` +
		`"refund_fee":"4.50","trade_no":"2026112222001400000000000001"}`
	refundMadeNode = `{"code":"10000","msg":"Success","out_trade_no":"PAY00000001","out_request_no":"REF00000001","refund_amount":"1.50",` +
		`"refund_status":"REFUND_SUCCESS","total_amount":"9.00","gmt_refund_pay":"2026-11-22 22:59:55"}`
	okNode = `{"code":"10000","msg":"Success"}`
)

func prepayRequest(m payment.Method) payment.PrepayRequest {
	return payment.PrepayRequest{
		PaymentNo: "PAY00000001", Method: m, Amount: 900, Currency: "CNY", Description: "沙箱商品 A & B/C=D",
		NotifyURL: "https://shop.example.test/v1/notify/demo/alipay", ReturnURL: "https://shop.example.test/done?order=1&x=中",
		ExpiresAt: time.Date(2026, 11, 22, 15, 30, 0, 987, time.UTC),
	}
}

func refundRequest() payment.RefundRequest {
	return payment.RefundRequest{
		RefundNo: "REF00000001", PaymentNo: "PAY00000001", Amount: 150, Total: 900, Currency: "CNY", Reason: "不要了",
		NotifyURL: "https://shop.example.test/v1/notify/demo/alipay",
	}
}

// paidFact is what the payment of the tests is, told by a query.
func paidFact(by payment.Source) payment.Fact {
	return payment.Fact{
		ID: "paid/2026112222001400000000000001", Kind: payment.Paid, Source: by, TransactionID: "2026112222001400000000000001",
		Amount: 900, Currency: "CNY", Merchant: seller, App: appID, Reported: "TRADE_SUCCESS",
		At: time.Date(2026, 11, 22, 14, 59, 30, 0, time.UTC), ReceivedAt: vectorTime.UTC(),
	}
}
