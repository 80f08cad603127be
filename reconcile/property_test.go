package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// book is one payment of ours, perhaps with a refund, and what a true bill
// would have of them.
type book struct {
	ours []reconcile.Ours
	rows []payment.BillRow
}

func newBook(i int, amount, refunded int64, at time.Time) book {
	o := paidOurs(func(o *reconcile.Ours) {
		o.PaymentNo, o.TransactionID, o.Amount, o.At = fmt.Sprintf("p%04d", i), fmt.Sprintf("t%04d", i), amount, at
	})
	b := book{ours: ours(o), rows: bill(paidRow(func(t *payment.BillRow) {
		t.Line, t.PaymentNo, t.TransactionID, t.Amount, t.Rate, t.At = int64(3*i+1), o.PaymentNo, o.TransactionID, amount, -1, at
	}))}
	if refunded > 0 {
		r := o
		r.Kind, r.RefundNo, r.Amount, r.At = payment.BillRefund, fmt.Sprintf("r%04d", i), refunded, at.Add(time.Hour)
		t := b.rows[0]
		t.Kind, t.Line, t.RefundNo, t.RefundID, t.Amount, t.Fee, t.At = payment.BillRefund, t.Line+1, r.RefundNo, "b"+r.RefundNo, refunded, 0, r.At
		b.ours, b.rows = append(b.ours, r), append(b.rows, t)
	}
	return b
}

// alterations are what can be wrong with a book that has a refund, and the
// class that it must be found under. They change one thing each.
var alterations = []struct {
	class reconcile.Class
	do    func(b *book)
}{
	{"", func(*book) {}},
	{reconcile.PaymentUnsettled, func(b *book) { open(&b.ours[0]) }},
	{reconcile.PaymentLate, func(b *book) { closed(&b.ours[0]) }},
	{reconcile.PaymentUnknown, func(b *book) { b.ours, b.rows = nil, b.rows[:1] }},
	{reconcile.PaymentMissing, func(b *book) { b.rows = b.rows[1:] }},
	{reconcile.PaymentAmount, func(b *book) { b.rows[0].Amount++ }},
	{reconcile.PaymentCurrency, func(b *book) { b.rows[0].Currency = "USD" }},
	{reconcile.PaymentMerchant, func(b *book) { b.rows[0].Merchant = "mch2" }},
	{reconcile.PaymentTransaction, func(b *book) { b.rows[0].TransactionID += "x" }},
	{reconcile.PaidTwice, func(b *book) {
		t := b.rows[0]
		t.TransactionID, t.Line = t.TransactionID+"x", t.Line+2
		b.rows = append(b.rows, t)
	}},
	{reconcile.StateReversed, func(b *book) { revoked(&b.rows[0]) }},
	{reconcile.DuplicateRow, func(b *book) { b.rows = append(b.rows, b.rows[0]) }},
	{reconcile.DuplicateRow, func(b *book) { b.rows = append(b.rows, b.rows[1]) }},
	{reconcile.WrongDay, func(b *book) { dayAgo(&b.ours[0]) }},
	{reconcile.OtherDay, func(b *book) { justNow(&b.ours[0]) }},
	{reconcile.Fee, func(b *book) { b.rows[0].Rate, b.rows[0].Fee = 6000, -1 }},
	{reconcile.RefundUnsettled, func(b *book) { open(&b.ours[1]) }},
	{reconcile.RefundUnknown, func(b *book) { b.ours = b.ours[:1] }},
	{reconcile.RefundOrphan, func(b *book) { b.ours, b.rows = nil, b.rows[1:] }},
	{reconcile.RefundMissing, func(b *book) { b.rows = b.rows[:1] }},
	{reconcile.RefundAmount, func(b *book) { b.rows[1].Amount++ }},
	{reconcile.RefundCurrency, func(b *book) { b.rows[1].Currency = "USD" }},
	{reconcile.RefundMerchant, func(b *book) { b.rows[1].App = "app2" }},
	{reconcile.RefundTransaction, func(b *book) { b.rows[1].TransactionID += "x" }},
	{reconcile.RefundFailed, func(b *book) { gaveUp(&b.rows[1]) }},
	{reconcile.RefundPending, func(b *book) { working(&b.rows[1]) }},
	{reconcile.RefundTwice, func(b *book) {
		t := b.rows[1]
		t.RefundID, t.Line = t.RefundID+"x", t.Line+1
		b.rows = append(b.rows, t)
	}},
	{reconcile.RefundBeforePayment, func(b *book) { open(&b.ours[0]); b.rows = b.rows[1:] }},
}

// TestAlterations: every alteration of a true bill is found under its class,
// and nothing else is; the order of rows, another run and the partitions make
// no difference.
func TestAlterations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o []reconcile.Ours
		var rows []payment.BillRow
		want := map[reconcile.Class]int64{}
		for i := range rapid.IntRange(0, 40).Draw(t, "payments") {
			amount := rapid.Int64Range(2, 1_000_000).Draw(t, "amount")
			at := day.From.Add(time.Duration(rapid.Int64Range(120, 22*3600).Draw(t, "second")) * time.Second)
			refunded := rapid.SampledFrom([]int64{0, 1, amount / 2}).Draw(t, "refunded")
			a := alterations[0]
			if refunded > 0 {
				a = rapid.SampledFrom(alterations).Draw(t, "altered")
			}
			b := newBook(i, amount, refunded, at)
			a.do(&b)
			o, rows = append(o, b.ours...), append(rows, b.rows...)
			if a.class != "" {
				want[a.class]++
			}
		}
		one, sum := reconcile.Match(day, o, rows, opt)
		check(t, one, opt)
		if found := counts(sum); fmt.Sprint(found) != fmt.Sprint(want) {
			t.Fatalf("found   %v\naltered %v", found, want)
		}

		mixed, mixedRows := slices.Clone(o), slices.Clone(rows)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		r.Shuffle(len(mixedRows), func(i, j int) { mixedRows[i], mixedRows[j] = mixedRows[j], mixedRows[i] })
		other, otherSum := reconcile.Match(day, mixed, mixedRows, opt)
		if told(one) != told(other) || fmt.Sprint(sum) != fmt.Sprint(otherSum) {
			t.Fatalf("%v\n%sin another order\n%v\n%s", sum, told(one), otherSum, told(other))
		}

		n := rapid.IntRange(1, 9).Draw(t, "partitions")
		var parts []reconcile.Difference
		var total reconcile.Summary
		for p := range n {
			ds, s := reconcile.Match(day,
				slices.DeleteFunc(slices.Clone(o), func(o reconcile.Ours) bool { return reconcile.Partition(o.PaymentNo, n) != p }),
				slices.DeleteFunc(slices.Clone(rows), func(t payment.BillRow) bool { return reconcile.Partition(t.PaymentNo, n) != p }), opt)
			parts = append(parts, ds...)
			total.Add(s)
		}
		slices.SortFunc(parts, func(a, b reconcile.Difference) int {
			return strings.Compare(a.PaymentNo+a.RefundNo+a.TransactionID, b.PaymentNo+b.RefundNo+b.TransactionID)
		})
		if told(one) != told(parts) || fmt.Sprint(sum) != fmt.Sprint(total) {
			t.Fatalf("%v\n%sin %d partitions\n%v\n%s", sum, told(one), n, total, told(parts))
		}
	})
}

func counts(s reconcile.Summary) map[reconcile.Class]int64 {
	m := map[reconcile.Class]int64{}
	for c, t := range s.Classes {
		m[c] = t.Count
	}
	return m
}

// told is all that a list of differences says.
func told(ds []reconcile.Difference) string {
	var b strings.Builder
	for i := range ds {
		d := &ds[i]
		fmt.Fprintln(&b, d.ID(), line(d), d.TransactionID, d.RefundID, d.Detail, d.Ours != nil, d.Theirs != nil)
	}
	return b.String()
}

func TestPartition(t *testing.T) {
	for _, tt := range []struct {
		no   string
		n    int
		want int
	}{
		{"", 0, 0}, {"p1", -1, 0}, {"p1", 1, 0},
		{"", 16, int(uint64(14695981039346656037) % 16)},
		{"a", 16, int(uint64(0xaf63dc4c8601ec8c) % 16)}, // the published vector of FNV-1a
		{"foobar", 1000, int(uint64(0x85944171f73967e8) % 1000)},
	} {
		if got := reconcile.Partition(tt.no, tt.n); got != tt.want {
			t.Errorf("Partition(%q, %d) = %d, want %d", tt.no, tt.n, got, tt.want)
		}
	}
	const n, each = 16, 1000
	var size [n]int
	for i := range n * each {
		size[reconcile.Partition(fmt.Sprintf("26112215%08d", i), n)]++
	}
	if slices.Min(size[:]) < each*8/10 || slices.Max(size[:]) > each*12/10 {
		t.Errorf("numbers that follow each other are spread as %v", size)
	}
}

// BenchmarkMatch is a partition without a difference, nine payments to a
// refund; a pair is a row of ours and one of theirs.
func BenchmarkMatch(b *testing.B) {
	for _, pairs := range []int{50_000, 1_000_000} {
		b.Run(fmt.Sprint(pairs), func(b *testing.B) {
			var o []reconcile.Ours
			var rows []payment.BillRow
			for i := 0; len(o) < pairs; i++ {
				k := newBook(i, 600, 0, noon)
				if i%9 == 0 {
					k = newBook(i, 600, 200, noon)
				}
				o, rows = append(o, k.ours...), append(rows, k.rows...)
			}
			r := rand.New(rand.NewPCG(1, 2))
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			b.ReportAllocs()
			for b.Loop() {
				if ds, _ := reconcile.Match(day, o, rows, opt); len(ds) != 0 {
					b.Fatal(line(&ds[0]))
				}
			}
			b.ReportMetric(float64(len(o)+len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
