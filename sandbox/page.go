package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rsc.io/qr"
)

//go:embed web
var web embed.FS

// pages are the templates. Everything in them is escaped by html/template;
// the words come from words.go.
var pages = template.Must(template.New("").Funcs(template.FuncMap{"yuan": yuan}).ParseFS(web, "web/*.html", "web/*.css"))

// yuan writes fen as people read them.
func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

func (g *Gateway) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /pay/{token}", g.showPhonePage)
	mux.HandleFunc("GET /pay/{token}/qr.png", g.showQR)
	mux.HandleFunc("POST /pay/{token}/pay", g.phoneAction(func(t *trade) error { return g.pay(t, true) }))
	mux.HandleFunc("POST /pay/{token}/fail", g.phoneAction(g.fail))
	mux.HandleFunc("GET /sandbox/scan", g.scan)
}

// PayPath is the path of the trade's phone page below the handler's root.
func (g *Gateway) PayPath(outTradeNo string) (path string, err error) {
	err = g.withTrade(outTradeNo, func(t *trade) error {
		path = "/pay/" + t.token
		return nil
	})
	return path, err
}

// scan does what a phone's camera or a wallet does: it finds the page of a
// code_url, a qr_code or a prepay_id. It also takes a code pasted with blanks,
// and either kind of code under either name.
func (g *Gateway) scan(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	code := strings.TrimSpace(query.Get("code_url") + query.Get("code"))
	token, ok := strings.CutPrefix(code, codeURLPrefix)
	if !ok {
		token, ok = strings.CutPrefix(code, alipayQRPrefix)
	}
	if id := query.Get("prepay_id"); !ok && len(id) > tokenLength {
		token, ok = id[len(id)-tokenLength:], true
	}
	if !ok || strings.Trim(token, lower) != "" || token == "" {
		http.Error(rw, "scan takes ?code= (weixin://wxpay/bizpayurl?pr=… or https://qr.alipay.com/…, percent-encoded) or ?prepay_id=", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	g.catchUp()
	if t := g.trades.byToken[token]; t != nil {
		_ = g.scanTrade(t) // what stands against it is what the page shows
	}
	g.mu.Unlock()
	seeOther(rw, "../pay/"+token)
}

// seeOther redirects by a relative URL. http.Redirect would make it absolute
// and lose the prefix under which the gateway is mounted.
func seeOther(rw http.ResponseWriter, to string) {
	rw.Header().Set("Location", to)
	rw.WriteHeader(http.StatusSeeOther)
}

// phonePage is what web/pay.html shows.
type phonePage struct {
	Words       words
	Lang, Other string // of this page, and to switch to
	View        string // open, failed, paid, closed, expired, link_expired or missing
	No, Token   string
	Description string
	Amount      int64
	Transaction string
	// To carry redirect_url and lang along; they come from url.Values.Encode.
	Query, OtherQuery template.URL
	Return            string // the shop's redirect_url, checked
	Alipay            bool
}

func (g *Gateway) showPhonePage(rw http.ResponseWriter, r *http.Request) {
	page := phonePage{View: "missing", Token: r.PathValue("token")}
	status := http.StatusNotFound
	var back *alipayReturn
	g.mu.Lock()
	g.catchUp()
	if t := g.trades.byToken[page.Token]; t != nil {
		now := g.now()
		_ = g.scanTrade(t) // looking at the page is opening the trade
		if page.Alipay = t.speaks == g.alipay; page.Alipay {
			r := g.alipay.returns(t)
			back = &r
		}
		status = http.StatusOK
		page.View, page.No, page.Description, page.Amount = string(t.stateAt(now)), t.no, t.description, t.amount
		if len(t.payments) > 0 {
			page.Transaction = t.payments[len(t.payments)-1].transactionID
		}
		if (page.View == string(Open) || page.View == string(Failed)) && now.After(t.linkUntil) {
			page.View = "link_expired"
		}
	}
	g.mu.Unlock()

	query := r.URL.Query()
	page.Lang = language(r)
	page.Words, page.Other = vocabulary[page.Lang], "en"
	if page.Lang == "en" {
		page.Other = "zh"
	}
	carry := url.Values{}
	if to := query.Get("redirect_url"); safeReturn(to) {
		page.Return = to
		carry.Set("redirect_url", to)
	}
	if back != nil {
		// Signed outside of the lock.
		to, err := back.url(g.keys.Alipay)
		if err != nil {
			g.log.Error("sandbox: return_url", "error", err)
		}
		page.Return = to
	}
	carry.Set("lang", page.Other)
	page.OtherQuery = template.URL(carry.Encode())
	carry.Set("lang", page.Lang)
	page.Query = template.URL(carry.Encode())
	if page.Return != "" && page.View == string(Paid) {
		rw.Header().Set("Refresh", "3; url="+page.Return)
	}
	g.render(rw, "pay.html", status, page)
}

// safeReturn says whether a browser may be sent there. Any shop's address
// will do, as for the real gateway, but nothing that runs a script.
func safeReturn(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.ContainsAny(s, "\r\n;, ")
}

func (g *Gateway) phoneAction(do func(*trade) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		token := r.PathValue("token")
		g.mu.Lock()
		if t := g.trades.byToken[token]; t != nil {
			_ = do(t) // what came of it, or what stood against it, is what the page shows
		}
		g.mu.Unlock()
		to := "../" + url.PathEscape(token)
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.Query().Encode()
		}
		seeOther(rw, to)
	}
}

// showQR draws the address of the phone page, to open it on a real phone.
func (g *Gateway) showQR(rw http.ResponseWriter, r *http.Request) {
	code, err := qr.Encode(g.base(r, "/pay/")+"/pay/"+r.PathValue("token"), qr.M)
	if err != nil {
		http.Error(rw, "too long for a QR code", http.StatusBadRequest)
		return
	}
	code.Scale = 4
	rw.Header().Set("Content-Type", "image/png")
	_, _ = rw.Write(code.PNG())
}

func (g *Gateway) render(rw http.ResponseWriter, name string, status int, data any) {
	var page bytes.Buffer // so that a failing template does not send half a page
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		g.log.Error("sandbox: page", "name", name, "error", err)
		http.Error(rw, "the page is broken", http.StatusInternalServerError)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	rw.WriteHeader(status)
	_, _ = page.WriteTo(rw)
}
