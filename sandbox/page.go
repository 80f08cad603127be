package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/tandem-pay/tandem/sandbox/alipay"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

//go:embed web
var web embed.FS

// pages are the templates. Everything in them is escaped by html/template;
// their texts come from texts.go.
var pages = template.Must(template.New("").Funcs(template.FuncMap{"yuan": wire.Yuan}).ParseFS(web, "web/*.html", "web/*.css"))

func (g *Gateway) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /pay/{token}", g.showPhonePage)
	mux.HandleFunc("GET /pay/{token}/qr.png", g.showQR)
	mux.HandleFunc("POST /pay/{token}/pay", g.phoneAction(g.book.Pay))
	mux.HandleFunc("POST /pay/{token}/fail", g.phoneAction(g.book.Fail))
	mux.HandleFunc("GET /sandbox/scan", g.scan)
}

// scan does what a phone's camera or a wallet does: it finds the page of a
// code_url, a qr_code or a prepay_id. It also takes a code pasted with blanks,
// and either kind of code under either name.
func (g *Gateway) scan(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	token, ok := g.tokenOf(strings.TrimSpace(query.Get("code_url")+query.Get("code")), query.Get("prepay_id"))
	if !ok {
		http.Error(
			rw,
			"scan takes ?code= (weixin://wxpay/bizpayurl?pr=… or https://qr.alipay.com/…, percent-encoded) or ?prepay_id=",
			http.StatusBadRequest,
		)
		return
	}
	g.book.Lock()
	if t := g.book.ByToken(token); t != nil {
		_ = g.book.Open(t) // the page shows why it cannot be paid
	}
	g.book.Unlock()
	wire.SeeOther(rw, "../pay/"+token)
}

// tokenOf is the token of the phone page in a code or in a prepay_id.
func (g *Gateway) tokenOf(code, prepayID string) (token string, ok bool) {
	if cut := len(prepayID) - trade.TokenLength; cut > 0 {
		token = prepayID[cut:]
	}
	for _, p := range g.protocols {
		if rest, is := strings.CutPrefix(code, p.CodePrefix()); is {
			token = rest
		}
	}
	return token, token != "" && strings.Trim(token, random.Lower) == ""
}

// phonePage is what web/pay.html shows.
type phonePage struct {
	pageTexts
	View        string // open, failed, paid, closed, expired, link_expired or missing
	No, Token   string
	Description string
	Amount      int64
	Transaction string
	// To carry redirect_url and lang along; they come from url.Values.Encode.
	Query, OtherQuery template.URL
	Return            string // where the buyer goes afterwards, checked
	Alipay            bool
}

func (g *Gateway) showPhonePage(rw http.ResponseWriter, r *http.Request) {
	page := phonePage{pageTexts: textsFor(r), View: "missing", Token: r.PathValue("token")}
	status := http.StatusNotFound
	var back func() (string, error)
	g.book.Lock()
	if t := g.book.ByToken(page.Token); t != nil {
		now := g.book.Now()
		_ = g.book.Open(t) // looking at the page is opening the trade
		page.Alipay, back = t.Protocol.Name() == alipay.Name, g.protocolOf(t).Return(t)
		status = http.StatusOK
		page.View, page.No, page.Description, page.Amount = string(t.State(now)), t.No, t.Description, t.Amount
		if len(t.Payments) > 0 {
			page.Transaction = t.Payments[len(t.Payments)-1].TransactionID
		}
		if (page.View == string(trade.Open) || page.View == string(trade.Failed)) && now.After(t.LinkUntil) {
			page.View = "link_expired"
		}
	}
	g.book.Unlock()

	carry := url.Values{}
	if to := r.URL.Query().Get("redirect_url"); wire.SafeReturn(to) {
		page.Return = to
		carry.Set("redirect_url", to)
	}
	if back != nil {
		to, err := back()
		if err != nil {
			g.options.Log.Error("sandbox: return_url", "error", err)
		}
		page.Return = to
	}
	carry.Set("lang", page.Other)
	page.OtherQuery = template.URL(carry.Encode()) //nolint:gosec // it comes from url.Values.Encode
	carry.Set("lang", page.Lang)
	page.Query = template.URL(carry.Encode()) //nolint:gosec // likewise
	if page.Return != "" && page.View == string(trade.Paid) {
		rw.Header().Set("Refresh", "3; url="+page.Return)
	}
	g.render(rw, "pay.html", status, page)
}

func (g *Gateway) phoneAction(do func(*trade.Trade) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		token := r.PathValue("token")
		g.book.Lock()
		if t := g.book.ByToken(token); t != nil {
			_ = do(t) // the page shows what it came to, or what forbade it
		}
		g.book.Unlock()
		to := "../" + url.PathEscape(token)
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.Query().Encode()
		}
		wire.SeeOther(rw, to)
	}
}

// showQR draws the address of the phone page, to open it on a real phone.
func (g *Gateway) showQR(rw http.ResponseWriter, r *http.Request) {
	code, err := qr.Encode(g.env.Base(r, "/pay/")+"/pay/"+r.PathValue("token"), qr.M)
	if err != nil {
		http.Error(rw, "too long for a QR code", http.StatusBadRequest)
		return
	}
	code.Scale = 4
	rw.Header().Set("Content-Type", "image/png")
	_, _ = rw.Write(code.PNG()) //nolint:gosec // a picture
}

// tradesPage is what web/trades.html shows.
type tradesPage struct {
	pageTexts
	Now    time.Time
	Trades []TradeView
	Faults []faults.Armed
	China  *time.Location
	Days   []string // that have bills, the newest first
}

func (g *Gateway) showTrades(rw http.ResponseWriter, r *http.Request) {
	page := tradesPage{
		pageTexts: textsFor(r), Now: g.book.Now(), Trades: g.Trades(100), Faults: g.ArmedFaults(), China: trade.China,
	}
	g.book.Lock()
	page.Days = g.book.Days(7)
	g.book.Unlock()
	g.render(rw, "trades.html", http.StatusOK, page)
}

func (g *Gateway) render(rw http.ResponseWriter, name string, status int, data any) {
	var page bytes.Buffer // so that a failing template does not send half a page
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		g.options.Log.Error("sandbox: page", "name", name, "error", err)
		http.Error(rw, "the page is broken", http.StatusInternalServerError)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	h.Set(
		"Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	rw.WriteHeader(status)
	_, _ = page.WriteTo(rw)
}
