package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

func TestMatch(t *testing.T) {
	currency := func(t *payment.BillRow) { t.Currency = "USD" }
	merchant := func(t *payment.BillRow) { t.Merchant = "mch2" }
	app := func(t *payment.BillRow) { t.App = "app2" }
	unnumbered := func(t *payment.BillRow) { t.RefundNo = "" }
	again := func(t *payment.BillRow) { t.Line += 10 }
	second := func(o *reconcile.Ours) { o.RefundNo = "r2" }
	earlier := func(t *payment.BillRow) { t.RefundNo, t.RefundID, t.At = "r2", "b2", noon }
	otherMerchant := func(o *reconcile.Ours) { o.Merchant = "mch0" }

	for _, tt := range []struct {
		name   string
		ours   []reconcile.Ours
		theirs []payment.BillRow
		want   string
	}{
		{"nothing moved", nil, nil, ""},
		{"a payment", ours(paidOurs()), bill(paidRow()), ""},
		{"a payment and its refund", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow()), ""},
		{"a bill that names nobody", ours(paidOurs(), refundOurs()), bill(paidRow(anonymous), refundRow(anonymous)), ""},
		{"a refund of yesterday's payment", ours(paidOurs(dayAgo), refundOurs()), bill(refundRow()), ""},
		{"an open payment that is not in the bill", ours(paidOurs(open)), nil, ""},
		{"a payment of no known time", ours(paidOurs(undated)), nil, ""},
		{"ours given twice", ours(paidOurs(), paidOurs(open)), bill(paidRow()), ""},
		{"a refund in the bill in both its states", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(working), refundRow(again)), ""},
		{"a refund worked on by both", ours(paidOurs(), refundOurs(open)), bill(paidRow(), refundRow(working)), ""},
		{"a refund failed with both", ours(paidOurs(), refundOurs(failed)), bill(paidRow(), refundRow(gaveUp)), ""},
		{"two refunds, the second number done first", ours(paidOurs(), refundOurs(), refundOurs(second)), bill(paidRow(), refundRow(), refundRow(earlier)), ""},
		{"a refund that keeps the fee", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(func(t *payment.BillRow) { t.Fee = 0 })), ""},

		{"paid, open with us", ours(paidOurs(open)), bill(paidRow()), "payment_unsettled+ p1 600"},
		{"paid, open with us, nobody named", ours(paidOurs(open)), bill(paidRow(anonymous)), "payment_unsettled+ p1 600"},
		{"paid without a transaction", ours(paidOurs(open)), bill(paidRow(func(t *payment.BillRow) { t.TransactionID = "" })), "payment_unsettled p1 600"},
		{"paid, closed with us", ours(paidOurs(closed)), bill(paidRow()), "payment_late+ p1 600"},
		{"paid, failed with us", ours(paidOurs(failed)), bill(paidRow()), "payment_late+ p1 600"},
		{"paid, unknown to us", nil, bill(paidRow()), "payment_unknown p1 600"},
		{"missing in the bill", ours(paidOurs()), nil, "payment_missing p1 600"},
		{"another amount", ours(paidOurs()), bill(paidRow(yuan(599))), "payment_amount p1 -1"},
		{"another amount, open with us", ours(paidOurs(open)), bill(paidRow(yuan(601))), "payment_amount p1 1"},
		{"another currency", ours(paidOurs()), bill(paidRow(currency)), "payment_currency p1 600"},
		{"another merchant", ours(paidOurs()), bill(paidRow(merchant)), "payment_merchant p1 600"},
		{"another app", ours(paidOurs()), bill(paidRow(app)), "payment_merchant p1 600"},
		{"open with us, opened for another merchant", ours(paidOurs(open, otherMerchant)), bill(paidRow(anonymous)), "payment_merchant p1 600"},
		{"settled, opened for another merchant, nobody named", ours(paidOurs(otherMerchant)), bill(paidRow(anonymous)), ""},
		{"amount and currency", ours(paidOurs()), bill(paidRow(yuan(599), currency)), "payment_amount p1 -1, payment_currency p1 599"},
		{"another transaction", ours(paidOurs()), bill(paidRow(trade("t2"))), "payment_transaction p1 600"},
		{"paid twice", ours(paidOurs()), bill(paidRow(), paidRow(trade("t2"))), "paid_twice p1 600"},
		{"paid again after its day", ours(paidOurs(dayAgo)), bill(paidRow(trade("t2"))), "paid_twice p1 600"},
		{"paid twice, open with us", ours(paidOurs(open)), bill(paidRow(trade("t2")), paidRow()), "payment_unsettled+ p1 600, paid_twice p1 600"},
		{"paid wrong, then right, open with us", ours(paidOurs(open)), bill(paidRow(yuan(1)), paidRow(trade("t2"))), "paid_twice p1 1, payment_unsettled+ p1 600"},
		{"taken back", ours(paidOurs()), bill(paidRow(revoked)), "state_reversed p1 600"},
		{"paid and taken back", ours(paidOurs()), bill(paidRow(), paidRow(revoked)), "state_reversed p1 600"},
		{"the same row twice", ours(paidOurs()), bill(paidRow(), paidRow(again)), "duplicate_row p1 600"},
		{"the same row three times", ours(paidOurs()), bill(paidRow(), paidRow(again), paidRow()), "duplicate_row p1 1200"},
		{"just before the day", ours(paidOurs(justNow)), bill(paidRow()), "other_day p1 600"},
		{"at the end of the day, in the next bill", ours(paidOurs(justLast)), nil, "other_day p1 600"},
		{"another day altogether", ours(paidOurs(dayAgo)), bill(paidRow()), "wrong_day p1 600"},
		{"the fee of another amount", ours(paidOurs()), bill(paidRow(func(t *payment.BillRow) { t.Fee = 5000 })), "fee p1 0"},

		{"refund done, open with us", ours(paidOurs(), refundOurs(open)), bill(paidRow(), refundRow()), "refund_unsettled+ r1 200"},
		{"refund done, failed with us", ours(paidOurs(), refundOurs(failed)), bill(paidRow(), refundRow()), "refund_unsettled+ r1 200"},
		{"refund that we never asked for", ours(paidOurs()), bill(paidRow(), refundRow()), "refund_unknown+ r1 200"},
		{"refund that we never asked for, worked on", ours(paidOurs()), bill(paidRow(), refundRow(working)), "refund_unknown r1 200"},
		{"refund without a number of ours", ours(paidOurs()), bill(paidRow(), refundRow(unnumbered)), "refund_unknown p1 200"},
		{"two refunds without a number of ours", ours(paidOurs()), bill(paidRow(), refundRow(unnumbered), refundRow(unnumbered, back("b2"))), "refund_unknown p1 200, refund_unknown p1 200"},
		{"unasked refund of too much", ours(paidOurs()), bill(paidRow(), refundRow(yuan(601))), "refund_unknown r1 601"},
		{"unasked refund by another merchant", ours(paidOurs()), bill(paidRow(), refundRow(merchant)), "refund_unknown r1 200"},
		{"refund of a payment that we do not know", nil, bill(refundRow()), "refund_orphan r1 200"},
		{"refund missing in the bill", ours(paidOurs(), refundOurs()), bill(paidRow()), "refund_missing r1 200"},
		{"refund of another amount", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(yuan(150))), "refund_amount r1 -50"},
		{"refund of another amount, open with us", ours(paidOurs(), refundOurs(open)), bill(paidRow(), refundRow(yuan(150))), "refund_amount r1 -50"},
		{"refund in another currency", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(currency)), "refund_currency r1 200"},
		{"refund by another merchant", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(merchant)), "refund_merchant r1 200"},
		{"refund of another transaction", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(trade("t2"))), "refund_transaction r1 200"},
		{"refund failed, done with us", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(gaveUp)), "refund_failed r1 200"},
		{"refund failed, open with us", ours(paidOurs(), refundOurs(open)), bill(paidRow(), refundRow(gaveUp)), "refund_failed r1 200"},
		{"refund worked on, done with us", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(working)), "refund_pending r1 200"},
		{"two refunds under one number", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(), refundRow(back("b2"))), "refund_twice r1 200"},
		{"refund of a payment that is nowhere paid", ours(paidOurs(open), refundOurs()), bill(refundRow()), "refund_before_payment r1 200"},
		{"the same refund row twice", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(), refundRow(again)), "duplicate_row r1 200"},
		{"refund just before the day", ours(paidOurs(), refundOurs(justNow)), bill(paidRow(), refundRow()), "other_day r1 200"},
		{"refund of another day", ours(paidOurs(), refundOurs(dayAgo)), bill(paidRow(), refundRow()), "wrong_day r1 200"},
		{"refund's fee of another amount", ours(paidOurs(), refundOurs()), bill(paidRow(), refundRow(func(t *payment.BillRow) { t.Fee = -3000 })), "fee r1 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ds, sum := reconcile.Match(day, tt.ours, tt.theirs, opt)
			check(t, ds, opt)
			var got []string
			n := int64(0)
			for i := range ds {
				got = append(got, line(&ds[i]))
			}
			for _, c := range sum.Classes {
				n += c.Count
			}
			if g := strings.Join(got, ", "); g != tt.want || n != int64(len(ds)) {
				t.Errorf("got  %s (%d in the summary)\nwant %s", g, n, tt.want)
			}
		})
	}
}

// TestRefundsWhenAsked: the same refund, booked by a channel in the one way
// and the other.
func TestRefundsWhenAsked(t *testing.T) {
	asked := refundOurs(func(o *reconcile.Ours) { o.At = o.At.AddDate(0, 0, 2) })
	for _, tt := range []struct {
		name  string
		asked bool
		day   reconcile.Span
		rows  []payment.BillRow
		want  string
	}{
		{"when done, the day it was done", false, span(payment.Day{Year: 2026, Month: 11, Date: 24}), nil, "refund_missing"},
		{"when done, the day it was asked for", false, day, bill(refundRow()), "wrong_day"},
		{"when asked for, the day it was done", true, span(payment.Day{Year: 2026, Month: 11, Date: 24}), nil, ""},
		{"when asked for, the day it was asked for", true, day, bill(refundRow()), ""},
	} {
		o := opt
		o.RefundsWhenAsked = tt.asked
		ds, _ := reconcile.Match(tt.day, ours(paidOurs(dayAgo), asked), tt.rows, o)
		got := ""
		for i := range ds {
			got += string(ds[i].Class)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFact(t *testing.T) {
	paid := payment.Fact{ID: "paid/t1", Kind: payment.Paid, Source: payment.ByBill, TransactionID: "t1", Amount: 600, Currency: "CNY", Merchant: "mch1", App: "app1", Reported: "SUCCESS", At: noon}
	second := paid
	second.ID, second.TransactionID, second.At = "paid/t2", "t2", noon.Add(time.Minute)
	refunded := payment.Fact{ID: "refund/r1", Kind: payment.Refunded, Source: payment.ByBill, TransactionID: "b1", RefundNo: "r1", Amount: 200, Currency: "CNY", Merchant: "mch1", App: "app1", Reported: "SUCCESS", At: noon.Add(time.Hour)}
	for _, tt := range []struct {
		name   string
		ours   []reconcile.Ours
		theirs []payment.BillRow
		want   payment.Fact
	}{
		{"payment_unsettled", ours(paidOurs(open)), bill(paidRow()), paid},
		{"payment_unsettled, nobody named", ours(paidOurs(open)), bill(paidRow(anonymous)), paid},
		{"payment_late", ours(paidOurs(closed)), bill(paidRow()), paid},
		{"paid_twice", ours(paidOurs()), bill(paidRow(), paidRow(trade("t2"))), second},
		{"refund_unsettled", ours(paidOurs(), refundOurs(open)), bill(paidRow(), refundRow()), refunded},
		{"refund_unknown", ours(paidOurs()), bill(paidRow(), refundRow(anonymous)), refunded},
		{"payment_amount", ours(paidOurs(open)), bill(paidRow(yuan(1))), payment.Fact{}},
		{"payment_missing", ours(paidOurs()), nil, payment.Fact{}},
		{"refund_unknown, worked on", ours(paidOurs()), bill(paidRow(), refundRow(working)), payment.Fact{}},
	} {
		ds, _ := reconcile.Match(day, tt.ours, tt.theirs, opt)
		if len(ds) != 1 {
			t.Fatalf("%s: %d differences", tt.name, len(ds))
		}
		got, ok := reconcile.Fact(ds[0], opt)
		if diff := cmp.Diff(tt.want, got); ok != (tt.want.ID != "") || ok && diff != "" {
			t.Errorf("%s: told %v\n%s", tt.name, ok, diff)
		}
	}
}

// TestFactsHeal: the payment follows the fact, and the next run is quiet.
func TestFactsHeal(t *testing.T) {
	now := day.To.Add(10 * time.Hour)
	p := payment.New("1", "wechatpay", "mch1", "app1", "", payment.PrepayRequest{PaymentNo: "p1", Amount: 600, Currency: "CNY"}, noon)
	p.Settle(payment.Fact{ID: "closed", Kind: payment.Closed}, noon)
	theirs := bill(paidRow(anonymous), refundRow(anonymous))
	books := func(refund bool) []reconcile.Ours {
		d := p.Data()
		o := ours(reconcile.Ours{Kind: payment.BillPayment, PaymentNo: d.No, TransactionID: d.TransactionID, Amount: d.Amount, Currency: d.Currency, Merchant: d.Merchant, App: d.App, State: string(d.Status), Settled: d.Status == payment.StatusSucceeded, At: d.SucceededAt})
		if refund {
			o = append(o, refundOurs())
		}
		return o
	}
	ds, _ := reconcile.Match(day, books(false), theirs, opt)
	for _, d := range ds {
		if f, ok := reconcile.Fact(d, opt); ok {
			p.Settle(f, now)
		}
	}
	if d := p.Data(); d.Status != payment.StatusSucceeded || d.Refunded != 200 || d.Anomaly != "" {
		t.Errorf("%s, %d refunded, anomaly %q", d.Status, d.Refunded, d.Anomaly)
	}
	if ds, _ := reconcile.Match(day, books(true), theirs, opt); len(ds) != 0 {
		t.Errorf("found again: %s", line(&ds[0]))
	}
}
