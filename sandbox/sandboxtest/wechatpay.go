package sandboxtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// Wechat is a bench for a shop that takes WeChat Pay.
type Wechat struct {
	*Bench
	Keys *wechatpay.Keys
}

// NewWechat makes a bench.
func NewWechat(t testing.TB, change ...func(*sandbox.Options)) *Wechat {
	b := New(t, change...)
	return &Wechat{b, b.WechatPay().Keys()}
}

// Read verifies and decrypts a callback with the official SDK.
func (r Received) Read() (*notify.Request, *payments.Transaction, error) {
	keys := Keys().WechatPay
	handler, err := notify.NewRSANotifyHandler(keys.APIv3Key, verifier(keys))
	if err != nil {
		return nil, nil, err
	}
	req := httptest.NewRequest(http.MethodPost, "/notify", bytes.NewReader(r.Body))
	req.Header = r.Header
	tx := new(payments.Transaction)
	n, err := handler.ParseNotifyRequest(context.Background(), req, tx)
	return n, tx, err
}

func verifier(keys *wechatpay.Keys) *verifiers.SHA256WithRSACombinedVerifier {
	return verifiers.NewSHA256WithRSACombinedVerifier(
		core.NewCertificateMapWithList(CertList(keys)), keys.PublicKeyID, keys.PublicKeyPrivate.PublicKey)
}

// MustRead is Received.Read of a callback that must be right.
func (b *Wechat) MustRead(r Received) (*notify.Request, *payments.Transaction) {
	b.T.Helper()
	n, tx, err := r.Read()
	if err != nil {
		b.T.Fatalf("the SDK refuses the callback: %v", err)
	}
	return n, tx
}

// VerifiesWith says whether an answer verifies with the SDK, and by which key.
func VerifiesWith(h http.Header, body []byte) (serial string, err error) {
	serial = h.Get("Wechatpay-Serial")
	return serial, verifier(Keys().WechatPay).Verify(context.Background(), serial, AnswerMessage(h, body), h.Get("Wechatpay-Signature"))
}

// AnswerMessage is what the platform signs, for answers and for callbacks.
func AnswerMessage(h http.Header, body []byte) string {
	return h.Get("Wechatpay-Timestamp") + "\n" + h.Get("Wechatpay-Nonce") + "\n" + string(body) + "\n"
}

// Send signs a request as the merchant and gives it to the handler. A string
// body is sent as it is, anything else as JSON.
func (b *Wechat) Send(method, uri string, body any, change ...func(*http.Request)) *httptest.ResponseRecorder {
	b.T.Helper()
	return b.SendTo(b.Handler(), method, uri, uri, body, change...)
}

// SendTo is Send to a handler under a prefix, or of a request that was signed
// for another target.
func (b *Wechat) SendTo(h http.Handler, method, target, signed string, body any, change ...func(*http.Request)) *httptest.ResponseRecorder {
	b.T.Helper()
	req := httptest.NewRequest(method, target, bytes.NewReader(Encode(b.T, body)))
	req.Header.Set("Authorization", b.Authorize(method, signed, Encode(b.T, body)))
	for _, f := range change {
		f(req)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

// Try is Send of a request that may be broken off, and says what came of it.
func (b *Wechat) Try(method, uri string, body any) (out string) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			out = "aborted"
		} else if p != nil {
			panic(p)
		}
	}()
	return Code(b.Send(method, uri, body))
}

// Authorize is the Authorization header of a request.
func (b *Wechat) Authorize(method, uri string, body []byte) string {
	return Authorization(b.Keys, b.RequestTime(), method, uri, body)
}

// Authorization is the header of a request at a time.
func Authorization(keys *wechatpay.Keys, now time.Time, method, uri string, body []byte) string {
	timestamp, nonce := fmt.Sprint(now.Unix()), rand.Text()
	signature, err := rsakey.Sign(keys.MerchantKey, method+"\n"+uri+"\n"+timestamp+"\n"+nonce+"\n"+string(body)+"\n")
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		keys.MchID, nonce, timestamp, keys.MerchantSerial, signature)
}

// Order is a prepay body to which no rule objects.
func Order(no string) map[string]any {
	keys := Keys().WechatPay
	return map[string]any{
		"appid": keys.AppID, "mchid": keys.MchID, "description": "沙箱商品", "out_trade_no": no,
		"notify_url": "https://shop.example.test/wx/notify", "attach": "tenant=7&order=1 中文",
		"amount": map[string]any{"total": 888, "currency": "CNY"},
	}
}

// Place makes a native trade.
func (b *Wechat) Place(no string) {
	b.T.Helper()
	if rec := b.Send("POST", "/v3/pay/transactions/native", Order(no)); rec.Code != 200 {
		b.T.Fatalf("prepay %s: %d %s", no, rec.Code, rec.Body)
	}
}

// Paid makes a native trade and pays it.
func (b *Wechat) Paid(no string) {
	b.T.Helper()
	b.Place(no)
	if err := b.Pay(no); err != nil {
		b.T.Fatal(err)
	}
}

// Query queries a trade that must be found.
func (b *Wechat) Query(no string) wechatpay.Transaction {
	b.T.Helper()
	rec := b.Send("GET", "/v3/pay/transactions/out-trade-no/"+no+"?mchid="+b.Keys.MchID, nil)
	var tx wechatpay.Transaction
	if err := json.Unmarshal(rec.Body.Bytes(), &tx); rec.Code != 200 || err != nil {
		b.T.Fatalf("query: %d %s", rec.Code, rec.Body)
	}
	return tx
}

// RefundsPath is that of refunds.
const RefundsPath = "/v3/refund/domestic/refunds"

// RefundOrder is a request for a refund to which no rule objects; the trades
// that Order makes cost 888.
func RefundOrder(no, refundNo string, amount int64) map[string]any {
	return map[string]any{
		"out_trade_no": no, "out_refund_no": refundNo, "reason": "不想要了", "notify_url": "https://shop.example.test/wx/notify",
		"amount": map[string]any{"refund": amount, "total": 888, "currency": "CNY"},
	}
}

// RequestRefund requests a refund.
func (b *Wechat) RequestRefund(no, refundNo string, amount int64) *httptest.ResponseRecorder {
	b.T.Helper()
	return b.Send("POST", RefundsPath, RefundOrder(no, refundNo, amount))
}

// MustRefund requests a refund that must be accepted.
func (b *Wechat) MustRefund(no, refundNo string, amount int64) {
	b.T.Helper()
	if rec := b.RequestRefund(no, refundNo, amount); rec.Code != 200 {
		b.T.Fatalf("refund %s: %d %s", refundNo, rec.Code, rec.Body)
	}
}

// SDK is the official client, which trusts whichever platform key is given:
// the serial that it wants its answers signed with.
func (b *Wechat) SDK(serial string) *core.Client {
	b.T.Helper()
	server := httptest.NewServer(b.Handler())
	b.T.Cleanup(server.Close)
	client := option.WithHTTPClient(&http.Client{Transport: Elsewhere{server}, Timeout: 30 * time.Second})
	auth := option.WithWechatPayPublicKeyAuthCipher(
		b.Keys.MchID, b.Keys.MerchantSerial, b.Keys.MerchantKey, b.Keys.PublicKeyID, &b.Keys.PublicKeyPrivate.PublicKey,
	)
	if serial == b.Keys.PlatformSerial {
		auth = option.WithWechatPayAuthCipher(b.Keys.MchID, b.Keys.MerchantSerial, b.Keys.MerchantKey, CertList(b.Keys))
	}
	c, err := core.NewClient(context.Background(), auth, client)
	if err != nil {
		b.T.Fatal(err)
	}
	return c
}

// CertList is the platform's first certificate, as the SDK takes it.
func CertList(k *wechatpay.Keys) []*x509.Certificate { return []*x509.Certificate{k.PlatformCert} }
