package pricing

import (
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func anyFor(id string, n int64, price string, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "n_for_price", N: n, Price: yuan(price)}, o)
}

func TestNForPrice(t *testing.T) {
	three := named("任选3件99元")
	runRows(t, []row{
		{"any three (任选3件)", "a 60.00; b 40.00; c 50.00", rules(anyFor("n", 3, "99.00")), nil, "a 39.60 b 26.40 c 33.00 | n 51.00 (a 20.40 b 13.60 c 17.00) |"},
		{"of one sku", "a 40.00 x3", rules(anyFor("n", 3, "99.00")), nil, "a 99.00 | n 21.00 (a 21.00) |"},
		{"two sets", "a 40.00 x6", rules(anyFor("n", 3, "99.00")), nil, "a 198.00 | n 42.00 (a 42.00) |"},
		{"the dearest first, the rest stays as it is", "a 10.00; b 60.00 x2; c 50.00", rules(anyFor("n", 3, "99.00")), nil, "a 10.00 b 69.88 c 29.12 | n 71.00 (b 50.12 c 20.88) |"},
		{"of equals the sku that sorts first", "a 50.00; b 50.00; c 50.00", rules(anyFor("n", 2, "80.00")), nil, "a 40.00 b 40.00 c 50.00 | n 20.00 (a 10.00 b 10.00) |"},
		{"one short", "a 60.00 x2", rules(anyFor("n", 3, "99.00", three)), nil, "a 120.00 | | n not_enough_units: 1 more for 任选3件99元"},
		{"never dearer", "a 30.00 x3", rules(anyFor("n", 3, "99.00")), nil, "a 90.00 | | n nothing_left_to_discount: no 3 units cost more than 99.00 as they are"},
		{"nor the same", "a 33.00 x3", rules(anyFor("n", 3, "99.00")), nil, "a 99.00 | | n nothing_left_to_discount: no 3 units cost more than 99.00 as they are"},
		{"only the sets that are cheaper", "a 50.00 x3; b 20.00 x3", rules(anyFor("n", 3, "99.00")), nil, "a 99.00 b 60.00 | n 51.00 (a 51.00) |"},
		{"a set over two lines", "a 50.00 x4; b 26.00 x3", rules(anyFor("n", 3, "99.00")), nil, "a 157.14 b 66.86 | n 54.00 (a 42.86 b 11.14) |"},
		{"the cent goes by largest remainder", "a 0.01; b 0.01; c 0.01", rules(anyFor("n", 3, "0.01")), nil, "a 0.00 b 0.00 c 0.01 | n 0.02 (a 0.01 b 0.01) |"},
		{"by the price after fixed prices", "a 60.00 x3", rules(anyFor("n", 3, "99.00"), fixed("f", "40.00")), nil, "a 99.00 | f 60.00 (a 60.00), n 21.00 (a 21.00) |"},
		{"only in scope", "a 60.00 x2; b 60.00", rules(anyFor("n", 2, "99.00", skus("a"))), nil, "a 99.00 b 60.00 | n 21.00 (a 21.00) |"},
		{"a unit takes part once", "a 60.00 x3", rules(anyFor("n", 2, "99.00"), nth("o", 2, "50")), nil, "a 159.00 | n 21.00 (a 21.00) | o not_enough_units: 1 more of one item for o; 2 take part in another offer"},
		{"what is left over takes part in the next", "a 60.00 x2; b 10.00 x2", rules(anyFor("n", 2, "99.00"), nth("o", 2, "50")), nil, "a 99.00 b 15.00 | n 21.00 (a 21.00), o 5.00 (b 5.00) |"},
		{"units of another offer are no longer there", "a 60.00 x3", rules(anyFor("n", 2, "99.00", three), buyGet("b", 2, 1, priority(1))), nil, "a 120.00 | b 60.00 (a 60.00) | n not_enough_units: 2 more for 任选3件99元; 3 take part in another offer"},
		{"a million units", "a 0.02 x1000000; b 0.01 x1000000", rules(anyFor("n", 2, "0.01")), nil, "a 6666.67 b 3333.33 | n 20000.00 (a 13333.33 b 6666.67) |"},
	})
}

func TestNForPriceExplains(t *testing.T) {
	for _, r := range []struct{ name, cart, want string }{
		{"sets", "a 60.00 x5", "2 sets / 2套"},
		{"missing", "a 60.00", "1 more for n / 再买1件可享n"},
		{"not cheaper", "a 10.00 x2", "no 2 units cost more than 99.00 as they are / 任意2件现价均不高于99.00元"},
	} {
		q := mustPrice(t, Input{Lines: cartOf(r.cart), Rules: Compile(rules(anyFor("n", 2, "99.00"))), Explain: true})
		got := ""
		for _, a := range q.Applied {
			got += a.Detail + " / " + a.DetailZh
		}
		for _, s := range q.Skipped {
			got += s.Detail + " / " + s.DetailZh
		}
		if got != r.want {
			t.Errorf("%s: %s, want %s", r.name, got, r.want)
		}
	}
}

func TestNForPriceValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"right", anyFor("n", 2, "0.01"), ""},
		{"the most", anyFor("n", MaxQuantity, "10000000000000.00"), ""},
		{"nothing given", anyFor("n", 0, "0"), "/n /price"},
		{"one unit is a fixed_price", anyFor("n", 1, "1.00"), "/n"},
		{"out of range", anyFor("n", MaxQuantity+1, "1.00", func(p *Promotion) { p.Price = money.Max + 1 }), "/n /price"},
		{"others' parameters", anyFor("n", 2, "1.00", func(p *Promotion) { p.PercentOff, p.Items = pct("1"), []BundleItem{} }), "/items /percentOff"},
	})
}
