package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

func (g *Gateway) controlRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) { wire.SeeOther(rw, "sandbox/") })
	mux.HandleFunc("GET /sandbox", func(rw http.ResponseWriter, _ *http.Request) { wire.SeeOther(rw, "sandbox/") })
	mux.HandleFunc("GET /sandbox/{$}", g.showTrades)
	mux.HandleFunc("GET /sandbox/arm", g.showFaults)

	mux.HandleFunc("GET /sandbox/trades", g.listTrades)
	mux.HandleFunc("GET /sandbox/trades/{no}", g.tradeAction(func(*trade.Trade) error { return nil }))
	for path, do := range map[string]func(*trade.Trade) error{
		"pay": g.book.Pay, "pay-anyway": g.book.PayAnyway, "fail": g.book.Fail, "scan": g.book.Open, "notify": g.book.Resend,
	} {
		mux.HandleFunc("POST /sandbox/trades/{no}/"+path, g.tradeAction(do))
	}
	mux.HandleFunc("POST /sandbox/alipay/app", g.openAlipayApp)

	mux.HandleFunc("GET /sandbox/refunds/{no}", g.refundAction(func(*trade.Refund) error { return nil }))
	mux.HandleFunc("POST /sandbox/refunds/{no}/notify", g.refundAction(g.book.ResendRefund))
	for path, state := range map[string]trade.RefundState{
		"succeed": trade.RefundSucceeded, "abnormal": trade.RefundAbnormal, "close": trade.RefundClosed,
	} {
		finish := func(r *trade.Refund) error { return g.book.FinishRefund(r, state) }
		mux.HandleFunc("POST /sandbox/refunds/{no}/"+path, g.refundAction(finish))
	}

	mux.HandleFunc("GET /sandbox/faults", g.listFaults)
	mux.HandleFunc("POST /sandbox/faults", g.armFault)
	mux.HandleFunc("DELETE /sandbox/faults", g.clearFaults)
	mux.HandleFunc("POST /sandbox/faults/clear", g.clearFaults) // for the page's form
	mux.HandleFunc("GET /sandbox/chaos", g.showChaos)
	mux.HandleFunc("POST /sandbox/chaos", g.startChaos)
	mux.HandleFunc("DELETE /sandbox/chaos", g.stopChaos)
	mux.HandleFunc("POST /sandbox/chaos/stop", g.stopChaos) // for the page's form

	mux.HandleFunc("GET /sandbox/certificates", g.listCertificates)
	mux.HandleFunc("POST /sandbox/certificates", g.rotateCertificate)
	mux.HandleFunc("POST /sandbox/certificates/activate", g.activateCertificate)
	mux.HandleFunc("GET /sandbox/bills", g.showBill)
	mux.HandleFunc("GET /sandbox/clock", g.showClock)
	if g.options.Advance != nil {
		mux.HandleFunc("POST /sandbox/clock", g.moveClock)
	}
}

func (g *Gateway) listTrades(rw http.ResponseWriter, r *http.Request) {
	limit := 100
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1000 {
			refuse(rw, errors.New("limit must be 1 to 1000"))
			return
		}
		limit = n
	}
	reply(rw, http.StatusOK, map[string]any{"items": g.Trades(limit)})
}

// tradeAction does something to a trade and shows the trade afterwards. A
// browser's form gets the page of trades instead of JSON.
func (g *Gateway) tradeAction(do func(*trade.Trade) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var v TradeView
		err := g.withTrade(r.PathValue("no"), func(t *trade.Trade) error {
			err := do(t)
			v = viewTrade(t, g.book.Now())
			return err
		})
		done(rw, r, v, err)
	}
}

// refundAction is tradeAction for refunds.
func (g *Gateway) refundAction(do func(*trade.Refund) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var v RefundView
		err := g.withRefund(r.PathValue("no"), func(f *trade.Refund) error {
			err := do(f)
			v = viewRefund(f)
			return err
		}, r.URL.Query()["outTradeNo"]...)
		done(rw, r, v, err)
	}
}

// done answers an action. The page shows what it came to, or what forbade it.
func done(rw http.ResponseWriter, r *http.Request, view any, err error) {
	switch {
	case fromForm(r):
		wire.SeeOther(rw, "../../"+langQuery(r))
	case errors.Is(err, trade.ErrNoTrade) || errors.Is(err, trade.ErrNoRefund):
		replyError(rw, http.StatusNotFound, "not_found", err)
	case err != nil:
		replyError(rw, http.StatusConflict, "conflict", err)
	default:
		reply(rw, http.StatusOK, view)
	}
}

func (g *Gateway) openAlipayApp(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		OrderString string `json:"orderString"`
	}
	if !read(rw, r, &body) {
		return
	}
	no, err := g.alipay.OpenApp(body.OrderString)
	if err != nil {
		refuse(rw, err)
		return
	}
	view, err := g.Trade(g.alipay.Name() + ":" + no)
	if err != nil {
		replyError(rw, http.StatusNotFound, "not_found", err)
		return
	}
	reply(rw, http.StatusOK, view)
}

func (g *Gateway) showClock(rw http.ResponseWriter, _ *http.Request) {
	reply(rw, http.StatusOK, map[string]any{"now": g.book.Now().In(trade.China).Format(time.RFC3339Nano)})
}

// maxAdvance keeps a typing error from moving the clock into another century.
const maxAdvance = 366 * 24 * time.Hour

func (g *Gateway) moveClock(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	if !read(rw, r, &body) {
		return
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		refuse(rw, errors.New(`advance must be a duration like "16m", at most a year`))
		return
	}
	g.options.Advance(d)
	g.showClock(rw, r)
}

func fromForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.Header.Get("Accept"), "text/html")
}

func langQuery(r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); texts[lang] != nil {
		return "?lang=" + url.QueryEscape(lang)
	}
	return ""
}

// read reads the JSON body, or answers that it is wrong and returns false.
func read(rw http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(rw, r.Body, wire.MaxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		refuse(rw, err)
		return false
	}
	return true
}

// refuse answers a request that is wrong in itself.
func refuse(rw http.ResponseWriter, err error) {
	replyError(rw, http.StatusBadRequest, "validation_failed", err)
}

func replyError(rw http.ResponseWriter, status int, code string, err error) {
	reply(rw, status, map[string]string{"code": code, "message": err.Error()})
}

func reply(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}
