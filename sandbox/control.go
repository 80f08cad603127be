package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// TradeView is a trade as the control API shows it.
type TradeView struct {
	Channel        string         `json:"channel"`
	OutTradeNo     string         `json:"outTradeNo"`
	Method         string         `json:"method"`
	State          State          `json:"state"`
	Amount         int64          `json:"amount"` // fen
	Description    string         `json:"description"`
	NotifyURL      string         `json:"notifyUrl"`
	PayPath        string         `json:"payPath"` // of the phone page, below the handler's root
	CreatedAt      time.Time      `json:"createdAt"`
	ExpiresAt      time.Time      `json:"expiresAt,omitzero"`
	PaidAt         time.Time      `json:"paidAt,omitzero"`
	TransactionIDs []string       `json:"transactionIds"`
	Callbacks      []CallbackView `json:"callbacks"`
	Refunds        []RefundView   `json:"refunds"`
}

// CallbackView is one callback of a trade, in all its tries.
type CallbackView struct {
	ID        string    `json:"id"`
	RefundNo  string    `json:"refundNo,omitempty"` // when it tells of a refund
	Delivered bool      `json:"delivered"`
	Lost      bool      `json:"lost,omitempty"` // by a fault: it is never sent
	Tries     int       `json:"tries"`
	NextTry   time.Time `json:"nextTry,omitzero"`
	Attempts  []Attempt `json:"attempts"` // the last twenty
}

// view copies a trade. g.mu is held.
func (g *Gateway) view(t *trade) TradeView {
	v := TradeView{
		Channel: t.speaks.name(), OutTradeNo: t.no, Method: t.method, State: t.stateAt(g.now()),
		Amount: t.amount, Description: t.description, NotifyURL: t.notifyURL, PayPath: "/pay/" + t.token,
		CreatedAt: t.created, ExpiresAt: t.expires, TransactionIDs: []string{}, Callbacks: []CallbackView{}, Refunds: []RefundView{},
	}
	for i, p := range t.payments {
		if i == 0 {
			v.PaidAt = p.at
		}
		v.TransactionIDs = append(v.TransactionIDs, p.transactionID)
	}
	for _, n := range t.notices {
		c := CallbackView{
			ID: n.id, Delivered: n.delivered, Lost: n.lost, Tries: n.tries, NextTry: n.next,
			Attempts: append([]Attempt{}, n.attempts...),
		}
		if n.refund != nil {
			c.RefundNo = n.refund.no
		}
		v.Callbacks = append(v.Callbacks, c)
	}
	for _, r := range t.refunds {
		v.Refunds = append(v.Refunds, r.view())
	}
	return v
}

// Trade shows one trade.
func (g *Gateway) Trade(outTradeNo string) (v TradeView, err error) {
	err = g.withTrade(outTradeNo, func(t *trade) error { v = g.view(t); return nil })
	return v, err
}

// Trades shows the newest trades, at most limit.
func (g *Gateway) Trades(limit int) []TradeView {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	out := []TradeView{}
	for e := g.trades.all.Back(); e != nil && len(out) < limit; e = e.Prev() {
		out = append(out, g.view(e.Value.(*trade)))
	}
	return out
}

// Notify sends every callback of a paid trade once more, right now.
func (g *Gateway) Notify(outTradeNo string) error { return g.withTrade(outTradeNo, g.resend) }

func (g *Gateway) controlRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) { seeOther(rw, "sandbox/") })
	mux.HandleFunc("GET /sandbox", func(rw http.ResponseWriter, _ *http.Request) { seeOther(rw, "sandbox/") })
	mux.HandleFunc("GET /sandbox/{$}", g.showTrades)
	mux.HandleFunc("GET /sandbox/trades", g.listTrades)
	mux.HandleFunc("GET /sandbox/trades/{no}", g.tradeAction(func(*trade) error { return nil }))
	mux.HandleFunc("POST /sandbox/trades/{no}/pay", g.tradeAction(func(t *trade) error { return g.pay(t, true) }))
	mux.HandleFunc("POST /sandbox/trades/{no}/fail", g.tradeAction(g.fail))
	mux.HandleFunc("POST /sandbox/trades/{no}/notify", g.tradeAction(g.resend))
	mux.HandleFunc("GET /sandbox/faults", g.listFaults)
	mux.HandleFunc("POST /sandbox/faults", g.armFault)
	mux.HandleFunc("DELETE /sandbox/faults", g.clearFaults)
	mux.HandleFunc("POST /sandbox/faults/clear", g.clearFaults) // for the page's form
	g.moreControlRoutes(mux)
	mux.HandleFunc("GET /sandbox/clock", g.showClock)
	if g.advance != nil {
		mux.HandleFunc("POST /sandbox/clock", g.moveClock)
	}
}

// tradesPage is what web/trades.html shows.
type tradesPage struct {
	Words       words
	Lang, Other string
	Now         time.Time
	Trades      []TradeView
	Faults      []Armed
	China       *time.Location
	Days        []string // that have bills, the newest first
}

func (g *Gateway) showTrades(rw http.ResponseWriter, r *http.Request) {
	page := tradesPage{Lang: language(r), Other: "en", Now: g.now(), Trades: g.Trades(100), Faults: g.ArmedFaults(), China: china}
	page.Days = g.daysWithBills()
	if page.Lang == "en" {
		page.Other = "zh"
	}
	page.Words = vocabulary[page.Lang]
	g.render(rw, "trades.html", http.StatusOK, page)
}

func (g *Gateway) listTrades(rw http.ResponseWriter, r *http.Request) {
	limit := 100
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1000 {
			sayNo(rw, http.StatusBadRequest, "validation_failed", "limit must be 1 to 1000")
			return
		}
		limit = n
	}
	reply(rw, http.StatusOK, map[string]any{"items": g.Trades(limit)})
}

// tradeAction does something to a trade and shows what has become of it. A
// browser's form gets the page of trades instead of JSON.
func (g *Gateway) tradeAction(do func(*trade) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var v TradeView
		err := g.withTrade(r.PathValue("no"), func(t *trade) error {
			err := do(t)
			v = g.view(t)
			return err
		})
		switch {
		case fromForm(r):
			seeOther(rw, "../../"+langQuery(r))
		case errors.Is(err, ErrNoTrade):
			sayNo(rw, http.StatusNotFound, "not_found", err.Error())
		case err != nil:
			sayNo(rw, http.StatusConflict, "conflict", err.Error())
		default:
			reply(rw, http.StatusOK, v)
		}
	}
}

func (g *Gateway) listFaults(rw http.ResponseWriter, _ *http.Request) {
	armed := []map[string]any{}
	for _, a := range g.ArmedFaults() {
		item := map[string]any{"op": a.Op, "fault": a.Fault, "left": a.Left, "delay": a.Delay.String()}
		if a.OutTradeNo != "" {
			item["outTradeNo"] = a.OutTradeNo
		}
		armed = append(armed, item)
	}
	reply(rw, http.StatusOK, map[string]any{"armed": armed, "available": faultTable})
}

func (g *Gateway) armFault(rw http.ResponseWriter, r *http.Request) {
	body := struct {
		Op    Op     `json:"op"`
		Fault Fault  `json:"fault"`
		Count int    `json:"count"`
		Delay string `json:"delay"`
		No    string `json:"outTradeNo"`
	}{Count: 1, Delay: "0s"}
	var err error
	if fromForm(r) {
		body.Op, body.Fault, body.No = Op(r.FormValue("op")), Fault(r.FormValue("fault")), strings.TrimSpace(r.FormValue("outTradeNo"))
		if d := strings.TrimSpace(r.FormValue("delay")); d != "" {
			body.Delay = d
		}
		body.Count, err = strconv.Atoi(r.FormValue("count"))
	} else if !ask(rw, r, &body) {
		return
	}
	if err == nil {
		var delay time.Duration
		if delay, err = time.ParseDuration(body.Delay); err == nil {
			err = g.ArmOn(body.No, body.Op, body.Fault, body.Count, delay)
		}
	}
	if fromForm(r) {
		g.backToArm(rw, r, err)
		return
	}
	if err != nil {
		sayNo(rw, http.StatusBadRequest, "validation_failed", err.Error())
		return
	}
	g.listFaults(rw, r)
}

func (g *Gateway) clearFaults(rw http.ResponseWriter, r *http.Request) {
	g.Disarm()
	if fromForm(r) {
		to := "../"
		if r.URL.Query().Has("arm") {
			to += "arm"
		}
		seeOther(rw, to+langQuery(r))
		return
	}
	g.listFaults(rw, r)
}

func (g *Gateway) showClock(rw http.ResponseWriter, _ *http.Request) {
	reply(rw, http.StatusOK, map[string]any{"now": g.now().In(china).Format(time.RFC3339Nano)})
}

// maxAdvance keeps a typing error from moving the clock into another century.
const maxAdvance = 366 * 24 * time.Hour

func (g *Gateway) moveClock(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	if !ask(rw, r, &body) {
		return
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		sayNo(rw, http.StatusBadRequest, "validation_failed", `advance must be a duration like "16m", at most a year`)
		return
	}
	g.advance(d)
	g.showClock(rw, r)
}

func fromForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.Header.Get("Accept"), "text/html")
}

func langQuery(r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); vocabulary[lang] != nil {
		return "?lang=" + url.QueryEscape(lang)
	}
	return ""
}

// ask reads the JSON body, or answers for it and returns false.
func ask(rw http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		sayNo(rw, http.StatusBadRequest, "validation_failed", err.Error())
		return false
	}
	return true
}

func sayNo(rw http.ResponseWriter, status int, code, message string) {
	reply(rw, status, map[string]string{"code": code, "message": message})
}

func reply(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}
