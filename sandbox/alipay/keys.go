package alipay

import (
	"crypto/rsa"
	"encoding/json"
	"errors"

	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
)

// Keys are the secrets of both sides. As JSON they are one object with PEM
// texts.
type Keys struct {
	AppID    string // 2021…, 16 digits
	SellerID string // 2088…, 16 digits: the merchant's account

	AppKey      *rsa.PrivateKey // the shop signs with it
	PlatformKey *rsa.PrivateKey // Alipay signs with it
}

// keysJSON is the shape of Keys in a file.
type keysJSON struct {
	AppID       string `json:"alipayAppId"`
	SellerID    string `json:"alipaySellerId"`
	AppKey      string `json:"alipayAppPrivateKey"`
	PlatformKey string `json:"alipayPrivateKey"`
}

// GenerateKeys makes a new merchant and platform. The names come from the
// source, the RSA keys from the system.
func GenerateKeys(source *random.Source) (Keys, error) {
	k := Keys{AppID: "2021" + source.Text(12, random.Digits), SellerID: "2088" + source.Text(12, random.Digits)}
	err := rsakey.GenerateInto(&k.AppKey, &k.PlatformKey)
	return k, err
}

// Check refuses keys with which the emulator could not work.
func (k Keys) Check() error {
	switch {
	case k.AppID == "" || k.SellerID == "":
		return errors.New("keys: the Alipay app id or seller id is missing")
	case k.AppKey == nil || k.PlatformKey == nil:
		return errors.New("keys: an Alipay key is missing")
	}
	return nil
}

// MarshalJSON writes all keys, the private ones included.
func (k Keys) MarshalJSON() ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(keysJSON{k.AppID, k.SellerID, rsakey.PrivatePEM(k.AppKey), rsakey.PrivatePEM(k.PlatformKey)})
}

// UnmarshalJSON reads what MarshalJSON wrote. Other members are ignored; an
// object with none of these gives the zero Keys.
func (k *Keys) UnmarshalJSON(text []byte) error {
	var j keysJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*k = Keys{}
	if j == (keysJSON{}) {
		return nil
	}
	app, err1 := rsakey.ParsePrivate("alipayAppPrivateKey", j.AppKey)
	platform, err2 := rsakey.ParsePrivate("alipayPrivateKey", j.PlatformKey)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	*k = Keys{AppID: j.AppID, SellerID: j.SellerID, AppKey: app, PlatformKey: platform}
	return k.Check()
}

// Merchant is what a shop must configure to use this gateway.
type Merchant struct {
	AppID            string `json:"appId"`
	SellerID         string `json:"sellerId"`
	AppPrivateKeyPEM string `json:"appPrivateKey"`
	AlipayPublicKey  string `json:"alipayPublicKey"` // PEM
	// GatewayURL is the address of the gateway below the public URL; empty
	// when that is not known.
	GatewayURL string `json:"gatewayUrl,omitempty"`
}

// Merchant is the shop's side of the keys.
func (k Keys) Merchant() Merchant {
	return Merchant{
		AppID: k.AppID, SellerID: k.SellerID,
		AppPrivateKeyPEM: rsakey.PrivatePEM(k.AppKey), AlipayPublicKey: rsakey.PublicPEM(&k.PlatformKey.PublicKey),
	}
}

// Merchant is what a shop must configure to use this emulator.
func (a *Emulator) Merchant() Merchant {
	m := a.keys.Merchant()
	if a.PublicURL != "" {
		m.GatewayURL = a.PublicURL + Path
	}
	return m
}
