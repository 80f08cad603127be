package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A payment is told at once, once, to the trade's notify_url; the official
// SDK verifies and decrypts it.
func TestCallback(t *testing.T) {
	b := newBench(t)
	b.paid("TOLD000001")
	if n := b.DeliverDue(ctx); n != 1 {
		t.Fatalf("%d tries", n)
	}
	got := b.shop.all()[0]
	n, tx := b.mustRead(got)
	if got.url != "https://shop.example.test/wx/notify" || n.EventType != "TRANSACTION.SUCCESS" || n.Resource.OriginalType != "transaction" || len(n.ID) > 36 {
		t.Errorf("%s %+v", got.url, n)
	}
	asked := b.query("TOLD000001")
	var told Transaction
	if err := json.Unmarshal([]byte(n.Resource.Plaintext), &told); err != nil {
		t.Fatal(err)
	}
	if string(encode(t, told)) != string(encode(t, asked)) || *tx.Amount.Total != 888 {
		t.Errorf("told %+v, asked %+v", told, asked)
	}
	b.clock.Advance(48 * time.Hour)
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d tries after it was accepted", n)
	}
	v, _ := b.Trade("TOLD000001")
	if c := v.Callbacks[0]; !c.Delivered || c.Tries != 1 || !c.NextTry.IsZero() || c.Attempts[0].Status != 204 {
		t.Errorf("%+v", c)
	}
}

// Any answer but 200 and 204 is asked again, on the documented schedule and
// not a moment earlier; the copies are the same but for the signature.
func TestRetrySchedule(t *testing.T) {
	b := newBench(t, onClock)
	for i := range 40 {
		b.shop.answers = append(b.shop.answers, []int{500, -1, 404, 302, 201, 202}[i%6])
	}
	b.paid("RETRIED001")
	start := b.now()
	var at []time.Duration
	b.DeliverDue(ctx)
	for {
		due, ok := b.NextDelivery()
		if !ok {
			break
		}
		b.clock.Advance(due.Sub(b.now()) - time.Nanosecond)
		if b.DeliverDue(ctx) != 0 {
			t.Fatal("sent too early")
		}
		b.clock.Advance(time.Nanosecond)
		if b.DeliverDue(ctx) != 1 {
			t.Fatal("not sent when due")
		}
		at = append(at, b.now().Sub(start))
	}
	want := []string{"15s", "30s", "1m0s", "4m0s", "14m0s", "34m0s", "1h4m0s", "1h34m0s", "2h4m0s", "3h4m0s", "6h4m0s", "9h4m0s", "12h4m0s", "18h4m0s", "24h4m0s"}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("retried after %v, want %v", at, want)
	}
	got := b.shop.all()
	nonces, serials := map[string]bool{}, map[string]bool{}
	for _, r := range got {
		if !bytes.Equal(r.body, got[0].body) {
			t.Fatal("the body of a retry differs")
		}
		if _, err := verifiesWith(r.header, r.body); err != nil {
			t.Fatal(err)
		}
		nonces[r.header.Get("Wechatpay-Nonce")] = true
		serials[r.header.Get("Wechatpay-Serial")] = true
	}
	if len(nonces) != 16 || len(serials) != 2 {
		t.Errorf("%d nonces, %d keys", len(nonces), len(serials))
	}
	if first, last := got[0].header.Get("Wechatpay-Timestamp"), got[15].header.Get("Wechatpay-Timestamp"); first == last {
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
	b.shop.answers = slices.Repeat([]int{500}, 1000)
	b.paid("JUMPED-A01")
	b.clock.Advance(5 * time.Second)
	b.paid("JUMPED-B01")
	b.clock.Advance(48 * time.Hour)
	if n := b.DeliverDue(ctx); n != 32 {
		t.Fatalf("%d tries", n)
	}
	var order strings.Builder
	for _, r := range b.shop.all() {
		_, tx := b.mustRead(r)
		order.WriteString(strings.TrimPrefix(*tx.OutTradeNo, "JUMPED-")[:1])
	}
	if got := order.String(); got != strings.Repeat("AB", 16) {
		t.Errorf("order %s", got)
	}
}

// Run does the same by itself, over a real network, and ends when told to.
func TestRun(t *testing.T) {
	got := make(chan received, 100)
	answers := make(chan int, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		rw.WriteHeader(<-answers)
		got <- received{r.URL.Path, r.Header, body.Bytes()}
	}))
	defer server.Close()
	for _, end := range []string{"by context", "by Close"} {
		b := newBench(t, func(o *Options) { o.Client = nil })
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		ended := make(chan error)
		go func() { ended <- b.Run(running) }()

		o := order("RUNNING001")
		o["notify_url"] = server.URL + "/n"
		if rec := b.send("POST", "/v3/pay/transactions/native", o); rec.Code != 200 {
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
				b.clock.Advance(due.Sub(b.now()))
				break
			}
			runtime.Gosched()
		}
		second := <-got
		if !bytes.Equal(first.body, second.body) || first.url != "/n" {
			t.Error("the retry differs")
		}
		b.mustRead(second)
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
	b := newBench(t, func(o *Options) { o.Workers = 2 })
	for i := range 20 {
		b.paid(fmt.Sprintf("STOPPED%03d", i))
	}
	running, cancel := context.WithCancel(ctx)
	b.shop.answers = []int{-1, -1, -1}
	b.shop.during = cancel // the shop's first callback stops the gateway
	if err := b.Run(running); err != nil {
		t.Fatal(err)
	}
	b.shop.during = nil
	b.clock.Advance(15 * time.Second)
	b.DeliverDue(ctx)
	for _, v := range b.Trades(20) {
		if !v.Callbacks[0].Delivered {
			t.Errorf("%s was not told", v.OutTradeNo)
		}
	}
}

func TestSigningModes(t *testing.T) {
	keys := testKeys()
	for _, c := range []struct {
		mode Signing
		want map[string]int
	}{
		{ByCertificate, map[string]int{keys.PlatformSerial: 4}},
		{ByPublicKey, map[string]int{keys.PublicKeyID: 4}},
		{Mixed, map[string]int{keys.PlatformSerial: 2, keys.PublicKeyID: 2}},
	} {
		b := newBench(t, func(o *Options) { o.Signing = c.mode })
		for i := range 4 {
			b.paid(fmt.Sprintf("SIGNED%03d", i))
		}
		b.DeliverDue(ctx)
		got := map[string]int{}
		for _, r := range b.shop.all() {
			b.mustRead(r)
			got[r.header.Get("Wechatpay-Serial")]++
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
		fault                       Fault
		atOnce, inAll, ids, genuine int
		delivered                   bool
	}{
		{"", 1, 1, 1, 1, true},
		{Lost, 0, 0, 0, 0, false},
		{Duplicated, 2, 2, 1, 2, true},
		{Twins, 2, 2, 1, 2, true},
		{Delayed, 0, 1, 1, 1, true},
		{SecondID, 2, 2, 2, 2, true},
		{SigntestProbe, 1, 2, 1, 1, true},
		{CorruptSignature, 1, 2, 1, 1, true},
		{Unsigned, 1, 2, 1, 1, true},
	} {
		b := newBench(t)
		if c.fault != "" {
			b.arm(OpCallback, c.fault, 1)
		}
		b.paid("CALLED0001")
		b.DeliverDue(ctx)
		atOnce := len(b.shop.all())
		b.clock.Advance(24 * time.Hour)
		b.DeliverDue(ctx)
		ids, genuine := map[string]bool{}, 0
		for _, r := range b.shop.all() {
			var n struct{ ID string }
			if err := json.Unmarshal(r.body, &n); err != nil {
				t.Fatal(err)
			}
			ids[n.ID] = true
			if _, _, err := r.read(); err == nil {
				genuine++
			}
		}
		v, _ := b.Trade("CALLED0001")
		if inAll := len(b.shop.all()); atOnce != c.atOnce || inAll != c.inAll || len(ids) != c.ids || genuine != c.genuine || v.Callbacks[0].Delivered != c.delivered {
			t.Errorf("%s: %d at once, %d in all, %d ids, %d genuine, delivered %v", c.fault, atOnce, inAll, len(ids), genuine, v.Callbacks[0].Delivered)
		}
	}
}

// A shop that accepts the probe is told the truth all the same, and the
// record says what it did.
func TestProbeThatIsAccepted(t *testing.T) {
	b := newBench(t)
	b.arm(OpCallback, SigntestProbe, 1)
	b.paid("PROBED0001")
	b.DeliverDue(ctx)
	if !strings.HasPrefix(b.shop.all()[0].header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/") {
		t.Error("not a probe")
	}
	v, _ := b.Trade("PROBED0001")
	if a := v.Callbacks[0].Attempts[0]; a.OK || a.Error == "" || v.Callbacks[0].NextTry.IsZero() {
		t.Errorf("%+v", v.Callbacks[0])
	}
}

// The twins are really under way at the same moment.
func TestTwinsMeet(t *testing.T) {
	b := newBench(t)
	meet := make(chan struct{})
	b.shop.during = func() { // passes only when two are inside
		select {
		case meet <- struct{}{}:
		case <-meet:
		}
	}
	b.arm(OpCallback, Twins, 1)
	b.paid("TWINS00001")
	if n := b.DeliverDue(ctx); n != 2 {
		t.Errorf("%d tries", n)
	}
}

func TestResendByHand(t *testing.T) {
	b := newBench(t)
	b.shop.answers = []int{500, 200, 500}
	b.paid("RESENT0001")
	b.DeliverDue(ctx) // 500
	if err := b.Notify("RESENT0001"); err != nil {
		t.Fatal(err)
	}
	b.DeliverDue(ctx) // 200
	b.clock.Advance(24 * time.Hour)
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
	b.place("RESENT0002")
	if err := b.Notify("RESENT0002"); err != ErrUnpaid {
		t.Error(err)
	}
}

func TestSignedCallback(t *testing.T) {
	b := newBench(t)
	b.place("SILENT0001")
	if _, _, err := b.SignedCallback("SILENT0001"); err != ErrUnpaid {
		t.Error(err)
	}
	if _, _, err := b.SignedCallback("SILENT0002"); err != ErrNoTrade {
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
	if _, tx := b.mustRead(received{header: h1, body: body1}); *tx.OutTradeNo != "SILENT0001" {
		t.Error(tx)
	}
}

func TestSignCallback(t *testing.T) {
	keys, now := testKeys(), time.Now()
	tx := Transaction{OutTradeNo: "NOWHERE001", TransactionID: "4200", TradeState: "SUCCESS", Amount: Amount{Total: 1, Currency: "CNY"}}
	h1, body1, err := SignCallback(keys, now, "a-nonce", tx)
	if err != nil {
		t.Fatal(err)
	}
	h2, body2, _ := SignCallback(keys, now, "a-nonce", tx)
	if !bytes.Equal(body1, body2) || h1.Get("Wechatpay-Signature") != h2.Get("Wechatpay-Signature") {
		t.Error("the same nonce gave another callback")
	}
	n1, got, err := received{header: h1, body: body1}.read()
	if err != nil || *got.OutTradeNo != "NOWHERE001" {
		t.Fatal(err)
	}
	h3, body3, err := SignCallbackWith(keys, keys.PublicKeyID, now, "", tx)
	if err != nil {
		t.Fatal(err)
	}
	n3, _, err := received{header: h3, body: body3}.read()
	if err != nil || n1.ID == n3.ID || h3.Get("Wechatpay-Serial") != keys.PublicKeyID {
		t.Errorf("%v %v", n3, err)
	}
	if _, _, err := SignCallbackWith(keys, "?", now, "", tx); err == nil {
		t.Error("signed with a key that does not exist")
	}
}

// A callback that was made elsewhere is read by the same test helper that
// reads ours, and ours has the same members.
func TestCallbackHasTheShapeOfTheVector(t *testing.T) {
	text, err := os.ReadFile("testdata/callback.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Headers   map[string]string
		Body      string
		Plaintext map[string]any
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	if _, err := verifiesWith(h, []byte(v.Body)); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.paid("SHAPED0001")
	b.DeliverDue(ctx)
	ours := b.shop.all()[0]
	names := func(text []byte) string {
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if r, ok := m["resource"].(map[string]any); ok {
			return fmt.Sprint(sortedNames(m), sortedNames(r))
		}
		return fmt.Sprint(sortedNames(m))
	}
	if got, want := names(ours.body), names([]byte(v.Body)); got != want {
		t.Errorf("members %s, want %s", got, want)
	}
	n, _ := b.mustRead(ours)
	if got, want := names([]byte(n.Resource.Plaintext)), fmt.Sprint(sortedNames(v.Plaintext)); got != want {
		t.Errorf("plaintext %s, want %s", got, want)
	}
	for name := range v.Headers {
		if ours.header.Get(name) == "" {
			t.Errorf("header %s is missing", name)
		}
	}
}
