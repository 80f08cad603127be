package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// wechat speaks WeChat Pay API v3 as it is offered to a direct merchant.
type wechat struct {
	g     *Gateway
	bills tickets
}

// wechatTrade is what a trade has beyond the neutral core.
type wechatTrade struct {
	prepayID string
	openID   string // of the buyer
	attach   string
}

func (w *wechat) name() string { return "wechatpay" }

func (w *wechat) schedule() []time.Duration { return notifySchedule }

// begin has nothing to do: a prepay has made the trade.
func (w *wechat) begin(*trade, time.Time) {}

func (w *wechat) accepted(status int, _ []byte) bool {
	return status == http.StatusOK || status == http.StatusNoContent
}

// transactionID has the shape of the real ones: 28 digits with the day inside.
func (w *wechat) transactionID(_ *trade, now time.Time) string {
	for {
		id := "4200000000" + now.In(china).Format("20060102") + w.g.random.text(10, digits)
		if w.g.trades.byTransaction[tradeKey{w.name(), id}] == nil {
			return id
		}
	}
}

// refundID has the shape of the real ones, 28 digits with the day inside.
func (w *wechat) refundID(now time.Time) string {
	for {
		id := "5030000" + now.In(china).Format("20060102") + w.g.random.text(13, digits)
		if w.g.trades.byRefundID[tradeKey{w.name(), id}] == nil {
			return id
		}
	}
}

func (w *wechat) tells(RefundState) bool { return true }

// china is the zone of all times on the wire.
var china = time.FixedZone("CST", 8*3600)

func (w *wechat) routes(mux *http.ServeMux) {
	for _, m := range wechatMethods {
		mux.HandleFunc("POST /v3/pay/transactions/"+m.name, w.call(OpPrepay, w.prepay(m)))
	}
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", w.call(OpQuery, w.queryByNo))
	mux.HandleFunc("GET /v3/pay/transactions/id/{id}", w.call(OpQuery, w.queryByID))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", w.call(OpClose, w.close))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", w.call(OpRefund, w.refund))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{refund}", w.call(OpQueryRefund, w.queryRefund))
	mux.HandleFunc("POST /v3/refund/domestic/refunds/{refund}/apply-abnormal-refund", w.call(OpRefund, w.applyAbnormal))
	mux.HandleFunc("GET /v3/bill/tradebill", w.call(OpBill, w.tradeBill))
	mux.HandleFunc("GET /v3/bill/fundflowbill", w.call(OpFlowBill, w.flowBill))
	mux.HandleFunc("GET "+billPath, w.call(OpDownload, w.download))
	mux.HandleFunc("GET /v3/certificates", w.call(OpCertificates, w.certificates))
	mux.HandleFunc("/v3/", func(rw http.ResponseWriter, r *http.Request) { refusePath.write(rw) })
}

// refusal is an error answer.
type refusal struct {
	status  int
	code    string
	message string
	detail  *detail
}

// detail says where in the request the fault is.
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

// operation does what an authentic request asks for. A nil result is
// answered by 204.
type operation func(r *http.Request, body []byte) (result any, no *refusal)

// call wraps an operation in what all have in common: authenticate, strike
// with an armed fault, answer, sign.
func (w *wechat) call(op Op, do operation) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Request-Id", w.g.random.text(26, digits)+"-0")
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			refuseSize.write(rw)
			return
		} else if err != nil { // the client has gone
			panic(http.ErrAbortHandler)
		}
		if no := w.authenticate(r, body); no != nil {
			w.g.log.Info("sandbox: request refused", "method", r.Method, "path", r.URL.Path, "code", no.code, "message", no.message)
			no.write(rw)
			return
		}
		w.g.mu.Lock()
		w.g.catchUp()
		hit := w.g.strike(op, w.aim(r, body), answerFaults...)
		w.g.mu.Unlock()
		switch hit.Fault {
		case Error500NoEffect:
			refuseSystem.write(rw)
			return
		case RateLimited:
			refuseRate.write(rw)
			return
		case TimeoutNoEffect:
			w.hang(rw, r, hit.Delay)
		}
		result, no := do(r, body)
		w.g.log.Debug("sandbox: call", "op", op, "path", r.URL.Path, "refused", no != nil, "fault", hit.Fault)
		switch hit.Fault {
		case Error500WithEffect:
			refuseSystem.write(rw)
			return
		case TimeoutAfterCommit:
			w.hang(rw, r, hit.Delay)
		case Slow:
			w.wait(r, hit.Delay)
		}
		if no != nil {
			no.write(rw)
			return
		}
		if file, ok := result.(*ticket); ok {
			w.sendBill(rw, file, hit.Fault)
			return
		}
		w.answer(rw, r, result, hit.Fault)
	}
}

// aim is the number of the trade that a request is about, as far as it says
// so: the faults of one trade strike by it. Gateway.mu is held.
func (w *wechat) aim(r *http.Request, body []byte) string {
	if no := r.PathValue("no"); no != "" {
		return no
	}
	if t := w.g.trades.byTransaction[tradeKey{w.name(), r.PathValue("id")}]; t != nil {
		return t.no
	}
	if f := w.g.findRefund(w, "", r.PathValue("refund")); f != nil {
		return f.trade.no
	}
	if f := w.g.trades.byRefundID[tradeKey{w.name(), r.PathValue("refund")}]; f != nil {
		return f.trade.no
	}
	var asked struct {
		OutTradeNo    string `json:"out_trade_no"`
		TransactionID string `json:"transaction_id"`
	}
	if json.Unmarshal(body, &asked) != nil || asked.OutTradeNo != "" {
		return asked.OutTradeNo
	}
	if t := w.g.trades.byTransaction[tradeKey{w.name(), asked.TransactionID}]; t != nil {
		return t.no
	}
	return ""
}

// answer writes a signed 2xx answer. It is signed with the key that the
// client says it can verify with.
func (w *wechat) answer(rw http.ResponseWriter, r *http.Request, result any, forge Fault) {
	var body []byte
	if result != nil {
		var err error
		if body, err = json.Marshal(result); err != nil {
			refuseSystem.write(rw)
			return
		}
	}
	blanks := 0
	if forge == HugeAnswer && result != nil {
		blanks = hugeAnswer
	}
	serial, key := w.g.Keys().platformKey(r.Header.Get("Wechatpay-Serial"), w.g.now())
	if err := seal(rw.Header(), serial, key, w.g.apiTime(), w.g.random.text(32, alnum), blanks, body, forge); err != nil {
		refuseSystem.write(rw)
		return
	}
	rw.Header().Set("Cache-Control", "no-cache, must-revalidate")
	if result == nil {
		if forge == HalfAnswer {
			panic(http.ErrAbortHandler) // there is nothing to halve
		}
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Content-Length", strconv.Itoa(blanks+len(body)))
	if forge == HalfAnswer {
		_, _ = rw.Write(body[:len(body)/2])
		cutOff(rw)
	}
	_ = writeBlanks(rw, blanks)
	_, _ = rw.Write(body)
}

// hugeAnswer is the bytes of blanks in front of a huge one.
const hugeAnswer = 100 << 20

// writeBlanks writes n blanks, which JSON ignores, from a small buffer.
func writeBlanks(to io.Writer, n int) error {
	buf := bytes.Repeat([]byte(" "), 64<<10)
	for n > 0 {
		m, err := to.Write(buf[:min(n, len(buf))])
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// cutOff breaks the connection behind what has been written. It does not
// return.
func cutOff(rw http.ResponseWriter) {
	_ = http.NewResponseController(rw).Flush()
	panic(http.ErrAbortHandler)
}

// wait lets d pass on the gateway's clock, or until the client gives up.
func (w *wechat) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-w.g.clock.After(d):
	case <-r.Context().Done():
	case <-w.g.life.Done():
	}
}

// hang waits and then breaks the connection; it does not return. A GET is
// broken within its answer: Go's client, and not only that, would silently
// repeat one that got no answer at all, and the shop would never notice.
func (w *wechat) hang(rw http.ResponseWriter, r *http.Request, d time.Duration) {
	w.wait(r, d)
	if r.Method == http.MethodGet {
		rw.Header().Set("Content-Length", "1000")
		_, _ = rw.Write([]byte("{"))
		cutOff(rw)
	}
	panic(http.ErrAbortHandler)
}
