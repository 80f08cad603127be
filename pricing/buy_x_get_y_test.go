package pricing

import "testing"

func TestBuyXGetY(t *testing.T) {
	runRows(t, []row{
		{"three of one (买二赠一)", "a 10.00 x3", rules(buyGet("b", 2, 1)), nil, "a 20.00 | b 10.00 (a 10.00) |"},
		{"one short", "a 10.00 x2", rules(buyGet("b", 2, 1, named("买二赠一"))), nil, "a 20.00 | | b not_enough_units: 1 more for 买二赠一"},
		{"seven are two sets", "a 10.00 x7", rules(buyGet("b", 2, 1)), nil, "a 50.00 | b 20.00 (a 20.00) |"},
		{"the cheapest of all skus", "a 30.00; b 20.00; c 10.00", rules(buyGet("b", 2, 1)), nil, "a 30.00 b 20.00 c 0.00 | b 10.00 (c 10.00) |"},
		{"two sets: the two cheapest of all", "a 30.00 x3; b 20.00; c 10.00 x2", rules(buyGet("b", 2, 1)), nil, "a 90.00 b 20.00 c 0.00 | b 20.00 (c 20.00) |"},
		{"free units over two lines", "a 30.00 x4; b 20.00; c 10.00", rules(buyGet("b", 2, 1)), nil, "a 120.00 b 0.00 c 0.00 | b 30.00 (b 20.00 c 10.00) |"},
		{"of equals the sku that sorts first", "b 10.00; a 10.00; c 10.00", rules(buyGet("b", 2, 1)), nil, "a 0.00 b 10.00 c 10.00 | b 10.00 (a 10.00) |"},
		{"buy one get two", "a 10.00 x6", rules(buyGet("b", 1, 2)), nil, "a 20.00 | b 40.00 (a 40.00) |"},
		{"only what is in scope counts", "a 10.00 x2 tea; b 1.00", rules(buyGet("b", 2, 1, categories("tea"))), nil, "a 20.00 b 1.00 | | b not_enough_units: 1 more for b"},
		{"only what is in scope is free", "a 10.00 x3 tea; b 1.00", rules(buyGet("b", 2, 1, categories("tea"))), nil, "a 20.00 b 1.00 | b 10.00 (a 10.00) |"},
		{"the price after fixed prices", "a 30.00; b 20.00; c 25.00", rules(buyGet("b", 2, 1), fixed("f", "5.00", skus("a"))), nil, "a 0.00 b 20.00 c 25.00 | f 25.00 (a 25.00), b 5.00 (a 5.00) |"},
		{"a unit takes part once", "a 10.00 x5", rules(buyGet("b", 2, 1), buyGet("c", 2, 1)), nil, "a 40.00 | b 10.00 (a 10.00) | c not_enough_units: 1 more for c; 3 take part in another offer"},
		{"what is left over takes part in the next", "a 10.00 x6", rules(buyGet("b", 3, 1), buyGet("c", 1, 1)), nil, "a 40.00 | b 10.00 (a 10.00), c 10.00 (a 10.00) |"},
		{"the dearest are left over", "a 10.00 x3; b 50.00 x2", rules(buyGet("b", 2, 1), buyGet("c", 1, 1)), nil, "a 20.00 b 50.00 | b 10.00 (a 10.00), c 50.00 (b 50.00) |"},
		{"the rest of a line still costs its price", "a 9.99 x5", rules(buyGet("b", 2, 1), buyGet("c", 1, 1)), nil, "a 29.97 | b 9.99 (a 9.99), c 9.99 (a 9.99) |"},
		{"later rules see the running amount", "a 10.00 x3", rules(buyGet("b", 2, 1), percent("p", "10")), nil, "a 18.00 | b 10.00 (a 10.00), p 2.00 (a 2.00) |"},
		{"free units that cost nothing", "a 0.00; b 1.00 x2", rules(buyGet("b", 2, 1)), nil, "a 0.00 b 2.00 | | b nothing_left_to_discount: the items that would be free cost nothing already"},
		{"and they still take part in the next", "a 0.00; b 1.00 x2", rules(buyGet("b", 2, 1), buyGet("c", 1, 2, skus("b", "a"))), nil, "a 0.00 b 1.00 | c 1.00 (b 1.00) | b nothing_left_to_discount: the items that would be free cost nothing already"},
		{"a million units", "a 0.01 x1000000", rules(buyGet("b", 1, 999999)), nil, "a 0.01 | b 9999.99 (a 9999.99) |"},
	})
}

func TestBuyXGetYMissing(t *testing.T) {
	q := mustPrice(t, Input{Lines: cartOf("a 1.00 x2"), Rules: Compile(rules(buyGet("b", 5, 1)))})
	if got := q.Skipped[0].Missing; got != 4 {
		t.Errorf("missing %d units", got)
	}
}

func TestBuyXGetYValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"right", buyGet("b", 1, 1), ""},
		{"the most", buyGet("b", MaxQuantity, MaxQuantity), ""},
		{"nothing given", buyGet("b", 0, 0), "/buy /get"},
		{"negative", buyGet("b", -1, -1), "/buy /get"},
		{"too many", buyGet("b", MaxQuantity+1, MaxQuantity+1), "/buy /get"},
		{"others' parameters", build(Promotion{ID: "b", Kind: "buy_x_get_y", Buy: 1, Get: 1, Price: 1, PercentOff: pct("0"), MaxDiscount: -1, Threshold: 1, AmountOff: 1, Repeat: true}, nil), "/price /percentOff /maxDiscount /threshold /amountOff /repeat"},
	})
}
