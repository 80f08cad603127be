package wechatpay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// vectorTime is the clock of the stored vectors.
var vectorTime = time.Unix(1795359600, 0)

const (
	certSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	pubKeyID   = "PUB_KEY_ID_0119000123452026112200000000000001"
	apiV3Key   = "DemoApiV3KeyDemoApiV3KeyDemo0001"
	mchID      = "1900012345"
	appID      = "wx8888aaaa9999bbbb"
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
		MchID: mchID, AppID: appID,
		MerchantSerial:     "3775B6A45ACD588826D15E583A95F5DD1A2B3C4D",
		MerchantPrivateKey: file(t, "keys", "wechat_merchant.private.pem"),
		APIv3Key:           apiV3Key,
		PlatformKeys: []PlatformKey{
			{Serial: pubKeyID, PEM: file(t, "keys", "wechat_pubkey.public.pem")},
			{Serial: certSerial, PEM: file(t, "keys", "wechat_platform.crt.pem")},
		},
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

// platform is WeChat Pay's side of the signatures.
type platform struct{ keys map[string]*rsa.PrivateKey }

func newPlatform(t testing.TB) *platform {
	p := &platform{keys: map[string]*rsa.PrivateKey{}}
	for serial, name := range map[string]string{
		certSerial: "wechat_platform_cert", pubKeyID: "wechat_pubkey", "attacker": "attacker",
	} {
		key, err := privateKey(file(t, "keys", name+".private.pem"))
		if err != nil {
			t.Fatal(err)
		}
		p.keys[serial] = key
	}
	return p
}

// sign makes the headers of a message signed at that time.
func (p *platform) sign(serial string, at time.Time, body []byte) http.Header {
	ts, nonce := strconv.FormatInt(at.Unix(), 10), rand.Text()
	sum := sha256.Sum256([]byte(ts + "\n" + nonce + "\n" + string(body) + "\n"))
	sig, err := rsa.SignPKCS1v15(nil, p.keys[serial], crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return http.Header{
		headerTimestamp: {ts}, headerNonce: {nonce}, headerSerial: {serial},
		headerSignature: {base64.StdEncoding.EncodeToString(sig)}, headerType: {scheme},
	}
}

// seal encrypts a content as a resource does.
func seal(t testing.TB, nonce, aad, plain string) string {
	aead, err := contentCipher(apiV3Key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(nonce), []byte(plain), []byte(aad)))
}

// notification is the body of a callback about plain.
func notification(t testing.TB, eventType, originalType, plain string) []byte {
	return toJSON(t, map[string]any{
		"id": "EV-1", "create_time": "2026-11-22T22:59:55+08:00", "resource_type": "encrypt-resource",
		"event_type": eventType, "summary": "支付成功",
		"resource": map[string]any{
			"original_type": originalType, "algorithm": "AEAD_AES_256_GCM",
			"ciphertext": seal(t, "123456789012", originalType, plain), "associated_data": originalType,
			"nonce": "123456789012",
		},
	})
}

func toJSON(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// paidContent is the transaction of the tests, as WeChat Pay writes it.
const paidContent = `{"mchid":"` + mchID + `","appid":"` + appID + `","out_trade_no":"PAY00000001",` +
	`"transaction_id":"420000001","trade_type":"NATIVE","trade_state":"SUCCESS",` +
	`"success_time":"2026-11-22T22:59:40+08:00","payer":{"openid":"o1"},` +
	`"amount":{"total":900,"payer_total":850,"currency":"CNY","payer_currency":"CNY"}}`

// seen is a request as the gateway received it.
type seen struct {
	Method, URI string
	Header      http.Header
	Body        []byte
}

// answer is what the gateway says; how may spoil the signed headers.
type answer struct {
	status int
	body   string
	how    func(http.Header)
}

// gateway answers with what the test sets, signed as WeChat Pay signs.
type gateway struct {
	*platform
	URL string
	now func() time.Time
	say func(seen) answer

	mu       sync.Mutex
	received seen
}

// last is the request that came last.
func (g *gateway) last() seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.received
}

func newGateway(t testing.TB, say func(seen) answer) *gateway {
	g := &gateway{platform: newPlatform(t), now: func() time.Time { return vectorTime }, say: say}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := seen{Method: r.Method, URI: r.RequestURI, Header: r.Header, Body: body}
		g.mu.Lock()
		g.received = got
		g.mu.Unlock()
		a := g.say(got)
		if a.status < 300 {
			for name, v := range g.sign(r.Header.Get(headerSerial), g.now(), []byte(a.body)) {
				w.Header()[name] = v
			}
		}
		if a.how != nil {
			a.how(w.Header())
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(srv.Close)
	g.URL = srv.URL
	return g
}

// channel is a channel that talks to the gateway.
func (g *gateway) channel(t testing.TB, opts Options) *Channel {
	cfg := testConfig(t)
	cfg.BaseURL = g.URL
	return channelOf(t, cfg, opts)
}

func always(status int, body string) func(seen) answer {
	return func(seen) answer { return answer{status: status, body: body} }
}

// billDay is the day of the tests' bills.
var billDay = payment.Day{Year: 2026, Month: 11, Date: 21}

// billAnswered says where a bill is.
func billAnswered(where string) string {
	return `{"hash_type":"SHA1","hash_value":"0000000000000000000000000000000000000000","download_url":"` + where + `"}`
}

// refundAnswered is the refund of the tests, as WeChat Pay writes it.
const refundAnswered = `{"refund_id":"50300001","out_refund_no":"REF1","transaction_id":"420000001","out_trade_no":"PAY00000001",` +
	`"channel":"ORIGINAL","user_received_account":"支付用户零钱","create_time":"2026-11-22T22:59:00+08:00","status":"PROCESSING",` +
	`"funds_account":"AVAILABLE","amount":{"total":900,"refund":150,"from":[],"payer_total":850,"payer_refund":140,` +
	`"settlement_refund":150,"settlement_total":900,"discount_refund":10,"currency":"CNY"}}`

func refundRequest() payment.RefundRequest {
	return payment.RefundRequest{
		RefundNo: "REF1", PaymentNo: "PAY00000001", TransactionID: "420000001", Amount: 150, Total: 900, Currency: "CNY",
		Reason: "不想要了 & more", NotifyURL: "https://shop.example.test/v1/notify/demo/wechatpay",
	}
}

func abnormalRefund() payment.AbnormalRefund {
	return payment.AbnormalRefund{RefundNo: "REF1", RefundID: "50300001", Bank: "ICBC_DEBIT", Account: "6222021234567890123", Name: "张三"}
}

func prepayRequest(m payment.Method) payment.PrepayRequest {
	return payment.PrepayRequest{
		PaymentNo: "PAY00000001", Method: m, Amount: 900, Currency: "CNY", Description: "沙箱商品 & more",
		NotifyURL: "https://shop.example.test/v1/notify/demo/wechatpay", OpenID: "oDemo", ClientIP: "192.0.2.7",
		ReturnURL: "https://shop.example.test/done?order=1&x=中", ExpiresAt: time.Date(2026, 11, 22, 15, 30, 0, 987, time.UTC),
	}
}
