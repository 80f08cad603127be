package sandbox

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RefundView is a refund as the control API shows it.
type RefundView struct {
	RefundNo      string      `json:"refundNo"`
	RefundID      string      `json:"refundId"`
	OutTradeNo    string      `json:"outTradeNo"`
	TransactionID string      `json:"transactionId"`
	Amount        int64       `json:"amount"` // fen
	Reason        string      `json:"reason,omitempty"`
	State         RefundState `json:"state"`
	CreatedAt     time.Time   `json:"createdAt"`
	EndedAt       time.Time   `json:"endedAt,omitzero"`
}

// view copies a refund. Gateway.mu is held.
func (r *refund) view() RefundView {
	v := RefundView{
		RefundNo: r.no, RefundID: r.id, OutTradeNo: r.trade.no, TransactionID: r.payment.transactionID,
		Amount: r.amount, Reason: r.reason, State: r.state, CreatedAt: r.created,
	}
	if r.state != RefundProcessing {
		v.EndedAt = r.at
	}
	return v
}

// RefundByNo shows one refund. Where refund numbers are the trade's own, the
// trade's number must be given too.
func (g *Gateway) RefundByNo(refundNo string, outTradeNo ...string) (v RefundView, err error) {
	err = g.withRefund(refundNo, func(r *refund) error { v = r.view(); return nil }, outTradeNo...)
	return v, err
}

// NotifyRefund sends every callback of a refund once more, right now.
func (g *Gateway) NotifyRefund(refundNo string, outTradeNo ...string) error {
	return g.withRefund(refundNo, g.resendRefund, outTradeNo...)
}

func (g *Gateway) resendRefund(r *refund) error {
	told := false
	for _, n := range r.trade.notices {
		if n.refund == r {
			told = true
			g.enqueue(n, g.now(), byHand)
		}
	}
	if !told {
		return errors.New("the refund has no callback yet")
	}
	return nil
}

// PayAnyway lets the buyer pay a trade that is paid, closed or expired, as
// the faults SecondPayment and PayAfterClose do, or one that is open.
func (g *Gateway) PayAnyway(outTradeNo string) error { return g.withTrade(outTradeNo, g.payAnyway) }

func (g *Gateway) payAnyway(t *trade) error {
	force := map[State]Fault{Paid: SecondPayment, Closed: PayAfterClose, Expired: PayAfterClose}[t.stateAt(g.now())]
	if force != "" {
		g.armed = append([]*Armed{{Op: OpPay, Fault: force, Left: 1, OutTradeNo: t.no}}, g.armed...)
	}
	return g.pay(t, true)
}

func (g *Gateway) moreControlRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/trades/{no}/pay-anyway", g.tradeAction(g.payAnyway))
	mux.HandleFunc("GET /sandbox/refunds/{no}", g.refundAction(func(*refund) error { return nil }))
	mux.HandleFunc("POST /sandbox/refunds/{no}/notify", g.refundAction(g.resendRefund))
	for path, state := range map[string]RefundState{"succeed": RefundSucceeded, "abnormal": RefundAbnormal, "close": RefundClosed} {
		mux.HandleFunc("POST /sandbox/refunds/{no}/"+path, g.refundAction(func(r *refund) error { return g.finishRefund(r, state) }))
	}
	mux.HandleFunc("GET /sandbox/chaos", g.showChaos)
	mux.HandleFunc("POST /sandbox/chaos", g.startChaos)
	mux.HandleFunc("DELETE /sandbox/chaos", g.stopChaos)
	mux.HandleFunc("POST /sandbox/chaos/stop", g.stopChaos) // for the page's form
	mux.HandleFunc("GET /sandbox/certificates", g.listCertificates)
	mux.HandleFunc("POST /sandbox/certificates", g.rotate)
	mux.HandleFunc("POST /sandbox/certificates/activate", g.activate)
	mux.HandleFunc("GET /sandbox/bills", g.showBill)
	mux.HandleFunc("GET /sandbox/arm", g.showArm)
}

// refundAction does something to a refund and shows what has become of it. A
// browser's form gets the page of trades instead of JSON.
func (g *Gateway) refundAction(do func(*refund) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var v RefundView
		err := g.withRefund(r.PathValue("no"), func(f *refund) error {
			err := do(f)
			v = f.view()
			return err
		}, r.URL.Query()["outTradeNo"]...)
		switch {
		case fromForm(r):
			seeOther(rw, "../../"+langQuery(r))
		case errors.Is(err, ErrNoRefund):
			sayNo(rw, http.StatusNotFound, "not_found", err.Error())
		case err != nil:
			sayNo(rw, http.StatusConflict, "conflict", err.Error())
		default:
			reply(rw, http.StatusOK, v)
		}
	}
}

func (g *Gateway) showChaos(rw http.ResponseWriter, _ *http.Request) {
	reply(rw, http.StatusOK, g.ChaosStruck())
}

func (g *Gateway) startChaos(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		Seed   uint64  `json:"seed"`
		Rate   float64 `json:"rate"`
		Faults []Fault `json:"faults"`
	}
	var err error
	if fromForm(r) {
		body.Seed, err = strconv.ParseUint(r.FormValue("seed"), 10, 64)
		if err == nil {
			body.Rate, err = strconv.ParseFloat(r.FormValue("rate"), 64)
			body.Rate /= 100 // people think in percent
		}
	} else if !ask(rw, r, &body) {
		return
	}
	if err == nil {
		err = g.Chaos(body.Seed, body.Rate, body.Faults...)
	}
	switch {
	case fromForm(r):
		g.backToArm(rw, r, err)
	case err != nil:
		sayNo(rw, http.StatusBadRequest, "validation_failed", err.Error())
	default:
		g.showChaos(rw, r)
	}
}

func (g *Gateway) stopChaos(rw http.ResponseWriter, r *http.Request) {
	_ = g.Chaos(0, 0) // a rate of 0 is never refused
	if fromForm(r) {
		seeOther(rw, "../arm"+langQuery(r))
		return
	}
	g.showChaos(rw, r)
}

// backToArm shows the page of faults again, with what was wrong.
func (g *Gateway) backToArm(rw http.ResponseWriter, r *http.Request, err error) {
	query := url.Values{}
	if lang := r.URL.Query().Get("lang"); vocabulary[lang] != nil {
		query.Set("lang", lang)
	}
	if err != nil {
		query.Set("error", err.Error())
	}
	to := "arm"
	if len(query) > 0 {
		to += "?" + query.Encode()
	}
	seeOther(rw, to)
}

// showBill lets a person look at a day's bill as it stands, without the
// signature and the waiting of the real call. It uses up no faults.
func (g *Gateway) showBill(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	day, err := time.ParseInLocation(dayLayout, query.Get("date"), china)
	if err != nil {
		sayNo(rw, http.StatusBadRequest, "validation_failed", "date must be like 2006-01-02")
		return
	}
	g.mu.Lock()
	now := g.now()
	rows, moves := g.movements(g.wechat, day.Format(dayLayout)), g.movements(g.alipay, day.Format(dayLayout))
	g.mu.Unlock()
	var write func() error
	name, of := day.Format(dayLayout), "text/csv; charset=utf-8"
	switch query.Get("kind") {
	case "trade":
		name = "wechatpay-" + name + ".csv"
		write = func() error {
			return (&ticket{file: tradeBillFile{g.keys, tradeBills["ALL"]}, rows: rows}).write(rw)
		}
	case "flow":
		name = "wechatpay-flow-" + name + ".csv"
		write = func() error { return (&ticket{file: flowBillFile{g.keys}, rows: rows}).write(rw) }
	case "alipay":
		of, name = "application/zip", "alipay-"+name+".zip"
		write = func() error {
			return (&alipayBill{days: []time.Time{day}}).write(rw, g.keys.Alipay.SellerID, moves, now, "")
		}
	default:
		sayNo(rw, http.StatusBadRequest, "validation_failed", "kind must be trade, flow or alipay")
		return
	}
	rw.Header().Set("Content-Type", of)
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	rw.Header().Set("Cache-Control", "no-store")
	if err := write(); err != nil {
		// The status has been sent: all that is left is to break off.
		g.log.Debug("sandbox: bill broken off", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// armPage is what web/faults.html shows.
type armPage struct {
	Words       words
	Lang, Other string
	Error       string
	Today       string // in China
	Faults      []faultRow
	Armed       []Armed
	Chaos       ChaosView
	Struck      []struckRow
}

// faultRow is a fault with what it does in the page's language.
type faultRow struct {
	FaultInfo
	Text  string
	Waits bool // it knows a delay
}

// struckRow is how often chance struck an operation by a fault.
type struckRow struct {
	Op    Op
	Fault Fault
	Times int
}

func (g *Gateway) showArm(rw http.ResponseWriter, r *http.Request) {
	page := armPage{Lang: language(r), Other: "en", Error: r.URL.Query().Get("error"), Today: g.now().In(china).Format(dayLayout), Armed: g.ArmedFaults(), Chaos: g.ChaosStruck()}
	if page.Lang == "en" {
		page.Other = "zh"
	}
	page.Words = vocabulary[page.Lang]
	for _, f := range faultTable {
		row := faultRow{FaultInfo: f, Text: f.Does, Waits: f.Delay > 0 || strings.HasPrefix(string(f.Fault), "timeout")}
		if page.Lang == "zh" {
			row.Text = faultsInChinese[f.Fault]
		}
		page.Faults = append(page.Faults, row)
	}
	for _, op := range sortedNames(page.Chaos.Struck) {
		faults := page.Chaos.Struck[op]
		for _, f := range sortedNames(faults) {
			page.Struck = append(page.Struck, struckRow{op, f, faults[f]})
		}
	}
	g.render(rw, "faults.html", http.StatusOK, page)
}

// daysWithBills are the last seven days on which money moved, the newest
// first.
func (g *Gateway) daysWithBills() (days []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key := range g.trades.days {
		days = append(days, key.day)
	}
	slices.Sort(days)
	slices.Reverse(days)
	days = slices.Compact(days)
	return days[:min(7, len(days))]
}
