package wechatpay_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/channel/channeltest"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/sandbox"
)

// keys are made once: three RSA keys cost a second.
var keys = sync.OnceValues(func() (*sandbox.Keys, error) {
	return sandbox.GenerateKeys(nil, start)
})

var start = time.Date(2026, 11, 22, 23, 0, 0, 0, time.FixedZone("", 8*60*60))

// faults are the suite's words in the sandbox's.
var faults = map[channeltest.Fault]sandbox.Fault{
	channeltest.TimeoutNoEffect:    sandbox.TimeoutNoEffect,
	channeltest.ErrorNoEffect:      sandbox.Error500NoEffect,
	channeltest.RateLimited:        sandbox.RateLimited,
	channeltest.TimeoutAfterCommit: sandbox.TimeoutAfterCommit,
	channeltest.ErrorWithEffect:    sandbox.Error500WithEffect,
	channeltest.CorruptSignature:   sandbox.CorruptSignature,
	channeltest.ProbeSignature:     sandbox.SigntestSignature,
	channeltest.Unsigned:           sandbox.Unsigned,
	channeltest.HalfAnswer:         sandbox.HalfAnswer,
	channeltest.HugeAnswer:         sandbox.HugeAnswer,
}

var billFaults = map[channeltest.BillFault]sandbox.Fault{
	channeltest.BillTruncated:     sandbox.BillTruncated,
	channeltest.BillWrongHash:     sandbox.BillBadHash,
	channeltest.BillWrongCount:    sandbox.BillBadCount,
	channeltest.BillWrongEncoding: sandbox.BillWrongEncoding,
	channeltest.BillBomb:          sandbox.BillZipBomb,
}

var ends = map[payment.FactKind]sandbox.RefundState{
	payment.Refunded:     sandbox.RefundSucceeded,
	payment.RefundStuck:  sandbox.RefundAbnormal,
	payment.RefundFailed: sandbox.RefundClosed,
}

// bench is a channel and a gateway on one clock.
type bench struct {
	channeltest.Fixture
	wechat   *wechatpay.Channel
	accounts payment.Accounts // the same
	gateway  *sandbox.Gateway
	clock    *sandbox.VirtualClock
}

func newBench(t *testing.T, signing sandbox.Signing, changes ...func(*wechatpay.Config)) *bench {
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	clock := sandbox.NewVirtualClock(start)
	g := sandbox.New(sandbox.Options{Clock: clock, Keys: k, Signing: signing})
	srv := httptest.NewServer(g.Handler())
	transport := &http.Transport{}
	t.Cleanup(func() { g.Close(); srv.Close(); transport.CloseIdleConnections() })

	m := g.Merchant()
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
	c, err := wechatpay.New(cfg, wechatpay.Options{Transport: transport, Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{wechat: c, accounts: c, gateway: g, clock: clock, Fixture: channeltest.Fixture{
		Channel: c, Now: clock.Now, NotifyURL: "https://shop.example.test/notify",
		Called: []payment.Method{payment.Native, payment.JSAPI, payment.H5, payment.App},
		Fresh:  5 * time.Minute,
		Pay:    g.PaySilently,
		Fail:   g.Fail,
		// The gateway says CLOSED of what nobody paid in time.
		Shut: func(string) error { clock.Advance(61 * time.Minute); return nil },
		Break: func(call channeltest.Call, fault channeltest.Fault) error {
			f, ok := faults[fault]
			if !ok {
				return errors.ErrUnsupported
			}
			return g.Arm(sandbox.Op(call), f, 1)
		},
		Callback: g.SignedCallback,
		// Longer than the sandbox takes for a refund.
		Settle: func() error { clock.Advance(3 * time.Second); return nil },
		Short: func(short bool) error {
			if g.Disarm(); !short {
				return nil
			}
			return g.Arm(sandbox.OpRefund, sandbox.MerchantShort, 1)
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
		BreakBill: func(fault channeltest.BillFault) error { return g.Arm(sandbox.OpBill, billFaults[fault], 1) },
	}}
}

// TestConformance runs the suite against the sandbox, over HTTP, with
// callbacks signed by the certificate, by the public key, and by both in turn.
func TestConformance(t *testing.T) {
	for _, signing := range []sandbox.Signing{sandbox.Mixed, sandbox.ByCertificate, sandbox.ByPublicKey} {
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
		b := newBench(t, sandbox.Mixed)
		b.clock.Advance(100 * time.Hour)
		return b.Fixture
	})
}
