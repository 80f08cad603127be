package pricing

import (
	"fmt"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/money"
)

var noon = time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC)

// benchCart is 20 lines of 20 skus in 10 categories, two to a line.
func benchCart() []Line {
	var lines []Line
	for i := range 20 {
		lines = append(lines, Line{
			Sku: fmt.Sprintf("sku-%05d", i), Name: "thing",
			Categories: []string{fmt.Sprintf("c%d", i%10), fmt.Sprintf("c%d", (i+3)%10)},
			UnitPrice:  int64(1990 + 731*i), Quantity: int64(1 + i%4),
		})
	}
	return lines
}

// benchPromotion is the i-th of a mixture of all kinds; first is the number
// of the first sku that it lists.
func benchPromotion(i, first int) Promotion {
	percent := money.Percent(100 + i%300)
	p := Promotion{ID: fmt.Sprintf("p%05d", i), Name: "满减", Priority: i % 7}
	switch i % 8 {
	case 0:
		p.Kind, p.Price = "fixed_price", int64(1500+i*100)
	case 1:
		p.Kind, p.Buy, p.Get = "buy_x_get_y", 2, 1
	case 2:
		p.Kind, p.PercentOff = "percent_off", &percent
	case 3:
		p.Kind, p.Threshold, p.AmountOff, p.Repeat = "amount_off", 10000, 50, i%16 == 3
	case 4:
		p.Kind, p.Price = "bundle", 2000
		p.Items = []BundleItem{{fmt.Sprintf("sku-%05d", first), 1}, {fmt.Sprintf("sku-%05d", first+5), 1}}
	case 5:
		p.Kind, p.N, p.PercentOff = "nth_item", 2, &percent
	case 6:
		p.Kind, p.N, p.Price = "n_for_price", 3, 9900
	case 7:
		p.Kind, p.Tiers = "tiered", []Tier{{Threshold: 10000, AmountOff: 50}, {Threshold: 20000, PercentOff: &percent}}
	}
	if i%10 == 9 {
		p.ExclusiveGroup = fmt.Sprintf("g%d", i%3)
	}
	p.Scope = &Scope{}
	for n := range 3 {
		p.Scope.Skus = append(p.Scope.Skus, fmt.Sprintf("sku-%05d", first+n*5))
	}
	return p
}

// benchRules are n promotions that all touch the cart: of five, one is about
// all lines, one about a category, three about three skus.
func benchRules(n int) []Promotion {
	var all []Promotion
	for i := range n {
		p := benchPromotion(i, i%8)
		switch i % 5 {
		case 0:
			p.Scope = nil
		case 1:
			p.Scope = &Scope{Categories: []string{fmt.Sprintf("c%d", i%10)}}
		}
		all = append(all, p)
	}
	return all
}

func benchPrice(b *testing.B, in Input) {
	if _, err := Price(in); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Price(in)
	}
}

func BenchmarkPrice20Lines100Promotions(b *testing.B) {
	benchPrice(b, Input{Now: noon, Lines: benchCart(), Rules: Compile(benchRules(100))})
}

// The worst of a hundred: each takes a share of every line.
func BenchmarkPrice20Lines100PromotionsOnAllLines(b *testing.B) {
	one := money.Percent(100)
	var all []Promotion
	for i := range 100 {
		all = append(all, Promotion{ID: fmt.Sprintf("p%d", i), Kind: "percent_off", PercentOff: &one})
	}
	benchPrice(b, Input{Now: noon, Lines: benchCart(), Rules: Compile(all)})
}

// The pair: 9,980 promotions about other goods must cost a cart next to
// nothing.
func BenchmarkPrice20Lines20Promotions(b *testing.B) {
	benchPrice(b, Input{Now: noon, Lines: benchCart(), Rules: Compile(benchRules(20))})
}

func BenchmarkPrice20Lines10000Promotions20Match(b *testing.B) {
	all := benchRules(20)
	for i := range 9980 {
		all = append(all, benchPromotion(100+i, 100+i))
	}
	benchPrice(b, Input{Now: noon, Lines: benchCart(), Rules: Compile(all)})
}

// The same cart explained.
func BenchmarkPrice20Lines20PromotionsExplained(b *testing.B) {
	benchPrice(b, Input{Now: noon, Lines: benchCart(), Rules: Compile(benchRules(20)), Explain: true})
}

func BenchmarkPrice2Lines1Coupon(b *testing.B) {
	benchPrice(b, Input{Now: noon, Lines: benchCart()[:2], Coupons: []Coupon{
		{Code: "C1", Name: "满10减1", Kind: "amount_off", AmountOff: 100, Threshold: 1000},
	}})
}

func BenchmarkCompile10000(b *testing.B) {
	all := benchRules(10000)
	b.ReportAllocs()
	for b.Loop() {
		Compile(all)
	}
}
