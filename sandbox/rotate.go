package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"
)

// RotatedKey is a platform certificate that follows the first one.
type RotatedKey struct {
	Key  *rsa.PrivateKey
	Cert *x509.Certificate
	From time.Time // since when it signs, unless a request names another
}

// rotationNotice is how long a new certificate is listed before it signs.
const rotationNotice = 24 * time.Hour

// maxRotated bounds what the control API can make the gateway remember. A
// real platform rotates once in five years.
const maxRotated = 20

// RotateCertificate makes a new platform certificate. It is listed at once
// and signs when the notice has passed on the gateway's clock: 24 hours is
// what the real platform gives, 0 is at once. The old ones stay listed and go
// on verifying, and a request that names one is answered with it. Store Keys
// afterwards for the certificate to outlive the process.
func (g *Gateway) RotateCertificate(notice time.Duration) (serial string, err error) {
	// Outside of the lock: a key takes a tenth of a second. Go draws it from
	// the system, whatever it is given.
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", fmt.Errorf("generate key: %w", err)
	}
	number, _ := new(big.Int).SetString("5"+g.random.text(39, hexa), 16)
	now := g.now()
	cert, err := newCert(rand.Reader, key, number, now)
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	keys := *g.Keys()
	if len(keys.Rotated) >= maxRotated {
		return "", fmt.Errorf("the platform certificate has been rotated %d times", maxRotated)
	}
	// A new list: those who read the old keys must not see it change.
	keys.Rotated = append(append([]RotatedKey{}, keys.Rotated...), RotatedKey{key, cert, now.Add(max(0, notice))})
	g.keysNow.Store(&keys)
	return serialOf(cert), nil
}

// ActivateCertificate lets the newest certificate sign from now on.
func (g *Gateway) ActivateCertificate() (serial string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	keys := *g.Keys()
	if len(keys.Rotated) == 0 {
		return "", errors.New("there is no certificate but the first")
	}
	keys.Rotated = append([]RotatedKey{}, keys.Rotated...)
	newest := &keys.Rotated[len(keys.Rotated)-1]
	if now := g.now(); newest.From.After(now) {
		newest.From = now
	}
	g.keysNow.Store(&keys)
	return serialOf(newest.Cert), nil
}

// signing is the serial of the certificate that signs at a time.
func (k *Keys) signing(now time.Time) string {
	serial := k.PlatformSerial
	for _, r := range k.Rotated {
		if !r.From.After(now) {
			serial = serialOf(r.Cert)
		}
	}
	return serial
}

// platformKeys are all keys of the platform by their names on the wire.
func (k *Keys) platformKeys() map[string]*rsa.PrivateKey {
	out := map[string]*rsa.PrivateKey{k.PublicKeyID: k.PublicKeyPrivate, k.PlatformSerial: k.PlatformKey}
	for _, r := range k.Rotated {
		out[serialOf(r.Cert)] = r.Key
	}
	return out
}

// platformCerts are the first certificate and those that follow it.
func (k *Keys) platformCerts() []*x509.Certificate {
	out := []*x509.Certificate{k.PlatformCert}
	for _, r := range k.Rotated {
		out = append(out, r.Cert)
	}
	return out
}

// platformKey is the key named by a Wechatpay-Serial header; of a name that
// it does not have, the certificate's that signs now.
func (k *Keys) platformKey(serial string, now time.Time) (string, *rsa.PrivateKey) {
	switch serial {
	case k.PublicKeyID:
		return serial, k.PublicKeyPrivate
	case k.PlatformSerial:
		return serial, k.PlatformKey
	}
	keys := k.platformKeys()
	if key := keys[serial]; key != nil {
		return serial, key
	}
	current := k.signing(now)
	return current, keys[current]
}

// rotatedJSON is a RotatedKey in a file.
type rotatedJSON struct {
	Key  string    `json:"privateKey"`
	Cert string    `json:"certificate"`
	From time.Time `json:"signsFrom"`
}

func rotatedToJSON(keys []RotatedKey) (out []rotatedJSON) {
	for _, r := range keys {
		out = append(out, rotatedJSON{privatePEM(r.Key), certPEM(r.Cert), r.From})
	}
	return out
}

func rotatedFromJSON(in []rotatedJSON) (out []RotatedKey, err error) {
	for _, j := range in {
		key, err := parsePrivate("rotated.privateKey", j.Key)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode([]byte(j.Cert))
		if block == nil {
			return nil, errors.New("rotated.certificate: not PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("rotated.certificate: %w", err)
		}
		out = append(out, RotatedKey{key, cert, j.From})
	}
	return out, nil
}

// rotation is the certificates as the control API shows them.
func (g *Gateway) rotation() map[string]any {
	keys, items := g.Keys(), []map[string]any{}
	for i, cert := range keys.platformCerts() {
		item := map[string]any{"serial": serialOf(cert), "pem": certPEM(cert), "signs": serialOf(cert) == keys.signing(g.now())}
		if i > 0 {
			item["signsFrom"] = keys.Rotated[i-1].From
		}
		items = append(items, item)
	}
	return map[string]any{"items": items}
}

func (g *Gateway) listCertificates(rw http.ResponseWriter, _ *http.Request) {
	reply(rw, http.StatusOK, g.rotation())
}

func (g *Gateway) rotate(rw http.ResponseWriter, r *http.Request) {
	body := struct {
		Notice string `json:"notice"`
	}{rotationNotice.String()}
	if !ask(rw, r, &body) {
		return
	}
	notice, err := time.ParseDuration(body.Notice)
	if err == nil && notice < 0 {
		err = errors.New(`notice must be a duration like "24h"`)
	}
	if err != nil {
		sayNo(rw, http.StatusBadRequest, "validation_failed", err.Error())
		return
	}
	if _, err := g.RotateCertificate(notice); err != nil {
		sayNo(rw, http.StatusConflict, "conflict", err.Error())
		return
	}
	g.listCertificates(rw, r)
}

func (g *Gateway) activate(rw http.ResponseWriter, r *http.Request) {
	if _, err := g.ActivateCertificate(); err != nil {
		sayNo(rw, http.StatusConflict, "conflict", err.Error())
		return
	}
	g.listCertificates(rw, r)
}
