package alipay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestConfigValidate(t *testing.T) {
	bytesOf := must[[]byte](t)
	curve := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	small := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	app := testKey(t, "alipay_app")
	platform := &testKey(t, "alipay_platform").PublicKey
	pkcs1, pkcs8 := x509.MarshalPKCS1PrivateKey(app), bytesOf(x509.MarshalPKCS8PrivateKey(app))
	pkix := bytesOf(x509.MarshalPKIXPublicKey(platform))
	cert := bytesOf(x509.CreateCertificate(rand.Reader, certificate(), certificate(), platform, testKey(t, "alipay_platform")))
	bare := base64.StdEncoding.EncodeToString

	for _, row := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"as it should be", func(*Config) {}, nil},
		{"no seller", func(c *Config) { c.SellerID = "" }, nil},
		{"a gateway", func(c *Config) { c.GatewayURL = "http://127.0.0.1:8080/sandbox/gateway.do" }, nil},
		{"PKCS #1 in PEM", func(c *Config) { c.AppPrivateKey = pemOf("RSA PRIVATE KEY", pkcs1) }, nil},
		{"PKCS #8 in PEM", func(c *Config) { c.AppPrivateKey = pemOf("PRIVATE KEY", pkcs8) }, nil},
		{"PKCS #1 bare", func(c *Config) { c.AppPrivateKey = bare(pkcs1) }, nil},
		{"PKCS #8 bare, in lines", func(c *Config) { c.AppPrivateKey = " " + bare(pkcs8)[:64] + "\r\n" + bare(pkcs8)[64:] + "\n" }, nil},
		{"public key bare", func(c *Config) { c.AlipayPublicKey = bare(pkix) }, nil},
		{"public key of PKCS #1", func(c *Config) { c.AlipayPublicKey = bare(x509.MarshalPKCS1PublicKey(platform)) }, nil},
		{"nothing", func(c *Config) { *c = Config{} }, []string{"/appId", "/appPrivateKey", "/alipayPublicKey"}},
		{"everything wrong", func(c *Config) { *c = Config{"x", "x", "x", "x", "x"} },
			[]string{"/appId", "/sellerId", "/appPrivateKey", "/alipayPublicKey", "/gatewayUrl"}},
		{"appId of words", func(c *Config) { c.AppID = "wx8888aaaa9999bbbb" }, []string{"/appId"}},
		{"sellerId of an app", func(c *Config) { c.SellerID = "2021000000000001" }, []string{"/sellerId"}},
		{"sellerId of an e-mail address", func(c *Config) { c.SellerID = "seller@example.test" }, []string{"/sellerId"}},
		{"private key of rubbish", func(c *Config) { c.AppPrivateKey = bare([]byte("rubbish")) }, []string{"/appPrivateKey"}},
		{"private key on a curve", func(c *Config) { c.AppPrivateKey = bare(bytesOf(x509.MarshalPKCS8PrivateKey(curve))) }, []string{"/appPrivateKey"}},
		{"private key too small", func(c *Config) { c.AppPrivateKey = bare(x509.MarshalPKCS1PrivateKey(small)) }, []string{"/appPrivateKey"}},
		{"public instead of private", func(c *Config) { c.AppPrivateKey = c.AlipayPublicKey }, []string{"/appPrivateKey"}},
		{"public key of rubbish", func(c *Config) { c.AlipayPublicKey = bare([]byte("rubbish")) }, []string{"/alipayPublicKey"}},
		{"public key on a curve", func(c *Config) { c.AlipayPublicKey = bare(bytesOf(x509.MarshalPKIXPublicKey(&curve.PublicKey))) }, []string{"/alipayPublicKey"}},
		{"public key too small", func(c *Config) { c.AlipayPublicKey = bare(x509.MarshalPKCS1PublicKey(&small.PublicKey)) }, []string{"/alipayPublicKey"}},
		{"our own public key", func(c *Config) { c.AlipayPublicKey = bare(bytesOf(x509.MarshalPKIXPublicKey(&app.PublicKey))) }, []string{"/alipayPublicKey"}},
		{"a certificate", func(c *Config) { c.AlipayPublicKey = pemOf("CERTIFICATE", cert) }, []string{"/alipayPublicKey"}},
		{"gateway of a file", func(c *Config) { c.GatewayURL = "file:///etc/passwd" }, []string{"/gatewayUrl"}},
		{"gateway without scheme", func(c *Config) { c.GatewayURL = "openapi.alipay.com/gateway.do" }, []string{"/gatewayUrl"}},
		{"gateway without host", func(c *Config) { c.GatewayURL = "https:///gateway.do" }, []string{"/gatewayUrl"}},
		{"gateway with a query", func(c *Config) { c.GatewayURL = "https://example.test/gateway.do?a=1" }, []string{"/gatewayUrl"}},
		{"gateway with a user", func(c *Config) { c.GatewayURL = "https://me:pw@example.test/gateway.do" }, []string{"/gatewayUrl"}},
		{"gateway without a path", func(c *Config) { c.GatewayURL = "https://openapi.alipay.com" }, []string{"/gatewayUrl"}},
		{"gateway without encryption", func(c *Config) { c.GatewayURL = "http://openapi.alipay.com/gateway.do" }, []string{"/gatewayUrl"}},
		{"keys with written line ends", func(c *Config) {
			c.AppPrivateKey = strings.ReplaceAll(pemOf("PRIVATE KEY", pkcs8), "\n", `\n`)
			c.AlipayPublicKey = strings.ReplaceAll(pemOf("PUBLIC KEY", pkix), "\n", `\n`)
		}, nil},
		{"gateway of rubbish", func(c *Config) { c.GatewayURL = "http://[::1" }, []string{"/gatewayUrl"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := testConfig(t)
			row.change(&c)
			err := c.Validate()
			if row.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				// Whatever the keys are written in, they are the same keys.
				n, err := channelOf(t, c, Options{}).Read(vectorTime, nil, notification(testKey(t, "alipay_platform"), nil))
				if err != nil || n.PaymentNo != "PAY00000001" {
					t.Errorf("read %+v, %v", n, err)
				}
				a, err := channelOf(t, c, Options{}).Prepay(t.Context(), prepayRequest(payment.Page))
				if want := c.GatewayURL; err != nil || !strings.HasPrefix(a.URL, want) {
					t.Errorf("%q, %v", a.URL, err)
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
				if field.Message == "" {
					t.Errorf("%s: no message", field.Pointer)
				}
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

func certificate() *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Alipay"}}
}

func TestDefaultGateway(t *testing.T) {
	if got := testChannel(t, Options{}).gateway.String(); got != "https://openapi.alipay.com/gateway.do" {
		t.Error(got)
	}
}

func TestConfigJSON(t *testing.T) {
	const text = `{"appId":"a","sellerId":"s","appPrivateKey":"k","alipayPublicKey":"p","gatewayUrl":"http://b"}`
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
	if masked.AppPrivateKey != settings.Mask || masked.AppID != c.AppID || masked.AlipayPublicKey != c.AlipayPublicKey {
		t.Errorf("masked is %s", masked)
	}
	if empty := (Config{}).Masked(); empty.AppPrivateKey != "" {
		t.Error("the mask hides that there is nothing")
	}
	secret := strings.Split(c.AppPrivateKey, "\n")[1]
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "channel", c)
	if strings.Contains(log.String(), secret) {
		t.Errorf("slog prints secrets: %s", log.String())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, text := range []string{fmt.Sprintf(verb, c), fmt.Sprintf(verb, &c)} {
			if strings.Contains(text, secret) || strings.Contains(text, "BEGIN") {
				t.Errorf("%s prints secrets: %s", verb, text)
			}
		}
	}
	c.AppPrivateKey = c.AppPrivateKey[:200]
	if err := c.Validate(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("the error prints secrets: %v", err)
	}
}
