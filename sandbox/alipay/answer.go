package alipay

import (
	"crypto/rsa"
	"net/http"
	"strings"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// broken is a broken gateway. It shows in two ways, by turns: as a 500 of the
// web server, and as a proper answer that nobody knows what happened.
func (a *Emulator) broken(rw http.ResponseWriter) {
	if a.failures.Add(1)%2 == 0 {
		a.refuse(rw, "", unavailable, "")
		return
	}
	http.Error(rw, "<html><body><h1>500 Internal Server Error</h1></body></html>", http.StatusInternalServerError)
}

func (a *Emulator) answer(rw http.ResponseWriter, method string, node []byte, forged faults.Fault) {
	a.write(rw, http.StatusOK, strings.ReplaceAll(method, ".", "_")+"_response", node, a.keys.PlatformKey, forged)
}

// refuse answers a failure: one of the business in the method's node and
// signed, one of the gateway as gatewayFailuresUnsigned has it.
func (a *Emulator) refuse(rw http.ResponseWriter, method string, no *failure, forged faults.Fault) {
	node, err := encodeNode(head{Code: no.code, Msg: no.msg, SubCode: no.subCode, SubMsg: no.subMsg})
	switch {
	case err != nil:
		http.Error(rw, "the answer is broken", http.StatusInternalServerError)
	case no == tooLarge:
		a.write(rw, http.StatusRequestEntityTooLarge, "error_response", node, nil, "")
	case no.code != codeBusiness && gatewayFailuresUnsigned || method == "":
		a.write(rw, http.StatusOK, "error_response", node, nil, "")
	default:
		a.answer(rw, method, node, forged)
	}
}

// write sends a node. The blanks of a huge answer belong to no node, so that
// its signature is right.
func (a *Emulator) write(rw http.ResponseWriter, status int, name string, node []byte, key *rsa.PrivateKey, forged faults.Fault) {
	body, err := envelope(name, node, key, forged)
	if err != nil {
		http.Error(rw, "the answer is broken", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json;charset=utf-8")
	wire.WriteBody(rw, status, body, forged)
}
