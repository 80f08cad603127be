package pricing

import (
	"fmt"
	"testing"
	"time"
)

func TestNeeds(t *testing.T) {
	later := noon.Add(time.Hour)
	tomorrow := func(p *Promotion) { p.StartsAt = &later }
	paused := func(p *Promotion) { off := false; p.Active = &off }
	tagged := func(p *Promotion) { p.UserTags = []string{"new"} }
	const cart = "a 1.00 x; b 1.00 y"
	for _, r := range []struct {
		name  string
		cart  string
		rules []Promotion
		want  string
	}{
		{"nothing", cart, nil, "[] [] false"},
		{"rules that need nothing", cart, rules(percent("p", "1"), off("q", "1.00", "1.00")), "[] [] false"},
		{"each limit", cart, rules(percent("r", "1", usage(1)), percent("q", "1", perUser(1)), off("p", "1.00", "1.00", budget("1.00")), percent("s", "1")), "[{p 0 0 100} {q 0 1 0} {r 1 0 0}] [] false"},
		{"first orders", cart, rules(percent("p", "1", firstOnly)), "[] [] true"},
		{"both", cart, rules(percent("p", "1", firstOnly, usage(1), perUser(1))), "[{p 1 1 0}] [] true"},
		{"an empty cart", "", rules(percent("p", "1", firstOnly, usage(1))), "[] [] false"},
		{"listed", cart, rules(percent("p", "1", usage(1), skus("a")), percent("q", "1", usage(1), categories("y")), percent("r", "1", usage(1), skus("c"), categories("z"))), "[{p 1 0 0} {q 1 0 0}] [] false"},
		{"excluded", cart, rules(percent("p", "1", usage(1), skus("a"), notCategory("x")), percent("q", "1", usage(1), notSkus("a", "b")), percent("r", "1", usage(1), notSkus("a"))), "[{r 1 0 0}] [] false"},
		{"listed twice, excluded once", cart, rules(percent("p", "1", usage(1), skus("a", "b"), notSkus("a"))), "[{p 1 0 0}] [] false"},
		{"not yet, paused, not for the user", cart, rules(percent("p", "1", usage(1), tomorrow), percent("q", "1", usage(1), paused), percent("r", "1", usage(1), forLevel("gold")), percent("s", "1", firstOnly, tagged)), "[] [] false"},
	} {
		t.Run(r.name, func(t *testing.T) {
			needs := Compile(r.rules).Needs(cartOf(r.cart), &User{Level: "silver", FirstOrder: true}, noon)
			if got := fmt.Sprint(needs.Limited, needs.Gifts, needs.FirstOrder); got != r.want {
				t.Errorf("got %s\nwant %s", got, r.want)
			}
		})
	}
	var none *Rules
	if needs := none.Needs(cartOf(cart), &User{}, noon); needs.Limited != nil || needs.Gifts != nil || needs.FirstOrder {
		t.Errorf("no rules need %+v", needs)
	}
}

// TestConsiders: false only of rules without which the price is the same.
func TestConsiders(t *testing.T) {
	later := noon.Add(time.Hour)
	const cart = "a 1.00 x; b 1.00 y"
	for _, r := range []struct {
		name string
		cart string
		rule Promotion
		want bool
	}{
		{"about everything", cart, percent("p", "1"), true},
		{"an empty cart", "", percent("p", "1"), false},
		{"of a sku", cart, percent("p", "1", skus("b")), true},
		{"of another", cart, percent("p", "1", skus("c")), false},
		{"of a category", cart, percent("p", "1", categories("y")), true},
		{"of another category", cart, percent("p", "1", categories("z")), false},
		{"all that is there excluded", cart, percent("p", "1", notSkus("a", "b")), false},
		{"one of them excluded", cart, percent("p", "1", notSkus("a")), true},
		{"listed and excluded", cart, percent("p", "1", skus("a"), notCategory("x")), false},
		{"not yet", cart, percent("p", "1", func(p *Promotion) { p.StartsAt = &later }), false},
		{"not for the user", cart, percent("p", "1", forLevel("gold")), false},
		{"for the user", cart, percent("p", "1", forLevel("silver")), true},
		{"a limit does not matter", cart, percent("p", "1", usage(1), firstOnly), true},
		{"a set that is there in part", cart, Promotion{ID: "p", Kind: "bundle", Price: 1, Items: []BundleItem{{"b", 1}, {"c", 1}}}, true},
		{"a set that is not", cart, Promotion{ID: "p", Kind: "bundle", Price: 1, Items: []BundleItem{{"c", 1}, {"d", 1}}}, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := Compile([]Promotion{r.rule}).Considers(cartOf(r.cart), &User{Level: "silver"}, noon); got != r.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func BenchmarkNeedsOfNothing(b *testing.B) {
	r, lines, user := Compile(benchRules(10000)), benchCart(), &User{}
	b.ReportAllocs()
	for b.Loop() {
		r.Needs(lines, user, noon)
	}
}

// Ten thousand rules with limits, twenty of which are about the cart.
func BenchmarkNeeds20Of10000(b *testing.B) {
	all := benchRules(20)
	for i := range 9980 {
		all = append(all, benchPromotion(100+i, 100+i))
	}
	for i := range all {
		all[i].UsageLimit = 10
	}
	r, lines, user := Compile(all), benchCart(), &User{}
	b.ReportAllocs()
	for b.Loop() {
		r.Needs(lines, user, noon)
	}
}
