package pricing

import (
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func TestAmountOff(t *testing.T) {
	runRows(t, []row{
		{"reached exactly (满100减10)", "a 100.00", rules(off("o", "100.00", "10.00")), nil, "a 90.00 | o 10.00 (a 10.00) |"},
		{"one fen short", "a 99.99", rules(off("o", "100.00", "10.00")), nil, "a 99.99 | | o threshold_not_met: 0.01 more for o"},
		{"what is missing, for people", "a 87.50", rules(off("o", "100.00", "10.00", named("满100减10"))), nil, "a 87.50 | | o threshold_not_met: 12.50 more for 满100减10"},
		{"once", "a 350.00", rules(off("o", "100.00", "10.00")), nil, "a 340.00 | o 10.00 (a 10.00) |"},
		{"every hundred", "a 350.00", rules(off("o", "100.00", "10.00", repeat)), nil, "a 320.00 | o 30.00 (a 30.00) |"},
		{"every hundred, not one", "a 50.00", rules(off("o", "100.00", "10.00", repeat)), nil, "a 50.00 | | o threshold_not_met: 50.00 more for o"},
		{"in proportion, ties to the first sku", "a 30.00; b 30.00; c 60.00", rules(off("o", "100.00", "0.06")), nil, "a 29.98 b 29.99 c 59.97 | o 0.06 (a 0.02 b 0.01 c 0.03) |"},
		{"only what is in scope counts", "a 60.00 shoes; b 60.00", rules(off("o", "100.00", "10.00", categories("shoes"))), nil, "a 60.00 b 60.00 | | o threshold_not_met: 40.00 more for o"},
		{"only what is in scope is discounted", "a 60.00 shoes; b 60.00; c 60.00 shoes", rules(off("o", "100.00", "10.00", categories("shoes"))), nil, "a 55.00 b 60.00 c 55.00 | o 10.00 (a 5.00 c 5.00) |"},
		{"never more than there is", "a 1.00; b 2.00", rules(off("o", "3.00", "10.00")), nil, "a 0.00 b 0.00 | o 3.00 (a 1.00 b 2.00) |"},
		{"repeated past what there is", "a 10000000000000.00", rules(off("o", "0.01", "10000000000000.00", repeat)), nil, "a 0.00 | o 10000000000000.00 (a 10000000000000.00) |"},
		{"below because of an earlier one", "a 105.00", rules(percent("p", "10", priority(1)), off("o", "100.00", "10.00", named("满100减10"))), nil, "a 94.50 | p 10.50 (a 10.50) | o threshold_not_met: 5.50 more for 满100减10; 100.00 was reached before earlier discounts"},
		{"exactly reached before", "a 100.00", rules(fixed("f", "99.99"), off("o", "100.00", "10.00")), nil, "a 99.99 | f 0.01 (a 0.01) | o threshold_not_met: 0.01 more for o; 100.00 was reached before earlier discounts"},
		{"two of them", "a 110.00", rules(off("o", "100.00", "10.00"), off("q", "100.00", "10.00")), nil, "a 90.00 | o 10.00 (a 10.00), q 10.00 (a 10.00) |"},
		{"nothing left", "a 1.00", rules(percent("p", "100", priority(1)), off("o", "1.00", "1.00")), nil, "a 0.00 | p 1.00 (a 1.00) | o nothing_left_to_discount: nothing is left to discount"},
	})
}

func TestAmountOffMissing(t *testing.T) {
	q := mustPrice(t, Input{Lines: cartOf("a 87.50"), Rules: Compile(rules(off("o", "100.00", "10.00")))})
	if got := q.Skipped[0].Missing; got != 1250 {
		t.Errorf("missing %d", got)
	}
}

func TestAmountOffValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"right", off("o", "0.01", "0.01", repeat), ""},
		{"more off than the threshold", off("o", "1.00", "2.00"), ""},
		{"nothing given", build(Promotion{ID: "o", Kind: "amount_off"}, nil), "/threshold /amountOff"},
		{"negative", build(Promotion{ID: "o", Kind: "amount_off", Threshold: -1, AmountOff: -1}, nil), "/threshold /amountOff"},
		{"too large", build(Promotion{ID: "o", Kind: "amount_off", Threshold: money.Max + 1, AmountOff: money.Max + 1}, nil), "/threshold /amountOff"},
		{"others' parameters", build(Promotion{ID: "o", Kind: "amount_off", Threshold: 1, AmountOff: 1, Price: 1, Buy: 1, Get: 1, PercentOff: pct("1"), MaxDiscount: 1}, nil), "/price /buy /get /percentOff /maxDiscount"},
	})
}
