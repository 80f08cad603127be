package pricing

import (
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func TestPercentOff(t *testing.T) {
	runRows(t, []row{
		{"ten percent (全场九折)", "a 100.00", rules(percent("p", "10")), nil, "a 90.00 | p 10.00 (a 10.00) |"},
		{"the floor is of the whole, not of each line", "a 0.05; b 0.05", rules(percent("p", "10")), nil, "a 0.04 b 0.05 | p 0.01 (a 0.01) |"},
		{"largest remainder", "a 1.00; b 2.00; c 0.33", rules(percent("p", "10")), nil, "a 0.90 b 1.80 c 0.30 | p 0.33 (a 0.10 b 0.20 c 0.03) |"},
		{"ties go to the sku that sorts first", "c 1.00; a 1.00; b 1.00", rules(percent("p", "0.67")), nil, "a 0.99 b 0.99 c 1.00 | p 0.02 (a 0.01 b 0.01) |"},
		{"two decimals", "a 100.00", rules(percent("p", "33.33")), nil, "a 66.67 | p 33.33 (a 33.33) |"},
		{"all of it", "a 0.01; b 99.99", rules(percent("p", "100")), nil, "a 0.00 b 0.00 | p 100.00 (a 0.01 b 99.99) |"},
		{"at most", "a 100.00; b 50.00", rules(percent("p", "50", atMost("10.00"))), nil, "a 93.33 b 46.67 | p 10.00 (a 6.67 b 3.33) |"},
		{"below the most", "a 100.00", rules(percent("p", "5", atMost("10.00"))), nil, "a 95.00 | p 5.00 (a 5.00) |"},
		{"only what is in scope", "a 100.00 shoes; b 100.00", rules(percent("p", "10", categories("shoes"))), nil, "a 90.00 b 100.00 | p 10.00 (a 10.00) |"},
		{"of what the earlier ones left", "a 100.00", rules(percent("p", "10", priority(1)), percent("q", "10")), nil, "a 81.00 | p 10.00 (a 10.00), q 9.00 (a 9.00) |"},
		{"nothing after rounding", "a 0.09", rules(percent("p", "10")), nil, "a 0.09 | | p nothing_left_to_discount: 10 % of 0.09 rounds down to nothing"},
		{"nothing left", "a 1.00", rules(percent("p", "100", priority(1)), percent("q", "10")), nil, "a 0.00 | p 1.00 (a 1.00) | q nothing_left_to_discount: nothing is left to discount"},
		{"the largest amount", "a 10000000000000.00", rules(percent("p", "99.99")), nil, "a 1000000000.00 | p 9999000000000.00 (a 9999000000000.00) |"},
		{"a line that is free has no share", "a 0.00; b 1.00", rules(percent("p", "10")), nil, "a 0.00 b 0.90 | p 0.10 (b 0.10) |"},
	})
}

func TestPercentOffValidation(t *testing.T) {
	over, none, below := money.Whole+1, money.Percent(0), money.Percent(-1)
	runValidation(t, []invalid{
		{"right", percent("p", "0.01"), ""},
		{"a hundred", percent("p", "100", atMost("0.01")), ""},
		{"not given", build(Promotion{ID: "p", Kind: "percent_off"}, nil), "/percentOff"},
		{"zero", build(Promotion{ID: "p", Kind: "percent_off", PercentOff: &none}, nil), "/percentOff"},
		{"negative", build(Promotion{ID: "p", Kind: "percent_off", PercentOff: &below}, nil), "/percentOff"},
		{"more than a hundred", build(Promotion{ID: "p", Kind: "percent_off", PercentOff: &over}, nil), "/percentOff"},
		{"negative most", build(Promotion{ID: "p", Kind: "percent_off", PercentOff: pct("1"), MaxDiscount: -1}, nil), "/maxDiscount"},
		{"most too large", build(Promotion{ID: "p", Kind: "percent_off", PercentOff: pct("1"), MaxDiscount: money.Max + 1}, nil), "/maxDiscount"},
		{"others' parameters", build(Promotion{ID: "p", Kind: "percent_off", PercentOff: pct("1"), Price: 1, Buy: 1, Get: -1, Threshold: 1, AmountOff: 1, Repeat: true}, nil), "/price /buy /get /threshold /amountOff /repeat"},
	})
}
