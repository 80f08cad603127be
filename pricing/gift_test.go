package pricing

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func TestGift(t *testing.T) {
	runRows(t, []row{
		{"from the threshold on (满赠)", "b 100.00", rules(gives("g", "100.00", "mug", 2)), nil, "b 100.00 mug 0.00 | g 40.00 (mug 40.00) |"},
		{"below it", "b 87.50", rules(gives("g", "100.00", "mug", 1, named("满100赠杯"))), nil, "b 87.50 | | g threshold_not_met: 12.50 more for 满100赠杯"},
		{"after the bought lines, whatever its name", "z 100.00", rules(gives("g", "1.00", "mug", 1)), nil, "z 100.00 mug 0.00 | g 20.00 (mug 20.00) |"},
		{"all that is there", "b 100.00", rules(gives("g", "1.00", "mug", 3)), nil, "b 100.00 mug 0.00 | g 60.00 (mug 60.00) |"},
		{"one more than is there: not a part of it", "b 100.00", rules(gives("g", "1.00", "mug", 4)), nil, "b 100.00 | | g gift_out_of_stock: of the mug 3 are left, and it would take 4"},
		{"out of stock", "b 100.00", rules(gives("g", "1.00", "gone", 1), gives("h", "1.00", "oversold", 1)), nil, "b 100.00 | | g gift_out_of_stock: of the gone 0 are left, and it would take 1, h gift_out_of_stock: of the oversold 0 are left, and it would take 1"},
		{"an unknown sku", "b 100.00", rules(gives("g", "1.00", "nowhere", 1)), nil, "b 100.00 | | g gift_not_found: there is no sku nowhere to give"},
		{"a price that cannot be", "b 100.00", rules(gives("g", "1.00", "broken", 1)), nil, "b 100.00 | | g gift_not_found: there is no sku broken to give"},
		{"two gifts of one sku share it", "b 100.00", rules(gives("g", "1.00", "mug", 2), gives("h", "1.00", "mug", 1), gives("i", "1.00", "mug", 1)), nil, "b 100.00 mug 0.00 mug 0.00 | g 40.00 (mug 40.00), h 20.00 (mug 20.00) | i gift_out_of_stock: of the mug 0 are left, and it would take 1"},
		{"with what is bought of it", "a 10.00 x4", rules(gives("g", "1.00", "a", 1)), nil, "a 40.00 a 0.00 | g 10.00 (a 10.00) |"},
		{"too much is bought of it", "a 10.00 x4", rules(gives("g", "1.00", "a", 2)), nil, "a 40.00 | | g gift_out_of_stock: of the a 1 are left, and it would take 2"},
		{"more is bought than is there", "a 10.00 x9", rules(gives("g", "1.00", "a", 1)), nil, "a 90.00 | | g gift_out_of_stock: of the a 0 are left, and it would take 1"},
		{"one that costs nothing is given too", "b 100.00", rules(gives("g", "1.00", "leaflet", 1)), nil, "b 100.00 leaflet 0.00 | g 0.00 (leaflet 0.00) |"},
		{"a gift line is in nobody's scope", "b 100.00", rules(gives("g", "1.00", "mug", 1, priority(1)), percent("p", "50"), off("o", "100.01", "1.00")), nil, "b 50.00 mug 0.00 | g 20.00 (mug 20.00), p 50.00 (b 50.00) | o threshold_not_met: 0.01 more for o"},
		{"nor does it lift a coupon's threshold", "b 90.00", rules(gives("g", "1.00", "mug", 1)), coupons(couponOff("C", "100.00", "1.00")), "b 90.00 mug 0.00 | g 20.00 (mug 20.00) | C threshold_not_met: 10.00 more for C"},
		{"by the amount that earlier rules left", "b 100.00", rules(gives("g", "100.00", "mug", 1), percent("p", "1", priority(1))), nil, "b 99.00 | p 1.00 (b 1.00) | g threshold_not_met: 1.00 more for g; 100.00 was reached before earlier discounts"},
		{"nothing is left to reach it with", "b 100.00", rules(gives("g", "100.00", "mug", 1), percent("p", "100", priority(1))), nil, "b 0.00 | p 100.00 (b 100.00) | g threshold_not_met: 100.00 more for g; 100.00 was reached before earlier discounts"},
		{"only what is in scope counts", "b 100.00; c 1.00", rules(gives("g", "2.00", "mug", 1, skus("c"))), nil, "b 100.00 c 1.00 | | g threshold_not_met: 1.00 more for g"},
		{"in a group by its value at list price", "b 100.00", rules(gives("g", "1.00", "mug", 1, group("x")), off("o", "1.00", "19.99", group("x"))), nil, "b 100.00 mug 0.00 | g 20.00 (mug 20.00) | o exclusive_group: only one of x applies: g gives 20.00, this 19.99"},
		{"so it may lose", "b 100.00", rules(gives("g", "1.00", "mug", 1, group("x")), off("o", "1.00", "20.01", group("x"))), nil, "b 79.99 | o 20.01 (b 20.01) | g exclusive_group: only one of x applies: o gives 20.01, this 20.00"},
		{"out of stock it does not compete", "b 100.00", rules(gives("g", "1.00", "gone", 900, group("x")), off("o", "1.00", "0.01", group("x"))), nil, "b 99.99 | o 0.01 (b 0.01) | g gift_out_of_stock: of the gone 0 are left, and it would take 900"},
		{"one that costs nothing wins alone", "b 100.00", rules(gives("g", "1.00", "leaflet", 1, group("x")), off("o", "200.00", "1.00", group("x"))), nil, "b 100.00 leaflet 0.00 | g 0.00 (leaflet 0.00) | o threshold_not_met: 100.00 more for o"},
		{"and loses to a cent", "b 100.00", rules(gives("g", "1.00", "leaflet", 1, group("x")), off("o", "1.00", "0.01", group("x"))), nil, "b 99.99 | o 0.01 (b 0.01) | g exclusive_group: only one of x applies: o gives 0.01, this 0.00"},
		{"its value counts against a budget", "b 100.00", rules(gives("g", "1.00", "mug", 1, budget("19.99")), gives("h", "1.00", "mug", 1, budget("20.00"))), nil, "b 100.00 mug 0.00 | h 20.00 (mug 20.00) | g budget_spent: its budget has 19.99 left, and here it would give 20.00"},
		{"as dear as can be", "b 0.00", rules(gives("g", "0.01", "gold", 1)), nil, "b 0.00 | | g threshold_not_met: 0.01 more for g"},
		{"dearer than an order can be", "b 0.01", rules(gives("g", "0.01", "gold", 1), gives("h", "0.01", "gold", 1000)), nil, "b 0.01 | | g too_many_gifts: one order has at most 20 gifts, and comes to at most 10000000000000.00, h too_many_gifts: one order has at most 20 gifts, and comes to at most 10000000000000.00"},
	})
}

func TestGiftLine(t *testing.T) {
	q := mustPrice(t, Input{Lines: cartOf("b 100.00"), Rules: Compile(rules(gives("g", "1.00", "mug", 2))), Gifts: known})
	want := QuoteLine{Sku: "mug", Name: "the mug", Quantity: 2, UnitPrice: 2000, Total: 4000, Discount: 4000, Gift: true}
	if len(q.Lines) != 2 || q.Lines[1] != want {
		t.Errorf("%+v", q.Lines)
	}
	if q.Total != 14000 || q.Discount != 4000 || q.Payable != 10000 {
		t.Errorf("%d - %d = %d", q.Total, q.Discount, q.Payable)
	}
}

func TestMaxGiftLines(t *testing.T) {
	var all []Promotion
	for i := range MaxGiftLines + 1 {
		all = append(all, gives(fmt.Sprintf("g%02d", i), "1.00", "leaflet", 1))
	}
	q := mustPrice(t, Input{Lines: cartOf("b 100.00"), Rules: Compile(all), Gifts: known})
	if len(q.Applied) != MaxGiftLines || len(q.Skipped) != 1 || q.Skipped[0].Reason != TooManyGifts || q.Skipped[0].ID != "g20" {
		t.Error(say(q))
	}
}

func TestNeededGifts(t *testing.T) {
	r := Compile(rules(gives("g", "100.00", "mug", 1), gives("h", "1.00", "a", 1), gives("i", "1.00", "mug", 1, usage(1)), gives("j", "1.00", "gone", 1, skus("z"))))
	needs := r.Needs(cartOf("b 1.00"), &User{}, noon)
	if got := fmt.Sprint(needs.Gifts, needs.Limited); got != "[a mug] [{i 1 0 0}]" {
		t.Error(got)
	}
}

func TestGiftValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"right", gives("g", "0.01", "mug", 1), ""},
		{"the most", gives("g", "10000000000000.00", strings.Repeat("s", 128), MaxGiftQuantity), ""},
		{"nothing given", gives("g", "0", "", 0), "/threshold /giftSku /giftQuantity"},
		{"out of range", gives("g", "1.00", strings.Repeat("s", 129), MaxGiftQuantity+1, func(p *Promotion) { p.Threshold = money.Max + 1 }), "/threshold /giftSku /giftQuantity"},
		{"negative", gives("g", "1.00", "a", -1, func(p *Promotion) { p.Threshold = -1 }), "/threshold /giftQuantity"},
		{"others' parameters", gives("g", "1.00", "a", 1, repeat), "/repeat"},
	})
}
