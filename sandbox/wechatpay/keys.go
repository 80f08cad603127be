package wechatpay

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
)

// Keys are the secrets of both sides: what the one merchant signs with and
// what the platform signs and encrypts with. As JSON they are one object with
// PEM texts.
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
}

// RotatedKey is a platform certificate that follows the first one.
type RotatedKey struct {
	Key  *rsa.PrivateKey
	Cert *x509.Certificate
	From time.Time // since when it signs, unless a request names another
}

// GenerateKeys makes a new merchant and platform; the certificate is valid
// for five years from the day before now. The names come from the source, the
// RSA keys from the system.
func GenerateKeys(source *random.Source, now time.Time) (*Keys, error) {
	k := &Keys{
		MchID:          "1900" + source.Text(6, random.Digits),
		AppID:          "wx" + source.Text(16, random.Hex),
		MerchantSerial: strings.ToUpper("5" + source.Text(39, random.Hex)),
		PublicKeyID:    "PUB_KEY_ID_01" + source.Text(32, random.Digits),
		APIv3Key:       source.Text(32, random.Alnum),
	}
	if err := rsakey.GenerateInto(&k.MerchantKey, &k.PlatformKey, &k.PublicKeyPrivate); err != nil {
		return nil, err
	}
	var err error
	if k.PlatformCert, err = newCert(source, k.PlatformKey, now.Add(-24*time.Hour)); err != nil {
		return nil, err
	}
	k.PlatformSerial = serialOf(k.PlatformCert)
	return k, k.Check()
}

// newCert makes a platform certificate, valid for five years and a day.
func newCert(source *random.Source, key *rsa.PrivateKey, from time.Time) (*x509.Certificate, error) {
	serial, _ := new(big.Int).SetString("5"+source.Text(39, random.Hex), 16)
	name := pkix.Name{CommonName: "Sandbox platform certificate", Organization: []string{"Tandem sandbox"}, Country: []string{"CN"}}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      name,
		Issuer:       name,
		NotBefore:    from.UTC(),
		NotAfter:     from.Add(24*time.Hour).AddDate(5, 0, 0).UTC(),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("create certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return cert, nil
}

// serialOf is the name of a certificate on the wire.
func serialOf(cert *x509.Certificate) string { return fmt.Sprintf("%X", cert.SerialNumber) }

// Check refuses keys with which the emulator could not work.
func (k *Keys) Check() error {
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
	return nil
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
}

type rotatedJSON struct {
	Key  string    `json:"privateKey"`
	Cert string    `json:"certificate"`
	From time.Time `json:"signsFrom"`
}

// MarshalJSON writes all keys, the private ones included.
func (k *Keys) MarshalJSON() ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	j := keysJSON{
		MchID: k.MchID, AppID: k.AppID, APIv3Key: k.APIv3Key,
		MerchantSerial: k.MerchantSerial, MerchantKey: rsakey.PrivatePEM(k.MerchantKey),
		PlatformKey: rsakey.PrivatePEM(k.PlatformKey), PlatformCert: rsakey.CertificatePEM(k.PlatformCert),
		PublicKeyID: k.PublicKeyID, PublicKeyPrivate: rsakey.PrivatePEM(k.PublicKeyPrivate),
	}
	for _, r := range k.Rotated {
		j.Rotated = append(j.Rotated, rotatedJSON{rsakey.PrivatePEM(r.Key), rsakey.CertificatePEM(r.Cert), r.From})
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote. Other members are ignored.
func (k *Keys) UnmarshalJSON(text []byte) error {
	var j keysJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	merchant, err1 := rsakey.ParsePrivate("merchantPrivateKey", j.MerchantKey)
	platform, err2 := rsakey.ParsePrivate("platformPrivateKey", j.PlatformKey)
	public, err3 := rsakey.ParsePrivate("publicKeyPrivateKey", j.PublicKeyPrivate)
	cert, err4 := rsakey.ParseCertificate("platformCertificate", j.PlatformCert)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	*k = Keys{
		MchID: j.MchID, AppID: j.AppID, APIv3Key: j.APIv3Key,
		MerchantSerial: j.MerchantSerial, MerchantKey: merchant,
		PlatformSerial: serialOf(cert), PlatformKey: platform, PlatformCert: cert,
		PublicKeyID: j.PublicKeyID, PublicKeyPrivate: public,
	}
	for _, r := range j.Rotated {
		key, err1 := rsakey.ParsePrivate("rotated.privateKey", r.Key)
		cert, err2 := rsakey.ParseCertificate("rotated.certificate", r.Cert)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		k.Rotated = append(k.Rotated, RotatedKey{key, cert, r.From})
	}
	return k.Check()
}

// Merchant is what a shop must configure to use this gateway.
type Merchant struct {
	MchID                 string        `json:"mchId"`
	AppID                 string        `json:"appId"`
	MerchantSerial        string        `json:"merchantSerial"`
	MerchantPrivateKeyPEM string        `json:"merchantPrivateKey"`
	APIv3Key              string        `json:"apiV3Key"`
	PlatformKeys          []PlatformKey `json:"platformKeys"`
}

// PlatformKey verifies what the platform signs: a certificate under its
// serial, or a public key under its id.
type PlatformKey struct {
	Serial string `json:"serial"`
	PEM    string `json:"pem"`
}

// Merchant is the shop's side of the keys. Its first platform key is the
// certificate, its second the public key, then come the certificates that
// follow the first; a shop should hold them all.
func (k *Keys) Merchant() Merchant {
	m := Merchant{
		MchID: k.MchID, AppID: k.AppID, APIv3Key: k.APIv3Key,
		MerchantSerial: k.MerchantSerial, MerchantPrivateKeyPEM: rsakey.PrivatePEM(k.MerchantKey),
		PlatformKeys: []PlatformKey{
			{Serial: k.PlatformSerial, PEM: rsakey.CertificatePEM(k.PlatformCert)},
			{Serial: k.PublicKeyID, PEM: rsakey.PublicPEM(&k.PublicKeyPrivate.PublicKey)},
		},
	}
	for _, r := range k.Rotated {
		m.PlatformKeys = append(m.PlatformKeys, PlatformKey{Serial: serialOf(r.Cert), PEM: rsakey.CertificatePEM(r.Cert)})
	}
	return m
}
