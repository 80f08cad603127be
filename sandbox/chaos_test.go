package sandbox_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// day is a sequence of operations in which everything happens often.
func day(b *bench) (log []string) {
	for n := range 60 {
		no := fmt.Sprintf("CHAOTIC%04d", n)
		for range 20 { // until it is there, as a shop would
			if log = append(log, b.Try("POST", "/v3/pay/transactions/native", sandboxtest.Order(no))); log[len(log)-1] == "200 " {
				break
			}
		}
		_ = b.Pay(no)
		b.Clock.Advance(time.Second)
		log = append(log, b.Try("GET", "/v3/pay/transactions/out-trade-no/"+no+"?mchid="+b.Keys.MchID, nil))
		log = append(log, b.Try("POST", sandboxtest.RefundsPath, sandboxtest.RefundOrder(no, "R"+no, 100)))
		b.Clock.Advance(time.Minute)
		log = append(log, fmt.Sprint(b.DeliverDue(ctx)))
	}
	b.Clock.Advance(25 * time.Hour)
	return append(log, fmt.Sprint(b.DeliverDue(ctx)))
}

// calm are the faults that need no clock to move while a call is under way.
var calm = []faults.Fault{faults.TimeoutAfterCommit, faults.TimeoutNoEffect, faults.Error500NoEffect, faults.Error500WithEffect, faults.RateLimited, faults.CorruptSignature, faults.SigntestSignature,
	faults.Unsigned, faults.HalfAnswer, faults.Lost, faults.Duplicated, faults.ConcurrentDuplicate, faults.Delayed, faults.Reordered, faults.RefundBeforePayment, faults.SigntestProbe, faults.SecondID, faults.PaidTwice, faults.PlatformCoupon, faults.InsufficientBalance}

// The same seed gives the same operations the same faults; another seed gives
// others.
func TestChaosRepeats(t *testing.T) {
	run := func(seed uint64) (string, string) {
		b := newBench(t)
		if err := b.Chaos(seed, 0.3, calm...); err != nil {
			t.Fatal(err)
		}
		log := day(b)
		injected, err := json.Marshal(b.ChaosState())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(log), string(injected)
	}
	log1, injected1 := run(7)
	log2, injected2 := run(7)
	log3, injected3 := run(8)
	if log1 != log2 || injected1 != injected2 {
		t.Errorf("the same seed differs:\n%s\n%s\n%s\n%s", log1, log2, injected1, injected2)
	}
	if log1 == log3 || injected1 == injected3 {
		t.Error("another seed is the same")
	}
}

// Chance injects about as often as it is set to, all that it may and nothing
// else, and leaves the gateway in order.
func TestChaosStrikes(t *testing.T) {
	b := newBench(t)
	if err := b.Chaos(1, 0.5, calm...); err != nil {
		t.Fatal(err)
	}
	day(b)
	v := b.ChaosState()
	for _, f := range calm {
		hits := 0
		for _, faults := range v.Injected {
			hits += faults[f]
		}
		if hits == 0 {
			t.Errorf("%s never injected", f)
		}
	}
	prepays := 0
	for _, n := range v.Injected[faults.Prepay] {
		prepays += n
	}
	// Half of the prepays fail, and some are tried again for it.
	if prepays < 30 || prepays > 150 {
		t.Errorf("%d prepays failed", prepays)
	}
	for n := range 60 {
		v, err := b.Trade(fmt.Sprintf("CHAOTIC%04d", n))
		if err != nil || v.State != trade.Paid || len(v.TransactionIDs) > 2 {
			t.Errorf("%d: %v %+v", n, err, v)
		}
	}
	if err := b.Chaos(0, 0); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(b.ChaosState().Injected)
	for n := range 50 {
		if got := b.Try("POST", "/v3/pay/transactions/native", sandboxtest.Order(fmt.Sprintf("CALMED%04d", n))); got != "200 " {
			t.Fatalf("failed after it was switched off: %s", got)
		}
	}
	if after := b.ChaosState(); after.On || fmt.Sprint(after.Injected) != before {
		t.Errorf("%+v", after)
	}
}

func TestChaosRefuses(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		rate  float64
		fault faults.Fault
	}{{-0.1, faults.Lost}, {1.1, faults.Lost}, {math.NaN(), faults.Lost}, {0.5, "explode"}} {
		if b.Chaos(1, c.rate, c.fault) == nil {
			t.Errorf("accepted %+v", c)
		}
	}
	for _, c := range []struct{ method, body, want string }{
		{"POST", `{"seed":7,"rate":0.25,"faults":["lost"]}`, "200 "},
		{"GET", "", "200 "},
		{"POST", `{"rate":2}`, "400 validation_failed"},
		{"POST", `{"rate":0.5,"faults":["explode"]}`, "400 validation_failed"},
		{"POST", `{"luck":1}`, "400 validation_failed"},
		{"DELETE", "", "200 "},
	} {
		if got := sandboxtest.Code(b.Control(c.method, "/sandbox/chaos", c.body)); got != c.want {
			t.Errorf("%s %s: %s", c.method, c.body, got)
		}
	}
	if b.ChaosState().On {
		t.Error("still on")
	}
}

// A huge answer is a true one, if a client dares to read it; half of one is
// an error.
func TestHugeAndHalfAnswers(t *testing.T) {
	b := newBench(t)
	b.Paid("HUGE000001")
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	uri := "/v3/pay/transactions/out-trade-no/HUGE000001?mchid=" + b.Keys.MchID
	for _, fault := range []faults.Fault{faults.HugeAnswer, faults.HalfAnswer} {
		b.MustArm(faults.Query, fault, 1)
		req, err := http.NewRequest("GET", server.URL+uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", b.Authorize("GET", uri, nil))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		// Read as it is signed: by pieces.
		h, sum, blanks := res.Header, sha256.New(), int64(0)
		_, _ = io.WriteString(sum, h.Get("Wechatpay-Timestamp")+"\n"+h.Get("Wechatpay-Nonce")+"\n")
		if fault == faults.HugeAnswer {
			if blanks, err = io.CopyN(sum, res.Body, wire.HugeAnswer); err != nil {
				t.Fatal(blanks, err)
			}
		}
		text, err := io.ReadAll(io.TeeReader(res.Body, sum))
		res.Body.Close()
		if fault == faults.HalfAnswer {
			if err == nil || int64(len(text)) != res.ContentLength/2 {
				t.Errorf("half: %v, %d of %d bytes", err, len(text), res.ContentLength)
			}
			continue
		}
		_, _ = io.WriteString(sum, "\n")
		signature := sandboxtest.Base64(t, h.Get("Wechatpay-Signature"))
		var tx wechatpay.Transaction
		if json.Unmarshal(text, &tx) != nil || tx.OutTradeNo != "HUGE000001" {
			t.Errorf("huge: %s", text)
		}
		if err := rsa.VerifyPKCS1v15(&b.Keys.PlatformKey.PublicKey, crypto.SHA256, sum.Sum(nil), signature); err != nil {
			t.Error(err)
		}
	}
}

// The order in which callbacks of a payment, of the next payment and of a
// refund arrive, by what was done to the payment's.
func TestOrderOfCallbacks(t *testing.T) {
	for _, c := range []struct {
		fault faults.Fault
		want  string
	}{
		{"", "A R B"}, {faults.Reordered, "R A B"}, {faults.RefundBeforePayment, "R A B"}, {faults.Delayed, "R B A"},
	} {
		b := newBench(t)
		if c.fault != "" {
			b.MustArmOn("ORDERED-A1", faults.Callback, c.fault, 1)
		}
		b.Paid("ORDERED-A1")
		b.MustRefund("ORDERED-A1", "OR", 1)
		b.DeliverDue(ctx)
		b.Clock.Advance(2 * time.Second)
		b.DeliverDue(ctx)
		b.Paid("ORDERED-B1")
		b.DeliverDue(ctx)
		b.Clock.Advance(48 * time.Hour)
		b.DeliverDue(ctx)
		order := ""
		for _, r := range b.Shop.All() {
			n, tx := b.MustRead(r)
			if n.EventType == "REFUND.SUCCESS" {
				order += "R "
			} else {
				order += (*tx.OutTradeNo)[8:9] + " "
			}
		}
		if order != c.want+" " {
			t.Errorf("%s: %s, want %s", c.fault, order, c.want)
		}
	}
}

// A callback that waits for another which never comes is sent all the same.
func TestHeldCallbacksAreSentInTheEnd(t *testing.T) {
	for _, c := range []struct {
		fault faults.Fault
		after time.Duration
	}{{faults.Reordered, time.Minute}, {faults.RefundBeforePayment, 24 * time.Hour}} {
		b := newBench(t)
		b.MustArm(faults.Callback, c.fault, 1)
		b.Paid("ALONE00001")
		b.Clock.Advance(c.after - time.Second)
		if n := b.DeliverDue(ctx); n != 0 {
			t.Errorf("%s: sent early", c.fault)
		}
		b.Clock.Advance(time.Second)
		if n := b.DeliverDue(ctx); n != 1 || b.Size().Held != 0 {
			t.Errorf("%s: %d tries, %d held", c.fault, n, b.Size().Held)
		}
	}
}

// A fault of one trade lets all others pass, in every operation.
func TestArmOn(t *testing.T) {
	b := newBench(t)
	query := func(no string) string {
		return b.Try("GET", "/v3/pay/transactions/out-trade-no/"+no+"?mchid="+b.Keys.MchID, nil)
	}
	b.MustArmOn("AIMED00001", faults.Prepay, faults.RateLimited, 1)
	for _, c := range []struct{ no, want string }{{"AIMED00002", "200 "}, {"AIMED00001", "429 FREQUENCY_LIMITED"}, {"AIMED00001", "200 "}} {
		if got := b.Try("POST", "/v3/pay/transactions/native", sandboxtest.Order(c.no)); got != c.want {
			t.Errorf("prepay %s: %s", c.no, got)
		}
	}
	b.MustArmOn("AIMED00001", faults.Query, faults.RateLimited, 2)
	for _, c := range []struct{ no, want string }{{"AIMED00002", "200 "}, {"AIMED00001", "429 FREQUENCY_LIMITED"}} {
		if got := query(c.no); got != c.want {
			t.Errorf("query %s: %s", c.no, got)
		}
	}
	for _, no := range []string{"AIMED00001", "AIMED00002"} {
		if err := b.Pay(no); err != nil {
			t.Fatal(err)
		}
	}
	v, _ := b.Trade("AIMED00001")
	if got := b.Try("GET", "/v3/pay/transactions/id/"+v.TransactionIDs[0]+"?mchid="+b.Keys.MchID, nil); got != "429 FREQUENCY_LIMITED" {
		t.Errorf("query by the transaction: %s", got)
	}
	byID := sandboxtest.RefundOrder("", "AIMR1", 1)
	delete(byID, "out_trade_no")
	byID["transaction_id"] = v.TransactionIDs[0]
	b.MustArmOn("AIMED00001", faults.Refund, faults.RateLimited, 1)
	b.MustArmOn("AIMED00001", faults.QueryRefund, faults.RateLimited, 1)
	for _, c := range []struct {
		method, path string
		body         any
		want         string
	}{
		{"POST", sandboxtest.RefundsPath, sandboxtest.RefundOrder("AIMED00002", "AIMR2", 1), "200 "},
		{"POST", sandboxtest.RefundsPath, byID, "429 FREQUENCY_LIMITED"},
		{"POST", sandboxtest.RefundsPath, byID, "200 "},
		{"GET", sandboxtest.RefundsPath + "/AIMR2", nil, "200 "},
		{"GET", sandboxtest.RefundsPath + "/AIMR1", nil, "429 FREQUENCY_LIMITED"},
	} {
		if got := b.Try(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
	if left := b.ArmedFaults(); len(left) != 0 {
		t.Errorf("still armed: %v", left)
	}
	if b.ArmOn("AIMED00001", faults.Certificates, faults.Slow, 1) == nil {
		t.Error("armed a call of no trade for one")
	}
}
