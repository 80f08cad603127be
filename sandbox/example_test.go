package sandbox_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// A shop's own test: the gateway stands where the real one would, the clock
// stands still, and nothing happens that the test does not ask for.
func Example() {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("callback, signed:", r.Header.Get("Wechatpay-Signature") != "")
		w.WriteHeader(http.StatusServiceUnavailable) // so it will be sent again
	}))
	defer shop.Close()

	still := clock.NewManual(time.Now())
	keys, err := sandbox.LoadOrCreateKeys("sandboxtest/testdata/keys.json", nil, still.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	gateway := sandbox.New(sandbox.Options{Clock: still, Keys: keys})
	defer gateway.Close()
	server := httptest.NewServer(gateway.Handler()) // the shop's base URL
	defer server.Close()

	prepay(server.URL, gateway.Keys().WechatPay.Merchant(), "EXAMPLE001", shop.URL+"/notify")
	fmt.Println("paid:", gateway.Pay("EXAMPLE001"))
	gateway.DeliverDue(context.Background())

	still.Advance(15 * time.Second)
	gateway.DeliverDue(context.Background())

	trade, err := gateway.Trade("EXAMPLE001")
	fmt.Println(trade.State, trade.Callbacks[0].Tries, err)
	// Output:
	// prepay: 200
	// paid: <nil>
	// callback, signed: true
	// callback, signed: true
	// paid 2 <nil>
}

// prepay is what the shop's payment library does.
func prepay(base string, m wechatpay.Merchant, no, notifyURL string) {
	const path = "/v3/pay/transactions/native"
	body := fmt.Sprintf(`{"appid":%q,"mchid":%q,"description":"tea","out_trade_no":%q,"notify_url":%q,"amount":{"total":888}}`,
		m.AppID, m.MchID, no, notifyURL)
	timestamp, nonce := fmt.Sprint(time.Now().Unix()), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
	block, _ := pem.Decode([]byte(m.MerchantPrivateKeyPEM))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := sha256.Sum256([]byte("POST\n" + path + "\n" + timestamp + "\n" + nonce + "\n" + body + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		m.MchID, nonce, timestamp, m.MerchantSerial, base64.StdEncoding.EncodeToString(signature)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println("prepay:", res.StatusCode)
}
