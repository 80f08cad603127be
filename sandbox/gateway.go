package sandbox

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox/alipay"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// Options of New. All times come from Clock; a nil field takes the default.
type Options struct {
	Clock trade.Clock // the computer's by default
	Rand  io.Reader   // crypto/rand by default; need not be safe for concurrent use
	// Client delivers callbacks. Its timeout is how long the shop may take;
	// the default has 5 s and follows no redirect.
	Client *http.Client
	// PublicURL is the base of the phone pages, as the buyer's browser
	// reaches the root of Handler. "" takes the host and the prefix of the
	// request, which is wrong behind a proxy or for a client that keeps the
	// real gateway's Host.
	PublicURL   string
	Log         *slog.Logger // discards by default
	Keys        *Keys        // GenerateKeys by default
	StrictHTTPS bool         // demand https of notify_url, as the real one does

	// Advance moves Clock; without it POST /sandbox/clock does not exist.
	Advance func(time.Duration)
	// APITime is the time that requests' timestamps are compared with and
	// that answers carry, CallbackTime the one that callbacks carry. Both are
	// Clock's by default. A shop whose client reads the computer's clock
	// cannot talk to a gateway whose Clock has been moved by more than five
	// minutes: time.Now here keeps them in touch.
	APITime      func() time.Time
	CallbackTime func() time.Time

	Signing   wechatpay.Signing // of callbacks; Mixed by default
	MaxTrades int               // 200,000 by default

	// RefundDelay is how long a refund takes; 2 s by default, and a negative
	// one makes it succeed within the call.
	RefundDelay time.Duration
	// RefundSpacing is the least time between two refunds of one trade. The
	// real WeChat Pay demands a minute; the default is none.
	RefundSpacing time.Duration
	// EarlyBills makes the bill of a day ready at once. Otherwise it is ready
	// at ten o'clock on the next day, in China.
	EarlyBills bool
	Workers    int // that deliver callbacks; 8 by default
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.New()
	}
	if o.APITime == nil {
		o.APITime = o.Clock.Now
	}
	if o.CallbackTime == nil {
		o.CallbackTime = o.Clock.Now
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Timeout:       5 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Signing == "" {
		o.Signing = wechatpay.Mixed
	}
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.MaxTrades <= 0 {
		o.MaxTrades = 200_000
	}
	if o.RefundDelay == 0 {
		o.RefundDelay = 2 * time.Second
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	return o
}

// protocol is what the gateway needs of a wire protocol.
type protocol interface {
	trade.Protocol
	Routes(*http.ServeMux)
	// Callback makes the n-th try of a notice and names the key that it is
	// signed with. It is called without the book's lock.
	Callback(n *trade.Notice, try int, forged faults.Fault) (header http.Header, body []byte, key string, err error)
	// Accepted says whether the shop's answer ends the tries.
	Accepted(status int, body []byte) bool
	// CodePrefix begins the codes that buyers scan; the trade's token follows.
	CodePrefix() string
	// Return is where the phone page leads the buyer back to. It is called
	// with the book's lock, and what it returns, nil or not, without.
	Return(t *trade.Trade) func() (string, error)
}

// Gateway is the emulator. It is safe for concurrent use.
type Gateway struct {
	options Options
	book    *trade.Book
	env     *wire.Env

	wechatpay *wechatpay.Emulator
	alipay    *alipay.Emulator
	protocols []protocol
	handler   http.Handler

	running atomic.Bool
	end     context.CancelFunc // of env.Life
}

// New makes a gateway. It panics when Options.Keys or Options.Signing cannot be
// used: that is a mistake in the program, which no caller could handle.
func New(o Options) *Gateway {
	o = o.withDefaults()
	source := random.New(o.Rand)
	if o.Keys == nil {
		keys, err := generateKeys(source, o.Clock.Now())
		if err != nil {
			panic("sandbox: " + err.Error())
		}
		o.Keys = keys
	}
	if err := o.Keys.check(); err != nil {
		panic("sandbox: " + err.Error())
	}
	if !o.Signing.Valid() {
		panic(fmt.Sprintf("sandbox: Options.Signing is %q", o.Signing))
	}
	life, end := context.WithCancel(context.Background())
	book := trade.NewBook(trade.Options{
		Clock: o.Clock, Random: source, Faults: &faults.Set{}, Log: o.Log, Limit: o.MaxTrades, RefundSpacing: o.RefundSpacing,
	})
	env := &wire.Env{
		Book: book, Random: source, Log: o.Log, Life: life, PublicURL: o.PublicURL, StrictHTTPS: o.StrictHTTPS,
		APITime: o.APITime, CallbackTime: o.CallbackTime, RefundDelay: o.RefundDelay, EarlyBills: o.EarlyBills,
	}
	g := &Gateway{
		options: o, book: book, env: env, end: end,
		wechatpay: wechatpay.New(env, o.Keys.WechatPay, o.Signing), alipay: alipay.New(env, o.Keys.Alipay),
	}
	g.protocols = []protocol{g.wechatpay, g.alipay}
	g.handler = g.routes()
	return g
}

// WechatPay is the half of the gateway that speaks WeChat Pay.
func (g *Gateway) WechatPay() *wechatpay.Emulator { return g.wechatpay }

// Alipay is the half of the gateway that speaks Alipay.
func (g *Gateway) Alipay() *alipay.Emulator { return g.alipay }

// Keys are the keys in use, with the certificates that came by rotation. They
// are to be read only, and can be stored.
func (g *Gateway) Keys() *Keys {
	return &Keys{WechatPay: g.wechatpay.Keys(), Alipay: g.options.Keys.Alipay}
}

// Handler serves WeChat Pay under /v3/, Alipay at /gateway.do, the phone page
// under /pay/ and the control API, its pages and Alipay's bills under
// /sandbox/. It may be mounted under a prefix by http.StripPrefix; the prefix
// may not contain "/v3/" or "/pay/".
func (g *Gateway) Handler() http.Handler { return g.handler }

// Close ends Run and answers the calls that a fault is holding. What the
// gateway knows can still be read.
func (g *Gateway) Close() { g.end() }

// routes builds the handler. Browsers may not post here from other sites; the
// shops' programs are no browsers and pass.
func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	for _, p := range g.protocols {
		p.Routes(mux)
	}
	g.pageRoutes(mux)
	g.controlRoutes(mux)
	guard := http.NewCrossOriginProtection()
	// A shop's page sends the buyer here by a form; the signature vouches for it.
	guard.AddInsecureBypassPattern("POST " + alipay.Path)
	return guard.Handler(mux)
}
