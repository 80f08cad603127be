package wechatpay

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"

	"github.com/tandem-pay/tandem/payment"
)

// The headers that WeChat Pay signs with, in canonical form.
const (
	headerTimestamp = "Wechatpay-Timestamp"
	headerNonce     = "Wechatpay-Nonce"
	headerSignature = "Wechatpay-Signature"
	headerSerial    = "Wechatpay-Serial"
	headerType      = "Wechatpay-Signature-Type"
)

// verify checks that WeChat Pay sent these bytes within five minutes of now.
// The rule is the same for answers and callbacks. The cheap checks come first:
// a flood of junk costs no RSA.
func (k *keyring) verify(now time.Time, h http.Header, body []byte) error {
	ts, ok1 := single(h, headerTimestamp)
	nonce, ok2 := single(h, headerNonce)
	signature, ok3 := single(h, headerSignature)
	serial, ok4 := single(h, headerSerial)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return refused(payment.StageTimestamp, "a signature header is missing, empty or given twice")
	}
	seconds, err := strconv.ParseUint(ts, 10, 63)
	if err != nil {
		return refused(payment.StageTimestamp, "the timestamp is not a number of seconds")
	}
	if age := now.Unix() - int64(seconds); age > int64(freshness/time.Second) || -age > int64(freshness/time.Second) {
		return refused(payment.StageTimestamp, "the timestamp is more than 5 minutes away from now")
	}
	key, known := k.find(serial, now)
	if !known {
		return refused(payment.StageSerial, "no platform key with this serial is held, or it has expired")
	}
	if kind := h[headerType]; len(kind) > 1 || len(kind) == 1 && kind[0] != scheme {
		return refused(payment.StageSignature, "the signature type is not "+scheme)
	}
	// Of a size that fits the key, or it need not be decoded. WeChat's probes
	// ("WECHATPAY/SIGNTEST/…") end here or at the next check.
	var room [1024]byte
	if base64.StdEncoding.DecodedLen(len(signature)) > len(room) {
		return refused(payment.StageSignature, "the signature is too long")
	}
	n, err := base64.StdEncoding.Decode(room[:], []byte(signature))
	if err != nil {
		return refused(payment.StageSignature, "the signature is not base64")
	}
	message := make([]byte, 0, len(ts)+len(nonce)+len(body)+3)
	message = append(append(message, ts...), '\n')
	message = append(append(message, nonce...), '\n')
	message = append(append(message, body...), '\n')
	sum := sha256.Sum256(message)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], room[:n]) != nil {
		return refused(payment.StageSignature, "the signature does not verify")
	}
	return nil
}

// single returns the value of a header that is there once and says something.
// It looks the name up as it stands; net/http gives headers in this form. A
// line break could shift text between nonce and body without changing what is
// signed; HTTP has none in headers, and neither do we.
func single(h http.Header, name string) (string, bool) {
	values := h[name]
	if len(values) != 1 || values[0] == "" || strings.IndexByte(values[0], '\n') >= 0 {
		return "", false
	}
	return values[0], true
}

func refused(stage payment.Stage, reason string) error {
	return &payment.RefusedError{Stage: stage, Reason: reason}
}

// validator lets the SDK accept only answers that verify, by our clock.
type validator struct {
	keys *keyring
	now  func() time.Time
	// renew fetches the certificates that it has now.
	renew func(context.Context) error
	// accept is the key that answers shall be signed with; "" leaves it to
	// the keyring.
	accept string
}

var _ auth.Validator = (*validator)(nil)

// Validate checks the signature of an answer and leaves its body readable. An
// answer of a certificate that is not held yet is checked again with those
// that WeChat Pay lists now.
func (v *validator) Validate(ctx context.Context, response *http.Response) error {
	body, err := readBack(response)
	if err != nil {
		return err
	}
	err = v.keys.verify(v.now(), response.Header, body)
	var r *payment.RefusedError
	if v.keys.renewable && errors.As(err, &r) && r.Stage == payment.StageSerial && v.renew(ctx) == nil {
		err = v.keys.verify(v.now(), response.Header, body)
	}
	return err
}

// GetAcceptSerial is the key that answers shall be signed with.
func (v *validator) GetAcceptSerial(context.Context) (string, error) {
	if v.accept != "" {
		return v.accept, nil
	}
	serial, _ := v.keys.accepted(v.now())
	return serial, nil
}

// readBack is the body of an answer, which can be read again afterwards. The
// transport has it in memory already, and bounded.
func readBack(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
