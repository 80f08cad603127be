package wechatpay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
	emulator "github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// bought is a payment of 1288 fen that has been paid, and its number there.
func bought(t *testing.T, b *bench, no string) payment.RefundRequest {
	t.Helper()
	_, err := b.Channel.Prepay(t.Context(), payment.PrepayRequest{
		PaymentNo: no, Method: payment.Native, Amount: 1288, Currency: "CNY", Description: "茶,`两盒", NotifyURL: b.NotifyURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Pay(no); err != nil {
		t.Fatal(err)
	}
	f, err := b.Channel.Query(t.Context(), no)
	if err != nil {
		t.Fatal(err)
	}
	return payment.RefundRequest{
		RefundNo: "R" + no, PaymentNo: no, TransactionID: f.TransactionID, Amount: 500, Total: 1288, Currency: "CNY", NotifyURL: b.NotifyURL,
	}
}

// TestRotation goes through a change of the platform certificate as a merchant
// sees it who holds certificates alone.
func TestRotation(t *testing.T) {
	for _, worker := range []bool{true, false} {
		b := newBench(t, emulator.ByCertificate, func(c *wechatpay.Config) { c.PlatformKeys = c.PlatformKeys[:1] })
		r := bought(t, b, "ROTATE0001")
		if !b.wechat.RefreshDue(b.Now()) {
			t.Error("nothing is due at the start")
		}
		if err := b.wechat.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.gateway.WechatPay().RotateCertificate(24 * time.Hour); err != nil {
			t.Fatal(err)
		}
		if worker { // who looks every ten hours and knows it before it is used
			b.clock.Advance(10 * time.Hour)
			if !b.wechat.RefreshDue(b.Now()) {
				t.Error("it is not due after ten hours")
			}
			if err := b.wechat.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		b.clock.Advance(25 * time.Hour)
		h, body, err := b.gateway.SignedCallback("ROTATE0001")
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Channel.Read(b.Now(), h, body)
		if worker {
			if err != nil {
				t.Errorf("the first callback: %v", err)
			}
			continue
		}
		var refused *payment.RefusedError
		if !errors.As(err, &refused) || refused.Stage != payment.StageSerial || !b.wechat.WantsRefresh() {
			t.Fatalf("the first callback: %v, wants %v", err, b.wechat.WantsRefresh())
		}
		// Our own calls go on: answers are signed with what we name.
		if _, err := b.accounts.Refund(t.Context(), r); err != nil {
			t.Error(err)
		}
		if err := b.wechat.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		h, body, err = b.gateway.SignedCallback("ROTATE0001") // sent again, signed afresh
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Channel.Read(b.Now(), h, body); err != nil || b.wechat.WantsRefresh() {
			t.Errorf("the repeated callback: %v, wants %v", err, b.wechat.WantsRefresh())
		}
	}
}

// TestStuckRefund sends a stuck refund to the buyer's card, and another to the
// merchant's.
func TestStuckRefund(t *testing.T) {
	b := newBench(t, emulator.Mixed)
	for i, to := range []payment.AbnormalRefund{
		{Bank: "ICBC_DEBIT", Account: "6222021234567890123", Name: "张三"},
		{ToMerchant: true},
	} {
		r := bought(t, b, []string{"STUCK00001", "STUCK00002"}[i])
		if _, err := b.accounts.Refund(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := b.gateway.FinishRefund(r.RefundNo, trade.RefundAbnormal); err != nil {
			t.Fatal(err)
		}
		f, err := b.accounts.QueryRefund(t.Context(), r)
		if err != nil || f.Kind != payment.RefundStuck {
			t.Fatalf("%+v, %v", f, err)
		}
		to.RefundNo, to.RefundID = r.RefundNo, f.TransactionID
		for range 2 { // a repeat is the same
			if f, err = b.wechat.FinishRefund(t.Context(), to); err != nil || f.Kind != payment.Open || f.RefundNo != r.RefundNo {
				t.Fatalf("%+v, %v", f, err)
			}
		}
		b.clock.Advance(3 * time.Second)
		if f, err = b.accounts.QueryRefund(t.Context(), r); err != nil || f.Kind != payment.Refunded {
			t.Errorf("%+v, %v", f, err)
		}
		var rejected *payment.RejectedError
		to.RefundID = "5030000000000000"
		if _, err = b.wechat.FinishRefund(t.Context(), to); !errors.As(err, &rejected) {
			t.Errorf("of an unknown refund: %v", err)
		}
	}
}

// TestAccountMoves reads how the account moved on a day of a payment and a
// refund.
func TestAccountMoves(t *testing.T) {
	b := newBench(t, emulator.Mixed)
	r := bought(t, b, "FLOW000001")
	if _, err := b.accounts.Refund(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(3 * time.Second)
	day, err := b.NextDay()
	if err != nil {
		t.Fatal(err)
	}
	var paid, back int64
	rows := map[string]int{}
	sum, err := b.wechat.FundFlow(t.Context(), day, func(f payment.FundRow) error {
		if rows[f.Business]++; f.In {
			paid += f.Amount
		} else {
			back += f.Amount
		}
		if f.FlowID == "" || f.TransactionID == "" || f.At.IsZero() {
			t.Errorf("%+v", f)
		}
		return nil
	})
	if err != nil || sum.InSum != paid || sum.OutSum != back || paid != 1288 || back < 500 || sum.Rows < 2 {
		t.Errorf("%+v, %v; in %d, out %d, %v", sum, err, paid, back, rows)
	}
	for _, fault := range []faults.Fault{faults.BillBadCount, faults.BillBadHash, faults.BillTruncated, faults.BillWrongEncoding, faults.BillZipBomb} {
		if err := b.gateway.Arm(faults.FlowBill, fault, 1); err != nil {
			t.Fatal(err)
		}
		var bad *payment.BadBillError
		if _, err := b.wechat.FundFlow(t.Context(), day, func(payment.FundRow) error { return nil }); !errors.As(err, &bad) {
			t.Errorf("%s: %v", fault, err)
		}
	}
	next := payment.DayOf(b.Now().AddDate(0, 0, -2), b.accounts.Zone())
	if _, err := b.wechat.FundFlow(t.Context(), next, func(payment.FundRow) error { return nil }); !errors.Is(err, payment.ErrNoBill) {
		t.Errorf("a day of nothing: %v", err)
	}
}

// TestHugeAnswers: a hundred megabytes in front of an answer are not read.
func TestHugeAnswers(t *testing.T) {
	b := newBench(t, emulator.Mixed)
	r := bought(t, b, "HUGE000001")
	if _, err := b.accounts.Refund(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(3 * time.Second)
	day, err := b.NextDay()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		op   faults.Op
		call func() error
	}{
		{faults.QueryRefund, func() error { _, err := b.accounts.QueryRefund(t.Context(), r); return err }},
		{faults.Bill, func() error {
			_, err := b.accounts.Bill(t.Context(), day, func(payment.BillRow) error { return nil })
			return err
		}},
		{faults.Download, func() error {
			_, err := b.accounts.Bill(t.Context(), day, func(payment.BillRow) error { return nil })
			return err
		}},
	} {
		if err := b.gateway.Arm(row.op, faults.HugeAnswer, 1); err != nil {
			t.Fatal(err)
		}
		err := row.call()
		var bad *payment.BadBillError
		if !errors.Is(err, payment.ErrUnknown) && !errors.As(err, &bad) {
			t.Errorf("%s: %v", row.op, err)
		}
		if err := row.call(); err != nil {
			t.Errorf("%s afterwards: %v", row.op, err)
		}
	}
}
