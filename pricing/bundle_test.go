package pricing

import (
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func TestBundle(t *testing.T) {
	missing := named("套餐")
	runRows(t, []row{
		{"one set", "a 60.00; b 40.00", rules(bundled("s", "a b", "80.00")), nil, "a 48.00 b 32.00 | s 20.00 (a 12.00 b 8.00) |"},
		{"the items in any order", "a 60.00; b 40.00", rules(bundled("s", "b a", "80.00")), nil, "a 48.00 b 32.00 | s 20.00 (a 12.00 b 8.00) |"},
		{"two sets, and a unit left over", "a 60.00 x3; b 40.00 x2", rules(bundled("s", "a b", "80.00")), nil, "a 156.00 b 64.00 | s 40.00 (a 24.00 b 16.00) |"},
		{"several units of one sku", "a 30.00 x5; b 40.00", rules(bundled("s", "a x2 b", "80.00")), nil, "a 138.00 b 32.00 | s 20.00 (a 12.00 b 8.00) |"},
		{"one sku, two units", "a 10.00 x5", rules(bundled("s", "a x2", "15.00")), nil, "a 40.00 | s 10.00 (a 10.00) |"},
		{"the cent goes by largest remainder", "a 0.01; b 0.01; c 0.01", rules(bundled("s", "a b c", "0.01")), nil, "a 0.00 b 0.00 c 0.01 | s 0.02 (a 0.01 b 0.01) |"},
		{"all sets are spread together", "a 1.00 x3; b 2.00 x3", rules(bundled("s", "a b", "2.99")), nil, "a 2.99 b 5.98 | s 0.03 (a 0.01 b 0.02) |"},
		{"an item short", "a 60.00; b 40.00 x2", rules(bundled("s", "a x2 b x3", "1.00", missing)), nil, "a 60.00 b 80.00 | | s not_enough_units: 1 more of the a, 1 more of the b for 套餐"},
		{"an item that is not there", "a 60.00; c 1.00", rules(bundled("s", "a b", "1.00", missing)), nil, "a 60.00 c 1.00 | | s not_enough_units: 1 more of b for 套餐"},
		{"none of the items: no turn", "c 1.00", rules(bundled("s", "a b", "1.00")), nil, "c 1.00 | |"},
		{"never dearer", "a 30.00; b 40.00", rules(bundled("s", "a b", "80.00")), nil, "a 30.00 b 40.00 | | s nothing_left_to_discount: a set does not cost more than 80.00 as it is"},
		{"nor the same", "a 40.00; b 40.00", rules(bundled("s", "a b", "80.00")), nil, "a 40.00 b 40.00 | | s nothing_left_to_discount: a set does not cost more than 80.00 as it is"},
		{"by the price after fixed prices", "a 60.00; b 40.00", rules(bundled("s", "a b", "80.00"), fixed("f", "50.00", skus("a"))), nil, "a 44.44 b 35.56 | f 10.00 (a 10.00), s 10.00 (a 5.56 b 4.44) |"},
		{"which may leave nothing to do", "a 60.00; b 40.00", rules(bundled("s", "a b", "80.00"), fixed("f", "40.00", skus("a"))), nil, "a 40.00 b 40.00 | f 20.00 (a 20.00) | s nothing_left_to_discount: a set does not cost more than 80.00 as it is"},
		{"a unit takes part once", "a 10.00 x3; b 10.00", rules(bundled("s", "a b", "15.00", priority(1)), buyGet("t", 2, 1)), nil, "a 27.50 b 7.50 | s 5.00 (a 2.50 b 2.50) | t not_enough_units: 1 more for t; 2 take part in another offer"},
		{"what is left over takes part in the next", "a 10.00 x4; b 10.00", rules(bundled("s", "a b", "15.00", priority(1)), buyGet("t", 2, 1)), nil, "a 27.50 b 7.50 | s 5.00 (a 2.50 b 2.50), t 10.00 (a 10.00) |"},
		{"units of another offer are no longer there", "a 10.00 x3; b 10.00", rules(bundled("s", "a b", "15.00", missing), buyGet("t", 2, 1, skus("a"), priority(1))), nil, "a 20.00 b 10.00 | t 10.00 (a 10.00) | s not_enough_units: 1 more of the a for 套餐; 3 take part in another offer"},
		{"two bundles share the units", "a 10.00 x2; b 10.00; c 10.00", rules(bundled("s", "a b", "15.00"), bundled("t", "a c", "16.00"), bundled("u", "b c", "1.00", missing)), nil, "a 15.50 b 7.50 c 8.00 | s 5.00 (a 2.50 b 2.50), t 4.00 (a 2.00 c 2.00) | u not_enough_units: 1 more of the b, 1 more of the c for 套餐; 2 take part in another offer"},
		{"a scope that has the items", "a 60.00 x; b 40.00 x", rules(bundled("s", "a b", "80.00", categories("x"))), nil, "a 48.00 b 32.00 | s 20.00 (a 12.00 b 8.00) |"},
		{"a scope that takes one away", "a 60.00 x; b 40.00", rules(bundled("s", "a b", "80.00", categories("x"))), nil, "a 60.00 b 40.00 | | s not_enough_units: 1 more of b for s"},
		{"an excluded item", "a 60.00; b 40.00", rules(bundled("s", "a b", "80.00", notSkus("a"))), nil, "a 60.00 b 40.00 | | s not_enough_units: 1 more of a for s"},
		{"a scope that has none of them", "a 60.00; b 40.00", rules(bundled("s", "a b", "80.00", skus("c"))), nil, "a 60.00 b 40.00 | |"},
		{"a million sets", "a 0.02 x1000000; b 0.01 x1000000", rules(bundled("s", "a b", "0.01")), nil, "a 6666.67 b 3333.33 | s 20000.00 (a 13333.33 b 6666.67) |"},
	})
}

func TestBundleMissing(t *testing.T) {
	q := mustPrice(t, Input{Lines: cartOf("a 1.00 x2"), Rules: Compile(rules(bundled("s", "a x5 b x2", "1.00", named("套餐"))))})
	if s := q.Skipped[0]; s.Missing != 5 || s.DetailZh != "再买3件the a、2件b可享套餐" {
		t.Errorf("%+v", s)
	}
}

func TestBundleValidation(t *testing.T) {
	many := strings.Fields(strings.Repeat("sku ", MaxItems+1))
	for i := range many {
		many[i] += "-" + strconv.Itoa(i)
	}
	of := func(items ...BundleItem) Promotion {
		return build(Promotion{ID: "s", Kind: "bundle", Price: 1, Items: items}, nil)
	}
	runValidation(t, []invalid{
		{"right", bundled("s", "a b", "0.01"), ""},
		{"the most", bundled("s", strings.Join(many[:MaxItems], " "), "1.00"), ""},
		{"one more", bundled("s", strings.Join(many, " "), "1.00"), "/items"},
		{"nothing given", of(), "/items"},
		{"an empty list", of([]BundleItem{}...), "/items"},
		{"no price", Promotion{ID: "s", Name: "s", Kind: "bundle", Items: []BundleItem{{"a", 2}}}, "/price"},
		{"price too high", build(Promotion{Kind: "bundle", Price: money.Max + 1, Items: []BundleItem{{"a", 2}}}, []option{named("s")}), "/price"},
		{"one unit", bundled("s", "a", "1.00"), "/items"},
		{"twice the same sku", bundled("s", "a b a a", "1.00"), "/items/2/sku /items/3/sku"},
		{"quantities", of(BundleItem{"a", 0}, BundleItem{"b", -1}, BundleItem{"c", MaxQuantity}, BundleItem{"d", MaxQuantity + 1}), "/items/0/quantity /items/1/quantity /items/3/quantity"},
		{"skus", of(BundleItem{"", 1}, BundleItem{"b\x00", 1}, BundleItem{strings.Repeat("s", 129), 1}), "/items/0/sku /items/1/sku /items/2/sku"},
		{"others' parameters", build(Promotion{Kind: "bundle", Price: 1, Items: []BundleItem{{"a", 2}}, Buy: 1, Tiers: []Tier{}, GiftSku: "a"}, []option{named("s")}), "/buy /tiers /giftSku"},
		{"items of another kind", build(Promotion{Kind: "fixed_price", Price: 1, Items: []BundleItem{}}, []option{named("s")}), "/items"},
	})
}
