package wechatpay

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
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

// Config is a merchant at WeChat Pay, as the operators give it.
type Config struct {
	MchID              string `json:"mchId" doc:"the merchant's number"`
	AppID              string `json:"appId" doc:"wx…"`
	MerchantSerial     string `json:"merchantSerial" doc:"of the merchant's API certificate"`
	MerchantPrivateKey string `json:"merchantPrivateKey" doc:"PEM, PKCS #8 or #1" secret:"true"`
	APIv3Key           string `json:"apiV3Key" doc:"32 bytes" secret:"true"`
	// PlatformKeys verify what WeChat Pay says: platform certificates, WeChat
	// Pay public keys, or both while a merchant moves from one to the other.
	// Requests ask for answers that are signed with the first; callbacks may use any.
	PlatformKeys []PlatformKey `json:"platformKeys" doc:"that verify what WeChat Pay sends; answers are to be signed with the first"`
	// BaseURL is where the API is; empty is WeChat Pay itself.
	BaseURL string `json:"baseUrl,omitempty" doc:"of the API; WeChat Pay itself when absent"`
}

// PlatformKey is one key of WeChat Pay's.
type PlatformKey struct {
	Serial string `json:"serial" doc:"the certificate's serial, or PUB_KEY_ID_…"`
	PEM    string `json:"pem" doc:"a certificate or a public key"`
}

// DefaultBaseURL is WeChat Pay itself.
const DefaultBaseURL = "https://api.mch.weixin.qq.com"

// maxConfigured bounds Config.PlatformKeys; a merchant has two.
const maxConfigured = maxKeys / 2

// Masked is the configuration with its secrets hidden, for reading.
func (c Config) Masked() Config { return settings.Masked(c) }

// String hides the secrets from whoever prints a Config.
func (c Config) String() string {
	return fmt.Sprintf("wechatpay(mchId=%s appId=%s)", c.MchID, c.AppID)
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
	mchIDShape  = regexp.MustCompile(`^[0-9]{6,32}$`)
	appIDShape  = regexp.MustCompile(`^wx[0-9A-Za-z]{1,30}$`)
	hexShape    = regexp.MustCompile(`^[0-9A-Fa-f]{8,64}$`)
	serialShape = regexp.MustCompile(`^[0-9A-Za-z_]{8,64}$`)
)

// parsed is a Config made ready for use.
type parsed struct {
	merchant merchant
	keys     *keyring
	aead     cipher.AEAD
	base     *url.URL
}

func (c Config) parse() (*parsed, error) {
	var p parsed
	var bad []fault.Field
	wrong := func(pointer, message string) {
		bad = append(bad, fault.Field{Pointer: pointer, Message: message})
	}
	if !mchIDShape.MatchString(c.MchID) {
		wrong("/mchId", "must be 6 to 32 digits")
	}
	if !appIDShape.MatchString(c.AppID) {
		wrong("/appId", "must be wx followed by letters and digits, 32 at most")
	}
	if !hexShape.MatchString(c.MerchantSerial) {
		wrong("/merchantSerial", "must be the serial of the merchant's API certificate, in hexadecimal")
	}
	key, err := privateKey(c.MerchantPrivateKey)
	if err != nil {
		wrong("/merchantPrivateKey", err.Error())
	}
	p.merchant = merchant{mchID: c.MchID, appID: c.AppID, serial: c.MerchantSerial, key: key}
	if p.aead, err = contentCipher(c.APIv3Key); err != nil {
		wrong("/apiV3Key", err.Error())
	}
	held, accept := make(map[string]heldKey, len(c.PlatformKeys)), ""
	if len(c.PlatformKeys) == 0 {
		wrong("/platformKeys", "give at least one platform certificate or WeChat Pay public key")
	} else if len(c.PlatformKeys) > maxConfigured {
		wrong("/platformKeys", fmt.Sprintf("give at most %d", maxConfigured))
	}
	for i, k := range c.PlatformKeys {
		at := fmt.Sprintf("/platformKeys/%d", i)
		if !serialShape.MatchString(k.Serial) {
			wrong(at+"/serial", "must be a certificate serial or a public key id (PUB_KEY_ID_…)")
		} else if _, twice := held[k.Serial]; twice {
			wrong(at+"/serial", "is given twice")
		}
		pub, err := publicKey(k.Serial, k.PEM)
		if err != nil {
			wrong(at+"/pem", err.Error())
		} else if key != nil && pub.pub.Equal(&key.PublicKey) {
			wrong(at+"/pem", "is the merchant's own; give the platform certificate or the public key of WeChat Pay")
		} else if !pub.cert && serialShape.MatchString(k.Serial) && !strings.HasPrefix(k.Serial, "PUB_KEY_ID_") {
			wrong(at+"/serial", "of a public key must begin with PUB_KEY_ID_")
		}
		held[k.Serial] = pub
		if i == 0 {
			accept = k.Serial
		}
	}
	p.keys = newKeyring(held, accept)
	if p.base, err = baseURL(c.BaseURL); err != nil {
		wrong("/baseUrl", err.Error())
	}
	if len(bad) > 0 {
		e := fault.New(fault.ValidationFailed, "%s: %s", bad[0].Pointer, bad[0].Message)
		e.Fields = bad
		return nil, e
	}
	return &p, nil
}

// contentCipher is the cipher of callbacks' contents.
func contentCipher(key string) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, errors.New("must be exactly 32 bytes")
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func baseURL(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultBaseURL
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("must be an http or https URL")
	}
	if !settings.Encrypted(u) {
		return nil, errors.New("must be an https URL")
	}
	// A path in front of /v3 would not be what the signature covers.
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil {
		return nil, errors.New("must be scheme and host alone, without path, query or user")
	}
	return u, nil
}

// minBits is the size of WeChat Pay's keys; smaller ones are a mistake.
const minBits = 2048

func privateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(settings.PEM(text)))
	if block == nil {
		return nil, errors.New("must be a private key in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, sized(key.N.BitLen())
	}
	read, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("is not a private key that can be read")
	}
	key, ok := read.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("must be an RSA key")
	}
	return key, sized(key.N.BitLen())
}

// publicKey reads a certificate or a public key. A certificate must have the
// serial that it is given with, or no message would ever find it.
func publicKey(serial, text string) (heldKey, error) {
	block, _ := pem.Decode([]byte(settings.PEM(text)))
	if block == nil {
		return heldKey{}, errors.New("must be a certificate or a public key in PEM")
	}
	var read any
	var held heldKey
	if block.Type == "CERTIFICATE" {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return heldKey{}, errors.New("is not a certificate that can be read")
		}
		has := fmt.Sprintf("%X", cert.SerialNumber)
		if strings.TrimLeft(serial, "0") != has {
			return heldKey{}, fmt.Errorf("is the certificate with serial %s, not %s", has, serial)
		}
		read, held.cert, held.until = cert.PublicKey, true, cert.NotAfter
	} else if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		read = key
	} else if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		read = key
	} else {
		return heldKey{}, errors.New("is not a public key that can be read")
	}
	key, ok := read.(*rsa.PublicKey)
	if !ok {
		return heldKey{}, errors.New("must be an RSA key")
	}
	held.pub = key
	return held, sized(key.N.BitLen())
}

func sized(bits int) error {
	if bits < minBits {
		return fmt.Errorf("must have at least %d bits", minBits)
	}
	return nil
}
