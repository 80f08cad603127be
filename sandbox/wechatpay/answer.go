package wechatpay

import (
	"encoding/json"
	"net/http"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// refusal is an error answer.
type refusal struct {
	status  int
	code    string
	message string
	detail  *detail
}

// detail says what in the request is wrong.
type detail struct {
	Field    string        `json:"field,omitempty"` // a JSON pointer when it is in the body
	Value    any           `json:"value,omitempty"`
	Issue    string        `json:"issue,omitempty"`
	Location string        `json:"location,omitempty"` // authorization, body, query or uri_template
	Expected *expectedSign `json:"sign_information,omitempty"`
}

type expectedSign struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Message string `json:"truncated_sign_message"`
	Length  int    `json:"sign_message_length"`
}

// paramError is the refusal of a malformed request.
func paramError(location, field, issue string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "PARAM_ERROR", message: "参数错误: " + field + ": " + issue,
		detail: &detail{Field: field, Issue: issue, Location: location}}
}

func (f refusal) write(rw http.ResponseWriter) {
	body, err := json.Marshal(struct {
		Code    string  `json:"code"`
		Message string  `json:"message"`
		Detail  *detail `json:"detail,omitempty"`
	}{f.code, f.message, f.detail})
	if err != nil {
		body = []byte(`{"code":"SYSTEM_ERROR","message":"系统错误"}`)
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(f.status)
	_, _ = rw.Write(body)
}

// answer writes a 2xx answer, signed with the key that the client says it can
// verify with.
func (w *Emulator) answer(rw http.ResponseWriter, r *http.Request, result any, forged faults.Fault) {
	var body []byte
	if result != nil {
		var err error
		if body, err = json.Marshal(result); err != nil {
			refuseSystem.write(rw)
			return
		}
	}
	blanks := 0
	if result != nil {
		blanks = wire.Blanks(forged)
	}
	serial, key := w.Keys().platformKey(r.Header.Get("Wechatpay-Serial"), w.Book.Now())
	if err := sign(rw.Header(), serial, key, w.APITime(), w.Random.Text(32, random.Alnum), blanks, body, forged); err != nil {
		refuseSystem.write(rw)
		return
	}
	rw.Header().Set("Cache-Control", "no-cache, must-revalidate")
	if result == nil {
		if forged == faults.HalfAnswer {
			panic(http.ErrAbortHandler) // there is nothing to halve
		}
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	wire.WriteBody(rw, http.StatusOK, body, forged)
}
