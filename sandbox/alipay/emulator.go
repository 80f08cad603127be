// Package alipay emulates the v2 gateway of Alipay's open platform in
// public-key mode: precreate, page, wap and app payments, query, close, cancel,
// refunds, the bill of trades and notifications, with real signatures.
//
// Answers of the business are signed, its failures (40004) too; failures of
// the gateway itself are not. No trade exists before the buyer has opened it:
// a code that nobody scanned can neither be queried nor closed, and can still
// be paid. What the documents leave open is decided in assumptions.go. Amounts
// are in yuan on the wire, and calculated in fen.
package alipay

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// Name is that of the protocol in the control API.
const Name = "alipay"

// Path is the one address of all calls.
const Path = "/gateway.do"

// Emulator serves the protocol. It is a trade.Protocol, and safe for
// concurrent use.
type Emulator struct {
	*wire.Env
	keys     Keys
	calls    map[string]method
	failures atomic.Int64 // by faults, see broken
	links    []bill       // guarded by the book's lock
}

// New makes an emulator.
func New(env *wire.Env, keys Keys) *Emulator {
	a := &Emulator{Env: env, keys: keys}
	a.calls = map[string]method{
		"alipay.trade.precreate":                         {faults.Prepay, a.precreate},
		"alipay.trade.query":                             {faults.Query, a.query},
		"alipay.trade.close":                             {faults.Close, a.close},
		"alipay.trade.cancel":                            {faults.Close, a.cancel},
		"alipay.trade.refund":                            {faults.Refund, a.refund},
		"alipay.trade.fastpay.refund.query":              {faults.QueryRefund, a.refundQuery},
		"alipay.data.dataservice.bill.downloadurl.query": {faults.Bill, a.billURL},
	}
	return a
}

// tradeDetails is what a trade has of this protocol alone. A trade is kept
// from the shop's request on, but does not exist for the shop before the buyer
// opens it: only then it has a tradeNo. Once set, neither it nor what else Open
// sets changes.
type tradeDetails struct {
	tradeNo string
	began   time.Time // the creation of the trade, by the buyer
	buyerID string

	product            product
	body, passback     string
	store, terminal    string
	operator           string
	returnURL, quitURL string
	timeout            timeout   // timeout_express
	codeUntil, noLater time.Time // qr_code_timeout_express and time_expire; zero: none
}

func details(t *trade.Trade) *tradeDetails { return t.Details.(*tradeDetails) }

// Name implements trade.Protocol.
func (a *Emulator) Name() string { return Name }

// TransactionID is the trade_no that the trade has had since the scan. A
// second payment of the trade, which only a fault allows, has one of its own.
func (a *Emulator) TransactionID(t *trade.Trade, now time.Time) string {
	if len(t.Payments) == 0 {
		return details(t).tradeNo
	}
	return a.newTradeNo(now)
}

// newTradeNo has the shape of the real ones: 28 digits with the day inside.
func (a *Emulator) newTradeNo(now time.Time) string {
	for {
		no := now.In(trade.China).Format("20060102") + "22001400" + a.Random.Text(12, random.Digits)
		if a.Book.ByID(a, no) == nil {
			return no
		}
	}
}

// RefundID has the shape of the real ones' trade numbers. The wire does not
// carry it: Alipay's refunds are named by the shop's numbers alone.
func (a *Emulator) RefundID(now time.Time) string {
	for {
		id := now.In(trade.China).Format("20060102") + "23001400" + a.Random.Text(12, random.Digits)
		if a.Book.RefundByID(a, id) == nil {
			return id
		}
	}
}

// Reports implements trade.Protocol: on the wire a refund has succeeded, or
// does not exist.
func (a *Emulator) Reports(state trade.RefundState) bool { return state == trade.RefundSucceeded }

// Schedule implements trade.Protocol.
func (a *Emulator) Schedule() []time.Duration { return notifySchedule }

// CodePrefix begins every qr_code; the token of the phone page follows.
func (a *Emulator) CodePrefix() string { return qrPrefix }

// Routes adds the paths of the gateway.
func (a *Emulator) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Path, a.serve)
	mux.HandleFunc("POST "+Path, a.serve)
	mux.HandleFunc("GET "+billPath, a.downloadBill)
}

// operation carries out an authentic request.
type operation func(r *http.Request, p params, biz bizContent) (result any, no *failure)

// method is a method that a shop's server calls.
type method struct {
	op faults.Op
	do operation
}

// serve answers a call, or sends a buyer's browser to the phone page.
func (a *Emulator) serve(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Trace_id", a.Random.Text(32, random.Hex))
	p, no := a.readParams(rw, r)
	if no != nil {
		a.refuse(rw, p["method"], no, "")
		return
	}
	if product, page := pages[p["method"]]; page {
		a.openPage(rw, r, product, p)
		return
	}
	method, known := a.calls[p["method"]]
	if no = a.authenticate(p, tolerance); no == nil && !known {
		no = fail(codeInvalid, "isv.invalid-method", "不存在的方法名: "+wire.Clip(p["method"], 80))
	}
	if no != nil {
		a.Log.Info("sandbox: request refused", "method", p["method"], "subCode", no.subCode, "message", no.subMsg)
		a.refuse(rw, p["method"], no, "")
		return
	}
	a.call(rw, r, p, method)
}

// tradeOf is the number of the trade that a request is about, as far as the
// request says so: the faults of one trade need it. The book's lock is held.
func (a *Emulator) tradeOf(biz bizContent) string {
	theirs, _ := biz["trade_no"].(string)
	if t := a.Book.ByID(a, theirs); t != nil {
		return t.No
	}
	ours, _ := biz["out_trade_no"].(string)
	return ours
}

// call takes an armed fault, carries out, answers and signs.
func (a *Emulator) call(rw http.ResponseWriter, r *http.Request, p params, m method) {
	biz, no := parseBiz(p["biz_content"])
	a.Book.Lock()
	fault := a.Book.Faults.Take(m.op, a.tradeOf(biz), faults.OfAnswers...)
	a.Book.Unlock()
	var result any
	a.Serve(rw, r, fault, wire.Call{
		Broken: func() { a.broken(rw) },
		Busy:   func() { a.refuse(rw, p["method"], tooFast, "") },
		Do: func() {
			if no == nil {
				result, no = m.do(r, p, biz)
			}
			a.Log.Debug("sandbox: call", "op", m.op, "method", p["method"], "refused", no != nil, "fault", fault.Fault)
		},
		Answer: func(fault faults.Fault) {
			if no != nil {
				a.refuse(rw, p["method"], no, fault)
				return
			}
			node, err := encodeNode(result)
			if err != nil {
				a.refuse(rw, p["method"], unavailable, "")
				return
			}
			a.answer(rw, p["method"], node, fault)
		},
	})
}
