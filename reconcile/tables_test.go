package reconcile_test

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

func TestClasses(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[reconcile.Class]bool{}
	for _, a := range reconcile.Classes {
		if !name.MatchString(string(a.Class)) || seen[a.Class] || reconcile.Of(a.Class) != a {
			t.Errorf("%q: not in snake case, or there twice", a.Class)
		}
		seen[a.Class] = true
		for _, s := range []string{a.Meaning, a.MeaningZH, a.Do, a.DoZH} {
			if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "。") {
				t.Errorf("%s: %q is no sentence", a.Class, s)
			}
		}
		if a.Heals && a.FactKind == "" {
			t.Errorf("%s heals through nothing", a.Class)
		}
	}
	if (reconcile.Of("none") != reconcile.About{}) {
		t.Error("something is told of a class that is none")
	}
}

func TestFees(t *testing.T) {
	refund := func(amount, fee, rate int64) payment.BillRow {
		return refundRow(func(t *payment.BillRow) { t.Amount, t.Fee, t.Rate = amount, fee, rate })
	}
	paid := func(amount, fee, rate int64) payment.BillRow {
		return paidRow(func(t *payment.BillRow) { t.Amount, t.Fee, t.Rate = amount, fee, rate })
	}
	for _, tt := range []struct {
		name       string
		row        payment.BillRow
		rate, unit int64
		right      bool
	}{
		{"rounded up", paid(600, 4000, 6000), 0, 0, true},
		{"rounded down", paid(567, 3000, 6000), 0, 0, true},
		{"exactly half goes up", paid(250, 2000, 6000), 0, 0, true},
		{"half went down", paid(250, 1000, 6000), 0, 0, false},
		{"one unit too much", paid(600, 5000, 6000), 0, 0, false},
		{"the agreed rate", paid(600, 4000, 6000), 6000, 0, true},
		{"another rate than agreed", paid(600, 4000, 6000), 3800, 0, false},
		{"no rate in the bill, the agreed one", paid(600, 4000, -1), 6000, 0, true},
		{"no rate in the bill, more than agreed", paid(600, 4000, -1), 3800, 0, false},
		{"no rate at all", paid(600, 12345, -1), 0, 0, true},
		{"no fee at a rate of nothing", paid(600, 0, 0), 0, 0, true},
		{"a fee at a rate of nothing", paid(600, 1000, 0), 0, 0, false},
		{"in tenths of a unit", paid(600, 3600, 6000), 0, 100, true},
		{"a unit beyond all sense", paid(600, 0, 6000), 0, math.MaxInt64, true},
		{"a rate beyond all sense", paid(600, 4000, 2_000_000), 0, 0, false},
		{"all of the largest amount", paid(money.Max, money.Max*1000, 1_000_000), 0, 0, true},
		{"a refund's share", refund(200, -1000, 6000), 0, 0, true},
		{"a refund's share, a unit off", refund(200, -2000, 6000), 0, 0, true},
		{"a refund's share, two units off", refund(200, -3001, 6000), 0, 0, false},
		{"a refund that takes a fee", refund(200, 1000, 6000), 0, 0, false},
		{"a refund that keeps the fee", refund(200, 0, 6000), 0, 0, true},
	} {
		o := opt
		o.Rate, o.FeeUnit = tt.rate, tt.unit
		p := paidOurs(func(o *reconcile.Ours) {
			if tt.row.Kind == payment.BillPayment {
				o.Amount = tt.row.Amount
			}
		})
		books := ours(p)
		if tt.row.Kind == payment.BillRefund {
			books = ours(paidOurs(dayAgo), refundOurs(func(o *reconcile.Ours) { o.Amount = tt.row.Amount }))
		}
		ds, _ := reconcile.Match(day, books, bill(tt.row), o)
		if (len(ds) == 0) != tt.right || len(ds) > 0 && (len(ds) != 1 || ds[0].Class != reconcile.Fee) {
			t.Errorf("%s: %+v", tt.name, ds)
		}
	}
}

func TestMatchFunds(t *testing.T) {
	unsaid := reconcile.FundOptions{}
	byRefund := reconcile.FundOptions{ByRefund: true}
	apart := reconcile.FundOptions{FeeApart: true}
	trades := reconcile.FundOptions{Trades: []string{"交易"}}
	withdrawal := out("w1", 5000)
	withdrawal.Business = "提现"
	for _, tt := range []struct {
		name  string
		opt   reconcile.FundOptions
		bill  []payment.BillRow
		funds []payment.FundRow
		want  string
	}{
		{"nothing", unsaid, nil, nil, ""},
		{"income, and the fee as a row of its own", unsaid, bill(paidRow()), funds(in("t1", 600), out("t1", 4)), ""},
		{"income less the fee", unsaid, bill(paidRow()), funds(in("t1", 596)), ""},
		{"fees settled apart", apart, bill(paidRow()), funds(in("t1", 600)), ""},
		{"a refund under its payment", unsaid, bill(paidRow(), refundRow()), funds(in("t1", 600), out("t1", 4), out("t1", 199)), ""},
		{"a refund under its own number", byRefund, bill(paidRow(), refundRow()), funds(in("t1", 596), out("b1", 199)), ""},
		{"a refund that is not done", unsaid, bill(refundRow(working)), nil, ""},
		{"a payment that was taken back", unsaid, bill(paidRow(revoked)), nil, ""},
		{"other business", trades, bill(paidRow()), funds(in("t1", 596), withdrawal), ""},
		{"other business, no words given", unsaid, nil, funds(withdrawal), "funds_differ  -5000"},
		{"no movement", unsaid, bill(paidRow()), nil, "funds_differ p1 -596"},
		{"a movement without a trade", unsaid, nil, funds(in("t9", 7)), "funds_differ  7"},
		{"one unit short", unsaid, bill(paidRow()), funds(in("t1", 595)), "funds_differ p1 -1"},
		{"moved twice", unsaid, bill(paidRow()), funds(in("t1", 596), in("t1", 596)), "funds_differ p1 596"},
		{"a refund that did not go", byRefund, bill(refundRow()), nil, "funds_differ r1 199"},
		{"more than can be", unsaid, nil, funds(in("t9", math.MaxInt64)), "funds_differ  0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ds := reconcile.MatchFunds(tt.bill, tt.funds, tt.opt)
			check(t, ds, opt)
			var got []string
			for i := range ds {
				got = append(got, line(&ds[i]))
			}
			if g := strings.Join(got, ", "); g != tt.want {
				t.Errorf("got %q, want %q", g, tt.want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	_, s := reconcile.Match(day, ours(paidOurs(), refundOurs(open), paidOurs(dayAgo, func(o *reconcile.Ours) { o.PaymentNo = "p0" })),
		bill(paidRow(), paidRow(), refundRow(), refundRow(working), paidRow(revoked)), opt)
	twice := reconcile.Summary{}
	twice.Add(s)
	twice.Add(s)
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"ours paid", s.OurPayments, reconcile.Total{Count: 1, Amount: 600}},
		{"ours refunded", s.OurRefunds, reconcile.Total{}},
		{"theirs paid", s.TheirPayments, reconcile.Total{Count: 2, Amount: 1200}},
		{"theirs refunded", s.TheirRefunds, reconcile.Total{Count: 1, Amount: 200}},
		{"fee", s.Fee, int64(3*4000 - 2*1000)},
		{"matched", s.Matched, int64(1)},
		{"unsettled refunds", s.Classes[reconcile.RefundUnsettled], reconcile.Total{Count: 1, Amount: 200}},
		{"twice: ours paid", twice.OurPayments, reconcile.Total{Count: 2, Amount: 1200}},
		{"twice: matched", twice.Matched, int64(2)},
		{"twice: duplicates", twice.Classes[reconcile.DuplicateRow], reconcile.Total{Count: 2, Amount: 1200}},
		{"too much", twice.TooMuch, false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	large := reconcile.Summary{Fee: money.Max, OurPayments: reconcile.Total{Count: 1, Amount: money.Max}}
	large.Add(large)
	if !large.TooMuch || large.Fee != money.Max || large.OurPayments != (reconcile.Total{Count: 2, Amount: money.Max}) {
		t.Errorf("too large a sum became %+v", large)
	}
}

func TestIDs(t *testing.T) {
	d := reconcile.Difference{Class: reconcile.PaidTwice, Kind: payment.BillPayment, PaymentNo: "p1", TransactionID: "t2", Detail: "a"}
	same := d
	same.Detail, same.Amount = "b", 7
	if d.ID() != same.ID() {
		t.Errorf("%s and %s", d.ID(), same.ID())
	}
	// The id stands in people's books: it must not change from version to version.
	if d.ID() != "eb68a580a61800a2d274da19823fc140" {
		t.Errorf("the id is %s now", d.ID())
	}
	moved := d
	moved.PaymentNo, moved.RefundNo = "p", "1"
	if d.ID() == moved.ID() {
		t.Error("numbers that read alike have one id")
	}
}
