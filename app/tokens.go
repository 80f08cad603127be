package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Tokens makes and checks client tokens: a browser's leave to read, pay,
// cancel and listen to one order. A token is its own proof (an HMAC over the
// shop and the order number), so none is stored; it works as long as the
// order exists.
type Tokens struct{ key []byte }

// NewTokens takes a secret of 32 bytes or more, the same on all instances.
func NewTokens(key []byte) *Tokens { return &Tokens{key: key} }

const clientPrefix = "ct_"

// Issue makes the token of an order.
func (t *Tokens) Issue(shop, orderNo string) string {
	body := shop + "/" + orderNo
	mac := t.mac(body)
	return clientPrefix + base64.RawURLEncoding.EncodeToString(append([]byte(body), mac...))
}

// Check returns whose token it is; ok is false for anything we did not issue.
func (t *Tokens) Check(token string) (shop, orderNo string, ok bool) {
	raw, found := strings.CutPrefix(token, clientPrefix)
	if !found || len(token) > 256 {
		return "", "", false
	}
	b, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil || len(b) <= tokenMAC {
		return "", "", false
	}
	body, mac := string(b[:len(b)-tokenMAC]), b[len(b)-tokenMAC:]
	if !hmac.Equal(mac, t.mac(body)) {
		return "", "", false
	}
	shop, orderNo, ok = strings.Cut(body, "/")
	return shop, orderNo, ok
}

const tokenMAC = 16

func (t *Tokens) mac(body string) []byte {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte("client-token\x00" + body))
	return h.Sum(nil)[:tokenMAC]
}
