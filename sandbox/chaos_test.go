package sandbox

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
)

// try sends a request that may be broken off, and says what came of it.
func (b *bench) try(method, uri string, body any) (out string) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			out = "aborted"
		} else if p != nil {
			panic(p)
		}
	}()
	return code(b.send(method, uri, body))
}

// day is a sequence of operations in which everything happens often.
func day(b *bench) (log []string) {
	for n := range 60 {
		no := fmt.Sprintf("CHAOTIC%04d", n)
		for range 20 { // until it is there, as a shop would
			if log = append(log, b.try("POST", "/v3/pay/transactions/native", order(no))); log[len(log)-1] == "200 " {
				break
			}
		}
		_ = b.Pay(no)
		b.clock.Advance(time.Second)
		log = append(log, b.try("GET", "/v3/pay/transactions/out-trade-no/"+no+"?mchid="+b.keys.MchID, nil))
		log = append(log, b.try("POST", refundsPath, asking(no, "R"+no, 100)))
		b.clock.Advance(time.Minute)
		log = append(log, fmt.Sprint(b.DeliverDue(ctx)))
	}
	b.clock.Advance(25 * time.Hour)
	return append(log, fmt.Sprint(b.DeliverDue(ctx)))
}

// calm are the faults that need no clock to move while a call is under way.
var calm = []Fault{TimeoutAfterCommit, TimeoutNoEffect, Error500NoEffect, Error500WithEffect, RateLimited, CorruptSignature, SigntestSignature,
	Unsigned, HalfAnswer, Lost, Duplicated, Twins, Delayed, Reordered, RefundBeforePayment, SigntestProbe, SecondID, PaidTwice, PlatformCoupon, MerchantShort}

// The same seed strikes the same operations with the same faults; another
// seed strikes others.
func TestChaosRepeats(t *testing.T) {
	run := func(seed uint64) (string, string) {
		b := newBench(t)
		if err := b.Chaos(seed, 0.3, calm...); err != nil {
			t.Fatal(err)
		}
		log := day(b)
		struck, err := json.Marshal(b.ChaosStruck())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(log), string(struck)
	}
	log1, struck1 := run(7)
	log2, struck2 := run(7)
	log3, struck3 := run(8)
	if log1 != log2 || struck1 != struck2 {
		t.Errorf("the same seed differs:\n%s\n%s\n%s\n%s", log1, log2, struck1, struck2)
	}
	if log1 == log3 || struck1 == struck3 {
		t.Error("another seed is the same")
	}
}

// Chance strikes about as often as it was told, all that it may and nothing
// else, and leaves the gateway in order.
func TestChaosStrikes(t *testing.T) {
	b := newBench(t)
	if err := b.Chaos(1, 0.5, calm...); err != nil {
		t.Fatal(err)
	}
	day(b)
	v := b.ChaosStruck()
	for _, f := range calm {
		hits := 0
		for _, faults := range v.Struck {
			hits += faults[f]
		}
		if hits == 0 {
			t.Errorf("%s never struck", f)
		}
	}
	prepays := 0
	for _, n := range v.Struck[OpPrepay] {
		prepays += n
	}
	// Half of the prepays are struck, and some are tried again for it.
	if prepays < 30 || prepays > 150 {
		t.Errorf("%d prepays struck", prepays)
	}
	for n := range 60 {
		v, err := b.Trade(fmt.Sprintf("CHAOTIC%04d", n))
		if err != nil || v.State != Paid || len(v.TransactionIDs) > 2 {
			t.Errorf("%d: %v %+v", n, err, v)
		}
	}
	if err := b.Chaos(0, 0); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(b.ChaosStruck().Struck)
	for n := range 50 {
		if got := b.try("POST", "/v3/pay/transactions/native", order(fmt.Sprintf("CALMED%04d", n))); got != "200 " {
			t.Fatalf("struck after it was switched off: %s", got)
		}
	}
	if after := b.ChaosStruck(); after.On || fmt.Sprint(after.Struck) != before {
		t.Errorf("%+v", after)
	}
}

// Nobody needs to name what a shop comes out of by itself, and nothing else
// strikes unnamed.
func TestChaosLeavesTheNamedOut(t *testing.T) {
	b := newBench(t)
	if err := b.Chaos(1, 1); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[Fault]bool{}
	for range 500 {
		for _, op := range []Op{OpPrepay, OpDownload, OpCallback, OpRefundCallback, OpBill} {
			seen[b.strike(op, "").Fault] = true
		}
		seen[b.strike(OpRefund, "", refundFaults...).Fault] = true
		seen[b.strike(OpPay, "").Fault] = true
	}
	if hits := b.strikeAll(OpBill, billFaults...); len(hits) != 0 {
		t.Errorf("bills are struck: %v", hits)
	}
	for _, f := range faultTable {
		if seen[f.Fault] == f.Named {
			t.Errorf("%s: struck %v, named %v", f.Fault, seen[f.Fault], f.Named)
		}
	}
}

func TestChaosRefuses(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		rate  float64
		fault Fault
	}{{-0.1, Lost}, {1.1, Lost}, {math.NaN(), Lost}, {0.5, "explode"}} {
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
		if got := code(b.control(c.method, "/sandbox/chaos", c.body)); got != c.want {
			t.Errorf("%s %s: %s", c.method, c.body, got)
		}
	}
	if b.ChaosStruck().On {
		t.Error("still on")
	}
}

// A huge answer is a true one, if a client dares to read it; half of one is
// an error.
func TestHugeAndHalfAnswers(t *testing.T) {
	b := newBench(t)
	b.paid("HUGE000001")
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	uri := "/v3/pay/transactions/out-trade-no/HUGE000001?mchid=" + b.keys.MchID
	for _, fault := range []Fault{HugeAnswer, HalfAnswer} {
		b.arm(OpQuery, fault, 1)
		req, err := http.NewRequest("GET", server.URL+uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", b.authorize("GET", uri, nil))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		// Read as it is signed: by pieces.
		h, sum, blanks := res.Header, sha256.New(), int64(0)
		_, _ = io.WriteString(sum, h.Get("Wechatpay-Timestamp")+"\n"+h.Get("Wechatpay-Nonce")+"\n")
		if fault == HugeAnswer {
			if blanks, err = io.CopyN(sum, res.Body, hugeAnswer); err != nil {
				t.Fatal(blanks, err)
			}
		}
		text, err := io.ReadAll(io.TeeReader(res.Body, sum))
		res.Body.Close()
		if fault == HalfAnswer {
			if err == nil || int64(len(text)) != res.ContentLength/2 {
				t.Errorf("half: %v, %d of %d bytes", err, len(text), res.ContentLength)
			}
			continue
		}
		_, _ = io.WriteString(sum, "\n")
		signature := mustBase64(t, h.Get("Wechatpay-Signature"))
		var tx Transaction
		if json.Unmarshal(text, &tx) != nil || tx.OutTradeNo != "HUGE000001" {
			t.Errorf("huge: %s", text)
		}
		if err := rsa.VerifyPKCS1v15(&b.keys.PlatformKey.PublicKey, crypto.SHA256, sum.Sum(nil), signature); err != nil {
			t.Error(err)
		}
	}
}

// The order in which callbacks of a payment, of the next payment and of a
// refund arrive, by what was done to the payment's.
func TestOrderOfCallbacks(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		want  string
	}{
		{"", "A R B"}, {Reordered, "R A B"}, {RefundBeforePayment, "R A B"}, {Delayed, "R B A"},
	} {
		b := newBench(t)
		if c.fault != "" {
			b.armOn("ORDERED-A1", OpCallback, c.fault, 1)
		}
		b.paid("ORDERED-A1")
		b.mustRefund("ORDERED-A1", "OR", 1)
		b.DeliverDue(ctx)
		b.clock.Advance(2 * time.Second)
		b.DeliverDue(ctx)
		b.paid("ORDERED-B1")
		b.DeliverDue(ctx)
		b.clock.Advance(48 * time.Hour)
		b.DeliverDue(ctx)
		order := ""
		for _, r := range b.shop.all() {
			n, tx := b.mustRead(r)
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
		fault Fault
		after time.Duration
	}{{Reordered, time.Minute}, {RefundBeforePayment, 24 * time.Hour}} {
		b := newBench(t)
		b.arm(OpCallback, c.fault, 1)
		b.paid("ALONE00001")
		b.clock.Advance(c.after - time.Second)
		if n := b.DeliverDue(ctx); n != 0 {
			t.Errorf("%s: sent early", c.fault)
		}
		b.clock.Advance(time.Second)
		if n := b.DeliverDue(ctx); n != 1 || len(b.held) != 0 {
			t.Errorf("%s: %d tries, %d held", c.fault, n, len(b.held))
		}
	}
}

// A fault of one trade lets all others pass, in every operation.
func TestArmOn(t *testing.T) {
	b := newBench(t)
	query := func(no string) string {
		return b.try("GET", "/v3/pay/transactions/out-trade-no/"+no+"?mchid="+b.keys.MchID, nil)
	}
	b.armOn("AIMED00001", OpPrepay, RateLimited, 1)
	for _, c := range []struct{ no, want string }{{"AIMED00002", "200 "}, {"AIMED00001", "429 FREQUENCY_LIMITED"}, {"AIMED00001", "200 "}} {
		if got := b.try("POST", "/v3/pay/transactions/native", order(c.no)); got != c.want {
			t.Errorf("prepay %s: %s", c.no, got)
		}
	}
	b.armOn("AIMED00001", OpQuery, RateLimited, 2)
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
	if got := b.try("GET", "/v3/pay/transactions/id/"+v.TransactionIDs[0]+"?mchid="+b.keys.MchID, nil); got != "429 FREQUENCY_LIMITED" {
		t.Errorf("query by the transaction: %s", got)
	}
	byID := asking("", "AIMR1", 1)
	delete(byID, "out_trade_no")
	byID["transaction_id"] = v.TransactionIDs[0]
	b.armOn("AIMED00001", OpRefund, RateLimited, 1)
	b.armOn("AIMED00001", OpQueryRefund, RateLimited, 1)
	for _, c := range []struct {
		method, path string
		body         any
		want         string
	}{
		{"POST", refundsPath, asking("AIMED00002", "AIMR2", 1), "200 "},
		{"POST", refundsPath, byID, "429 FREQUENCY_LIMITED"},
		{"POST", refundsPath, byID, "200 "},
		{"GET", refundsPath + "/AIMR2", nil, "200 "},
		{"GET", refundsPath + "/AIMR1", nil, "429 FREQUENCY_LIMITED"},
	} {
		if got := b.try(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
	if left := b.ArmedFaults(); len(left) != 0 {
		t.Errorf("still armed: %v", left)
	}
	if b.ArmOn("AIMED00001", OpCertificates, Slow, 1) == nil {
		t.Error("armed a call of no trade for one")
	}
}
