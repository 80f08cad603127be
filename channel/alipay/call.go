package alipay

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/payment"
)

// maxAnswer bounds the body of an answer; Alipay's are below 64 KiB.
const maxAnswer = 1 << 20

// product is our User-Agent.
const product = "Tandem/1"

var errTooLong = errors.New("the answer is longer than 1 MiB")

// values are the parameters of a request, stamped by our clock and signed.
func (c *Channel) values(param sdk.Param) (url.Values, error) {
	biz, err := json.Marshal(param)
	if err != nil {
		return nil, err
	}
	v := url.Values{
		"app_id": {c.appID}, "method": {param.APIName()}, "format": {"JSON"}, "charset": {"utf-8"}, "sign_type": {"RSA2"},
		"timestamp": {c.now().In(chinaTime).Format(timeLayout)}, "version": {"1.0"}, "biz_content": {string(biz)},
	}
	for name, value := range param.Params() {
		if value != "" {
			v.Set(name, value)
		}
	}
	sig, err := c.sign(v)
	if err != nil {
		return nil, err
	}
	v.Set("sign", sig)
	return v, nil
}

// sign is RSA2 over the parameters, in base64. None may be empty.
func (c *Channel) sign(v url.Values) (string, error) {
	sig, err := c.sdk.SignValues(v)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// call calls the gateway and reads its answer, if it is signed and says
// success, into out.
func (c *Channel) call(ctx context.Context, param sdk.Param, out any) error {
	v, err := c.values(param)
	if err != nil {
		return unknown(errors.New("the request could not be signed"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.gateway.String(), strings.NewReader(v.Encode()))
	if err != nil {
		return unknown(cause(err))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", product)
	resp, err := c.client.Do(req)
	if err != nil {
		return unknown(cause(err))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: HTTP %d", payment.ErrBusy, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return unknown(fmt.Errorf("HTTP %d", resp.StatusCode))
	case err != nil:
		return unknown(cause(err))
	case len(body) > maxAnswer:
		return unknown(errTooLong)
	}
	return c.open(resp.Header.Get("Content-Type"), body, param.APIName(), out)
}

// said is what every answer says of itself.
type said struct {
	Code    string `json:"code"`
	Msg     string `json:"msg"`
	SubCode string `json:"sub_code"`
	SubMsg  string `json:"sub_msg"`
}

// open verifies the answer to a method and reads it. What is signed are the
// very bytes of the member that is named after the method; those bytes are
// read, and nothing else.
func (c *Channel) open(contentType string, body []byte, method string, out any) error {
	gbk := answerInGBK(contentType, body)
	parts, ok := members(body, gbk)
	if !ok {
		return unknown(errNotProtocol)
	}
	node, ok := parts[strings.ReplaceAll(method, ".", "_")+"_response"]
	if !ok {
		node = parts["error_response"]
	}
	var s said
	signedBytes := node
	if gbk {
		text, err := decoded(string(node), "gbk")
		if err != nil {
			return unknown(errCharset)
		}
		node = []byte(text)
	}
	if bytes.HasPrefix(node, []byte("{")) {
		if json.Unmarshal(node, &s) != nil {
			return unknown(errNotProtocol)
		}
	}
	raw, signed := parts["sign"]
	if !signed || !ok {
		return unsigned(s)
	}
	var sig string
	if json.Unmarshal(raw, &sig) != nil || !verify(c.platform, signedBytes, sig) {
		return unknown(errors.New("the answer's signature does not verify"))
	}
	if s.Code != codeSuccess {
		return refusal(s)
	}
	if json.Unmarshal(node, out) != nil {
		return unknown(errNotProtocol)
	}
	return nil
}

// verify checks an RSA2 signature.
func verify(key *rsa.PublicKey, message []byte, signature string) bool {
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(message)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil
}

// pooled is a transport for one host that is called by many at once.
func pooled() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = 60 * time.Second
	return t
}
