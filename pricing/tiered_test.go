package pricing

import (
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func TestTiered(t *testing.T) {
	three := "100.00:10.00 200.00:30.00 300.00:20%"
	runRows(t, []row{
		{"the first tier", "a 100.00", rules(tiers("t", three)), nil, "a 90.00 | t 10.00 (a 10.00) |"},
		{"just below the second", "a 199.99", rules(tiers("t", three)), nil, "a 189.99 | t 10.00 (a 10.00) |"},
		{"the second", "a 200.00", rules(tiers("t", three)), nil, "a 170.00 | t 30.00 (a 30.00) |"},
		{"the last, by percent", "a 300.00", rules(tiers("t", three)), nil, "a 240.00 | t 60.00 (a 60.00) |"},
		{"far above it", "a 1000.00", rules(tiers("t", three)), nil, "a 800.00 | t 200.00 (a 200.00) |"},
		{"below the first", "a 87.50", rules(tiers("t", three, named("阶梯满减"))), nil, "a 87.50 | | t threshold_not_met: 12.50 more for 阶梯满减"},
		{"the highest reached, even if it gives less", "a 200.00", rules(tiers("t", "100.00:50.00 200.00:1.00")), nil, "a 199.00 | t 1.00 (a 1.00) |"},
		{"spread in proportion", "a 60.00; b 40.00", rules(tiers("t", three)), nil, "a 54.00 b 36.00 | t 10.00 (a 6.00 b 4.00) |"},
		{"ties to the sku that sorts first", "a 0.01; b 0.01; c 0.01", rules(tiers("t", "0.03:50%")), nil, "a 0.00 b 0.01 c 0.01 | t 0.01 (a 0.01) |"},
		{"never more than is left", "a 5.00", rules(tiers("t", "5.00:100.00")), nil, "a 0.00 | t 5.00 (a 5.00) |"},
		{"rounds down", "a 0.99", rules(tiers("t", "0.01:1%")), nil, "a 0.99 | | t nothing_left_to_discount: 1 % of 0.99 rounds down to nothing"},
		{"nothing left", "a 1.00", rules(tiers("t", three), percent("p", "100", priority(1))), nil, "a 0.00 | p 1.00 (a 1.00) | t nothing_left_to_discount: nothing is left to discount"},
		{"the amount that earlier rules left", "a 210.00", rules(tiers("t", three), percent("p", "10", priority(1))), nil, "a 179.00 | p 21.00 (a 21.00), t 10.00 (a 10.00) |"},
		{"taken below the first", "a 105.00", rules(tiers("t", three), percent("p", "10", priority(1))), nil, "a 94.50 | p 10.50 (a 10.50) | t threshold_not_met: 5.50 more for t; 100.00 was reached before earlier discounts"},
		{"only in scope", "a 100.00; b 100.00", rules(tiers("t", three, skus("b"))), nil, "a 100.00 b 90.00 | t 10.00 (b 10.00) |"},
	})
}

func TestTieredValidation(t *testing.T) {
	of := func(list ...Tier) Promotion {
		return build(Promotion{ID: "t", Kind: "tiered", Tiers: list}, nil)
	}
	zero := money.Percent(0)
	var many []Tier
	for i := range MaxTiers + 1 {
		many = append(many, Tier{Threshold: int64(i + 1), AmountOff: 1})
	}
	runValidation(t, []invalid{
		{"right", tiers("t", "1.00:1.00 1.01:100%"), ""},
		{"the most", of(many[:MaxTiers]...), ""},
		{"one more", of(many...), "/tiers"},
		{"nothing given", of(), "/tiers"},
		{"an empty list", of([]Tier{}...), "/tiers"},
		{"out of order", tiers("t", "2.00:1.00 1.00:1.00 3.00:1.00"), "/tiers/1/threshold"},
		{"twice the same", tiers("t", "1.00:1.00 1.00:2.00"), "/tiers/1/threshold"},
		{"thresholds out of range", of(Tier{Threshold: -1, AmountOff: 1}, Tier{Threshold: 0, AmountOff: 1}, Tier{Threshold: money.Max, AmountOff: 1}, Tier{Threshold: money.Max + 1, AmountOff: 1}), "/tiers/0/threshold /tiers/1/threshold /tiers/3/threshold"},
		{"neither", of(Tier{Threshold: 1}), "/tiers/0/amountOff"},
		{"both", of(Tier{Threshold: 1, AmountOff: 1, PercentOff: pct("1")}), "/tiers/0/percentOff"},
		{"amounts", of(Tier{Threshold: 1, AmountOff: -1}, Tier{Threshold: 2, AmountOff: money.Max + 1}), "/tiers/0/amountOff /tiers/1/amountOff"},
		{"zero percent", of(Tier{Threshold: 1, PercentOff: &zero}), "/tiers/0/percentOff"},
		{"others' parameters", tiers("t", "1.00:1.00", func(p *Promotion) { p.Threshold, p.Price = 1, 1 }), "/price /threshold"},
		{"tiers of another kind", off("o", "1.00", "1.00", func(p *Promotion) { p.Tiers = []Tier{} }), "/tiers"},
	})
	if got := strings.Join(pointers((&Promotion{Name: "t", Kind: "tiered", Tiers: []Tier{{}}}).Validate()), " "); got != "/tiers/0/threshold /tiers/0/amountOff" {
		t.Errorf("an empty tier: %s", got)
	}
}
