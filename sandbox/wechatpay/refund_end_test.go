package wechatpay_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// Each fault of a refund: how it is answered, what becomes of it, what the
// shop gets.
func TestFaultsOfRefunds(t *testing.T) {
	for _, c := range []struct {
		fault               faults.Fault
		answer, ends, event string
	}{
		{"", "200 ", "SUCCESS", "REFUND.SUCCESS"},
		{faults.RefundAbnormal, "200 ", "ABNORMAL", "REFUND.ABNORMAL"},
		{faults.RefundClosed, "200 ", "CLOSED", "REFUND.CLOSED"},
		{faults.RefundNeverEnds, "200 ", "PROCESSING", ""},
		{faults.InsufficientBalance, "403 NOT_ENOUGH", "", ""},
		{faults.UserAccountClosed, "403 USER_ACCOUNT_ABNORMAL", "", ""},
	} {
		b := newBench(t)
		b.Paid("FATED00001")
		b.DeliverDue(ctx)
		if c.fault != "" {
			b.MustArm(faults.Refund, c.fault, 1)
		}
		if got := sandboxtest.Code(b.RequestRefund("FATED00001", "F1", 888)); got != c.answer {
			t.Errorf("%s: %s", c.fault, got)
		}
		if c.ends == "" { // refused: the same number may be tried again
			if got := sandboxtest.Code(b.RequestRefund("FATED00001", "F1", 888)); got != "200 " {
				t.Errorf("%s: again %s", c.fault, got)
			}
			continue
		}
		b.Clock.Advance(24 * time.Hour)
		b.DeliverDue(ctx)
		if got := b.refundState("F1"); got != c.ends {
			t.Errorf("%s: ends %s", c.fault, got)
		}
		reported := ""
		for _, r := range b.Shop.All()[1:] {
			event, n := b.noticeIn(r)
			if reported += event; n.RefundStatus != c.ends || (n.SuccessTime != "") != (c.ends == "SUCCESS") {
				t.Errorf("%s: reported %+v", c.fault, n)
			}
		}
		if reported != c.event {
			t.Errorf("%s: reported %q", c.fault, reported)
		}
		wantTrade := "REFUND"
		if c.ends == "CLOSED" {
			wantTrade = "SUCCESS"
		}
		if got := b.Query("FATED00001").TradeState; got != wantTrade {
			t.Errorf("%s: the trade is %s", c.fault, got)
		}
	}
}

// A refund may meet one fault of its answer and one of its money.
func TestRefundMeetsTwoFaults(t *testing.T) {
	b := newBench(t)
	b.Paid("STRUCK0001")
	b.MustArm(faults.Refund, faults.RefundClosed, 1)
	b.MustArm(faults.Refund, faults.Error500WithEffect, 1)
	if got := sandboxtest.Code(b.RequestRefund("STRUCK0001", "S1", 1)); got != "500 SYSTEM_ERROR" {
		t.Error(got)
	}
	b.Clock.Advance(time.Minute)
	if got := b.refundState("S1"); got != "CLOSED" {
		t.Error(got)
	}
}

// An operator ends refunds; what has come to its end stays there.
func TestFinishRefund(t *testing.T) {
	b := newBench(t)
	b.Paid("FINISHED01")
	b.MustArm(faults.Refund, faults.RefundNeverEnds, 3)
	for _, c := range []struct {
		no    string
		state trade.RefundState
		want  error
	}{
		{"A", trade.RefundSucceeded, nil}, {"A", trade.RefundClosed, trade.ErrRefundFinal},
		{"B", trade.RefundAbnormal, nil}, {"B", trade.RefundAbnormal, trade.ErrRefundFinal}, {"B", trade.RefundSucceeded, nil},
		{"C", trade.RefundClosed, nil}, {"C", trade.RefundSucceeded, trade.ErrRefundFinal}, {"D", trade.RefundSucceeded, trade.ErrNoRefund},
	} {
		if c.no != "D" {
			b.MustRefund("FINISHED01", c.no, 100)
		}
		if err := b.FinishRefund(c.no, c.state); err != c.want {
			t.Errorf("%s %s: %v, want %v", c.no, c.state, err, c.want)
		}
	}
	// The operator is faster than the plan.
	b.MustRefund("FINISHED01", "E", 100)
	if err := b.FinishRefund("E", trade.RefundClosed); err != nil {
		t.Fatal(err)
	}
	b.Clock.Advance(time.Hour)
	if got := b.refundState("E"); got != "CLOSED" {
		t.Error(got)
	}
	if b.FinishRefund("E", trade.RefundProcessing) == nil {
		t.Error("a refund went back")
	}
}

// An abnormal refund goes to a bank card instead.
func TestApplyAbnormalRefund(t *testing.T) {
	k := testKeys()
	seal := func(key *rsa.PublicKey, text string) string {
		out, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(out)
	}
	user := func(key *rsa.PublicKey) map[string]any {
		return map[string]any{"out_refund_no": "AB1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
			"bank_account": seal(key, "6222020202020403"), "real_name": seal(key, "张三")}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	without := func(name string) map[string]any {
		m := user(&k.PlatformKey.PublicKey)
		delete(m, name)
		return m
	}
	merchant := map[string]any{"out_refund_no": "AB1", "type": "MERCHANT_BANK_CARD"}
	for _, c := range []struct {
		name, serial string
		body         map[string]any
		want         string
	}{
		{"user, certificate", k.PlatformSerial, user(&k.PlatformKey.PublicKey), "200 "},
		{"user, public key", k.PublicKeyID, user(&k.PublicKeyPrivate.PublicKey), "200 "},
		{"merchant", "", merchant, "200 "},
		{"another key", k.PlatformSerial, user(&other.PublicKey), "400 PARAM_ERROR"},
		{"the other of our keys", k.PublicKeyID, user(&k.PlatformKey.PublicKey), "400 PARAM_ERROR"},
		{"no serial", "", user(&k.PlatformKey.PublicKey), "400 PARAM_ERROR"},
		{"no bank", k.PlatformSerial, without("bank_type"), "400 PARAM_ERROR"},
		{"no card", k.PlatformSerial, without("bank_account"), "400 PARAM_ERROR"},
		{"no name", k.PlatformSerial, without("real_name"), "400 PARAM_ERROR"},
		{"no type", "", map[string]any{"out_refund_no": "AB1"}, "400 PARAM_ERROR"},
		{"an unknown type", "", map[string]any{"out_refund_no": "AB1", "type": "CASH"}, "400 PARAM_ERROR"},
		{"another refund's number", "", map[string]any{"out_refund_no": "AB2", "type": "MERCHANT_BANK_CARD"}, "400 INVALID_REQUEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.Paid("ABNORMAL01")
			b.DeliverDue(ctx)
			b.MustArm(faults.Refund, faults.RefundAbnormal, 1)
			b.MustRefund("ABNORMAL01", "AB1", 888)
			name := func(r *http.Request) { r.Header.Set("Wechatpay-Serial", c.serial) }
			id := refundIn(t, b.Send("GET", sandboxtest.RefundsPath+"/AB1", nil)).RefundID
			path := sandboxtest.RefundsPath + "/" + id + "/apply-abnormal-refund"
			if got := sandboxtest.Code(b.Send("POST", path, c.body, name)); got[:1] == "2" {
				t.Errorf("while it is processing: %s", got)
			}
			b.Clock.Advance(2 * time.Second)
			b.DeliverDue(ctx)
			rec := b.Send("POST", path, c.body, name)
			if got := sandboxtest.Code(rec); got != c.want {
				t.Fatalf("%s %s", got, rec.Body)
			}
			if rec.Code != 200 {
				return
			}
			if again := sandboxtest.Code(b.Send("POST", path, c.body, name)); again != "200 " {
				t.Errorf("asked again: %s", again)
			}
			b.Clock.Advance(2 * time.Second)
			if n := b.DeliverDue(ctx); n != 1 {
				t.Errorf("%d callbacks", n)
			}
			all := b.Shop.All()
			event, n := b.noticeIn(all[len(all)-1])
			r := refundIn(t, b.Send("GET", sandboxtest.RefundsPath+"/AB1", nil))
			if event != "REFUND.SUCCESS" || r.Status != "SUCCESS" || r.Channel != "OTHER_BANKCARD" || n.UserReceivedAccount != r.UserReceivedAccount || strings.Contains(r.UserReceivedAccount, "6222") {
				t.Errorf("%s %+v", event, r)
			}
		})
	}
}

// The retries of a refund's callback follow the same schedule, one copy and
// one id in all tries.
func TestRefundRetrySchedule(t *testing.T) {
	b := newBench(t, sandboxtest.OnClock)
	b.Paid("RETRIEDR01")
	b.DeliverDue(ctx)
	b.MustRefund("RETRIEDR01", "RR1", 1)
	for range 40 {
		b.Shop.Answers = append(b.Shop.Answers, 500)
	}
	start := b.Now().Add(2 * time.Second)
	var at []time.Duration
	for {
		due, ok := b.NextDelivery()
		if !ok {
			break
		}
		b.Clock.Advance(due.Sub(b.Now()))
		if b.DeliverDue(ctx) != 1 {
			t.Fatal("not sent when due")
		}
		at = append(at, b.Now().Sub(start))
	}
	want := []time.Duration{0}
	for _, wait := range wechatpay.NotifySchedule {
		want = append(want, want[len(want)-1]+wait)
	}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("sent after %v, want %v", at, want)
	}
	got := b.Shop.All()[1:]
	for _, r := range got {
		if string(r.Body) != string(got[0].Body) {
			t.Fatal("the body of a retry differs")
		}
	}
}

func TestSignRefundCallback(t *testing.T) {
	k, now := testKeys(), time.Now()
	for _, c := range []struct{ status, event string }{
		{"SUCCESS", "REFUND.SUCCESS"}, {"ABNORMAL", "REFUND.ABNORMAL"}, {"CLOSED", "REFUND.CLOSED"}, {"PROCESSING", ""}, {"", ""},
	} {
		h, body, err := wechatpay.SignRefundCallback(k, k.PublicKeyID, now, "", wechatpay.RefundNotice{OutRefundNo: "X", RefundStatus: c.status})
		if (err == nil) != (c.event != "") {
			t.Errorf("%q: %v", c.status, err)
		}
		if err != nil {
			continue
		}
		n, _, err := sandboxtest.Received{Header: h, Body: body}.Read()
		if err != nil || n.EventType != c.event || n.Resource.OriginalType != "refund" {
			t.Errorf("%q: %+v %v", c.status, n, err)
		}
	}
	if _, _, err := wechatpay.SignRefundCallback(k, "?", now, "", wechatpay.RefundNotice{RefundStatus: "SUCCESS"}); err == nil {
		t.Error("signed with a key that does not exist")
	}
}

// Run ends refunds and reports them by itself, when the clock gets there.
func TestRunEndsRefunds(t *testing.T) {
	b := newBench(t)
	b.Paid("RUNREFUND1")
	b.DeliverDue(ctx)
	sent := make(chan struct{})
	b.Shop.During = func() { sent <- struct{}{} }
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- b.Run(running) }()
	b.MustRefund("RUNREFUND1", "RUN1", 1)
	b.Clock.Advance(2 * time.Second)
	<-sent
	if got := b.refundState("RUN1"); got != "SUCCESS" {
		t.Error(got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
