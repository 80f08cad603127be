package wechatpay

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

const signatureType = "WECHATPAY2-SHA256-RSA2048"

// authorization is the Authorization header of a request.
type authorization struct {
	mchID, nonce, timestamp, serial, signature string
}

// parseAuthorization reads the header. The five parts come in any order, each
// once; other parts are ignored.
func parseAuthorization(header string) (authorization, error) {
	var a authorization
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != signatureType {
		return a, errors.New("the scheme is not " + signatureType)
	}
	into := map[string]*string{
		"mchid": &a.mchID, "nonce_str": &a.nonce, "timestamp": &a.timestamp, "serial_no": &a.serial, "signature": &a.signature,
	}
	seen := map[string]bool{}
	for rest = strings.TrimSpace(rest); rest != ""; {
		name, after, ok := strings.Cut(rest, `="`)
		if !ok {
			return a, errors.New(`a part is not of the form name="value"`)
		}
		value, tail, ok := strings.Cut(after, `"`)
		if !ok {
			return a, errors.New("a value is not closed by a quotation mark")
		}
		name = strings.TrimSpace(name)
		if seen[name] {
			return a, fmt.Errorf("%q comes twice", name)
		}
		seen[name] = true
		if p := into[name]; p != nil {
			*p = value
		}
		if tail = strings.TrimSpace(tail); tail == "" {
			break
		}
		if rest, ok = strings.CutPrefix(tail, ","); !ok {
			return a, errors.New("the parts are not separated by commas")
		}
		rest = strings.TrimSpace(rest)
	}
	for _, name := range []string{"mchid", "nonce_str", "timestamp", "serial_no", "signature"} {
		if *into[name] == "" {
			return a, fmt.Errorf("%s is missing", name)
		}
	}
	return a, nil
}

// requestMessage is what the merchant signs: five lines, each ended.
func requestMessage(method, uri, timestamp, nonce string, body []byte) string {
	return method + "\n" + uri + "\n" + timestamp + "\n" + nonce + "\n" + string(body) + "\n"
}

// authenticate checks who sent the request. The order of the checks is the
// order in which a developer would look for the mistake.
func (w *Emulator) authenticate(r *http.Request, body []byte) *refusal {
	wrong := func(field, issue string) *refusal {
		return &refusal{status: http.StatusUnauthorized, code: "SIGN_ERROR", message: "签名错误: " + issue,
			detail: &detail{Field: field, Issue: issue, Location: "authorization"}}
	}
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return wrong("Authorization", err.Error())
	}
	keys := w.Keys()
	if a.mchID != keys.MchID {
		return wrong("mchid", "unknown mchid")
	}
	if a.serial != keys.MerchantSerial {
		return wrong("serial_no", "this merchant has no certificate with that serial_no")
	}
	seconds, err := strconv.ParseInt(a.timestamp, 10, 64)
	if err != nil {
		return wrong("timestamp", "the timestamp is not a number of seconds")
	}
	if off := w.APITime().Sub(time.Unix(seconds, 0)); off > clockTolerance || off < -clockTolerance {
		return wrong("timestamp", "the timestamp is more than 5 minutes away from the gateway's time")
	}
	message := requestMessage(r.Method, signedURI(r), a.timestamp, a.nonce, body)
	signature, err := base64.StdEncoding.DecodeString(a.signature)
	if err != nil {
		return wrong("signature", "the signature is not base64")
	}
	if rsakey.Verify(&keys.MerchantKey.PublicKey, message, signature) != nil {
		no := wrong("signature", "the signature does not match")
		// What the gateway expected to be signed ends most searches at once.
		no.detail.Expected = &expectedSign{Method: r.Method, URL: signedURI(r), Message: wire.Clip(message, 300), Length: len(message)}
		return no
	}
	return nil
}

// signedURI is path and query as the merchant signed them: raw, and without
// the prefix under which the gateway is mounted. http.StripPrefix takes it
// from URL alone, and URL has lost how the path was escaped.
func signedURI(r *http.Request) string {
	path, query, has := strings.Cut(r.RequestURI, "?")
	if i := strings.LastIndex(path, "/v3/"); i > 0 {
		path = path[i:]
	}
	if has {
		path += "?" + query
	}
	return path
}

// sign sets the signature headers over the body, which may have blanks in
// front, or what the fault makes of them.
func sign(
	h http.Header, serial string, key *rsa.PrivateKey, now time.Time, nonce string, blanks int, body []byte, forged faults.Fault,
) error {
	if forged == faults.Unsigned {
		return nil
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	sum := sha256.New() // of the three lines, piece by piece: the body may be huge
	_, _ = io.WriteString(sum, timestamp+"\n"+nonce+"\n")
	_ = wire.WriteBlanks(sum, blanks)
	_, _ = sum.Write(body)
	_, _ = io.WriteString(sum, "\n")
	if forged == faults.CorruptSignature {
		_, _ = io.WriteString(sum, "forged")
	}
	signature, err := rsakey.SignSum(key, sum.Sum(nil))
	if err != nil {
		return err
	}
	if forged == faults.SigntestSignature || forged == faults.SigntestProbe {
		signature = "WECHATPAY/SIGNTEST/" + signature
	}
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature", signature)
	h.Set("Wechatpay-Signature-Type", signatureType)
	return nil
}
