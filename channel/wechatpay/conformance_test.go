package wechatpay_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/channel/channeltest"
	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
	emulator "github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// keys are made once: three RSA keys cost a second.
var keys = sync.OnceValues(func() (*sandbox.Keys, error) {
	return sandbox.GenerateKeys(nil, start)
})

var start = time.Date(2026, 11, 22, 23, 0, 0, 0, time.FixedZone("", 8*60*60))

// faults are the suite's words in the sandbox's.
var callFaults = map[channeltest.Fault]faults.Fault{
	channeltest.TimeoutNoEffect:    faults.TimeoutNoEffect,
	channeltest.ErrorNoEffect:      faults.Error500NoEffect,
	channeltest.RateLimited:        faults.RateLimited,
	channeltest.TimeoutAfterCommit: faults.TimeoutAfterCommit,
	channeltest.ErrorWithEffect:    faults.Error500WithEffect,
	channeltest.CorruptSignature:   faults.CorruptSignature,
	channeltest.ProbeSignature:     faults.SigntestSignature,
	channeltest.Unsigned:           faults.Unsigned,
	channeltest.HalfAnswer:         faults.HalfAnswer,
	channeltest.HugeAnswer:         faults.HugeAnswer,
}

var billFaults = map[channeltest.BillFault]faults.Fault{
	channeltest.BillTruncated:     faults.BillTruncated,
	channeltest.BillWrongHash:     faults.BillBadHash,
	channeltest.BillWrongCount:    faults.BillBadCount,
	channeltest.BillWrongEncoding: faults.BillWrongEncoding,
	channeltest.BillBomb:          faults.BillZipBomb,
}

var ends = map[payment.FactKind]trade.RefundState{
	payment.Refunded:     trade.RefundSucceeded,
	payment.RefundStuck:  trade.RefundAbnormal,
	payment.RefundFailed: trade.RefundClosed,
}

// bench is a channel and a gateway on one clock.
type bench struct {
	channeltest.Fixture
	wechat   *wechatpay.Channel
	accounts payment.Accounts // the same
	gateway  *sandbox.Gateway
	clock    *clock.Manual
}

func newBench(t *testing.T, signing emulator.Signing, changes ...func(*wechatpay.Config)) *bench {
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	clock := clock.NewManual(start)
	g := sandbox.New(sandbox.Options{Clock: clock, Keys: k, Signing: signing})
	srv := httptest.NewServer(g.Handler())
	transport := &http.Transport{}
	t.Cleanup(func() { g.Close(); srv.Close(); transport.CloseIdleConnections() })

	m := g.Keys().WechatPay.Merchant()
	cfg := wechatpay.Config{
		MchID: m.MchID, AppID: m.AppID, APIv3Key: m.APIv3Key,
		MerchantSerial: m.MerchantSerial, MerchantPrivateKey: m.MerchantPrivateKeyPEM, BaseURL: srv.URL,
	}
	for _, p := range m.PlatformKeys {
		cfg.PlatformKeys = append(cfg.PlatformKeys, wechatpay.PlatformKey{Serial: p.Serial, PEM: p.PEM})
	}
	for _, change := range changes {
		change(&cfg)
	}
	wire := channeltest.NewWire(transport)
	c, err := wechatpay.New(cfg, wechatpay.Options{Transport: wire, Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{wechat: c, accounts: c, gateway: g, clock: clock, Fixture: channeltest.Fixture{
		Channel: c, Now: clock.Now, NotifyURL: "https://shop.example.test/notify",
		Settings: cfg, Masked: settings.Masked(cfg), Secrets: []string{m.MerchantPrivateKeyPEM, m.APIv3Key}, Wire: wire,
		Nameless: []channeltest.Call{channeltest.Prepay, channeltest.Close},
		Called:   []payment.Method{payment.Native, payment.JSAPI, payment.H5, payment.App},
		Terms: func(no string) (string, time.Time, error) {
			v, err := g.Trade(no)
			return v.NotifyURL, v.ExpiresAt, err
		},
		Fresh: 5 * time.Minute,
		Pay:   g.PaySilently,
		Fail:  g.Fail,
		// The gateway says CLOSED of what nobody paid in time.
		Shut: func(string) error { clock.Advance(61 * time.Minute); return nil },
		Break: func(call channeltest.Call, fault channeltest.Fault) error {
			f, ok := callFaults[fault]
			if !ok {
				return errors.ErrUnsupported
			}
			return g.Arm(faults.Op(call), f, 1)
		},
		Callback: g.SignedCallback,
		// Longer than the sandbox takes for a refund.
		Settle: func() error { clock.Advance(3 * time.Second); return nil },
		Short: func(short bool) error {
			if g.Disarm(); !short {
				return nil
			}
			return g.Arm(faults.Refund, faults.InsufficientBalance, 1)
		},
		EndRefund: func(_, no string, as payment.FactKind) error { return g.FinishRefund(no, ends[as]) },
		RefundCallback: func(_, no string) (http.Header, []byte, error) {
			return g.SignedRefundCallback(no)
		},
		NextDay: func() (payment.Day, error) {
			day := payment.DayOf(clock.Now(), c.Zone())
			_, midnight := day.Span(c.Zone())
			clock.Advance(midnight.Add(10 * time.Hour).Sub(clock.Now()))
			return day, nil
		},
		BreakBill: func(fault channeltest.BillFault) error { return g.Arm(faults.Bill, billFaults[fault], 1) },
	}}
}

// TestConformance runs the suite against the sandbox, over HTTP, with
// callbacks signed by the certificate, by the public key, and by both in turn.
func TestConformance(t *testing.T) {
	for _, signing := range []emulator.Signing{emulator.Mixed, emulator.ByCertificate, emulator.ByPublicKey} {
		t.Run(string(signing), func(t *testing.T) {
			channeltest.Run(t, func(t *testing.T) channeltest.Fixture {
				return newBench(t, signing).Fixture
			})
		})
	}
}

// TestConformanceOnAMovedClock runs it again on a day that is not today.
func TestConformanceOnAMovedClock(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channeltest.Fixture {
		b := newBench(t, emulator.Mixed)
		b.clock.Advance(100 * time.Hour)
		return b.Fixture
	})
}
