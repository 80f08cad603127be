package pricing

import "testing"

func TestNthItem(t *testing.T) {
	half := named("第二件半价")
	runRows(t, []row{
		{"the second at half price (第二件半价)", "a 10.00 x2", rules(nth("n", 2, "50")), nil, "a 15.00 | n 5.00 (a 5.00) |"},
		{"every second", "a 10.00 x5", rules(nth("n", 2, "50")), nil, "a 40.00 | n 10.00 (a 10.00) |"},
		{"the third is free", "a 10.00 x3", rules(nth("n", 3, "100")), nil, "a 20.00 | n 10.00 (a 10.00) |"},
		{"each sku by itself", "a 10.00; b 10.00", rules(nth("n", 2, "50", half)), nil, "a 10.00 b 10.00 | | n not_enough_units: 1 more of one item for 第二件半价"},
		{"several skus", "a 10.00 x2; b 3.00 x4; c 1.00", rules(nth("n", 2, "50")), nil, "a 15.00 b 9.00 c 1.00 | n 8.00 (a 5.00 b 3.00) |"},
		{"what is nearest is missing", "a 10.00; b 10.00 x2", rules(nth("n", 5, "50", half)), nil, "a 10.00 b 20.00 | | n not_enough_units: 3 more of one item for 第二件半价"},
		{"rounds down, all together", "a 0.01 x2; b 0.01 x2; c 0.01 x2", rules(nth("n", 2, "50")), nil, "a 0.01 b 0.02 c 0.02 | n 0.01 (a 0.01) |"},
		{"two halves of a cent are one", "a 9.99 x4", rules(nth("n", 2, "50")), nil, "a 29.97 | n 9.99 (a 9.99) |"},
		{"down to nothing", "a 0.01 x2", rules(nth("n", 2, "50")), nil, "a 0.02 | | n nothing_left_to_discount: 50 % of 0.01 rounds down to nothing"},
		{"of nothing", "a 0.00 x2", rules(nth("n", 2, "50")), nil, "a 0.00 | | n nothing_left_to_discount: nothing is left to discount"},
		{"by the price after fixed prices", "a 10.00 x2", rules(nth("n", 2, "50"), fixed("f", "8.00")), nil, "a 12.00 | f 4.00 (a 4.00), n 4.00 (a 4.00) |"},
		{"only in scope", "a 10.00 x2; b 10.00 x2", rules(nth("n", 2, "50", skus("b"))), nil, "a 20.00 b 15.00 | n 5.00 (b 5.00) |"},
		{"a unit takes part once", "a 10.00 x3", rules(nth("n", 2, "50"), nth("o", 2, "50")), nil, "a 25.00 | n 5.00 (a 5.00) | o not_enough_units: 1 more of one item for o; 2 take part in another offer"},
		{"what is left over takes part in the next", "a 10.00 x5", rules(nth("n", 2, "50"), bundled("s", "a b", "12.00")), nil, "a 40.00 | n 10.00 (a 10.00) | s not_enough_units: 1 more of b for s; 4 take part in another offer"},
		{"after a bundle", "a 10.00 x3; b 5.00", rules(nth("n", 2, "50"), bundled("s", "a b", "12.00", priority(1))), nil, "a 23.00 b 4.00 | s 3.00 (a 2.00 b 1.00), n 5.00 (a 5.00) |"},
		{"a million units", "a 0.99 x1000000", rules(nth("n", 2, "0.01")), nil, "a 989950.50 | n 49.50 (a 49.50) |"},
	})
}

func TestNthItemValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"right", nth("n", 2, "0.01"), ""},
		{"the most", nth("n", MaxQuantity, "100"), ""},
		{"nothing given", build(Promotion{ID: "n", Kind: "nth_item"}, nil), "/n /percentOff"},
		{"the first is a percent_off", nth("n", 1, "50"), "/n"},
		{"negative", nth("n", -2, "50"), "/n"},
		{"too many", nth("n", MaxQuantity+1, "50"), "/n"},
		{"zero percent", nth("n", 2, "0"), "/percentOff"},
		{"others' parameters", nth("n", 2, "50", func(p *Promotion) { p.MaxDiscount, p.GiftQuantity = 1, 1 }), "/maxDiscount /giftQuantity"},
		{"n of another kind", percent("p", "1", func(p *Promotion) { p.N = 2 }), "/n"},
	})
}
