package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Keys are all secrets of the sandbox, of both sides: what the one test
// merchant signs with and what the platform signs and encrypts with. They are
// worth nothing outside it. As JSON they are one object with PEM texts.
type Keys struct {
	MchID string // the merchant's number
	AppID string // the app that is bound to it

	MerchantSerial string // of the merchant's API certificate, 40 hex digits
	MerchantKey    *rsa.PrivateKey

	PlatformSerial string // of the platform certificate, 40 hex digits
	PlatformKey    *rsa.PrivateKey
	PlatformCert   *x509.Certificate

	PublicKeyID      string // PUB_KEY_ID_…, the newer way to name the platform's key
	PublicKeyPrivate *rsa.PrivateKey

	APIv3Key string // 32 ASCII bytes: the AES-256 key of callbacks and certificates

	Rotated []RotatedKey // the platform certificates that follow the first, oldest first

	Alipay AlipayKeys // the other protocol's
}

// keyBits is the size that the protocol names in "WECHATPAY2-SHA256-RSA2048".
const keyBits = 2048

// GenerateKeys makes a new merchant and platform; the certificate is valid
// for five years from the day before now. A nil random is crypto/rand. The
// names come from random; Go's crypto packages draw the RSA keys from the
// system whatever random is, so only stored keys repeat.
func GenerateKeys(random io.Reader, now time.Time) (*Keys, error) {
	draw := newRandom(random)
	k := &Keys{
		MchID:          "1900" + draw.text(6, digits),
		AppID:          "wx" + draw.text(16, hexa),
		MerchantSerial: strings.ToUpper("5" + draw.text(39, hexa)),
		PublicKeyID:    "PUB_KEY_ID_01" + draw.text(32, digits),
		APIv3Key:       draw.text(32, alnum),
	}
	for _, into := range []**rsa.PrivateKey{&k.MerchantKey, &k.PlatformKey, &k.PublicKeyPrivate} {
		key, err := rsa.GenerateKey(draw.r, keyBits)
		if err != nil {
			return nil, fmt.Errorf("generate key: %w", err)
		}
		*into = key
	}
	serial, _ := new(big.Int).SetString("5"+draw.text(39, hexa), 16)
	var err error
	if k.PlatformCert, err = newCert(draw.r, k.PlatformKey, serial, now.Add(-24*time.Hour)); err != nil {
		return nil, err
	}
	k.PlatformSerial = serialOf(k.PlatformCert)
	if k.Alipay, err = generateAlipayKeys(draw); err != nil {
		return nil, err
	}
	return k, k.check()
}

// newCert makes a platform certificate, valid for five years and a day.
func newCert(random io.Reader, key *rsa.PrivateKey, serial *big.Int, from time.Time) (*x509.Certificate, error) {
	name := pkix.Name{CommonName: "Sandbox platform certificate", Organization: []string{"Tandem sandbox"}, Country: []string{"CN"}}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      name,
		Issuer:       name,
		NotBefore:    from.UTC(),
		NotAfter:     from.Add(24*time.Hour).AddDate(5, 0, 0).UTC(),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(random, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("create certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return cert, nil
}

// serialOf is what a certificate is called on the wire.
func serialOf(cert *x509.Certificate) string { return fmt.Sprintf("%X", cert.SerialNumber) }

// LoadOrCreateKeys reads the keys from the file at path. When there is none
// it generates them and writes the file, readable by its owner alone; of
// several processes that do so at once, all end up with the same keys.
func LoadOrCreateKeys(path string, random io.Reader, now time.Time) (*Keys, error) {
	keys, err := loadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if keys, err = GenerateKeys(random, now); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(append(text, '\n'))
	if err := errors.Join(err, temp.Close()); err != nil {
		return nil, err
	}
	// A link, unlike a rename, fails when somebody else was first.
	switch err := os.Link(temp.Name(), path); {
	case err == nil:
		return keys, nil
	case errors.Is(err, fs.ErrExist):
		return loadKeys(path)
	default: // a file system without links
		return keys, os.Rename(temp.Name(), path)
	}
}

func loadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys := new(Keys)
	if err := json.Unmarshal(text, keys); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// keysJSON is the shape of Keys in a file.
type keysJSON struct {
	MchID            string `json:"mchId"`
	AppID            string `json:"appId"`
	APIv3Key         string `json:"apiV3Key"`
	MerchantSerial   string `json:"merchantSerial"`
	MerchantKey      string `json:"merchantPrivateKey"`
	PlatformKey      string `json:"platformPrivateKey"`
	PlatformCert     string `json:"platformCertificate"`
	PublicKeyID      string `json:"publicKeyId"`
	PublicKeyPrivate string `json:"publicKeyPrivateKey"`

	Rotated []rotatedJSON `json:"rotated,omitempty"` // absent in what older versions stored

	alipayKeysJSON // all absent in what older versions stored
}

// MarshalJSON writes all keys, the private ones included.
func (k *Keys) MarshalJSON() ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	return json.Marshal(keysJSON{
		Rotated: rotatedToJSON(k.Rotated),
		MchID:   k.MchID, AppID: k.AppID, APIv3Key: k.APIv3Key,
		MerchantSerial: k.MerchantSerial, MerchantKey: privatePEM(k.MerchantKey),
		PlatformKey: privatePEM(k.PlatformKey), PlatformCert: certPEM(k.PlatformCert),
		PublicKeyID: k.PublicKeyID, PublicKeyPrivate: privatePEM(k.PublicKeyPrivate), alipayKeysJSON: k.Alipay.json(),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, in this version or in one that
// knew no Alipay: such keys gain the Alipay half, always the same.
func (k *Keys) UnmarshalJSON(text []byte) error {
	var j keysJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	merchant, err1 := parsePrivate("merchantPrivateKey", j.MerchantKey)
	platform, err2 := parsePrivate("platformPrivateKey", j.PlatformKey)
	public, err3 := parsePrivate("publicKeyPrivateKey", j.PublicKeyPrivate)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	block, _ := pem.Decode([]byte(j.PlatformCert))
	if block == nil {
		return errors.New("platformCertificate: not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("platformCertificate: %w", err)
	}
	*k = Keys{
		MchID: j.MchID, AppID: j.AppID, APIv3Key: j.APIv3Key,
		MerchantSerial: j.MerchantSerial, MerchantKey: merchant,
		PlatformSerial: fmt.Sprintf("%X", cert.SerialNumber), PlatformKey: platform, PlatformCert: cert,
		PublicKeyID: j.PublicKeyID, PublicKeyPrivate: public,
	}
	if k.Rotated, err = rotatedFromJSON(j.Rotated); err != nil {
		return err
	}
	if j.alipayKeysJSON == (alipayKeysJSON{}) {
		k.Alipay = inheritAlipayKeys(k)
	} else if k.Alipay, err = j.alipayKeysJSON.keys(); err != nil {
		return err
	}
	return k.check()
}

// check refuses keys with which the gateway could not work.
func (k *Keys) check() error {
	switch {
	case k.MchID == "" || k.AppID == "" || k.MerchantSerial == "" || k.PlatformSerial == "" || k.PublicKeyID == "":
		return errors.New("keys: a name or serial is missing")
	case len(k.APIv3Key) != 32:
		return errors.New("keys: the APIv3 key must have 32 bytes")
	case k.MerchantKey == nil || k.PlatformKey == nil || k.PublicKeyPrivate == nil || k.PlatformCert == nil:
		return errors.New("keys: a key or the certificate is missing")
	case !k.PlatformKey.PublicKey.Equal(k.PlatformCert.PublicKey):
		return errors.New("keys: the platform certificate is not that of the platform key")
	}
	for _, r := range k.Rotated {
		if r.Key == nil || r.Cert == nil || !r.Key.PublicKey.Equal(r.Cert.PublicKey) {
			return errors.New("keys: a platform certificate that follows is not that of its key")
		}
	}
	return k.Alipay.check()
}

func newRandom(r io.Reader) *random {
	if r == nil {
		r = rand.Reader
	}
	return &random{r: r}
}

func parsePrivate(name, text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("%s: not PEM", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("%s: not an RSA key", name)
}

// privatePEM cannot fail for an RSA key.
func privatePEM(key *rsa.PrivateKey) string {
	der, _ := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(key *rsa.PublicKey) string {
	der, _ := x509.MarshalPKIXPublicKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func certPEM(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}
