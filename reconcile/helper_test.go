package reconcile_test

import (
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

var (
	china = time.FixedZone("CST", 8*3600)
	day   = span(payment.Day{Year: 2026, Month: 11, Date: 22})
	noon  = day.From.Add(12 * time.Hour)
	opt   = reconcile.Options{Merchant: "mch1", App: "app1"}
)

func span(d payment.Day) reconcile.Span {
	from, to := d.Span(china)
	return reconcile.Span{From: from, To: to}
}

// paidOurs, refundOurs, paidRow and refundRow are one payment of 600 at noon
// and a refund of 200 of it, as both sides have them.
func paidOurs(change ...func(*reconcile.Ours)) reconcile.Ours {
	o := reconcile.Ours{Kind: payment.BillPayment, PaymentNo: "p1", TransactionID: "t1", Amount: 600, Currency: "CNY", Merchant: "mch1", App: "app1", State: "succeeded", Settled: true, At: noon, CreatedAt: noon.Add(-time.Minute)}
	for _, c := range change {
		c(&o)
	}
	return o
}

func refundOurs(change ...func(*reconcile.Ours)) reconcile.Ours {
	o := paidOurs(func(o *reconcile.Ours) {
		o.Kind, o.RefundNo, o.Amount, o.At = payment.BillRefund, "r1", 200, noon.Add(time.Hour)
	})
	for _, c := range change {
		c(&o)
	}
	return o
}

func paidRow(change ...func(*payment.BillRow)) payment.BillRow {
	t := payment.BillRow{Kind: payment.BillPayment, Line: 1, PaymentNo: "p1", TransactionID: "t1", Amount: 600, Fee: 4000, Rate: 6000, Currency: "CNY", Merchant: "mch1", App: "app1", Reported: "SUCCESS", Done: true, At: noon}
	for _, c := range change {
		c(&t)
	}
	return t
}

func refundRow(change ...func(*payment.BillRow)) payment.BillRow {
	t := paidRow(func(t *payment.BillRow) {
		t.Kind, t.Line, t.RefundNo, t.RefundID, t.Amount, t.Fee, t.At = payment.BillRefund, 2, "r1", "b1", 200, -1000, noon.Add(time.Hour)
	})
	for _, c := range change {
		c(&t)
	}
	return t
}

func open(o *reconcile.Ours) {
	o.State, o.Settled, o.TransactionID, o.At = "pending", false, "", time.Time{}
}
func closed(o *reconcile.Ours)   { open(o); o.State = "closed" }
func failed(o *reconcile.Ours)   { open(o); o.State = "failed" }
func dayAgo(o *reconcile.Ours)   { o.At = o.At.AddDate(0, 0, -1) }
func justNow(o *reconcile.Ours)  { o.At = day.From.Add(-20 * time.Second) }
func justLast(o *reconcile.Ours) { o.At = day.To.Add(-20 * time.Second) }
func undated(o *reconcile.Ours)  { o.At = time.Time{} }

func working(t *payment.BillRow)   { t.Done, t.Reported = false, "PROCESSING" }
func gaveUp(t *payment.BillRow)    { t.Done, t.Reported = false, "FAIL" }
func revoked(t *payment.BillRow)   { t.Done, t.Reported = false, "REVOKED" }
func anonymous(t *payment.BillRow) { t.Merchant, t.App = "", "" }
func yuan(n int64) func(*payment.BillRow) {
	return func(t *payment.BillRow) { t.Amount, t.Rate = n, -1 }
}
func trade(id string) func(*payment.BillRow) {
	return func(t *payment.BillRow) { t.TransactionID, t.Line, t.At = id, t.Line+10, t.At.Add(time.Minute) }
}
func back(id string) func(*payment.BillRow) {
	return func(t *payment.BillRow) { t.RefundID, t.Line, t.At = id, t.Line+10, t.At.Add(time.Minute) }
}

func ours(o ...reconcile.Ours) []reconcile.Ours    { return o }
func bill(t ...payment.BillRow) []payment.BillRow  { return t }
func funds(f ...payment.FundRow) []payment.FundRow { return f }
func in(id string, n int64) payment.FundRow        { return fund(id, true, n) }
func out(id string, n int64) payment.FundRow       { return fund(id, false, n) }
func fund(id string, in bool, n int64) payment.FundRow {
	return payment.FundRow{TransactionID: id, Business: "交易", In: in, Amount: n, At: noon}
}

// line is a difference as the tables write it; "+" says that it heals.
func line(d *reconcile.Difference) string {
	no := d.PaymentNo
	if d.RefundNo != "" {
		no = d.RefundNo
	}
	heals := ""
	if d.Heals {
		heals = "+"
	}
	return fmt.Sprintf("%s%s %s %d", d.Class, heals, no, d.Amount)
}

// check asserts what is true of every difference.
func check(t interface {
	Helper()
	Errorf(string, ...any)
}, ds []reconcile.Difference, opt reconcile.Options) {
	t.Helper()
	ids := map[string]bool{}
	for i := range ds {
		d := &ds[i]
		about := reconcile.Of(d.Class)
		f, proved := reconcile.Fact(*d, opt)
		switch {
		case about.Class != d.Class:
			t.Errorf("%s is in no table", d.Class)
		case d.Heals && !about.Heals:
			t.Errorf("%s heals, which the table does not know", line(d))
		case d.Heals && !proved, proved && about.FactKind != string(f.Kind):
			t.Errorf("%s heals: %v, and proves a fact: %v %q", line(d), d.Heals, proved, f.Kind)
		case d.Detail == "", d.Ours == nil && d.Theirs == nil && d.Class != reconcile.FundsDiffer:
			t.Errorf("%s says too little: %+v", line(d), d)
		case ids[d.ID()]:
			t.Errorf("%s has an id that another has", line(d))
		}
		ids[d.ID()] = true
	}
}
