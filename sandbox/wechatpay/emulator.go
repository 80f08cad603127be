// Package wechatpay emulates WeChat Pay API v3 as it is offered to a direct
// merchant: prepay, query, close, refunds, bills, certificates and callbacks,
// with real signatures and real encryption.
//
// Every 2xx answer is signed with the key that the request names, an empty
// answer too; a downloaded bill is not, since its hash was in a signed answer
// before. Errors are not signed, and prove nothing about money. What the
// documents leave open is decided in assumptions.go.
package wechatpay

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// Name is that of the protocol in the control API.
const Name = "wechatpay"

// Emulator serves the protocol. It is a trade.Protocol, and safe for
// concurrent use.
type Emulator struct {
	*wire.Env
	signing Signing

	rotating  sync.Mutex           // held while certificates are changed
	keys      atomic.Pointer[Keys] // with the certificates that have followed
	downloads downloads            // guarded by the book's lock
}

// New makes an emulator. The keys are not changed.
func New(env *wire.Env, keys *Keys, signing Signing) *Emulator {
	w := &Emulator{Env: env, signing: signing}
	w.keys.Store(keys)
	return w
}

// tradeDetails is what a trade has of this protocol alone. It does not change.
type tradeDetails struct {
	prepayID string
	openID   string // of the buyer
	attach   string
}

func details(t *trade.Trade) *tradeDetails { return t.Details.(*tradeDetails) }

// Name implements trade.Protocol.
func (w *Emulator) Name() string { return Name }

// Open implements trade.Protocol. It has nothing to do: a prepay has made the
// trade.
func (w *Emulator) Open(*trade.Trade, time.Time) {}

// TransactionID has the shape of the real ones: 28 digits with the day inside.
func (w *Emulator) TransactionID(_ *trade.Trade, now time.Time) string {
	for {
		id := "4200000000" + now.In(trade.China).Format("20060102") + w.Random.Text(10, random.Digits)
		if w.Book.ByID(w, id) == nil {
			return id
		}
	}
}

// RefundID has the shape of the real ones: 28 digits with the day inside.
func (w *Emulator) RefundID(now time.Time) string {
	for {
		id := "5030000" + now.In(trade.China).Format("20060102") + w.Random.Text(13, random.Digits)
		if w.Book.RefundByID(w, id) == nil {
			return id
		}
	}
}

// Reports implements trade.Protocol: every state of a refund is reported.
func (w *Emulator) Reports(trade.RefundState) bool { return true }

// Schedule implements trade.Protocol.
func (w *Emulator) Schedule() []time.Duration { return notifySchedule }

// CodePrefix begins every code_url; the token of the phone page follows.
func (w *Emulator) CodePrefix() string { return codeURLPrefix }

// Return implements what the phone page needs: no address is known to the
// protocol, merchants append theirs to the h5_url.
func (w *Emulator) Return(*trade.Trade) func() (string, error) { return nil }

// Routes adds the paths of the API.
func (w *Emulator) Routes(mux *http.ServeMux) {
	for _, m := range methods {
		mux.HandleFunc("POST /v3/pay/transactions/"+m.name, w.call(faults.Prepay, w.prepay(m)))
	}
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", w.call(faults.Query, w.queryByNo))
	mux.HandleFunc("GET /v3/pay/transactions/id/{id}", w.call(faults.Query, w.queryByID))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", w.call(faults.Close, w.close))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", w.call(faults.Refund, w.refund))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{refund}", w.call(faults.QueryRefund, w.queryRefund))
	mux.HandleFunc("POST /v3/refund/domestic/refunds/{refund}/apply-abnormal-refund", w.call(faults.Refund, w.applyAbnormal))
	mux.HandleFunc("GET /v3/bill/tradebill", w.call(faults.Bill, w.tradeBill))
	mux.HandleFunc("GET /v3/bill/fundflowbill", w.call(faults.FlowBill, w.flowBill))
	mux.HandleFunc("GET "+billPath, w.call(faults.Download, w.download))
	mux.HandleFunc("GET /v3/certificates", w.call(faults.Certificates, w.certificates))
	mux.HandleFunc("/v3/", func(rw http.ResponseWriter, _ *http.Request) { refusePath.write(rw) })
}

// operation carries out an authentic request. A nil result is answered by 204.
type operation func(r *http.Request, body []byte) (result any, no *refusal)

// call wraps an operation in what all have in common: authenticate, take an
// armed fault, carry out, answer, sign.
func (w *Emulator) call(op faults.Op, do operation) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Request-Id", w.Random.Text(26, random.Digits)+"-0")
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, wire.MaxBody))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			refuseSize.write(rw)
			return
		} else if err != nil { // the client has gone
			panic(http.ErrAbortHandler)
		}
		if no := w.authenticate(r, body); no != nil {
			w.Log.Info("sandbox: request refused", "method", r.Method, "path", r.URL.Path, "code", no.code, "message", no.message)
			no.write(rw)
			return
		}
		w.Book.Lock()
		fault := w.Book.Faults.Take(op, w.tradeOf(r, body), faults.OfAnswers...)
		w.Book.Unlock()
		var result any
		var no *refusal
		w.Serve(rw, r, fault, wire.Call{
			Broken: func() { refuseSystem.write(rw) },
			Busy:   func() { refuseRate.write(rw) },
			Do: func() {
				result, no = do(r, body)
				w.Log.Debug("sandbox: call", "op", op, "path", r.URL.Path, "refused", no != nil, "fault", fault.Fault)
			},
			Answer: func(fault faults.Fault) {
				if no != nil {
					no.write(rw)
				} else if file, ok := result.(*download); ok {
					w.sendBill(rw, file, fault)
				} else {
					w.answer(rw, r, result, fault)
				}
			},
		})
	}
}

// tradeOf is the number of the trade that a request is about, as far as the
// request says so: the faults of one trade need it. The book's lock is held.
func (w *Emulator) tradeOf(r *http.Request, body []byte) string {
	if no := r.PathValue("no"); no != "" {
		return no
	}
	if t := w.Book.ByID(w, r.PathValue("id")); t != nil {
		return t.No
	}
	if f := w.Book.RefundByNo(w, "", r.PathValue("refund")); f != nil {
		return f.Trade.No
	}
	if f := w.Book.RefundByID(w, r.PathValue("refund")); f != nil {
		return f.Trade.No
	}
	var names struct {
		OutTradeNo    string `json:"out_trade_no"`
		TransactionID string `json:"transaction_id"`
	}
	if json.Unmarshal(body, &names) != nil || names.OutTradeNo != "" {
		return names.OutTradeNo
	}
	if t := w.Book.ByID(w, names.TransactionID); t != nil {
		return t.No
	}
	return ""
}
