// Package alipay implements Alipay's open platform (the gateway of version 2, RSA2)
// for a direct merchant in public-key mode. It opens payments
// (precreate, page, wap and app), queries and closes them, refunds them, reads
// Alipay's notifications, and reads the bill of a day.
//
// It promises:
//   - It translates and never decides. What Alipay says becomes a
//     payment.Fact; whether amount, seller and app are the right ones is the
//     payment's own question, so the fact carries all three.
//   - A fact comes only out of an authentic message: a signed answer that says
//     10000, or a notification whose signature verifies, by the key that was
//     configured. An answer without a signature proves nothing: it says at
//     most "slow down".
//   - Whatever is not certain is payment.ErrUnknown.
//   - A notification and a query that say the same have the same Fact.ID.
//   - Time comes from Options.Clock alone.
//   - Every call ends within Options.Timeout and reads at most 1 MiB; a bill
//     ends within Options.BillTimeout, is kept in one temporary file of at
//     most 1 GiB, unpacks to at most 4 GiB, and is read in bounded memory.
//   - Reading a notification calls nothing outside.
//   - No error text carries a key, a signature, a body or a URL.
//
// What is different from other channels, because of Alipay:
//   - A code that nobody has scanned, or a page that nobody has opened, is no
//     trade yet: Query and Close say payment.ErrNotExist, nothing can be
//     closed, and the code can still be paid until it expires. A payment
//     that Alipay does not know is certainly unpaid only after its ExpiresAt.
//   - A code is valid for two hours at most; repeating the prepay gives a new one.
//   - Notifications do not expire: an old one is as valid as a new one.
//   - A notification that a refund caused says how much has gone back in all,
//     not by this refund. It is read as a payment of which that much has gone back,
//     and as a reason to query (Notice.Hint); QueryRefund gives the exact amount.
//   - The answer of a query names neither app nor seller. It is signed for our
//     request, which names our app, so ours stand in the fact.
//   - The file of a bill is not signed. It is trusted for the host that it
//     came from, which a signed answer named.
//
// The protocol comes from github.com/smartwalle/alipay: the models of our
// requests, the signing of parameters and the verification of notifications.
// Its client is not used for calls: it stamps requests by the wall clock, which
// cannot be replaced, treats unsigned answers as errors of the business, and
// decodes everything that an answer may have, so that a member we do not need
// could make a paid trade unreadable. Stamping, sending and the verification of
// answers are call.go. Notifications pass a guard before they reach the
// library, which reads no sign_type and would take values given twice.
//
// Cost of Read: one RSA-2048 verification and the library's decoding (see
// BenchmarkRead: some 50 µs, 140 small allocations and 14 KiB in all); what is too
// long or has the wrong form is refused before any RSA. Cost of a bill: half a
// microsecond and one allocation a row, unpacking included, so that two million
// rows take a second of one core (BenchmarkBill).
package alipay

import (
	"context"
	"crypto/rsa"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/payment"
)

// Kind is the name of the protocol.
const Kind = "alipay"

// Options are the things around a Channel that are not the merchant's.
type Options struct {
	// Transport carries the requests; nil is a pooled transport of our own.
	Transport http.RoundTripper
	// Timeout bounds every call; 0 is DefaultTimeout.
	Timeout time.Duration
	// BillTimeout bounds the reading of a bill, what its rows are given to
	// included; 0 is DefaultBillTimeout.
	BillTimeout time.Duration
	// Clock is the moment that requests are stamped with; nil is time.Now.
	Clock func() time.Time
	// TempDir is where a bill is stored while it is read; "" is os.TempDir.
	TempDir string
}

// The bounds when Options give none.
const (
	DefaultTimeout     = 5 * time.Second
	DefaultBillTimeout = 10 * time.Minute
)

// Channel is one merchant's app at Alipay. It implements payment.Channel and
// payment.Accounts.
type Channel struct {
	appID       string
	seller      string // "" when none was configured
	gateway     *url.URL
	platform    *rsa.PublicKey
	sdk         *sdk.Client // signs and verifies; it is never let call anything
	client      *http.Client
	now         func() time.Time
	timeout     time.Duration
	billTimeout time.Duration
	tempDir     string
}

var (
	_ payment.Channel  = (*Channel)(nil)
	_ payment.Accounts = (*Channel)(nil)
)

// New makes a Channel out of a configuration, which it validates. All keys are
// parsed here, once; nothing is called.
func New(cfg Config, opts Options) (*Channel, error) {
	parsed, err := cfg.parse()
	if err != nil {
		return nil, err
	}
	c := &Channel{
		appID: cfg.AppID, seller: cfg.SellerID, gateway: parsed.gateway, platform: parsed.platform,
		now: opts.Clock, timeout: opts.Timeout, billTimeout: opts.BillTimeout, tempDir: opts.TempDir,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.billTimeout <= 0 {
		c.billTimeout = DefaultBillTimeout
	}
	next := opts.Transport
	if next == nil {
		next = pooled()
	}
	c.client = &http.Client{
		Transport: next,
		// A redirect of a signed call is not an answer of Alipay's.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// "Not production": otherwise the library would fetch a certificate that
	// a notification names, before it has verified anything.
	const production = false
	c.sdk, err = sdk.New(cfg.AppID, parsed.private, production, sdk.WithSandboxGateway(parsed.gateway.String()),
		sdk.WithHTTPClient(c.client), sdk.WithTimeLocation(chinaTime))
	if err != nil {
		return nil, err
	}
	if err := c.sdk.LoadAliPayPublicKey(parsed.public); err != nil {
		return nil, err
	}
	return c, nil
}

// Kind is "alipay".
func (c *Channel) Kind() string { return Kind }

// Methods are precreate (a code to scan), page, wap and app. Only precreate
// calls Alipay.
func (c *Channel) Methods() []payment.Method {
	return []payment.Method{payment.Precreate, payment.Page, payment.Wap, payment.App}
}

// Answer is the answer that Alipay expects: exactly "success", or anything else.
func (c *Channel) Answer(ok bool) payment.CallbackAnswer {
	a := payment.CallbackAnswer{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: []byte("success")}
	if !ok {
		a.Body = []byte("failure")
	}
	return a
}

// Zone is where the days of bills begin: China.
func (c *Channel) Zone() *time.Location { return chinaTime }

// chinaTime is the zone that Alipay reads and writes times in.
var chinaTime = time.FixedZone("+08:00", 8*60*60)

// timeLayout is how it writes them; a fraction of a second may follow.
const timeLayout = time.DateTime

// readTime is a time of Alipay's in UTC, zero when it cannot be read: money
// that came is not refused for the moment at which it did.
func readTime(s string) time.Time {
	t, err := time.ParseInLocation(timeLayout, s, chinaTime)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// bound gives a call its deadline.
func (c *Channel) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}
