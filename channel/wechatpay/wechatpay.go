// Package wechatpay implements WeChat Pay API v3 for a direct merchant. It opens
// payments (native, JSAPI, H5 and app prepay), queries and closes them, refunds
// them, and reads WeChat Pay's callbacks and its bills.
//
// It promises:
//   - It translates and never decides. What WeChat says becomes a
//     payment.Fact; whether amount, merchant and app are the right ones is the
//     payment's own question, so the fact carries all three.
//   - A fact comes only out of an authentic message: a 2xx answer or a callback
//     whose signature verifies over the raw bytes, with a key that was
//     configured, and within five minutes of the clock. Answers other than 2xx
//     are not trusted with money: they say at most "query".
//   - Whatever is not certain is payment.ErrUnknown.
//   - A callback and a query that say the same have the same Fact.ID.
//   - Time comes from Options.Clock alone, for signatures as for freshness, so
//     that a server on a moved clock agrees with a gateway on the same clock.
//   - Every call ends within Options.Timeout, and reads at most 1 MiB. A bill
//     ends within Options.BillTimeout and is read in about 200 KiB of memory,
//     whatever its size; 4 GiB unpacked is the limit.
//   - What a bill's rows say counts only when Bill returns nil: its form, its
//     own counts and sums, and its hash are checked to the last byte.
//   - Platform certificates are renewed (Refresh), and one that has expired
//     verifies nothing.
//   - No error text carries a key, a signature, a body or a URL.
//
// Requests go through the official SDK's services and models; signing, the
// base URL, limits and verification are this package's, because the SDK reads
// the wall clock and knows a single host. Callbacks do not touch the SDK: its
// handler has no size limit and panics on an authentic body without a resource.
//
// Cost of Read: one RSA-2048 verification, which is about three quarters of it
// (see BenchmarkRead: some 37 µs, 42 small allocations and 4 KiB in all). Oversized,
// stale and unknown-serial callbacks are refused before any RSA. Cost of Bill:
// one core parses some two million rows a second, and unpacks, hashes and
// parses one million, with one allocation each (see BenchmarkTrades).
//
// A message of an unknown certificate makes Refresh due, and an answer of one
// makes it happen, at most once a minute: whoever invents serials can cause one
// request a minute and no more.
package wechatpay

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"github.com/tandem-pay/tandem/payment"
)

// Kind is the name of the protocol.
const Kind = "wechatpay"

// Options are the things around a Channel that are not the merchant's.
type Options struct {
	// Transport carries the requests; nil is a pooled transport of our own.
	Transport http.RoundTripper
	// Timeout bounds every call; 0 is DefaultTimeout.
	Timeout time.Duration
	// BillTimeout bounds the reading of one bill, with what is done with its
	// rows; 0 is DefaultBillTimeout. A download in which nothing comes for
	// Stall ends earlier.
	BillTimeout time.Duration
	// Stall is how long a download may pause; 0 is DefaultStall.
	Stall time.Duration
	// Clock is the moment that requests are signed with and that answers are
	// compared with; nil is time.Now.
	Clock func() time.Time
	// Nonce makes the random text of a signature, at most 32 letters and
	// digits; nil is crypto/rand.
	Nonce func() string
	// AppName is shown to H5 payers as the shop's name; it may be empty.
	AppName string
}

// The bounds when Options do not set them.
const (
	DefaultTimeout     = 5 * time.Second
	DefaultBillTimeout = 15 * time.Minute
	DefaultStall       = 30 * time.Second
)

// Channel is one merchant at WeChat Pay. It implements payment.Channel.
type Channel struct {
	merchant merchant
	keys     *keyring
	aead     cipher.AEAD
	client   *core.Client
	// The parts of the client that the calls outside the SDK need.
	transport *transport
	validator *validator
	renewal   renewal
	now       func() time.Time
	nonce     func() string
	timeout   time.Duration
	whole     time.Duration // of a bill
	stall     time.Duration
	appName   string
}

var (
	_ payment.Channel  = (*Channel)(nil)
	_ payment.Accounts = (*Channel)(nil)
	_ payment.FundFlow = (*Channel)(nil)
)

// New makes a Channel out of a configuration, which it validates. All keys are
// parsed here, once; nothing is called.
func New(cfg Config, opts Options) (*Channel, error) {
	parsed, err := cfg.parse()
	if err != nil {
		return nil, err
	}
	c := &Channel{
		merchant: parsed.merchant, keys: parsed.keys, aead: parsed.aead,
		now: opts.Clock, nonce: opts.Nonce, timeout: opts.Timeout, appName: opts.AppName,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.nonce == nil {
		c.nonce = rand.Text
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.whole = opts.BillTimeout; c.whole <= 0 {
		c.whole = DefaultBillTimeout
	}
	if c.stall = opts.Stall; c.stall <= 0 {
		c.stall = DefaultStall
	}
	next := opts.Transport
	if next == nil {
		next = pooled()
	}
	c.transport = &transport{
		next: next, base: parsed.base,
		credential: &credential{merchant: parsed.merchant, now: c.now, nonce: c.nonce},
	}
	c.validator = &validator{keys: parsed.keys, now: c.now, renew: c.renew}
	client, err := core.NewClientWithDialSettings(context.Background(), &core.DialSettings{
		HTTPClient: &http.Client{
			Transport: c.transport,
			// A redirect of a signed call is not an answer of WeChat Pay's.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Signer:    deferred{},
		Validator: c.validator,
	})
	if err != nil {
		return nil, err
	}
	c.client = client
	return c, nil
}

// Kind is "wechatpay".
func (c *Channel) Kind() string { return Kind }

// Methods are native, JSAPI, H5 and app.
func (c *Channel) Methods() []payment.Method {
	return []payment.Method{payment.Native, payment.JSAPI, payment.H5, payment.App}
}

// Answer is the answer that WeChat Pay expects. The status decides: a 200 is
// never sent again, whatever its body says.
func (c *Channel) Answer(ok bool) payment.CallbackAnswer {
	if ok {
		return payment.CallbackAnswer{
			Status: http.StatusOK, ContentType: "application/json",
			Body: []byte(`{"code":"SUCCESS","message":"成功"}`),
		}
	}
	return payment.CallbackAnswer{
		Status: http.StatusInternalServerError, ContentType: "application/json",
		Body: []byte(`{"code":"FAIL","message":"失败"}`),
	}
}

// bound gives a call its deadline.
func (c *Channel) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}
