package alipay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/channel/alipay"
	"github.com/tandem-pay/tandem/channel/channeltest"
	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
)

// keys are made once: RSA keys cost a second.
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
	channeltest.Unsigned:           faults.Unsigned,
	channeltest.HalfAnswer:         faults.HalfAnswer,
	channeltest.HugeAnswer:         faults.HugeAnswer,
}

var billFaults = map[channeltest.BillFault]faults.Fault{
	channeltest.BillTruncated:     faults.BillTruncated,
	channeltest.BillWrongCount:    faults.BillBadCount,
	channeltest.BillWrongEncoding: faults.BillWrongEncoding,
	channeltest.BillBomb:          faults.BillZipBomb,
}

// shop is a channel and a gateway on one clock.
type shop struct {
	t       *testing.T
	clock   *clock.Manual
	gate    *sandbox.Gateway
	url     string
	client  *http.Client
	wire    *channeltest.Wire
	config  alipay.Config
	channel *alipay.Channel

	mu    sync.Mutex
	links map[string]payment.Action // of payments that Alipay does not have
}

func open(t *testing.T) *shop {
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, clock: clock.NewManual(start), links: map[string]payment.Action{}}
	s.gate = sandbox.New(sandbox.Options{Clock: s.clock, Keys: k})
	srv := httptest.NewServer(s.gate.Handler())
	transport := &http.Transport{}
	s.url, s.client = srv.URL, &http.Client{Transport: transport}
	t.Cleanup(func() { s.gate.Close(); srv.Close(); transport.CloseIdleConnections() })
	m := s.gate.Alipay().Merchant()
	s.wire = channeltest.NewWire(transport)
	s.config = alipay.Config{
		AppID: m.AppID, SellerID: m.SellerID, AppPrivateKey: m.AppPrivateKeyPEM, AlipayPublicKey: m.AlipayPublicKey,
		GatewayURL: srv.URL + "/gateway.do",
	}
	s.channel, err = alipay.New(s.config, alipay.Options{Transport: s.wire, Clock: s.clock.Now, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// spy remembers the links that prepays make, so that a buyer can follow them.
type spy struct {
	*alipay.Channel
	shop *shop
}

func (s spy) Prepay(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	a, err := s.Channel.Prepay(ctx, r)
	if err == nil {
		s.shop.mu.Lock()
		s.shop.links[r.PaymentNo] = a
		s.shop.mu.Unlock()
	}
	return a, err
}

// show is the buyer who scans the code, opens the page or taps the button.
func (s *shop) show(no string) error {
	s.mu.Lock()
	a := s.links[no]
	s.mu.Unlock()
	switch a.Kind {
	case "qr_code":
		return s.gate.Scan(no)
	case "sdk_params":
		got, err := s.gate.Alipay().OpenApp(a.Params["orderString"])
		if err == nil && got != no {
			err = fmt.Errorf("the order string is of %s", got)
		}
		return err
	case "redirect":
		resp, err := s.client.Get(a.URL)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(resp.Body)
			return fmt.Errorf("the page answers %d: %s", resp.StatusCode, text)
		}
		return nil
	}
	return fmt.Errorf("%s has no link", no)
}

func (s *shop) fixture() channeltest.Fixture {
	return channeltest.Fixture{
		Channel: spy{s.channel, s}, Now: s.clock.Now, NotifyURL: "https://shop.example.test/notify",
		Settings: s.config, Masked: settings.Masked(s.config), Secrets: []string{s.config.AppPrivateKey}, Wire: s.wire,
		Called: []payment.Method{payment.Precreate},
		Show:   s.show,
		Terms: func(no string) (string, time.Time, error) {
			v, err := s.gate.Trade(no)
			return v.NotifyURL, v.ExpiresAt, err
		},
		Fresh: 0, // Alipay has no such rule
		Pay:   s.gate.PaySilently,
		// Alipay says TRADE_CLOSED of what nobody paid in time.
		Shut: func(string) error { s.clock.Advance(61 * time.Minute); return nil },
		Break: func(call channeltest.Call, fault channeltest.Fault) error {
			f, ok := callFaults[fault]
			if !ok {
				return errors.ErrUnsupported // no probes
			}
			return s.gate.Arm(faults.Op(call), f, 1)
		},
		Callback: s.gate.SignedCallback,
		Settle:   func() error { return nil }, // refunds at once
		Short: func(short bool) error {
			if s.gate.Disarm(); !short {
				return nil
			}
			return s.gate.Arm(faults.Refund, faults.InsufficientBalance, 1)
		},
		RefundCallback: func(paymentNo, refundNo string) (http.Header, []byte, error) {
			return s.gate.SignedRefundCallback(refundNo, paymentNo)
		},
		RefundHints: true,
		NextDay: func() (payment.Day, error) {
			day := payment.DayOf(s.clock.Now(), s.channel.Zone())
			_, midnight := day.Span(s.channel.Zone())
			s.clock.Advance(midnight.Add(10 * time.Hour).Sub(s.clock.Now()))
			return day, nil
		},
		BreakBill: func(fault channeltest.BillFault) error {
			f, ok := billFaults[fault]
			if !ok {
				return errors.ErrUnsupported // no hash is published
			}
			return s.gate.Arm(faults.Bill, f, 1)
		},
	}
}

// TestConformance runs the suite against the sandbox, over HTTP.
func TestConformance(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channeltest.Fixture { return open(t).fixture() })
}

// TestConformanceOnAMovedClock runs it again on a day that is not today.
func TestConformanceOnAMovedClock(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channeltest.Fixture {
		s := open(t)
		s.clock.Advance(100 * time.Hour)
		return s.fixture()
	})
}
