package wechatpay

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

// Vector is one entry of testdata/signing.json, which was made without Go.
type Vector struct {
	Message       string
	Signature     string
	Authorization string
	Headers       map[string]string
}

func ReadVectors(t *testing.T) map[string]Vector {
	t.Helper()
	text, err := os.ReadFile("testdata/signing.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]Vector
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The same message and key give the same signature as openssl's.
func TestSigningVectors(t *testing.T) {
	for name, v := range ReadVectors(t) {
		if strings.HasPrefix(name, "request") {
			lines := strings.SplitN(v.Message, "\n", 5)
			body := []byte(strings.TrimSuffix(lines[4], "\n"))
			if got := requestMessage(lines[0], lines[1], lines[2], lines[3], body); got != v.Message {
				t.Errorf("%s: message %q", name, got)
			}
			if got, err := rsakey.Sign(testKeys(t).MerchantKey, v.Message); err != nil || got != v.Signature {
				t.Errorf("%s: signature differs: %v", name, err)
			}
			if err := rsakey.Verify(&testKeys(t).MerchantKey.PublicKey, v.Message, decode(t, v.Signature)); err != nil {
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
		serial, key := testKeys(t).platformKey(v.Headers["Wechatpay-Serial"], time.Now())
		err = sign(h, serial, key, time.Unix(seconds, 0), v.Headers["Wechatpay-Nonce"], 0, []byte(strings.TrimSuffix(body, "\n")), "")
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
	for _, m := range methods {
		f.Add(m.name, []byte(`{"appid":"wx1","mchid":"1900012345","description":"x","out_trade_no":"FUZZED01","notify_url":"https://shop.example.test/n","attach":"a 中文","amount":{"total":888,"currency":"CNY"}}`))
	}
	f.Add("jsapi", []byte(`{"payer":{"openid":"o"},"amount":{"total":1e2}}`))
	f.Add("h5", []byte(`{"scene_info":null,"amount":[]}`))
	f.Fuzz(func(t *testing.T, method string, body []byte) {
		for _, m := range methods {
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

func TestEncryptIsWhatTheSDKDecrypts(t *testing.T) {
	sealed, err := encrypt(testKeys(t).APIv3Key, "rIQuLqmmzdon", "transaction", []byte("明文"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := base64.StdEncoding.DecodeString(sealed); err != nil {
		t.Error(err)
	}
	plain, err := utils.DecryptAES256GCM(testKeys(t).APIv3Key, "transaction", "rIQuLqmmzdon", sealed)
	if err != nil || plain != "明文" {
		t.Errorf("%q %v", plain, err)
	}
}

// testKeys are the keys with which the vectors were signed.
func testKeys(t *testing.T) *Keys {
	t.Helper()
	text, err := os.ReadFile("../sandboxtest/testdata/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	keys := new(Keys)
	if err := json.Unmarshal(text, keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
