package checkout

import (
	"log/slog"
	"net/http"
	"net/url"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// Options of New.
type Options struct {
	App  *app.App // required
	Shop string   // the shop that the demo sells in; required

	// ScanURL returns the page at which a buyer without a phone pays a code,
	// WeChat Pay's code_url or Alipay's qr_code: the sandbox's phone page. It
	// may be a path of this server ("/sandbox/scan?code_url=…"). If it is nil
	// or returns "", the QR code contains the code itself, and the page has no
	// link to a phone page.
	ScanURL func(codeURL string) string

	// PublicURL is how browsers reach the server, if that is not the Host of their
	// requests. Pages of other origins may not post here.
	PublicURL string

	Log *slog.Logger // default: App.Log
}

// shop is the demo's backend.
type shop struct {
	Options
}

// New makes the handler of the demo, to be mounted at /demo and /demo/. It
// serves /sdk/ as well, see SDK. It fails if PublicURL is no address.
func New(o Options) (http.Handler, error) {
	if o.Log == nil {
		o.Log = o.App.Log
	}
	s := &shop{o}
	mux := http.NewServeMux()
	mux.Handle("GET /sdk/", SDK())
	mux.HandleFunc("GET /demo", servePage)
	mux.HandleFunc("GET /demo/{$}", func(rw http.ResponseWriter, _ *http.Request) {
		// The page's links are relative to its address without the slash.
		rw.Header().Set("Location", "../demo")
		rw.WriteHeader(http.StatusPermanentRedirect)
	})
	mux.Handle("GET /demo/{file}", files(demoFiles, "demo"))
	mux.HandleFunc("GET /demo/products", s.answer(s.products))
	mux.HandleFunc("GET /demo/clock", s.answer(s.clock))
	mux.HandleFunc("POST /demo/quotes", s.answer(s.quote))
	mux.HandleFunc("POST /demo/orders", s.answer(s.placeOrder))
	mux.HandleFunc("POST /demo/coupons", s.answer(s.claimCoupon))
	mux.HandleFunc("GET /demo/qr", s.qr)
	mux.HandleFunc("GET /demo/scan", s.scan)
	// A buyer is a cookie, which a browser sends along whatever page posts: only
	// this server's own page may.
	guard := http.NewCrossOriginProtection()
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil {
			return nil, err
		}
		if err := guard.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, err
		}
	}
	guard.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.refuse(rw, r, fault.New(fault.Forbidden, "pages of other sites may not use the demo"))
	}))
	return guard.Handler(mux), nil
}
