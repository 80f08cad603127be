package alipay

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/tandem-pay/tandem/sandbox/rsakey"
)

// testdata/signing.json was made without Go.
type Vectors struct {
	Request struct {
		Params       params
		StringToSign string `json:"string_to_sign"`
		Sign         string
	}
	Response struct {
		Raw          string
		StringToSign string `json:"string_to_sign"`
	}
	Notification struct {
		Body         string
		StringToSign string `json:"string_to_sign"`
		Fields       params
	}
}

func ReadVectors(t *testing.T) (v Vectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/signing.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The same texts and keys give the same signatures as openssl's, of requests,
// answers and notifications.
func TestSigningVectors(t *testing.T) {
	v, keys := ReadVectors(t), testKeys(t)
	p := params{"empty": "", "sign": "is not signed"}
	for name, value := range v.Request.Params {
		p[name] = value
	}
	if got := p.message("sign"); got != v.Request.StringToSign {
		t.Errorf("request: %q", got)
	}
	if got, err := rsakey.Sign(keys.AppKey, p.message("sign")); err != nil || got != v.Request.Sign {
		t.Errorf("request: signature differs, %v", err)
	}

	node, err := encodeNode(struct {
		head
		OutTradeNo string `json:"out_trade_no"`
		QRCode     string `json:"qr_code"`
	}{ok, "DEMOALI3050", "https://qr.alipay.com/bax00022tldi82dwzbvp6013"})
	if err != nil || string(node) != v.Response.StringToSign {
		t.Errorf("node: %s %v", node, err)
	}
	raw, err := envelope("alipay_trade_precreate_response", node, keys.PlatformKey, "")
	if err != nil || string(raw) != v.Response.Raw {
		t.Errorf("answer: %s %v", raw, err)
	}

	sent, no := mergeParams(v.Notification.Body)
	if no != nil {
		t.Fatal(no)
	}
	want := sent["sign"]
	if got := sent.message("sign", "sign_type"); got != v.Notification.StringToSign {
		t.Errorf("notification: %q", got)
	}
	delete(sent, "sign")
	delete(sent, "sign_type")
	if err := sent.sign(keys.PlatformKey, ""); err != nil || sent["sign"] != want || sent["sign_type"] != "RSA2" {
		t.Errorf("notification: signature differs, %v", err)
	}
	if again, no := mergeParams(sent.encode()); no != nil || again["passback_params"] != v.Notification.Fields["passback_params"] {
		t.Errorf("notification: decoded to %v", again)
	}
}

// testKeys are the keys of both sides with which the vectors were signed.
func testKeys(t testing.TB) Keys {
	t.Helper()
	text, err := os.ReadFile("../sandboxtest/testdata/alipay_keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var keys Keys
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}
