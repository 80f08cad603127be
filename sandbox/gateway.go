package sandbox

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options of New. All times come from Clock; a nil field takes the default.
type Options struct {
	Clock Clock     // SystemClock by default
	Rand  io.Reader // crypto/rand by default; need not be safe for concurrent use
	// Client delivers callbacks. Its timeout is how long the shop may take;
	// the default has 5 s and follows no redirect.
	Client *http.Client
	// PublicURL is the base of the phone pages, as the buyer's browser
	// reaches the root of Handler. "" takes the host and the prefix of the
	// request that asks, which is wrong behind a proxy or for a client that
	// keeps the real gateway's Host.
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

	Signing   Signing // of callbacks; Mixed by default
	MaxTrades int     // 200,000 by default

	// RefundDelay is how long a refund takes; 2 s by default, and a negative
	// one makes it succeed within the call.
	RefundDelay time.Duration
	// RefundSpacing is the least time between two refunds of one trade. The
	// real WeChat Pay demands a minute; the default is none.
	RefundSpacing time.Duration
	// EarlyBills lets the bill of a day be asked for at once. Otherwise it is
	// ready at ten o'clock on the next day, in China.
	EarlyBills bool
	Workers    int // that deliver callbacks; 8 by default
}

// Signing chooses the platform key that signs callbacks.
type Signing string

// The choices. Mixed takes turns, as merchants see it who move from the
// certificate to the public key.
const (
	Mixed         Signing = "mixed"
	ByCertificate Signing = "certificate"
	ByPublicKey   Signing = "public_key"
)

// protocol is what the core needs of a wire protocol.
type protocol interface {
	name() string
	routes(*http.ServeMux)
	// begin is called before a buyer does anything with the trade.
	// Gateway.mu is held.
	begin(t *trade, now time.Time)
	// transactionID is the platform's number of the next payment of the trade.
	// Gateway.mu is held.
	transactionID(t *trade, now time.Time) string
	// refundID is a new number of the platform's for a refund. Gateway.mu is
	// held.
	refundID(now time.Time) string
	// tells says whether a refund that reaches the state is told of.
	tells(state RefundState) bool
	// schedule is the waits between the tries of a callback.
	schedule() []time.Duration
	// callback makes the n-th try of a notice and names the key that it is
	// signed with. It may not use what Gateway.mu guards.
	callback(n *notice, try int, forge Fault) (header http.Header, body []byte, key string, err error)
	// accepted says whether the shop's answer ends the tries.
	accepted(status int, body []byte) bool
}

// Gateway is the emulator. It is safe for use by many at once.
type Gateway struct {
	clock       Clock
	apiTime     func() time.Time
	callTime    func() time.Time
	random      *random
	client      *http.Client
	publicURL   string
	log         *slog.Logger
	keys        *Keys                // as New got them
	keysNow     atomic.Pointer[Keys] // and with the certificates that have followed
	strictHTTPS bool
	advance     func(time.Duration)
	signing     Signing
	workers     int

	refundDelay   time.Duration
	refundSpacing time.Duration
	earlyBills    bool

	wechat    *wechat
	alipay    *alipay
	protocols []protocol
	handler   http.Handler

	kick    chan struct{} // something was queued
	running atomic.Bool
	life    context.Context // ends with Close
	end     context.CancelFunc

	mu      sync.Mutex // guards what follows and the trades within
	trades  *store
	armed   []*Armed
	chaos   chaos
	queue   queue
	held    []*notice // that wait for another to go first
	agenda  agenda
	queued  uint64 // deliveries and tasks ever queued
	noticed uint64 // notices ever made
}

// New makes a gateway. It panics when Options.Keys or Options.Signing cannot be
// used: that is a mistake in the program, which no caller could handle.
func New(o Options) *Gateway {
	g := &Gateway{
		clock: o.Clock, apiTime: o.APITime, callTime: o.CallbackTime, random: newRandom(o.Rand),
		client: o.Client, publicURL: strings.TrimRight(o.PublicURL, "/"), log: o.Log, keys: o.Keys,
		strictHTTPS: o.StrictHTTPS, advance: o.Advance, signing: o.Signing, workers: o.Workers,
		refundDelay: o.RefundDelay, refundSpacing: o.RefundSpacing, earlyBills: o.EarlyBills,
		kick: make(chan struct{}, 1),
	}
	if g.refundDelay == 0 {
		g.refundDelay = 2 * time.Second
	}
	if g.clock == nil {
		g.clock = SystemClock{}
	}
	if g.apiTime == nil {
		g.apiTime = g.clock.Now
	}
	if g.callTime == nil {
		g.callTime = g.clock.Now
	}
	if g.client == nil {
		g.client = &http.Client{
			Timeout:       5 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.signing == "" {
		g.signing = Mixed
	}
	if g.workers <= 0 {
		g.workers = 8
	}
	limit := o.MaxTrades
	if limit <= 0 {
		limit = 200_000
	}
	g.trades = newStore(limit)
	if g.keys == nil {
		keys, err := GenerateKeys(o.Rand, g.now())
		if err != nil {
			panic("sandbox: " + err.Error())
		}
		g.keys = keys
	}
	if err := g.keys.check(); err != nil {
		panic("sandbox: " + err.Error())
	}
	g.keysNow.Store(g.keys)
	switch g.signing {
	case Mixed, ByCertificate, ByPublicKey:
	default:
		panic(fmt.Sprintf("sandbox: Options.Signing is %q", g.signing))
	}
	g.life, g.end = context.WithCancel(context.Background())
	g.wechat = &wechat{g: g}
	g.alipay = newAlipay(g)
	g.protocols = []protocol{g.wechat, g.alipay}
	g.handler = g.routes()
	return g
}

// Handler serves WeChat Pay under /v3/, Alipay at /gateway.do, the phone page
// under /pay/ and the control API, its page and Alipay's bills under /sandbox/. It may be mounted under a prefix by
// http.StripPrefix; the prefix may not contain "/v3/" or "/pay/".
func (g *Gateway) Handler() http.Handler { return g.handler }

// Close ends Run and lets go of calls that a fault is holding. What the
// gateway knows can still be asked.
func (g *Gateway) Close() { g.end() }

// Keys are the keys in use, those that came by RotateCertificate included.
// They are to be read only, and can be stored.
func (g *Gateway) Keys() *Keys { return g.keysNow.Load() }

func (g *Gateway) now() time.Time { return g.clock.Now() }

// routes builds the handler. Browsers may not post here from other sites; the
// shops' programs are no browsers and pass.
func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	for _, p := range g.protocols {
		p.routes(mux)
	}
	g.pageRoutes(mux)
	g.controlRoutes(mux)
	guard := http.NewCrossOriginProtection()
	// A shop's page sends the buyer here by a form; the signature vouches for it.
	guard.AddInsecureBypassPattern("POST " + alipayPath)
	return guard.Handler(mux)
}

// base is the URL of the handler's root as the client sees it. marker is the
// part of the path at which what is ours begins, "/v3/".
func (g *Gateway) base(r *http.Request, marker string) string {
	if g.publicURL != "" {
		return g.publicURL
	}
	return baseAsked(r, marker)
}

// baseAsked is base as it follows from the request alone: for what a program
// fetches by the way on which it came.
func baseAsked(r *http.Request, marker string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return scheme + "://" + r.Host + path[:max(0, strings.LastIndex(path, marker))]
}

// Merchant is what a shop must configure to use this gateway.
type Merchant struct {
	MchID                 string        `json:"mchId"`
	AppID                 string        `json:"appId"`
	MerchantSerial        string        `json:"merchantSerial"`
	MerchantPrivateKeyPEM string        `json:"merchantPrivateKey"`
	APIv3Key              string        `json:"apiV3Key"`
	PlatformKeys          []PlatformKey `json:"platformKeys"`
}

// PlatformKey verifies what the platform signs: a certificate under its
// serial, or a public key under its id.
type PlatformKey struct {
	Serial string `json:"serial"`
	PEM    string `json:"pem"`
}

// Merchant is the one merchant that the gateway knows. Its first platform key
// is the certificate, its second the public key, then come the certificates
// that follow the first; a shop should hold them all.
func (g *Gateway) Merchant() Merchant { return g.Keys().Merchant() }

// Merchant is the shop's side of the keys.
func (k *Keys) Merchant() Merchant {
	m := Merchant{
		MchID: k.MchID, AppID: k.AppID, APIv3Key: k.APIv3Key,
		MerchantSerial: k.MerchantSerial, MerchantPrivateKeyPEM: privatePEM(k.MerchantKey),
		PlatformKeys: []PlatformKey{
			{Serial: k.PlatformSerial, PEM: certPEM(k.PlatformCert)},
			{Serial: k.PublicKeyID, PEM: publicPEM(&k.PublicKeyPrivate.PublicKey)},
		},
	}
	for _, r := range k.Rotated {
		m.PlatformKeys = append(m.PlatformKeys, PlatformKey{Serial: serialOf(r.Cert), PEM: certPEM(r.Cert)})
	}
	return m
}
