package sandbox

import (
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
)

// AlipayKeys are the Alipay half of Keys.
type AlipayKeys struct {
	AppID    string // 2021…, 16 digits
	SellerID string // 2088…, 16 digits: the merchant's account

	AppKey      *rsa.PrivateKey // the shop signs with it
	PlatformKey *rsa.PrivateKey // Alipay signs with it
}

// alipayKeysJSON is the shape of AlipayKeys in a file.
type alipayKeysJSON struct {
	AlipayAppID       string `json:"alipayAppId"`
	AlipaySellerID    string `json:"alipaySellerId"`
	AlipayAppKey      string `json:"alipayAppPrivateKey"`
	AlipayPlatformKey string `json:"alipayPrivateKey"`
}

func generateAlipayKeys(draw *random) (AlipayKeys, error) {
	k := AlipayKeys{AppID: "2021" + draw.text(12, digits), SellerID: "2088" + draw.text(12, digits)}
	for _, into := range []**rsa.PrivateKey{&k.AppKey, &k.PlatformKey} {
		key, err := rsa.GenerateKey(draw.r, keyBits)
		if err != nil {
			return k, fmt.Errorf("generate key: %w", err)
		}
		*into = key
	}
	return k, nil
}

// inheritAlipayKeys makes the Alipay half of keys that were stored before
// there was one. It follows from the other half alone, so that every process
// that reads the same text comes to the same keys and nothing has to be
// written: the names are a hash, and the two sides share the other half's RSA
// keys. What is signed never looks alike in the two protocols.
func inheritAlipayKeys(k *Keys) AlipayKeys {
	number := func(of string) string {
		sum := sha256.Sum256([]byte("alipay " + of + " " + k.MchID + " " + k.APIv3Key))
		text := make([]byte, 12)
		for i := range text {
			text[i] = '0' + sum[i]%10
		}
		return string(text)
	}
	return AlipayKeys{
		AppID: "2021" + number("app"), SellerID: "2088" + number("seller"),
		AppKey: k.MerchantKey, PlatformKey: k.PublicKeyPrivate,
	}
}

func (k AlipayKeys) json() alipayKeysJSON {
	return alipayKeysJSON{k.AppID, k.SellerID, privatePEM(k.AppKey), privatePEM(k.PlatformKey)}
}

func (j alipayKeysJSON) keys() (AlipayKeys, error) {
	app, err1 := parsePrivate("alipayAppPrivateKey", j.AlipayAppKey)
	platform, err2 := parsePrivate("alipayPrivateKey", j.AlipayPlatformKey)
	return AlipayKeys{AppID: j.AlipayAppID, SellerID: j.AlipaySellerID, AppKey: app, PlatformKey: platform}, errors.Join(err1, err2)
}

func (k AlipayKeys) check() error {
	switch {
	case k.AppID == "" || k.SellerID == "":
		return errors.New("keys: the Alipay app id or seller id is missing")
	case k.AppKey == nil || k.PlatformKey == nil:
		return errors.New("keys: an Alipay key is missing")
	}
	return nil
}

// AlipayMerchant is what a shop must configure to use the Alipay half.
type AlipayMerchant struct {
	AppID            string `json:"appId"`
	SellerID         string `json:"sellerId"`
	AppPrivateKeyPEM string `json:"appPrivateKey"`
	AlipayPublicKey  string `json:"alipayPublicKey"` // PEM
	// GatewayURL is the gateway's address below Options.PublicURL; empty when
	// that is not set.
	GatewayURL string `json:"gatewayUrl,omitempty"`
}

// AlipayMerchant is the one Alipay merchant that the gateway knows.
func (g *Gateway) AlipayMerchant() AlipayMerchant {
	m := g.keys.AlipayMerchant()
	if g.publicURL != "" {
		m.GatewayURL = g.publicURL + alipayPath
	}
	return m
}

// AlipayMerchant is the shop's side of the Alipay keys.
func (k *Keys) AlipayMerchant() AlipayMerchant {
	return AlipayMerchant{
		AppID: k.Alipay.AppID, SellerID: k.Alipay.SellerID,
		AppPrivateKeyPEM: privatePEM(k.Alipay.AppKey), AlipayPublicKey: publicPEM(&k.Alipay.PlatformKey.PublicKey),
	}
}
