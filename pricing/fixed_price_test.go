package pricing

import (
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func TestFixedPrice(t *testing.T) {
	runRows(t, []row{
		{"each unit", "a 10.00 x3", rules(fixed("f", "8.00")), nil, "a 24.00 | f 6.00 (a 6.00) |"},
		{"only where it is lower", "a 10.00; b 7.00 x2; c 8.00", rules(fixed("f", "8.00")), nil, "a 8.00 b 14.00 c 8.00 | f 2.00 (a 2.00) |"},
		{"lower nowhere", "a 7.00", rules(fixed("f", "8.00")), nil, "a 7.00 | | f nothing_left_to_discount: no item in its scope costs more than 8.00"},
		{"one sku", "a 10.00; b 10.00", rules(fixed("f", "1.00", skus("b"))), nil, "a 10.00 b 1.00 | f 9.00 (b 9.00) |"},
		{"one fen", "a 10.00", rules(fixed("f", "0.01")), nil, "a 0.01 | f 9.99 (a 9.99) |"},
		{"free already", "a 0.00", rules(fixed("f", "0.01")), nil, "a 0.00 | | f nothing_left_to_discount: no item in its scope costs more than 0.01"},
		{"before the others, whatever their priority", "a 100.00 x3", rules(percent("p", "10", priority(9)), buyGet("b", 2, 1, priority(8)), fixed("f", "80.00")), nil, "a 144.00 | f 60.00 (a 60.00), b 80.00 (a 80.00), p 16.00 (a 16.00) |"},
		{"the lower of two goes on from the higher", "a 10.00", rules(fixed("f", "8.00", priority(1)), fixed("g", "5.00")), nil, "a 5.00 | f 2.00 (a 2.00), g 3.00 (a 3.00) |"},
		{"the higher of two finds nothing left", "a 10.00", rules(fixed("f", "8.00"), fixed("g", "5.00", priority(1))), nil, "a 5.00 | g 5.00 (a 5.00) | f nothing_left_to_discount: no item in its scope costs more than 8.00"},
		{"by id when priorities are equal", "a 10.00", rules(fixed("g", "8.00"), fixed("f", "9.00")), nil, "a 8.00 | f 1.00 (a 1.00), g 1.00 (a 1.00) |"},
	})
}

func TestFixedPriceValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"right", fixed("f", "0.01"), ""},
		{"no price", fixed("f", "0"), "/price"},
		{"negative", build(Promotion{Kind: "fixed_price", Price: -1, ID: "f"}, nil), "/price"},
		{"too large", build(Promotion{Kind: "fixed_price", Price: money.Max + 1, ID: "f"}, nil), "/price"},
		{"the largest", build(Promotion{Kind: "fixed_price", Price: money.Max, ID: "f"}, nil), ""},
		{"others' parameters", build(Promotion{ID: "f", Kind: "fixed_price", Buy: 1, Get: 1, PercentOff: pct("1"), MaxDiscount: 1, Threshold: 1, AmountOff: 1, Repeat: true}, nil), "/price /buy /get /percentOff /maxDiscount /threshold /amountOff /repeat"},
	})
}
