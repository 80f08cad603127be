package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// A payment is reported at once, once, to the trade's notify_url; the official
// SDK verifies and decrypts it.
func TestCallback(t *testing.T) {
	b := newBench(t)
	b.Paid("SENT000001")
	if n := b.DeliverDue(ctx); n != 1 {
		t.Fatalf("%d tries", n)
	}
	got := b.Shop.All()[0]
	n, tx := b.MustRead(got)
	if got.URL != "https://shop.example.test/wx/notify" || n.EventType != "TRANSACTION.SUCCESS" || n.Resource.OriginalType != "transaction" || len(n.ID) > 36 {
		t.Errorf("%s %+v", got.URL, n)
	}
	queried := b.Query("SENT000001")
	var reported wechatpay.Transaction
	if err := json.Unmarshal([]byte(n.Resource.Plaintext), &reported); err != nil {
		t.Fatal(err)
	}
	if string(sandboxtest.Encode(t, reported)) != string(sandboxtest.Encode(t, queried)) || *tx.Amount.Total != 888 {
		t.Errorf("reported %+v, queried %+v", reported, queried)
	}
	b.Clock.Advance(48 * time.Hour)
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d tries after it was accepted", n)
	}
	v, _ := b.Trade("SENT000001")
	if c := v.Callbacks[0]; !c.Delivered || c.Tries != 1 || !c.NextTry.IsZero() || c.Attempts[0].Status != 204 {
		t.Errorf("%+v", c)
	}
}

// Any answer but 200 and 204 is queried again, on the documented schedule and
// not a moment earlier; the copies are the same but for the signature.
func TestRetrySchedule(t *testing.T) {
	b := newBench(t, sandboxtest.OnClock)
	for i := range 40 {
		b.Shop.Answers = append(b.Shop.Answers, []int{500, -1, 404, 302, 201, 202}[i%6])
	}
	b.Paid("RETRIED001")
	start := b.Now()
	var at []time.Duration
	b.DeliverDue(ctx)
	for {
		due, ok := b.NextDelivery()
		if !ok {
			break
		}
		b.Clock.Advance(due.Sub(b.Now()) - time.Nanosecond)
		if b.DeliverDue(ctx) != 0 {
			t.Fatal("sent too early")
		}
		b.Clock.Advance(time.Nanosecond)
		if b.DeliverDue(ctx) != 1 {
			t.Fatal("not sent when due")
		}
		at = append(at, b.Now().Sub(start))
	}
	want := []string{"15s", "30s", "1m0s", "4m0s", "14m0s", "34m0s", "1h4m0s", "1h34m0s", "2h4m0s", "3h4m0s", "6h4m0s", "9h4m0s", "12h4m0s", "18h4m0s", "24h4m0s"}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("retried after %v, want %v", at, want)
	}
	got := b.Shop.All()
	nonces, serials := map[string]bool{}, map[string]bool{}
	for _, r := range got {
		if !bytes.Equal(r.Body, got[0].Body) {
			t.Fatal("the body of a retry differs")
		}
		if _, err := sandboxtest.VerifiesWith(r.Header, r.Body); err != nil {
			t.Fatal(err)
		}
		nonces[r.Header.Get("Wechatpay-Nonce")] = true
		serials[r.Header.Get("Wechatpay-Serial")] = true
	}
	if len(nonces) != 16 || len(serials) != 2 {
		t.Errorf("%d nonces, %d keys", len(nonces), len(serials))
	}
	if first, last := got[0].Header.Get("Wechatpay-Timestamp"), got[15].Header.Get("Wechatpay-Timestamp"); first == last {
		t.Error("the timestamp is not fresh")
	}
	v, _ := b.Trade("RETRIED001")
	if c := v.Callbacks[0]; c.Delivered || c.Tries != 16 || len(c.Attempts) != 16 || !c.NextTry.IsZero() {
		t.Errorf("given up: %+v", c)
	}
}

// When the clock jumps a day, everything comes in the order of being due.
func TestClockJump(t *testing.T) {
	b := newBench(t)
	b.Shop.Answers = slices.Repeat([]int{500}, 1000)
	b.Paid("JUMPED-A01")
	b.Clock.Advance(5 * time.Second)
	b.Paid("JUMPED-B01")
	b.Clock.Advance(48 * time.Hour)
	if n := b.DeliverDue(ctx); n != 32 {
		t.Fatalf("%d tries", n)
	}
	var order strings.Builder
	for _, r := range b.Shop.All() {
		_, tx := b.MustRead(r)
		order.WriteString(strings.TrimPrefix(*tx.OutTradeNo, "JUMPED-")[:1])
	}
	if got := order.String(); got != strings.Repeat("AB", 16) {
		t.Errorf("order %s", got)
	}
}

// Run does the same by itself, over a real network, and ends when it is stopped.
func TestRun(t *testing.T) {
	got := make(chan sandboxtest.Received, 100)
	answers := make(chan int, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		rw.WriteHeader(<-answers)
		got <- sandboxtest.Received{URL: r.URL.Path, Header: r.Header, Body: body.Bytes()}
	}))
	defer server.Close()
	for _, end := range []string{"by context", "by Close"} {
		b := newBench(t, func(o *sandbox.Options) { o.Client = nil })
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		ended := make(chan error)
		go func() { ended <- b.Run(running) }()

		o := sandboxtest.Order("RUNNING001")
		o["notify_url"] = server.URL + "/n"
		if rec := b.Send("POST", "/v3/pay/transactions/native", o); rec.Code != 200 {
			t.Fatal(rec.Body)
		}
		if err := b.Pay("RUNNING001"); err != nil {
			t.Fatal(err)
		}
		answers <- 503
		first := <-got
		// The retry is planned once the answer has been read; then the clock
		// may jump, and Run must notice.
		answers <- 200
		for {
			if due, ok := b.NextDelivery(); ok {
				b.Clock.Advance(due.Sub(b.Now()))
				break
			}
			runtime.Gosched()
		}
		second := <-got
		if !bytes.Equal(first.Body, second.Body) || first.URL != "/n" {
			t.Error("the retry differs")
		}
		b.MustRead(second)
		if b.Run(ctx) == nil {
			t.Error("two of them run")
		}
		if end == "by context" {
			cancel()
		} else {
			b.Close()
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Whatever was due when Run ended is still due for the next one.
func TestRunLosesNothing(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.Workers = 2 })
	for i := range 20 {
		b.Paid(fmt.Sprintf("STOPPED%03d", i))
	}
	running, cancel := context.WithCancel(ctx)
	b.Shop.Answers = []int{-1, -1, -1}
	b.Shop.During = cancel // the shop's first callback stops the gateway
	if err := b.Run(running); err != nil {
		t.Fatal(err)
	}
	b.Shop.During = nil
	b.Clock.Advance(15 * time.Second)
	b.DeliverDue(ctx)
	for _, v := range b.Trades(20) {
		if !v.Callbacks[0].Delivered {
			t.Errorf("%s was not reported", v.OutTradeNo)
		}
	}
}

func TestSigningModes(t *testing.T) {
	keys := testKeys()
	for _, c := range []struct {
		mode wechatpay.Signing
		want map[string]int
	}{
		{wechatpay.ByCertificate, map[string]int{keys.PlatformSerial: 4}},
		{wechatpay.ByPublicKey, map[string]int{keys.PublicKeyID: 4}},
		{wechatpay.Mixed, map[string]int{keys.PlatformSerial: 2, keys.PublicKeyID: 2}},
	} {
		b := newBench(t, func(o *sandbox.Options) { o.Signing = c.mode })
		for i := range 4 {
			b.Paid(fmt.Sprintf("SIGNED%03d", i))
		}
		b.DeliverDue(ctx)
		got := map[string]int{}
		for _, r := range b.Shop.All() {
			b.MustRead(r)
			got[r.Header.Get("Wechatpay-Serial")]++
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v", c.mode, got)
		}
	}
}

// Each fault of a callback: how many tries arrive at once and a day later, how
// many ids they have, how many of them the SDK accepts.
func TestFaultsOfCallbacks(t *testing.T) {
	for _, c := range []struct {
		fault                       faults.Fault
		atOnce, inAll, ids, genuine int
		delivered                   bool
	}{
		{"", 1, 1, 1, 1, true},
		{faults.Lost, 0, 0, 0, 0, false},
		{faults.Duplicated, 2, 2, 1, 2, true},
		{faults.ConcurrentDuplicate, 2, 2, 1, 2, true},
		{faults.Delayed, 0, 1, 1, 1, true},
		{faults.SecondID, 2, 2, 2, 2, true},
		{faults.SigntestProbe, 1, 2, 1, 1, true},
		{faults.CorruptSignature, 1, 2, 1, 1, true},
		{faults.Unsigned, 1, 2, 1, 1, true},
	} {
		b := newBench(t)
		if c.fault != "" {
			b.MustArm(faults.Callback, c.fault, 1)
		}
		b.Paid("CALLED0001")
		b.DeliverDue(ctx)
		atOnce := len(b.Shop.All())
		b.Clock.Advance(24 * time.Hour)
		b.DeliverDue(ctx)
		ids, genuine := map[string]bool{}, 0
		for _, r := range b.Shop.All() {
			var n struct{ ID string }
			if err := json.Unmarshal(r.Body, &n); err != nil {
				t.Fatal(err)
			}
			ids[n.ID] = true
			if _, _, err := r.Read(); err == nil {
				genuine++
			}
		}
		v, _ := b.Trade("CALLED0001")
		if inAll := len(b.Shop.All()); atOnce != c.atOnce || inAll != c.inAll || len(ids) != c.ids || genuine != c.genuine || v.Callbacks[0].Delivered != c.delivered {
			t.Errorf("%s: %d at once, %d in all, %d ids, %d genuine, delivered %v", c.fault, atOnce, inAll, len(ids), genuine, v.Callbacks[0].Delivered)
		}
	}
}

// A shop that accepts the probe gets the true callback all the same, and the
// record says what it did.
func TestProbeThatIsAccepted(t *testing.T) {
	b := newBench(t)
	b.MustArm(faults.Callback, faults.SigntestProbe, 1)
	b.Paid("PROBED0001")
	b.DeliverDue(ctx)
	if !strings.HasPrefix(b.Shop.All()[0].Header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/") {
		t.Error("not a probe")
	}
	v, _ := b.Trade("PROBED0001")
	if a := v.Callbacks[0].Attempts[0]; a.OK || a.Error == "" || v.Callbacks[0].NextTry.IsZero() {
		t.Errorf("%+v", v.Callbacks[0])
	}
}

// The duplicates are really under way at the same moment.
func TestConcurrentDuplicatesMeet(t *testing.T) {
	b := newBench(t)
	meet := make(chan struct{})
	b.Shop.During = func() { // passes only when two are inside
		select {
		case meet <- struct{}{}:
		case <-meet:
		}
	}
	b.MustArm(faults.Callback, faults.ConcurrentDuplicate, 1)
	b.Paid("DOUBLE0001")
	if n := b.DeliverDue(ctx); n != 2 {
		t.Errorf("%d tries", n)
	}
}

func TestResendByHand(t *testing.T) {
	b := newBench(t)
	b.Shop.Answers = []int{500, 200, 500}
	b.Paid("RESENT0001")
	b.DeliverDue(ctx) // 500
	if err := b.Notify("RESENT0001"); err != nil {
		t.Fatal(err)
	}
	b.DeliverDue(ctx) // 200
	b.Clock.Advance(24 * time.Hour)
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d planned retries after it got through by hand", n)
	}
	if err := b.Notify("RESENT0001"); err != nil {
		t.Fatal(err)
	}
	if n := b.DeliverDue(ctx); n != 1 {
		t.Errorf("%d tries", n)
	}
	v, _ := b.Trade("RESENT0001")
	if c := v.Callbacks[0]; c.Tries != 3 || !c.Delivered || !c.NextTry.IsZero() {
		t.Errorf("%+v", c)
	}
	b.Place("RESENT0002")
	if err := b.Notify("RESENT0002"); err != trade.ErrUnpaid {
		t.Error(err)
	}
}

func TestSignedCallback(t *testing.T) {
	b := newBench(t)
	b.Place("SILENT0001")
	if _, _, err := b.SignedCallback("SILENT0001"); err != trade.ErrUnpaid {
		t.Error(err)
	}
	if _, _, err := b.SignedCallback("SILENT0002"); err != trade.ErrNoTrade {
		t.Error(err)
	}
	if err := b.PaySilently("SILENT0001"); err != nil {
		t.Fatal(err)
	}
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d tries", n)
	}
	h1, body1, err1 := b.SignedCallback("SILENT0001")
	h2, body2, err2 := b.SignedCallback("SILENT0001")
	if err1 != nil || err2 != nil || !bytes.Equal(body1, body2) || h1.Get("Wechatpay-Signature") == h2.Get("Wechatpay-Signature") {
		t.Error("two calls should differ in the signature alone")
	}
	if _, tx := b.MustRead(sandboxtest.Received{Header: h1, Body: body1}); *tx.OutTradeNo != "SILENT0001" {
		t.Error(tx)
	}
}
