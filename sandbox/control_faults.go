package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

func (g *Gateway) listFaults(rw http.ResponseWriter, _ *http.Request) {
	armed := []map[string]any{}
	for _, a := range g.ArmedFaults() {
		item := map[string]any{"op": a.Op, "fault": a.Fault, "left": a.Left, "delay": a.Delay.String()}
		if a.OutTradeNo != "" {
			item["outTradeNo"] = a.OutTradeNo
		}
		armed = append(armed, item)
	}
	reply(rw, http.StatusOK, map[string]any{"armed": armed, "available": faults.Table()})
}

func (g *Gateway) armFault(rw http.ResponseWriter, r *http.Request) {
	body := struct {
		Op    faults.Op    `json:"op"`
		Fault faults.Fault `json:"fault"`
		Count int          `json:"count"`
		Delay string       `json:"delay"`
		No    string       `json:"outTradeNo"`
	}{Count: 1, Delay: "0s"}
	var err error
	if fromForm(r) {
		body.Op, body.Fault = faults.Op(r.FormValue("op")), faults.Fault(r.FormValue("fault"))
		body.No = strings.TrimSpace(r.FormValue("outTradeNo"))
		if d := strings.TrimSpace(r.FormValue("delay")); d != "" {
			body.Delay = d
		}
		body.Count, err = strconv.Atoi(r.FormValue("count"))
	} else if !read(rw, r, &body) {
		return
	}
	if err == nil {
		var delay time.Duration
		if delay, err = time.ParseDuration(body.Delay); err == nil {
			err = g.ArmOn(body.No, body.Op, body.Fault, body.Count, delay)
		}
	}
	switch {
	case fromForm(r):
		backToFaults(rw, r, err)
	case err != nil:
		refuse(rw, err)
	default:
		g.listFaults(rw, r)
	}
}

func (g *Gateway) clearFaults(rw http.ResponseWriter, r *http.Request) {
	g.Disarm()
	if fromForm(r) {
		to := "../"
		if r.URL.Query().Has("arm") {
			to += "arm"
		}
		wire.SeeOther(rw, to+langQuery(r))
		return
	}
	g.listFaults(rw, r)
}

func (g *Gateway) showChaos(rw http.ResponseWriter, _ *http.Request) {
	reply(rw, http.StatusOK, g.ChaosState())
}

func (g *Gateway) startChaos(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		Seed   uint64         `json:"seed"`
		Rate   float64        `json:"rate"`
		Faults []faults.Fault `json:"faults"`
	}
	var err error
	if fromForm(r) {
		body.Seed, err = strconv.ParseUint(r.FormValue("seed"), 10, 64)
		if err == nil {
			body.Rate, err = strconv.ParseFloat(r.FormValue("rate"), 64)
			body.Rate /= 100 // people think in percent
		}
	} else if !read(rw, r, &body) {
		return
	}
	if err == nil {
		err = g.Chaos(body.Seed, body.Rate, body.Faults...)
	}
	switch {
	case fromForm(r):
		backToFaults(rw, r, err)
	case err != nil:
		refuse(rw, err)
	default:
		g.showChaos(rw, r)
	}
}

func (g *Gateway) stopChaos(rw http.ResponseWriter, r *http.Request) {
	_ = g.Chaos(0, 0) // a rate of 0 is never refused
	if fromForm(r) {
		wire.SeeOther(rw, "../arm"+langQuery(r))
		return
	}
	g.showChaos(rw, r)
}

// backToFaults shows the page of faults again, with what was wrong.
func backToFaults(rw http.ResponseWriter, r *http.Request, err error) {
	query := url.Values{}
	if lang := r.URL.Query().Get("lang"); texts[lang] != nil {
		query.Set("lang", lang)
	}
	if err != nil {
		query.Set("error", err.Error())
	}
	to := "arm"
	if len(query) > 0 {
		to += "?" + query.Encode()
	}
	wire.SeeOther(rw, to)
}

// faultsPage is what web/faults.html shows.
type faultsPage struct {
	pageTexts
	Error    string
	Today    string // in China
	Faults   []faultRow
	Armed    []faults.Armed
	Chaos    faults.ChaosState
	Injected []injectedRow
}

// faultRow is a fault with what it does in the page's language.
type faultRow struct {
	faults.Info
	Text string
}

// injectedRow is how often chance chose a fault for an operation.
type injectedRow struct {
	Op    faults.Op
	Fault faults.Fault
	Times int
}

func (g *Gateway) showFaults(rw http.ResponseWriter, r *http.Request) {
	page := faultsPage{
		pageTexts: textsFor(r), Error: r.URL.Query().Get("error"), Today: g.book.Now().In(trade.China).Format(trade.DayLayout),
		Armed: g.ArmedFaults(), Chaos: g.ChaosState(),
	}
	for _, f := range faults.Table() {
		row := faultRow{f, f.Does}
		if page.Lang == "zh" {
			row.Text = f.DoesZh
		}
		page.Faults = append(page.Faults, row)
	}
	for _, op := range wire.SortedNames(page.Chaos.Injected) {
		times := page.Chaos.Injected[op]
		for _, f := range wire.SortedNames(times) {
			page.Injected = append(page.Injected, injectedRow{op, f, times[f]})
		}
	}
	g.render(rw, "faults.html", http.StatusOK, page)
}
