package alipay

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

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// timeLayout is of all times on the wire, in China's zone.
const timeLayout = "2006-01-02 15:04:05"

// params are the decoded parameters of a request or a notification.
type params map[string]string

// message is what is signed: every parameter that has a value, sorted by
// name, without those that are left out.
func (p params) message(leaveOut ...string) string {
	var b strings.Builder
	for _, name := range wire.SortedNames(p) {
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

// sign adds sign_type and sign to what Alipay sends: a notification, or the
// query of a return_url. Neither is signed itself.
func (p params) sign(key *rsa.PrivateKey, forged faults.Fault) error {
	if forged == faults.Unsigned {
		return nil
	}
	message := p.message()
	if forged != "" {
		message += "forged"
	}
	signature, err := rsakey.Sign(key, message)
	p["sign_type"], p["sign"] = "RSA2", signature
	return err
}

// encode writes the parameters as a query or a form.
func (p params) encode() string {
	values := url.Values{}
	for name, value := range p {
		values.Set(name, value)
	}
	return values.Encode()
}

// readParams merges the query and the form of a request: official SDKs send
// the common parameters in the one and biz_content in the other, some clients
// everything in the body.
func (a *Emulator) readParams(rw http.ResponseWriter, r *http.Request) (params, *failure) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, wire.MaxBody))
	if err != nil || len(r.URL.RawQuery) > wire.MaxBody {
		return nil, tooLarge
	}
	if r.Method != http.MethodPost {
		body = nil
	}
	return mergeParams(r.URL.RawQuery, string(body))
}

// mergeParams decodes each text once. A name that comes twice is refused:
// which of the two was signed would be a guess.
func mergeParams(texts ...string) (params, *failure) {
	p := params{}
	for _, text := range texts {
		values, err := url.ParseQuery(text)
		if err != nil {
			return p, fail(codeInvalid, "isv.invalid-parameter", "the request is not form-encoded: "+err.Error())
		}
		for name, list := range values {
			if _, twice := p[name]; twice || len(list) > 1 {
				return p, fail(codeInvalid, "isv.invalid-parameter", "the parameter "+wire.Clip(name, 40)+" comes twice")
			}
			p[name] = list[0]
		}
	}
	return p, nil
}

// commonParams are the common parameters that must be there, with the
// sub_code of their absence.
var commonParams = []struct{ name, absent string }{
	{"method", "isv.missing-method"}, {"app_id", "isv.missing-app-id"}, {"timestamp", "isv.missing-timestamp"},
	{"version", "isv.missing-version"}, {"sign_type", "isv.missing-signature-type"}, {"sign", "isv.missing-signature"},
}

// authenticate checks who sent the request. The order of the checks is the
// order in which a developer would look for the mistake.
func (a *Emulator) authenticate(p params, tolerance time.Duration) *failure {
	for _, c := range commonParams {
		if p[c.name] == "" {
			return fail(codeMissing, c.absent, "缺少"+c.name+"参数")
		}
	}
	switch {
	case p["app_id"] != a.keys.AppID:
		return fail(codeInvalid, "isv.invalid-app-id", "无效的AppID参数")
	case p["sign_type"] != "RSA2":
		return fail(codeInvalid, "isv.invalid-signature-type", "无效的签名类型: sign_type must be RSA2")
	case p["charset"] != "" && !strings.EqualFold(p["charset"], "utf-8"):
		return fail(codeInvalid, "isv.invalid-charset", "字符集错误: charset must be utf-8")
	case p["format"] != "" && !strings.EqualFold(p["format"], "json"):
		return fail(codeInvalid, "isv.invalid-format", "无效的数据格式: format must be JSON")
	case p["version"] != "1.0":
		return fail(codeInvalid, "isv.invalid-parameter", "version must be 1.0")
	}
	message := p.message("sign")
	signature, err := base64.StdEncoding.DecodeString(p["sign"])
	if err != nil || rsakey.Verify(&a.keys.AppKey.PublicKey, message, signature) != nil {
		// What the gateway expected to be signed ends most searches at once.
		return fail(codeInvalid, "isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为："+wire.Clip(message, 2000))
	}
	at, err := time.ParseInLocation(timeLayout, p["timestamp"], trade.China)
	if err != nil {
		return fail(codeInvalid, "isv.invalid-timestamp", "非法的时间戳参数: timestamp must be like 2006-01-02 15:04:05, in China's time")
	}
	if off := a.APITime().Sub(at); off > tolerance || off < -tolerance {
		return fail(codeInvalid, "isv.invalid-timestamp", "非法的时间戳参数: timestamp is too far from the gateway's time")
	}
	return nil
}

// head begins every node.
type head struct {
	Code    string `json:"code"`
	Msg     string `json:"msg"`
	SubCode string `json:"sub_code,omitempty"`
	SubMsg  string `json:"sub_msg,omitempty"`
}

var ok = head{Code: codeSuccess, Msg: messages[codeSuccess]}

// encodeNode writes a node as the real one does, slashes escaped: whoever
// re-encodes it before verifying it is found out.
func encodeNode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	// In JSON a slash stands nowhere but within strings.
	return bytes.ReplaceAll(text, []byte("/"), []byte(`\/`)), err
}

// envelope wraps a node under its name and signs exactly its bytes. A
// nil key leaves the signature out.
func envelope(name string, node []byte, key *rsa.PrivateKey, forged faults.Fault) ([]byte, error) {
	out := append([]byte(`{"`+name+`":`), node...)
	if key != nil && forged != faults.Unsigned {
		message := string(node)
		if forged == faults.CorruptSignature || forged == faults.SigntestSignature {
			message += "forged"
		}
		signature, err := rsakey.Sign(key, message)
		if err != nil {
			return nil, err
		}
		out = append(out, `,"sign":"`+signature+`"`...) // base64 needs no escaping
	}
	return append(out, '}'), nil
}
