package alipay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// A refund, step by step on one trade of 88.88: what each call answers.
func TestRefunds(t *testing.T) {
	type step struct {
		amount, number string
		want           string // the failure, or fund_change and the cumulative refund_fee
	}
	for _, c := range []struct {
		name   string
		steps  []step
		status string
	}{
		{"in full", []step{{"88.88", "R1", "Y 88.88"}}, "TRADE_CLOSED"},
		{"in full, without a number", []step{{"88.88", "", "Y 88.88"}, {"88.88", "", "N 88.88"}}, "TRADE_CLOSED"},
		{"in parts", []step{{"8.88", "R1", "Y 8.88"}, {"30", "R2", "Y 38.88"}, {"50.00", "R3", "Y 88.88"}}, "TRADE_CLOSED"},
		{"a part", []step{{"0.01", "R1", "Y 0.01"}}, "TRADE_SUCCESS"},
		{"the same again", []step{{"8.88", "R1", "Y 8.88"}, {"08.88", "R1", "N 8.88"}, {"1", "R2", "Y 9.88"}, {"8.88", "R1", "N 9.88"}}, "TRADE_SUCCESS"},
		{"the same number, another amount", []step{{"8.88", "R1", "Y 8.88"}, {"8.87", "R1", "ACQ.DISCORDANT_REPEAT_REQUEST"}}, "TRADE_SUCCESS"},
		{"too much at once", []step{{"88.89", "R1", "ACQ.REASON_TRADE_REFUND_FEE_ERR"}, {"88.88", "R1", "Y 88.88"}}, "TRADE_CLOSED"},
		{"too much in parts", []step{{"88.87", "R1", "Y 88.87"}, {"0.02", "R2", "ACQ.REASON_TRADE_REFUND_FEE_ERR"}, {"0.01", "R2", "Y 88.88"}}, "TRADE_CLOSED"},
		{"after all is refunded", []step{{"88.88", "R1", "Y 88.88"}, {"0.01", "R2", "ACQ.REASON_TRADE_REFUND_FEE_ERR"}, {"88.88", "R1", "N 88.88"}}, "TRADE_CLOSED"},
		{"a part without a number", []step{{"8.88", "", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"}}, "TRADE_SUCCESS"},
		{"nothing", []step{{"0", "R1", "ACQ.INVALID_PARAMETER"}}, "TRADE_SUCCESS"},
		{"no amount", []step{{"", "R1", "ACQ.INVALID_PARAMETER"}}, "TRADE_SUCCESS"},
	} {
		b := newBench(t)
		b.paidFor("NO1")
		for i, s := range c.steps {
			n := b.call("trade.refund", biz("out_trade_no", "NO1", "refund_amount", s.amount, "out_request_no", s.number, "refund_reason", "不要了"))
			got := fmt.Sprint(n["fund_change"], " ", n["refund_fee"])
			if n["code"] != "10000" {
				got = fmt.Sprint(n["sub_code"])
			}
			if got != s.want {
				t.Errorf("%s, step %d: %v", c.name, i, n)
			}
		}
		if got := b.status("NO1"); got != c.status {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What cannot be refunded, and the faults of refunds.
func TestRefundsRefused(t *testing.T) {
	refund := biz("out_trade_no", "NO1", "refund_amount", "88.88", "out_request_no", "R1")
	for _, c := range []struct {
		name        string
		do          func(b *bench)
		want, again string
	}{
		{"nobody knows it", func(*bench) {}, "ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_NOT_EXIST"},
		{"not scanned", func(b *bench) { b.precreated("NO1") }, "ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_NOT_EXIST"},
		{"waiting", func(b *bench) { b.scanned("NO1") }, "ACQ.TRADE_STATUS_ERROR", "ACQ.TRADE_STATUS_ERROR"},
		{"closed", func(b *bench) { b.scanned("NO1"); b.call("trade.close", biz("out_trade_no", "NO1")) }, "ACQ.TRADE_HAS_CLOSE", "ACQ.TRADE_HAS_CLOSE"},
		{"finished", func(b *bench) { b.paidFor("NO1"); b.Clock.Advance(366 * 24 * time.Hour) }, "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_HAS_FINISHED"},
		{"merchant short", func(b *bench) { b.paidFor("NO1"); b.MustArm(faults.Refund, faults.InsufficientBalance, 1) }, "ACQ.SELLER_BALANCE_NOT_ENOUGH", "Y"},
		{"buyer gone", func(b *bench) { b.paidFor("NO1"); b.MustArm(faults.Refund, faults.UserAccountClosed, 1) }, "ACQ.BUYER_ERROR", "Y"},
		{"stuck", func(b *bench) { b.paidFor("NO1"); b.MustArm(faults.Refund, faults.RefundNeverEnds, 1) }, "ACQ.SYSTEM_ERROR", "ACQ.SYSTEM_ERROR"},
	} {
		b := newBench(t)
		c.do(b)
		for i, want := range []string{c.want, c.again} {
			n := b.call("trade.refund", refund)
			if n["sub_code"] != want && n["fund_change"] != want {
				t.Errorf("%s, call %d: %v", c.name, i, n)
			}
		}
	}
}

// The query of a refund says REFUND_SUCCESS or nothing at all.
func TestRefundQuery(t *testing.T) {
	b := newBench(t)
	b.paidFor("NO1")
	ask := func(number string, options ...any) node {
		return b.call("trade.fastpay.refund.query", biz("out_trade_no", "NO1", "out_request_no", number, "query_options", options))
	}
	if n := ask("R1"); n["code"] != "10000" || n["refund_status"] != nil || n["refund_amount"] != nil {
		t.Errorf("before: %v", n)
	}
	b.MustArm(faults.Refund, faults.TimeoutAfterCommit, 1)
	func() {
		defer func() { _ = recover() }() // the connection is broken
		b.post(b.params("alipay.trade.refund", biz("out_trade_no", "NO1", "refund_amount", "8.88", "out_request_no", "R1")))
	}()
	n := ask("R1")
	if n["refund_status"] != "REFUND_SUCCESS" || n["refund_amount"] != "8.88" || n["total_amount"] != "88.88" || n["gmt_refund_pay"] != nil {
		t.Errorf("after a timeout: %v", n)
	}
	if n := ask("R1", "gmt_refund_pay", "refund_detail_item_list"); n["gmt_refund_pay"] != wireTime(b.Now()) || fmt.Sprint(n["refund_detail_item_list"]) != "[map[amount:8.88 fund_channel:ALIPAYACCOUNT]]" {
		t.Errorf("with options: %v", n)
	}
	b.MustArm(faults.Refund, faults.RefundNeverEnds, 1)
	b.call("trade.refund", biz("out_trade_no", "NO1", "refund_amount", "1", "out_request_no", "R2"))
	if n := ask("R2"); n["code"] != "10000" || n["refund_status"] != nil {
		t.Errorf("of a stuck refund: %v", n)
	}
	if err := b.FinishRefund("R2", trade.RefundSucceeded, "NO1"); err != nil {
		t.Fatal(err)
	}
	if n := ask("R2"); n["refund_status"] != "REFUND_SUCCESS" {
		t.Errorf("of a refund that an operator ended: %v", n)
	}
	if n := ask(""); n.String() != "40004 ACQ.INVALID_PARAMETER" {
		t.Errorf("without a number: %v", n)
	}
	b.call("trade.refund", biz("out_trade_no", "NO1", "refund_amount", "78.00", "out_request_no", "R3"))
	if n := b.call("trade.refund", biz("out_trade_no", "NO1", "refund_amount", "1.00", "out_request_no", "R4")); n["fund_change"] != "Y" || n["refund_fee"] != "88.88" {
		t.Errorf("the rest: %v", n)
	}
}

// A second payment of a trade has a trade_no of its own, and is refunded by it.
func TestSecondPaymentIsRefunded(t *testing.T) {
	b := newBench(t)
	b.precreated("TWICE")
	b.MustArm(faults.Pay, faults.PaidTwice, 1)
	if err := b.Pay("TWICE"); err != nil {
		t.Fatal(err)
	}
	v, _ := b.Trade("TWICE")
	if len(v.TransactionIDs) != 2 || v.TransactionIDs[0] == v.TransactionIDs[1] {
		t.Fatalf("%v", v.TransactionIDs)
	}
	second := biz("trade_no", v.TransactionIDs[1])
	n := b.call("trade.refund", biz("trade_no", v.TransactionIDs[1], "refund_amount", "88.88", "out_request_no", "LATE1"))
	if n["fund_change"] != "Y" || n["trade_no"] != v.TransactionIDs[1] {
		t.Errorf("%v", n)
	}
	if n := b.call("trade.query", second); n["trade_status"] != "TRADE_CLOSED" || n["trade_no"] != v.TransactionIDs[1] {
		t.Errorf("the second: %v", n)
	}
	if n := b.call("trade.query", biz("out_trade_no", "TWICE")); n["trade_status"] != "TRADE_SUCCESS" || n["trade_no"] != v.TransactionIDs[0] {
		t.Errorf("the first: %v", n)
	}
}
