package wechatpay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/fault"
)

func pemOf(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestConfigValidate(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curveDER, err := x509.MarshalPKCS8PrivateKey(curve)
	curvePrivate := pemOf(t, "PRIVATE KEY", curveDER, err)
	curveDER, err = x509.MarshalPKIXPublicKey(&curve.PublicKey)
	curvePublic := pemOf(t, "PUBLIC KEY", curveDER, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	smallDER, err := x509.MarshalPKIXPublicKey(&small.PublicKey)
	smallPublic := pemOf(t, "PUBLIC KEY", smallDER, err)
	smallPrivate := pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small), nil)
	merchantKey, err := privateKey(testConfig(t).MerchantPrivateKey)
	if err != nil {
		t.Fatal(err)
	}

	for _, row := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"as it should be", func(*Config) {}, nil},
		{"a base URL", func(c *Config) { c.BaseURL = "http://127.0.0.1:8080/" }, nil},
		{"PKCS #1 private key", func(c *Config) {
			c.MerchantPrivateKey = pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(merchantKey), nil)
		}, nil},
		{"PKCS #1 public key", func(c *Config) {
			block, _ := pem.Decode([]byte(c.PlatformKeys[0].PEM))
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			c.PlatformKeys[0].PEM = pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(key.(*rsa.PublicKey)), nil)
		}, nil},
		{"keys with written line ends", func(c *Config) {
			c.MerchantPrivateKey = strings.ReplaceAll(c.MerchantPrivateKey, "\n", `\n`)
			c.PlatformKeys[0].PEM = strings.ReplaceAll(c.PlatformKeys[0].PEM, "\n", `\r\n`)
		}, nil},
		{"the merchant's own key", func(c *Config) {
			c.PlatformKeys[0].PEM = pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&merchantKey.PublicKey), nil)
		}, []string{"/platformKeys/0/pem"}},
		{"a public key without the prefix of its id", func(c *Config) {
			c.PlatformKeys[0].Serial = strings.TrimPrefix(c.PlatformKeys[0].Serial, "PUB_KEY_ID_")
		}, []string{"/platformKeys/0/serial"}},
		{"base URL without encryption", func(c *Config) { c.BaseURL = "http://api.mch.weixin.qq.com" }, []string{"/baseUrl"}},
		{"nothing", func(c *Config) { *c = Config{} },
			[]string{"/mchId", "/appId", "/merchantSerial", "/merchantPrivateKey", "/apiV3Key", "/platformKeys"}},
		{"mchId of words", func(c *Config) { c.MchID = "19000x2345" }, []string{"/mchId"}},
		{"appId of an app store", func(c *Config) { c.AppID = "com.example" }, []string{"/appId"}},
		{"serial not hexadecimal", func(c *Config) { c.MerchantSerial = "serial, please" }, []string{"/merchantSerial"}},
		{"private key not PEM", func(c *Config) { c.MerchantPrivateKey = "MIIE" }, []string{"/merchantPrivateKey"}},
		{"private key of rubbish", func(c *Config) { c.MerchantPrivateKey = pemOf(t, "PRIVATE KEY", []byte("x"), nil) }, []string{"/merchantPrivateKey"}},
		{"private key on a curve", func(c *Config) { c.MerchantPrivateKey = curvePrivate }, []string{"/merchantPrivateKey"}},
		{"private key too small", func(c *Config) { c.MerchantPrivateKey = smallPrivate }, []string{"/merchantPrivateKey"}},
		{"public instead of private", func(c *Config) { c.MerchantPrivateKey = c.PlatformKeys[0].PEM }, []string{"/merchantPrivateKey"}},
		{"APIv3 key of 31 bytes", func(c *Config) { c.APIv3Key = c.APIv3Key[1:] }, []string{"/apiV3Key"}},
		{"APIv3 key of 33 bytes", func(c *Config) { c.APIv3Key += "x" }, []string{"/apiV3Key"}},
		{"APIv3 key of 32 characters", func(c *Config) { c.APIv3Key = strings.Repeat("é", 32) }, []string{"/apiV3Key"}},
		{"no platform keys", func(c *Config) { c.PlatformKeys = nil }, []string{"/platformKeys"}},
		{"too many platform keys", func(c *Config) {
			for i := range maxConfigured {
				c.PlatformKeys = append(c.PlatformKeys, PlatformKey{Serial: fmt.Sprintf("PUB_KEY_ID_%d", i), PEM: c.PlatformKeys[0].PEM})
			}
		}, []string{"/platformKeys"}},
		{"platform key not PEM", func(c *Config) { c.PlatformKeys[1].PEM = "x" }, []string{"/platformKeys/1/pem"}},
		{"platform key of rubbish", func(c *Config) { c.PlatformKeys[1].PEM = pemOf(t, "PUBLIC KEY", []byte("x"), nil) }, []string{"/platformKeys/1/pem"}},
		{"certificate of rubbish", func(c *Config) { c.PlatformKeys[1].PEM = pemOf(t, "CERTIFICATE", []byte("x"), nil) }, []string{"/platformKeys/1/pem"}},
		{"certificate of another serial", func(c *Config) { c.PlatformKeys[1].Serial = "00112233445566778899" }, []string{"/platformKeys/1/pem"}},
		{"platform key on a curve", func(c *Config) { c.PlatformKeys[0].PEM = curvePublic }, []string{"/platformKeys/0/pem"}},
		{"platform key too small", func(c *Config) { c.PlatformKeys[0].PEM = smallPublic }, []string{"/platformKeys/0/pem"}},
		{"no serial", func(c *Config) { c.PlatformKeys[0].Serial = "" }, []string{"/platformKeys/0/serial"}},
		{"one serial twice", func(c *Config) { c.PlatformKeys[1] = c.PlatformKeys[0] }, []string{"/platformKeys/1/serial"}},
		{"base URL of a file", func(c *Config) { c.BaseURL = "file:///etc/passwd" }, []string{"/baseUrl"}},
		{"base URL without scheme", func(c *Config) { c.BaseURL = "api.example.test" }, []string{"/baseUrl"}},
		{"base URL without host", func(c *Config) { c.BaseURL = "https://" }, []string{"/baseUrl"}},
		{"base URL with a path", func(c *Config) { c.BaseURL = "https://example.test/wx" }, []string{"/baseUrl"}},
		{"base URL with a query", func(c *Config) { c.BaseURL = "https://example.test?a=1" }, []string{"/baseUrl"}},
		{"base URL with a user", func(c *Config) { c.BaseURL = "https://me:pw@example.test" }, []string{"/baseUrl"}},
		{"base URL of rubbish", func(c *Config) { c.BaseURL = "http://[::1" }, []string{"/baseUrl"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := testConfig(t)
			row.change(&c)
			err := c.Validate()
			if row.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.ValidationFailed {
				t.Fatalf("got %v", err)
			}
			var got []string
			for _, field := range f.Fields {
				got = append(got, field.Pointer)
			}
			slices.Sort(got)
			slices.Sort(row.want)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if _, err := New(c, Options{}); !fault.Is(err, fault.ValidationFailed) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

func TestConfigJSON(t *testing.T) {
	const text = `{"mchId":"m","appId":"a","merchantSerial":"s","merchantPrivateKey":"k","apiV3Key":"v",` +
		`"platformKeys":[{"serial":"p","pem":"q"}],"baseUrl":"http://b"}`
	var c Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(c); err != nil || string(got) != text {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	c := testConfig(t)
	masked := c.Masked()
	if masked.MerchantPrivateKey != settings.Mask || masked.APIv3Key != settings.Mask || masked.MchID != c.MchID {
		t.Errorf("masked is %s", masked)
	}
	if diff := cmp.Diff(c.PlatformKeys, masked.PlatformKeys); diff != "" {
		t.Error(diff) // these are public
	}
	if empty := (Config{}).Masked(); empty.APIv3Key != "" || empty.MerchantPrivateKey != "" {
		t.Error("the mask hides that there is nothing")
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "channel", c)
	if strings.Contains(log.String(), apiV3Key) {
		t.Errorf("slog prints secrets: %s", log.String())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, text := range []string{fmt.Sprintf(verb, c), fmt.Sprintf(verb, &c)} {
			if strings.Contains(text, apiV3Key) || strings.Contains(text, "BEGIN") {
				t.Errorf("%s prints secrets: %s", verb, text)
			}
		}
	}
}
