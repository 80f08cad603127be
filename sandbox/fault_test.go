package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// Each fault of a call, as the official SDK sees it: what the shop gets, and
// whether the call took effect all the same. Afterwards all is well again.
func TestFaultsOfCalls(t *testing.T) {
	k := testKeys()
	unknown := func(err error) bool { // no answer, or one that does not verify
		e := new(core.APIError)
		return err != nil && !errors.As(err, &e)
	}
	answers := func(want string) func(error) bool { return func(err error) bool { return apiCode(err) == want } }
	fine := func(err error) bool { return err == nil }
	for _, c := range []struct {
		fault  faults.Fault
		gets   func(error) bool
		effect bool
	}{
		{faults.TimeoutAfterCommit, unknown, true},
		{faults.TimeoutNoEffect, unknown, false},
		{faults.Error500NoEffect, answers("SYSTEM_ERROR"), false},
		{faults.Error500WithEffect, answers("SYSTEM_ERROR"), true},
		{faults.RateLimited, answers("FREQUENCY_LIMITED"), false},
		{faults.CorruptSignature, unknown, true},
		{faults.SigntestSignature, unknown, true},
		{faults.Unsigned, unknown, true},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			b := newBench(t)
			service := native.NativeApiService{Client: b.SDK(k.PublicKeyID)}
			no := "FAULTY0001"
			prepay := func() error {
				_, _, err := service.Prepay(ctx, native.PrepayRequest{
					Appid: &k.AppID, Mchid: &k.MchID, Description: s("x"), OutTradeNo: &no,
					NotifyUrl: s("https://shop.example.test/n"), Amount: &native.Amount{Total: i(1)},
				})
				return err
			}
			query := func() error {
				_, _, err := service.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: &no, Mchid: &k.MchID})
				return err
			}
			closing := func() error {
				_, err := service.CloseOrder(ctx, native.CloseOrderRequest{OutTradeNo: &no, Mchid: &k.MchID})
				return err
			}
			state := func() trade.State {
				v, _ := b.Trade(no)
				return v.State
			}
			b.MustArm(faults.Prepay, c.fault, 1)
			if err := prepay(); !c.gets(err) {
				t.Errorf("prepay: %v", err)
			}
			if got := state() == trade.Open; got != c.effect {
				t.Errorf("prepay took effect: %v", got)
			}
			if err := prepay(); !fine(err) {
				t.Errorf("prepay repeated: %v", err)
			}
			b.MustArm(faults.Query, c.fault, 2)
			for range 2 {
				if err := query(); !c.gets(err) {
					t.Errorf("query: %v", err)
				}
			}
			if err := query(); !fine(err) {
				t.Errorf("query repeated: %v", err)
			}
			b.MustArm(faults.Close, c.fault, 1)
			if err := closing(); !c.gets(err) {
				t.Errorf("close: %v", err)
			}
			if got := state() == trade.Closed; got != c.effect {
				t.Errorf("close took effect: %v", got)
			}
			if err := closing(); !fine(err) {
				t.Errorf("close repeated: %v", err)
			}
			if left := b.ArmedFaults(); len(left) != 0 {
				t.Errorf("still armed: %v", left)
			}
		})
	}
}

// tapClock reports when somebody begins to wait on it.
type tapClock struct {
	*clock.Manual
	waits chan time.Duration
}

func (c tapClock) After(d time.Duration) <-chan time.Time {
	ch := c.Manual.After(d)
	c.waits <- d
	return ch
}

// Slow answers when the clock has passed the delay, and not before.
func TestSlow(t *testing.T) {
	tap := tapClock{clock.NewManual(time.Now()), make(chan time.Duration, 1)}
	b := newBench(t, func(o *sandbox.Options) { o.Clock = tap })
	b.MustArm(faults.Certificates, faults.Slow, 1, 1500*time.Millisecond)
	done := make(chan int)
	go func() { done <- b.Send("GET", "/v3/certificates", nil).Code }()
	if d := <-tap.waits; d != 1500*time.Millisecond {
		t.Errorf("waits %v", d)
	}
	tap.Advance(1499 * time.Millisecond)
	select {
	case <-done:
		t.Fatal("answered too early")
	default:
	}
	tap.Advance(time.Millisecond)
	if got := <-done; got != http.StatusOK {
		t.Errorf("answered %d", got)
	}
}

// A client that gives up is let go, and so is everybody by Close.
func TestSlowLetsGo(t *testing.T) {
	tap := tapClock{clock.NewManual(time.Now()), make(chan time.Duration, 1)}
	b := newBench(t, func(o *sandbox.Options) { o.Clock = tap })
	b.MustArm(faults.Certificates, faults.Slow, 2, time.Hour)
	gone, giveUp := context.WithCancel(ctx)
	done := make(chan struct{})
	get := func(c context.Context) {
		b.Send("GET", "/v3/certificates", nil, func(r *http.Request) { *r = *r.WithContext(c) })
		done <- struct{}{}
	}
	go get(gone)
	<-tap.waits
	giveUp()
	<-done
	go get(ctx)
	<-tap.waits
	b.Close()
	<-done
}

// A timeout with a delay commits first, keeps the client waiting, then breaks.
func TestTimeoutHoldsTheClient(t *testing.T) {
	tap := tapClock{clock.NewManual(time.Now()), make(chan time.Duration, 1)}
	b := newBench(t, func(o *sandbox.Options) { o.Clock = tap })
	b.MustArm(faults.Prepay, faults.TimeoutAfterCommit, 1, 30*time.Second)
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		b.Send("POST", "/v3/pay/transactions/native", sandboxtest.Order("HELD000001"))
	}()
	<-tap.waits
	if _, err := b.Trade("HELD000001"); err != nil {
		t.Error("not committed while the client waits")
	}
	tap.Advance(30 * time.Second)
	if got := <-done; got != http.ErrAbortHandler {
		t.Errorf("ended by %v", got)
	}
}

// Every fault of the table can be armed for every operation it names, and a
// request that is not authentic uses none up.
func TestFaultTable(t *testing.T) {
	b := newBench(t)
	for _, f := range faults.Table() {
		for _, op := range f.Ops {
			b.MustArm(op, f.Fault, 1)
		}
	}
	armed := len(b.ArmedFaults())
	b.SendTo(b.Handler(), "GET", "/v3/certificates", "/v3/forged", nil)
	if got := len(b.ArmedFaults()); got != armed {
		t.Errorf("a forged request used up %d faults", armed-got)
	}
}

func TestFaultsOfPaying(t *testing.T) {
	b := newBench(t)
	b.Place("LATE000001")
	if rec := b.Send("POST", "/v3/pay/transactions/out-trade-no/LATE000001/close", map[string]any{"mchid": b.Keys.MchID}); rec.Code != 204 {
		t.Fatal(rec.Body)
	}
	b.MustArm(faults.Pay, faults.SecondPayment, 1) // waits for its own occasion
	if err := b.Pay("LATE000001"); err != trade.ErrClosed {
		t.Fatal(err)
	}
	b.MustArm(faults.Pay, faults.PayAfterClose, 1)
	if err := b.Pay("LATE000001"); err != nil {
		t.Fatal(err)
	}
	first := b.Query("LATE000001")
	if first.TradeState != "SUCCESS" {
		t.Errorf("paid after close: %+v", first)
	}
	if err := b.Pay("LATE000001"); err != nil {
		t.Fatal(err)
	}
	v, _ := b.Trade("LATE000001")
	if len(v.TransactionIDs) != 2 || v.TransactionIDs[0] == v.TransactionIDs[1] || len(v.Callbacks) != 2 {
		t.Fatalf("paid twice: %+v", v)
	}
	if got := b.Query("LATE000001"); got.TransactionID != first.TransactionID {
		t.Error("the query does not report the first payment")
	}
	for _, id := range v.TransactionIDs {
		if got := sandboxtest.Code(b.Send("GET", "/v3/pay/transactions/id/"+id+"?mchid="+b.Keys.MchID, nil)); got != "200 " {
			t.Errorf("query of %s: %s", id, got)
		}
	}
	if err := b.Pay("LATE000001"); err != trade.ErrPaid {
		t.Error(err)
	}
}
