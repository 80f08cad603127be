package wechatpay

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/sandbox/rsakey"
)

// RotationNotice is how long the real platform lists a new certificate before
// it signs.
const RotationNotice = 24 * time.Hour

// maxRotated bounds what the control API can make the gateway remember. The
// real platform rotates once in five years.
const maxRotated = 20

// Keys are the keys in use, with the certificates that came by
// RotateCertificate. They are to be read only, and can be stored.
func (w *Emulator) Keys() *Keys { return w.keys.Load() }

// RotateCertificate makes a new platform certificate. It is listed at once
// and signs when the notice has passed on the gateway's clock; 0 is at once.
// The old ones stay listed and go on verifying, and a request that names one
// is answered with it. Store Keys afterwards for the certificate to outlive
// the process.
func (w *Emulator) RotateCertificate(notice time.Duration) (serial string, err error) {
	w.rotating.Lock()
	defer w.rotating.Unlock()
	keys := *w.Keys()
	if len(keys.Rotated) >= maxRotated {
		return "", fmt.Errorf("the platform certificate has been rotated %d times", maxRotated)
	}
	key, err := rsakey.Generate()
	if err != nil {
		return "", err
	}
	now := w.Book.Now()
	cert, err := newCert(w.Random, key, now)
	if err != nil {
		return "", err
	}
	// A new list: those who read the old keys must not see it change.
	keys.Rotated = append(append([]RotatedKey{}, keys.Rotated...), RotatedKey{key, cert, now.Add(max(0, notice))})
	w.keys.Store(&keys)
	return serialOf(cert), nil
}

// ActivateCertificate lets the newest certificate sign from now on.
func (w *Emulator) ActivateCertificate() (serial string, err error) {
	w.rotating.Lock()
	defer w.rotating.Unlock()
	keys := *w.Keys()
	if len(keys.Rotated) == 0 {
		return "", errors.New("there is no certificate but the first")
	}
	keys.Rotated = append([]RotatedKey{}, keys.Rotated...)
	newest := &keys.Rotated[len(keys.Rotated)-1]
	if now := w.Book.Now(); newest.From.After(now) {
		newest.From = now
	}
	w.keys.Store(&keys)
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

// Certificate is a platform certificate as the control API shows it.
type Certificate struct {
	Serial    string    `json:"serial"`
	PEM       string    `json:"pem"`
	Signs     bool      `json:"signs"`
	SignsFrom time.Time `json:"signsFrom,omitzero"` // absent for the first
}

// Certificates are the platform's certificates, the first one and those that
// follow it.
func (w *Emulator) Certificates() []Certificate {
	keys, items := w.Keys(), []Certificate{}
	signing := keys.signing(w.Book.Now())
	for i, cert := range keys.platformCerts() {
		item := Certificate{Serial: serialOf(cert), PEM: rsakey.CertificatePEM(cert), Signs: serialOf(cert) == signing}
		if i > 0 {
			item.SignsFrom = keys.Rotated[i-1].From
		}
		items = append(items, item)
	}
	return items
}
