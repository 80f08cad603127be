package wechatpay

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
)

// scheme is the one signature scheme of API v3.
const scheme = "WECHATPAY2-SHA256-RSA2048"

// merchant is who signs our side.
type merchant struct {
	mchID, appID, serial string
	key                  *rsa.PrivateKey
}

// sign is RSASSA-PKCS1-v1_5 over SHA-256, in base64.
func (m *merchant) sign(message string) (string, error) {
	sum := sha256.Sum256([]byte(message))
	sig, err := rsa.SignPKCS1v15(nil, m.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// jsapiParams are what a page inside WeChat hands to the payment bridge.
func (m *merchant) jsapiParams(now time.Time, nonce, prepayID string) (map[string]string, error) {
	ts, pkg := unix(now), fmt.Sprintf(jsapiPackage, prepayID)
	sig, err := m.sign(m.appID + "\n" + ts + "\n" + nonce + "\n" + pkg + "\n")
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"appId": m.appID, "timeStamp": ts, "nonceStr": nonce,
		"package": pkg, "signType": "RSA", "paySign": sig,
	}, nil
}

// appParams are what an app hands to the WeChat SDK.
func (m *merchant) appParams(now time.Time, nonce, prepayID string) (map[string]string, error) {
	ts := unix(now)
	sig, err := m.sign(m.appID + "\n" + ts + "\n" + nonce + "\n" + prepayID + "\n")
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"appid": m.appID, "partnerid": m.mchID, "prepayid": prepayID,
		"package": appPackage, "noncestr": nonce, "timestamp": ts, "sign": sig,
	}, nil
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// credential signs requests by an injected clock. The SDK's own credential
// reads the wall clock and cannot be replaced, so the transport uses this one
// and overwrites what the SDK wrote.
type credential struct {
	merchant merchant
	now      func() time.Time
	nonce    func() string
}

var _ auth.Credential = (*credential)(nil)

// GenerateAuthorizationHeader makes the Authorization header of one request.
func (c *credential) GenerateAuthorizationHeader(_ context.Context, method, canonicalURL, signBody string) (string, error) {
	ts, nonce := unix(c.now()), c.nonce()
	sig, err := c.merchant.sign(method + "\n" + canonicalURL + "\n" + ts + "\n" + nonce + "\n" + signBody + "\n")
	if err != nil {
		return "", err
	}
	return scheme + ` mchid="` + c.merchant.mchID + `",nonce_str="` + nonce + `",timestamp="` + ts +
		`",serial_no="` + c.merchant.serial + `",signature="` + sig + `"`, nil
}

// deferred is the signer that the SDK insists on. It saves an RSA signature
// that the transport would throw away; were it ever sent, WeChat Pay would
// refuse it.
type deferred struct{}

var _ auth.Signer = deferred{}

func (deferred) Sign(context.Context, string) (*auth.SignatureResult, error) {
	return &auth.SignatureResult{Signature: "deferred"}, nil
}

func (deferred) Algorithm() string { return "SHA256-RSA2048" }
