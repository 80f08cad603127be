package alipay

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"

	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/fault"
)

// Config is a merchant's app at Alipay, as the operators give it.
type Config struct {
	AppID string `json:"appId" doc:"16 to 32 digits"`
	// SellerID is the account that money must be paid to (2088…). Without it
	// the seller is not compared: Alipay signs notifications with a key of the
	// app's own, and the app is compared always. Payments that were opened
	// with it stay bound to it, so give it from the start or never.
	SellerID        string `json:"sellerId,omitempty" doc:"the account that receives the money, 2088…"`
	AppPrivateKey   string `json:"appPrivateKey" doc:"PEM or bare base64, PKCS #1 or #8" secret:"true"`
	AlipayPublicKey string `json:"alipayPublicKey" doc:"PEM or bare base64; Alipay's, not the app's own"`
	// GatewayURL is where the gateway is; empty is Alipay itself.
	GatewayURL string `json:"gatewayUrl,omitempty" doc:"Alipay itself when absent"`
}

// DefaultGatewayURL is Alipay itself.
const DefaultGatewayURL = "https://openapi.alipay.com/gateway.do"

// Masked is the configuration with its secrets hidden, for reading.
func (c Config) Masked() Config { return settings.Masked(c) }

// String hides the secrets from whoever prints a Config.
func (c Config) String() string {
	return fmt.Sprintf("alipay(appId=%s sellerId=%s)", c.AppID, c.SellerID)
}

// GoString hides the secrets from %#v.
func (c Config) GoString() string { return c.String() }

// LogValue hides the secrets from slog. JSON has them: that is how a
// configuration is stored.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Validate says what is wrong with the configuration: a *fault.Error of code
// validation_failed that names every field at fault, never its content.
func (c Config) Validate() error {
	_, err := c.parse()
	return err
}

var (
	appIDShape  = regexp.MustCompile(`^[0-9]{16,32}$`)
	sellerShape = regexp.MustCompile(`^2088[0-9]{12}$`)
)

// parsed is a Config made ready for use. The keys are in the forms that the
// library reads.
type parsed struct {
	private, public string
	platform        *rsa.PublicKey
	gateway         *url.URL
}

func (c Config) parse() (*parsed, error) {
	var p parsed
	var bad []fault.Field
	wrong := func(pointer, message string) {
		bad = append(bad, fault.Field{Pointer: pointer, Message: message})
	}
	if !appIDShape.MatchString(c.AppID) {
		wrong("/appId", "must be 16 to 32 digits")
	}
	if c.SellerID != "" && !sellerShape.MatchString(c.SellerID) {
		wrong("/sellerId", "must be 2088 followed by 12 digits")
	}
	private, err := privateKey(c.AppPrivateKey)
	if err != nil {
		wrong("/appPrivateKey", err.Error())
	} else {
		p.private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}))
	}
	if p.platform, err = publicKey(c.AlipayPublicKey); err != nil {
		wrong("/alipayPublicKey", err.Error())
	} else if private != nil && p.platform.Equal(&private.PublicKey) {
		// The classic mistake: the console shows both.
		wrong("/alipayPublicKey", "is the public half of appPrivateKey; give Alipay's own public key")
	} else if der, err := x509.MarshalPKIXPublicKey(p.platform); err != nil {
		wrong("/alipayPublicKey", "is not a public key that can be used")
	} else {
		p.public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	if p.gateway, err = gatewayURL(c.GatewayURL); err != nil {
		wrong("/gatewayUrl", err.Error())
	}
	if len(bad) > 0 {
		e := fault.New(fault.ValidationFailed, "%s: %s", bad[0].Pointer, bad[0].Message)
		e.Fields = bad
		return nil, e
	}
	return &p, nil
}

func gatewayURL(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultGatewayURL
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("must be an http or https URL")
	}
	if !settings.Encrypted(u) {
		return nil, errors.New("must be an https URL")
	}
	if strings.Trim(u.Path, "/") == "" {
		return nil, errors.New("must have a path, as in " + DefaultGatewayURL)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil {
		return nil, errors.New("must have no query, fragment or user")
	}
	return u, nil
}

// minBits is the size of RSA2 keys; smaller ones are a mistake.
const minBits = 2048

// der is the content of a key in PEM or, as Alipay's own tools write it, in
// bare base64.
func der(text string) ([]byte, bool) {
	text = strings.TrimSpace(settings.PEM(text))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, true
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	return b, err == nil && len(b) > 0
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	b, ok := der(text)
	if !ok {
		return nil, errors.New("must be a private key in PEM or base64")
	}
	if key, err := x509.ParsePKCS1PrivateKey(b); err == nil {
		return key, sized(key.N.BitLen())
	}
	read, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil {
		return nil, errors.New("is not a private key that can be read")
	}
	key, ok := read.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("must be an RSA key")
	}
	return key, sized(key.N.BitLen())
}

func publicKey(text string) (*rsa.PublicKey, error) {
	b, ok := der(text)
	if !ok {
		return nil, errors.New("must be a public key in PEM or base64")
	}
	var read any
	if key, err := x509.ParsePKIXPublicKey(b); err == nil {
		read = key
	} else if key, err := x509.ParsePKCS1PublicKey(b); err == nil {
		read = key
	} else if _, err := x509.ParseCertificate(b); err == nil {
		return nil, errors.New("is a certificate; public-key mode needs Alipay's public key")
	} else {
		return nil, errors.New("is not a public key that can be read")
	}
	key, ok := read.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("must be an RSA key")
	}
	return key, sized(key.N.BitLen())
}

func sized(bits int) error {
	if bits < minBits {
		return fmt.Errorf("must have at least %d bits", minBits)
	}
	return nil
}
