// Package seal encrypts secrets at rest: AES-256-GCM under a master key that
// lives outside the database. What is sealed for one place (shop and name)
// does not open in another.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// Box seals and opens. It is safe for use by many at once.
type Box struct {
	aead   cipher.AEAD
	master []byte
	rand   io.Reader
}

// New makes a box from a master key of KeySize bytes.
func New(master []byte, rand io.Reader) (*Box, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("the master key has %d bytes, not %d", len(master), KeySize)
	}
	b := &Box{master: master, rand: rand}
	key, err := b.Derive("settings")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	b.aead, err = cipher.NewGCM(block)
	return b, err
}

// ParseKey reads a master key: 32 bytes in base64 (any flavour), spaces and
// newlines around it ignored.
func ParseKey(s string) ([]byte, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	key, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || len(key) != KeySize {
		return nil, errors.New("a master key is 32 random bytes in base64; `openssl rand -base64 32` makes one")
	}
	return key, nil
}

// Derive makes another key of 32 bytes from the master key, for a purpose.
func (b *Box) Derive(purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, b.master, nil, "tandem/"+purpose, KeySize)
}

// Seal encrypts for a place.
func (b *Box) Seal(plain []byte, place string) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := io.ReadFull(b.rand, nonce); err != nil {
		return nil, fmt.Errorf("nonce: %w", err)
	}
	return b.aead.Seal(nonce, nonce, plain, []byte(place)), nil
}

// ErrWrongKey means that the sealed bytes were not made with this master key
// for this place, or were changed.
var ErrWrongKey = errors.New("the secret does not open: it was sealed under another master key or has been changed")

// Open decrypts what was sealed for the place.
func (b *Box) Open(sealed []byte, place string) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrWrongKey
	}
	plain, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(place))
	if err != nil {
		return nil, ErrWrongKey
	}
	return plain, nil
}
