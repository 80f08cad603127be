package pricing

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// differ compares a quote with the naive one.
func differ(q *Quote, n naiveQuote) error {
	for _, l := range q.Lines {
		if l.Gift {
			continue
		}
		if l.Payable != n.payable[l.Sku] {
			return fmt.Errorf("line %s is %d, naively %d", l.Sku, l.Payable, n.payable[l.Sku])
		}
	}
	var given []naiveGift
	for _, l := range q.Lines {
		if l.Gift {
			given = append(given, naiveGift{l.Sku, l.Quantity, l.Total})
		}
	}
	if !slices.Equal(given, n.given) {
		return fmt.Errorf("given %v, naively %v", given, n.given)
	}
	key := func(s Source, id, code string) string {
		if s == FromCoupon {
			return "coupon/" + code
		}
		return "promotion/" + id
	}
	var order []string
	for _, a := range q.Applied {
		k := key(a.Source, a.ID, a.Code)
		order = append(order, k)
		if g := n.answers[k].gift; g != nil {
			if l := q.Lines[a.Shares[0].Line]; *g != (naiveGift{l.Sku, l.Quantity, a.Amount}) {
				return fmt.Errorf("%s: %v, naively %v", k, l, g)
			}
			continue
		}
		shares := maps.Clone(n.answers[k].shares)
		maps.DeleteFunc(shares, func(_ string, s int64) bool { return s == 0 })
		for _, s := range a.Shares {
			if shares[q.Lines[s.Line].Sku] != s.Amount {
				return fmt.Errorf("%s: %v, naively %v", k, a.Shares, shares)
			}
		}
		if len(shares) != len(a.Shares) {
			return fmt.Errorf("%s: %v, naively %v", k, a.Shares, shares)
		}
	}
	if !slices.Equal(order, n.order) {
		return fmt.Errorf("applied %v, naively %v", order, n.order)
	}
	for _, s := range q.Skipped {
		k := key(s.Source, s.ID, s.Code)
		if a := n.answers[k]; a.reason != s.Reason || a.missing != s.Missing {
			return fmt.Errorf("%s skipped: %s %d, naively %s %d", k, s.Reason, s.Missing, a.reason, a.missing)
		}
	}
	if len(q.Applied)+len(q.Skipped) != len(n.answers) {
		return fmt.Errorf("%d answers, naively %d", len(q.Applied)+len(q.Skipped), len(n.answers))
	}
	return nil
}

var naiveCases = flag.Int("naive.cases", 20_000, "random carts that are priced naively as well")

// TestAgreesWithNaive compares both on random carts and shops; the seeds of
// n cases are those of any larger number too. A million take some minutes:
//
//	go test ./pricing -run TestAgreesWithNaive -naive.cases=1000000
func TestAgreesWithNaive(t *testing.T) {
	cases := *naiveCases
	if testing.Short() {
		cases = min(cases, 2_000)
	}
	reasons, applied := map[Reason]int{}, map[string]int{}
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		in, promotions := randomInput(r.IntN)
		in.Rules = Compile(promotions)
		q := mustPrice(t, in)
		if err := differ(q, naivePrice(in, promotions)); err != nil {
			t.Fatalf("seed %d: %v\n%s\n%+v\n%+v\n%+v", seed, err, say(q), in.Lines, promotions, in.Coupons)
		}
		for _, a := range q.Applied {
			applied[string(a.Source)+" "+a.Kind]++
		}
		for _, s := range q.Skipped {
			reasons[s.Reason]++
		}
	}
	// A generator that never reaches a rule would prove nothing about it.
	for _, want := range []Reason{
		UserNotEligible, NothingInScope, ThresholdNotMet, NotEnoughUnits, NothingLeft, LostToBetter, NotStackable,
		FirstOrderOnly, UsageLimit, PerUserLimit, BudgetSpent, GiftNotFound, GiftOutOfStock,
	} {
		if reasons[want] < cases/200 {
			t.Errorf("only %d × %s in %v", reasons[want], want, reasons)
		}
	}
	for _, k := range Kinds() {
		if applied["promotion "+k.Name] < cases/100 {
			t.Errorf("only %d × %s in %v", applied["promotion "+k.Name], k.Name, applied)
		}
	}
	if applied["coupon amount_off"] < cases/50 || applied["coupon percent_off"] < cases/50 {
		t.Errorf("coupons are rare in %v", applied)
	}
}

// Carts and shops of a size at which indexes and buffers matter.
func TestLargeAgreesWithNaive(t *testing.T) {
	applied := 0
	for seed := range 10 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		in := Input{Now: noon}
		for _, n := range r.Perm(300)[:60+r.IntN(60)] {
			in.Lines = append(in.Lines, Line{
				Sku: fmt.Sprintf("s%03d", n), Categories: []string{fmt.Sprint("c", n%20)},
				UnitPrice: r.Int64N(20000), Quantity: 1 + r.Int64N(3),
			})
		}
		var promotions []Promotion
		for i := range 300 {
			_, some := randomInput(r.IntN)
			if len(some) == 0 {
				continue
			}
			p := some[0]
			p.ID, p.Priority = fmt.Sprintf("p%03d", i), r.IntN(3)
			p.Scope = &Scope{Skus: []string{fmt.Sprintf("s%03d", r.IntN(300)), fmt.Sprintf("s%03d", r.IntN(300))}}
			switch r.IntN(20) {
			case 0:
				p.Scope = nil
			case 1, 2:
				p.Scope.Categories = []string{fmt.Sprint("c", r.IntN(20))}
			case 3:
				p.Scope = &Scope{ExcludeCategories: []string{fmt.Sprint("c", r.IntN(20))}}
			}
			if p.ExclusiveGroup != "" {
				p.ExclusiveGroup = fmt.Sprint("g", r.IntN(30))
			}
			promotions = append(promotions, p)
		}
		in.Rules = Compile(promotions)
		q := mustPrice(t, in)
		applied += len(q.Applied)
		if err := differ(q, naivePrice(in, promotions)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if applied < 50 {
		t.Errorf("only %d applied", applied)
	}
}
