package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
)

// testKeys are the keys with which testdata was signed.
var testKeys = sync.OnceValue(func() *Keys {
	text, err := os.ReadFile("testdata/keys.json")
	if err != nil {
		panic(err)
	}
	keys := new(Keys)
	if err := json.Unmarshal(text, keys); err != nil {
		panic(err)
	}
	return keys
})

// bench is a gateway on a clock that stands still, and a shop to be told.
type bench struct {
	*Gateway
	t     testing.TB
	clock *VirtualClock
	shop  *shop
}

// newBench starts the clock at the computer's time, since the official SDK
// reads that one; change may alter the options.
func newBench(t testing.TB, change ...func(*Options)) *bench {
	b := &bench{t: t, clock: NewVirtualClock(time.Now()), shop: &shop{}}
	o := Options{
		Clock: b.clock, Keys: testKeys(), Advance: b.clock.Advance,
		Client:  &http.Client{Transport: b.shop},
		APITime: time.Now, CallbackTime: time.Now,
	}
	for _, f := range change {
		f(&o)
	}
	b.Gateway = New(o)
	t.Cleanup(b.Close)
	return b
}

// onClock lets the wire carry the gateway's clock instead of the computer's.
func onClock(o *Options) { o.APITime, o.CallbackTime = nil, nil }

// shop is the receiver of callbacks, without a network in between. It answers
// with the statuses in order and 204 after them; -1 is no answer at all.
type shop struct {
	mu      sync.Mutex
	answers []int
	got     []received
	during  func() // runs while a callback is being received
}

type received struct {
	url    string
	header http.Header
	body   []byte
}

func (s *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if s.during != nil {
		s.during()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, received{r.URL.String(), r.Header.Clone(), body})
	status := http.StatusNoContent
	if len(s.answers) > 0 {
		status, s.answers = s.answers[0], s.answers[1:]
	}
	if status < 0 {
		return nil, fmt.Errorf("no answer in time")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}, nil
}

func (s *shop) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

// read verifies and decrypts a callback with the official SDK.
func (r received) read() (*notify.Request, *payments.Transaction, error) {
	keys := testKeys()
	verifier := verifiers.NewSHA256WithRSACombinedVerifier(
		core.NewCertificateMapWithList(certList(keys)), keys.PublicKeyID, keys.PublicKeyPrivate.PublicKey)
	handler, err := notify.NewRSANotifyHandler(keys.APIv3Key, verifier)
	if err != nil {
		return nil, nil, err
	}
	req := httptest.NewRequest(http.MethodPost, "/notify", bytes.NewReader(r.body))
	req.Header = r.header
	tx := new(payments.Transaction)
	n, err := handler.ParseNotifyRequest(context.Background(), req, tx)
	return n, tx, err
}

func (b *bench) mustRead(r received) (*notify.Request, *payments.Transaction) {
	b.t.Helper()
	n, tx, err := r.read()
	if err != nil {
		b.t.Fatalf("the SDK refuses the callback: %v", err)
	}
	return n, tx
}

// verifiesWith says whether the answer verifies with the SDK, and by which key.
func verifiesWith(h http.Header, body []byte) (serial string, err error) {
	keys := testKeys()
	verifier := verifiers.NewSHA256WithRSACombinedVerifier(
		core.NewCertificateMapWithList(certList(keys)), keys.PublicKeyID, keys.PublicKeyPrivate.PublicKey)
	serial = h.Get("Wechatpay-Serial")
	message := answerMessage(h.Get("Wechatpay-Timestamp"), h.Get("Wechatpay-Nonce"), body)
	return serial, verifier.Verify(context.Background(), serial, message, h.Get("Wechatpay-Signature"))
}

// send signs a request as the merchant and gives it to the handler. A string
// body is sent as it is, anything else as JSON.
func (b *bench) send(method, uri string, body any, change ...func(*http.Request)) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.sendTo(b.Handler(), method, uri, uri, body, change...)
}

func (b *bench) sendTo(h http.Handler, method, target, signed string, body any, change ...func(*http.Request)) *httptest.ResponseRecorder {
	b.t.Helper()
	req := httptest.NewRequest(method, target, bytes.NewReader(encode(b.t, body)))
	req.Header.Set("Authorization", b.authorize(method, signed, encode(b.t, body)))
	for _, f := range change {
		f(req)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

func encode(t testing.TB, body any) []byte {
	t.Helper()
	switch v := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	}
	out, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *bench) authorize(method, uri string, body []byte) string {
	return authorizationFor(b.keys, b.apiTime(), method, uri, body)
}

func authorizationFor(keys *Keys, now time.Time, method, uri string, body []byte) string {
	timestamp, nonce := fmt.Sprint(now.Unix()), rand.Text()
	signature, err := sign(keys.MerchantKey, requestMessage(method, uri, timestamp, nonce, body))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		signatureType, keys.MchID, nonce, timestamp, keys.MerchantSerial, signature)
}

// order is a prepay body that every rule is content with.
func order(no string) map[string]any {
	return map[string]any{
		"appid": testKeys().AppID, "mchid": testKeys().MchID, "description": "沙箱商品", "out_trade_no": no,
		"notify_url": "https://shop.example.test/wx/notify", "attach": "tenant=7&order=1 中文",
		"amount": map[string]any{"total": 888, "currency": "CNY"},
	}
}

// place makes a native trade.
func (b *bench) place(no string) {
	b.t.Helper()
	if rec := b.send("POST", "/v3/pay/transactions/native", order(no)); rec.Code != 200 {
		b.t.Fatalf("prepay %s: %d %s", no, rec.Code, rec.Body)
	}
}

func (b *bench) paid(no string) {
	b.t.Helper()
	b.place(no)
	if err := b.Pay(no); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) query(no string) Transaction {
	b.t.Helper()
	rec := b.send("GET", "/v3/pay/transactions/out-trade-no/"+no+"?mchid="+b.keys.MchID, nil)
	var tx Transaction
	if err := json.Unmarshal(rec.Body.Bytes(), &tx); rec.Code != 200 || err != nil {
		b.t.Fatalf("query: %d %s", rec.Code, rec.Body)
	}
	return tx
}

func (b *bench) arm(op Op, fault Fault, count int, delay ...time.Duration) {
	b.t.Helper()
	if err := b.Arm(op, fault, count, delay...); err != nil {
		b.t.Fatal(err)
	}
}

// code is the error code of an answer, or its status when it has none.
func code(rec *httptest.ResponseRecorder) string {
	var no struct{ Code string }
	_ = json.Unmarshal(rec.Body.Bytes(), &no)
	return fmt.Sprintf("%d %s", rec.Code, no.Code)
}

// elsewhere rewrites scheme and host: all that a shop has to change.
type elsewhere struct{ server *httptest.Server }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", e.server.Listener.Addr().String()
	return e.server.Client().Transport.RoundTrip(r)
}

// sdk is the official client, which trusts whichever platform key is given:
// the serial that it asks to be answered with.
func (b *bench) sdk(serial string) *core.Client {
	b.t.Helper()
	server := httptest.NewServer(b.Handler())
	b.t.Cleanup(server.Close)
	client := option.WithHTTPClient(&http.Client{Transport: elsewhere{server}, Timeout: 30 * time.Second})
	auth := option.WithWechatPayPublicKeyAuthCipher(b.keys.MchID, b.keys.MerchantSerial, b.keys.MerchantKey, b.keys.PublicKeyID, &b.keys.PublicKeyPrivate.PublicKey)
	if serial == b.keys.PlatformSerial {
		auth = option.WithWechatPayAuthCipher(b.keys.MchID, b.keys.MerchantSerial, b.keys.MerchantKey, certList(b.keys))
	}
	c, err := core.NewClient(context.Background(), auth, client)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func mustBase64(t *testing.T, s string) []byte {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func certList(k *Keys) []*x509.Certificate { return []*x509.Certificate{k.PlatformCert} }

func (b *bench) armOn(no string, op Op, fault Fault, count int, delay ...time.Duration) {
	b.t.Helper()
	if err := b.ArmOn(no, op, fault, count, delay...); err != nil {
		b.t.Fatal(err)
	}
}
