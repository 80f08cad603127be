package sandbox

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// alipayTimeLayout is of all times on the wire, in China's zone.
const alipayTimeLayout = "2006-01-02 15:04:05"

// alipayParams are the decoded parameters of a request or a notification.
type alipayParams map[string]string

// message is what is signed: every parameter that has a value, sorted by
// name, without those that are left out.
func (p alipayParams) message(leaveOut ...string) string {
	var b strings.Builder
	for _, name := range sortedNames(p) {
		if p[name] == "" || slices.Contains(leaveOut, name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + p[name])
	}
	return b.String()
}

// sign adds sign_type and sign to what Alipay tells: a notification, or the
// query of a return_url. Neither is signed itself.
func (p alipayParams) sign(key *rsa.PrivateKey, forge Fault) error {
	if forge == Unsigned {
		return nil
	}
	message := p.message()
	if forge != "" {
		message += "forged"
	}
	signature, err := sign(key, message)
	p["sign_type"], p["sign"] = "RSA2", signature
	return err
}

// encode writes the parameters as a query or a form.
func (p alipayParams) encode() string {
	values := url.Values{}
	for name, value := range p {
		values.Set(name, value)
	}
	return values.Encode()
}

// readParams merges the query and the form of a request: official SDKs send
// the common parameters in the one and biz_content in the other, some clients
// everything in the body.
func (a *alipay) readParams(rw http.ResponseWriter, r *http.Request) (alipayParams, *alipayFailure) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	if err != nil || len(r.URL.RawQuery) > maxBody {
		return nil, alipayTooLarge
	}
	if r.Method != http.MethodPost {
		body = nil
	}
	return mergeParams(r.URL.RawQuery, string(body))
}

// mergeParams decodes each text once. A name that comes twice is refused:
// which of the two was signed would be a guess.
func mergeParams(texts ...string) (alipayParams, *alipayFailure) {
	p := alipayParams{}
	for _, text := range texts {
		values, err := url.ParseQuery(text)
		if err != nil {
			return p, alipayNo(alipayInvalid, "isv.invalid-parameter", "the request is not form-encoded: "+err.Error())
		}
		for name, list := range values {
			if _, twice := p[name]; twice || len(list) > 1 {
				return p, alipayNo(alipayInvalid, "isv.invalid-parameter", "the parameter "+clip(name, 40)+" comes twice")
			}
			p[name] = list[0]
		}
	}
	return p, nil
}

// alipayCommon are the common parameters that must be there, with the
// sub_code of their absence.
var alipayCommon = []struct{ name, absent string }{
	{"method", "isv.missing-method"}, {"app_id", "isv.missing-app-id"}, {"timestamp", "isv.missing-timestamp"},
	{"version", "isv.missing-version"}, {"sign_type", "isv.missing-signature-type"}, {"sign", "isv.missing-signature"},
}

// authenticate checks who sent the request. The order of the checks is the
// order in which a confused developer would want to be told.
func (a *alipay) authenticate(p alipayParams, tolerance time.Duration) *alipayFailure {
	for _, c := range alipayCommon {
		if p[c.name] == "" {
			return alipayNo(alipayMissing, c.absent, "缺少"+c.name+"参数")
		}
	}
	switch {
	case p["app_id"] != a.g.keys.Alipay.AppID:
		return alipayNo(alipayInvalid, "isv.invalid-app-id", "无效的AppID参数")
	case p["sign_type"] != "RSA2":
		return alipayNo(alipayInvalid, "isv.invalid-signature-type", "无效的签名类型: sign_type must be RSA2")
	case p["charset"] != "" && !strings.EqualFold(p["charset"], "utf-8"):
		return alipayNo(alipayInvalid, "isv.invalid-charset", "字符集错误: charset must be utf-8")
	case p["format"] != "" && !strings.EqualFold(p["format"], "json"):
		return alipayNo(alipayInvalid, "isv.invalid-format", "无效的数据格式: format must be JSON")
	case p["version"] != "1.0":
		return alipayNo(alipayInvalid, "isv.invalid-parameter", "version must be 1.0")
	}
	message := p.message("sign")
	signature, err := base64.StdEncoding.DecodeString(p["sign"])
	if err != nil || verify(&a.g.keys.Alipay.AppKey.PublicKey, message, signature) != nil {
		// What the gateway expected to be signed ends most searches at once.
		return alipayNo(alipayInvalid, "isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为："+clip(message, 2000))
	}
	at, err := time.ParseInLocation(alipayTimeLayout, p["timestamp"], china)
	if err != nil {
		return alipayNo(alipayInvalid, "isv.invalid-timestamp", "非法的时间戳参数: timestamp must be like 2006-01-02 15:04:05, in China's time")
	}
	if off := a.g.apiTime().Sub(at); off > tolerance || off < -tolerance {
		return alipayNo(alipayInvalid, "isv.invalid-timestamp", "非法的时间戳参数: timestamp is too far from the gateway's time")
	}
	return nil
}

// alipayHead begins every node.
type alipayHead struct {
	Code    string `json:"code"`
	Msg     string `json:"msg"`
	SubCode string `json:"sub_code,omitempty"`
	SubMsg  string `json:"sub_msg,omitempty"`
}

var alipayOK = alipayHead{Code: alipaySuccess, Msg: alipayMsg[alipaySuccess]}

// alipayNode writes a node as the real one does, slashes escaped: whoever
// re-encodes it before verifying it is found out.
func alipayNode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	// In JSON a slash stands nowhere but within strings.
	return bytes.ReplaceAll(text, []byte("/"), []byte(`\/`)), err
}

// alipayEnvelope wraps a node under its name and signs exactly its bytes. A
// nil key leaves the signature out.
func alipayEnvelope(name string, node []byte, key *rsa.PrivateKey, forge Fault) ([]byte, error) {
	out := append([]byte(`{"`+name+`":`), node...)
	if key != nil && forge != Unsigned {
		message := string(node)
		if forge == CorruptSignature || forge == SigntestSignature {
			message += "forged"
		}
		signature, err := sign(key, message)
		if err != nil {
			return nil, err
		}
		out = append(out, `,"sign":"`+signature+`"`...) // base64 needs no escaping
	}
	return append(out, '}'), nil
}
