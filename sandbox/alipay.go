package sandbox

import (
	"crypto/rsa"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// alipay speaks the v2 gateway of Alipay's open platform in public-key mode.
type alipay struct {
	g     *Gateway
	calls map[string]alipayMethod
	bills []alipayBill // Gateway.mu guards it, and what follows
	fails int          // 500s that a fault made
}

func newAlipay(g *Gateway) *alipay {
	a := &alipay{g: g}
	a.calls = map[string]alipayMethod{
		"alipay.trade.precreate":                         {OpPrepay, a.precreate},
		"alipay.trade.query":                             {OpQuery, a.query},
		"alipay.trade.close":                             {OpClose, a.close},
		"alipay.trade.cancel":                            {OpClose, a.cancel},
		"alipay.trade.refund":                            {OpRefund, a.refund},
		"alipay.trade.fastpay.refund.query":              {OpQueryRefund, a.refundQuery},
		"alipay.data.dataservice.bill.downloadurl.query": {OpBill, a.billURL},
	}
	return a
}

// alipayPath is the one address of all calls.
const alipayPath = "/gateway.do"

// alipayTrade is what a trade has beyond the neutral core. A trade is kept
// from the shop's request on, but does not exist for the shop before the
// buyer opens it: only then it has a tradeNo. Once set neither it nor what
// else begin sets changes.
type alipayTrade struct {
	tradeNo string
	began   time.Time // the creation of the trade, by the buyer
	buyerID string

	product            alipayProduct
	body, passback     string
	store, terminal    string
	operator           string
	returnURL, quitURL string
	timeout            alipayTimeout // timeout_express
	codeUntil, noLater time.Time     // qr_code_timeout_express and time_expire; zero: none
	closed             time.Time     // by the shop or for being late
}

func (a *alipay) name() string { return "alipay" }

func (a *alipay) schedule() []time.Duration { return alipayNotifySchedule }

// accepted wants seven characters and nothing else.
func (a *alipay) accepted(status int, body []byte) bool {
	return status == http.StatusOK && string(body) == "success"
}

// transactionID is the trade_no that the trade has had since the scan. A
// second payment of the trade, which only a fault allows, has one of its own.
func (a *alipay) transactionID(t *trade, now time.Time) string {
	if len(t.payments) == 0 {
		return t.alipay.tradeNo
	}
	return a.newTradeNo(now)
}

// newTradeNo has the shape of the real ones: 28 digits with the day inside.
func (a *alipay) newTradeNo(now time.Time) string {
	for {
		no := now.In(china).Format("20060102") + "22001400" + a.g.random.text(12, digits)
		if a.g.trades.byTransaction[tradeKey{a.name(), no}] == nil {
			return no
		}
	}
}

func (a *alipay) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+alipayPath, a.serve)
	mux.HandleFunc("POST "+alipayPath, a.serve)
	mux.HandleFunc("POST /sandbox/alipay/app", a.openAppByHTTP)
	mux.HandleFunc("POST /sandbox/trades/{no}/scan", a.g.tradeAction(a.g.scanTrade))
	mux.HandleFunc("GET "+alipayBillPath, a.downloadBill)
}

// alipayOperation does what an authentic request asks for.
type alipayOperation func(r *http.Request, p alipayParams, biz alipayBiz) (result any, no *alipayFailure)

// alipayMethod is a method that a shop's server calls.
type alipayMethod struct {
	op Op
	do alipayOperation
}

// serve answers a call, or sends a buyer's browser to the phone page.
func (a *alipay) serve(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Trace_id", a.g.random.text(32, hexa))
	p, no := a.readParams(rw, r)
	if no != nil {
		a.refuse(rw, p["method"], no, "")
		return
	}
	if product, page := alipayPages[p["method"]]; page {
		a.openPage(rw, r, product, p)
		return
	}
	method, known := a.calls[p["method"]]
	if no = a.authenticate(p, alipayTolerance); no == nil && !known {
		no = alipayNo(alipayInvalid, "isv.invalid-method", "不存在的方法名: "+clip(p["method"], 80))
	}
	if no != nil {
		a.g.log.Info("sandbox: request refused", "method", p["method"], "subCode", no.subCode, "message", no.subMsg)
		a.refuse(rw, p["method"], no, "")
		return
	}
	a.call(rw, r, p, method)
}

// aim is the number of the trade that a request is about, as far as it says
// so: the faults of one trade strike by it. g.mu is held.
func (a *alipay) aim(biz alipayBiz) string {
	theirs, _ := biz["trade_no"].(string)
	if t := a.g.trades.byTransaction[tradeKey{a.name(), theirs}]; t != nil {
		return t.no
	}
	ours, _ := biz["out_trade_no"].(string)
	return ours
}

// call strikes with an armed fault, does, answers and signs.
func (a *alipay) call(rw http.ResponseWriter, r *http.Request, p alipayParams, m alipayMethod) {
	biz, no := parseBiz(p["biz_content"])
	a.g.mu.Lock()
	a.g.catchUp()
	hit := a.g.strike(m.op, a.aim(biz), answerFaults...)
	a.g.mu.Unlock()
	switch hit.Fault {
	case Error500NoEffect:
		a.fail(rw)
		return
	case RateLimited:
		a.refuse(rw, p["method"], alipayTooFast, "")
		return
	case TimeoutNoEffect:
		a.g.wechat.hang(rw, r, hit.Delay)
	}
	var result any
	if no == nil {
		result, no = m.do(r, p, biz)
	}
	a.g.log.Debug("sandbox: call", "op", m.op, "method", p["method"], "refused", no != nil, "fault", hit.Fault)
	switch hit.Fault {
	case Error500WithEffect:
		a.fail(rw)
		return
	case TimeoutAfterCommit:
		a.g.wechat.hang(rw, r, hit.Delay)
	case Slow:
		a.g.wechat.wait(r, hit.Delay)
	}
	if no != nil {
		a.refuse(rw, p["method"], no, hit.Fault)
		return
	}
	node, err := alipayNode(result)
	if err != nil {
		a.refuse(rw, p["method"], alipayBroken, "")
		return
	}
	a.answer(rw, p["method"], node, hit.Fault)
}

// fail is a broken gateway. It shows in two ways, by turns: as a 500 of the
// web server, and as a proper answer that nobody knows what happened.
func (a *alipay) fail(rw http.ResponseWriter) {
	a.g.mu.Lock()
	a.fails++
	proper := a.fails%2 == 0
	a.g.mu.Unlock()
	if proper {
		a.refuse(rw, "", alipayBroken, "")
		return
	}
	http.Error(rw, "<html><body><h1>500 Internal Server Error</h1></body></html>", http.StatusInternalServerError)
}

func (a *alipay) answer(rw http.ResponseWriter, method string, node []byte, forge Fault) {
	a.write(rw, http.StatusOK, strings.ReplaceAll(method, ".", "_")+"_response", node, a.g.keys.Alipay.PlatformKey, forge)
}

// refuse answers a failure: one of the business in the method's node and
// signed, one of the gateway as alipayGatewayFailuresUnsigned has it.
func (a *alipay) refuse(rw http.ResponseWriter, method string, no *alipayFailure, forge Fault) {
	node, err := alipayNode(alipayHead{Code: no.code, Msg: no.msg, SubCode: no.subCode, SubMsg: no.subMsg})
	switch {
	case err != nil:
		http.Error(rw, "the answer is broken", http.StatusInternalServerError)
	case no == alipayTooLarge:
		a.write(rw, http.StatusRequestEntityTooLarge, "error_response", node, nil, "")
	case no.code != alipayBusiness && alipayGatewayFailuresUnsigned || method == "":
		a.write(rw, http.StatusOK, "error_response", node, nil, "")
	default:
		a.answer(rw, method, node, forge)
	}
}

func (a *alipay) write(rw http.ResponseWriter, status int, name string, node []byte, key *rsa.PrivateKey, forge Fault) {
	body, err := alipayEnvelope(name, node, key, forge)
	if err != nil {
		http.Error(rw, "the answer is broken", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json;charset=utf-8")
	blanks := 0 // they belong to no node, so that the signature is right
	if forge == HugeAnswer {
		blanks = hugeAnswer
	}
	rw.Header().Set("Content-Length", strconv.Itoa(blanks+len(body)))
	rw.WriteHeader(status)
	if writeBlanks(rw, blanks) != nil {
		return
	}
	if forge == HalfAnswer {
		_, _ = rw.Write(body[:len(body)/2])
		_ = http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = rw.Write(body)
}
