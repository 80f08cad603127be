// Package rsakey makes, stores and uses RSA keys as both protocols want them:
// 2048 bits, PKCS#8 in PEM, PKCS #1 v1.5 signatures of SHA-256.
package rsakey

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// bits is the size that the protocols name: "WECHATPAY2-SHA256-RSA2048", RSA2.
const bits = 2048

// Generate makes a key. Its randomness is always the system's: Go takes no
// other, so that only stored keys can be the same in two runs.
func Generate() (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return key, nil
}

// GenerateInto makes a key for each of the variables.
func GenerateInto(keys ...**rsa.PrivateKey) error {
	for _, key := range keys {
		var err error
		if *key, err = Generate(); err != nil {
			return err
		}
	}
	return nil
}

// ParsePrivate reads what PrivatePEM wrote. The name is that of the setting,
// for the error.
func ParsePrivate(name, text string) (*rsa.PrivateKey, error) {
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

// ParseCertificate reads what CertificatePEM wrote. The name is that of the
// setting, for the error.
func ParseCertificate(name, text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New(name + ": not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return cert, nil
}

// PrivatePEM writes the key as PKCS#8, which cannot fail for an RSA key.
func PrivatePEM(key *rsa.PrivateKey) string {
	der, _ := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// PublicPEM writes the key as PKIX, which cannot fail for an RSA key.
func PublicPEM(key *rsa.PublicKey) string {
	der, _ := x509.MarshalPKIXPublicKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// CertificatePEM writes the certificate.
func CertificatePEM(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// Sign signs the message, as base64.
func Sign(key *rsa.PrivateKey, message string) (string, error) {
	sum := sha256.Sum256([]byte(message))
	return SignSum(key, sum[:])
}

// SignSum is Sign for the SHA-256 of a message that is too large to hold.
func SignSum(key *rsa.PrivateKey, sum []byte) (string, error) {
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum)
	return base64.StdEncoding.EncodeToString(signature), err
}

// Verify checks a signature.
func Verify(key *rsa.PublicKey, message string, signature []byte) error {
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
}
