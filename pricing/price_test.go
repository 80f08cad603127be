package pricing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/money"
)

func TestTurns(t *testing.T) {
	runRows(t, []row{
		{"no rules", "a 1.00", nil, nil, "a 1.00 | |"},
		{"no cart", "", rules(percent("p", "10")), nil, " | |"},
		{"higher priority first", "a 100.00", rules(percent("p", "10"), off("o", "100.00", "10.00", priority(1))), nil, "a 81.00 | o 10.00 (a 10.00), p 9.00 (a 9.00) |"},
		{"then by id", "a 100.00", rules(percent("q", "10"), off("o", "100.00", "10.00")), nil, "a 81.00 | o 10.00 (a 10.00), q 9.00 (a 9.00) |"},
		{"negative priority goes last", "a 100.00", rules(off("o", "100.00", "10.00", priority(-1)), percent("q", "10")), nil, "a 90.00 | q 10.00 (a 10.00) | o threshold_not_met: 10.00 more for o; 100.00 was reached before earlier discounts"},
		{"a kind of a later version is left out", "a 1.00", rules(Promotion{ID: "x", Kind: "cashback"}), nil, "a 1.00 | |"},
		{"so is one with impossible parameters", "a 1.00", rules(buyGet("b", -1, 1), fixed("f", "0"), off("o", "0", "1.00", repeat), Promotion{ID: "p", Kind: "percent_off"}, nth("n", 1, "50"), bundled("s", "a a", "1.00"), tiers("t", "2.00:1.00 1.00:0.50"), gives("g", "1.00", "", 1)), nil, "a 1.00 | |"},
	})
}

func TestScope(t *testing.T) {
	const cart = "a 1.00 x,y; b 1.00 y; c 1.00 z; d 1.00"
	runRows(t, []row{
		{"all", cart, rules(percent("p", "100")), nil, "a 0.00 b 0.00 c 0.00 d 0.00 | p 4.00 (a 1.00 b 1.00 c 1.00 d 1.00) |"},
		{"an empty scope is all", cart, rules(percent("p", "100", skus())), nil, "a 0.00 b 0.00 c 0.00 d 0.00 | p 4.00 (a 1.00 b 1.00 c 1.00 d 1.00) |"},
		{"skus or categories", cart, rules(percent("p", "100", skus("d", "d"), categories("y", "x"))), nil, "a 0.00 b 0.00 c 1.00 d 0.00 | p 3.00 (a 1.00 b 1.00 d 1.00) |"},
		{"all but", cart, rules(percent("p", "100", notSkus("d"), notCategory("x"))), nil, "a 1.00 b 0.00 c 0.00 d 1.00 | p 2.00 (b 1.00 c 1.00) |"},
		{"an exclusion wins over a sku", cart, rules(percent("p", "100", skus("a", "b"), notCategory("x"))), nil, "a 1.00 b 0.00 c 1.00 d 1.00 | p 1.00 (b 1.00) |"},
		{"an exclusion wins over a category", cart, rules(percent("p", "100", categories("y"), notSkus("b"))), nil, "a 0.00 b 1.00 c 1.00 d 1.00 | p 1.00 (a 1.00) |"},
		{"no line in scope: not listed", cart, rules(percent("p", "100", skus("q")), percent("r", "100", categories("q")), percent("s", "1", skus("a"), notSkus("a"))), nil, "a 1.00 b 1.00 c 1.00 d 1.00 | |"},
		{"a category is not a sku", "x 1.00 a", rules(percent("p", "100", skus("a")), percent("q", "100", categories("x"))), nil, "x 1.00 | |"},
	})
}

func TestExclusiveGroup(t *testing.T) {
	runRows(t, []row{
		{"the largest discount", "a 150.00", rules(percent("p", "10", group("g")), off("o", "100.00", "10.00", group("g"), priority(9))), nil, "a 135.00 | p 15.00 (a 15.00) | o exclusive_group: only one of g applies: p gives 15.00, this 10.00"},
		{"depends on the cart", "a 100.00", rules(percent("p", "9", group("g")), off("o", "100.00", "10.00", group("g"))), nil, "a 90.00 | o 10.00 (a 10.00) | p exclusive_group: only one of g applies: o gives 10.00, this 9.00"},
		{"ties by priority", "a 100.00", rules(percent("p", "10", group("g"), priority(1)), off("o", "100.00", "10.00", group("g"))), nil, "a 90.00 | p 10.00 (a 10.00) | o exclusive_group: only one of g applies: p gives 10.00, this 10.00"},
		{"then by id", "a 100.00", rules(percent("p", "10", group("g")), off("o", "100.00", "10.00", group("g"))), nil, "a 90.00 | o 10.00 (a 10.00) | p exclusive_group: only one of g applies: o gives 10.00, this 10.00"},
		{"one that cannot apply says why itself", "a 50.00", rules(percent("p", "10", group("g")), off("o", "100.00", "10.00", group("g"))), nil, "a 45.00 | p 5.00 (a 5.00) | o threshold_not_met: 50.00 more for o"},
		{"one that is not for the user", "a 50.00", rules(percent("p", "10", group("g")), percent("q", "50", group("g"), forLevel("gold"))), nil, "a 45.00 | p 5.00 (a 5.00) | q user_not_eligible: not offered to this user"},
		{"none can apply", "a 50.00", rules(off("o", "60.00", "1.00", group("g")), off("p", "70.00", "10.00", group("g"))), nil, "a 50.00 | | o threshold_not_met: 10.00 more for o, p threshold_not_met: 20.00 more for p"},
		{"the winner applies at the first member's turn", "a 100.00", rules(percent("p", "1", group("g"), priority(9)), off("m", "1.00", "50.00", priority(5)), percent("q", "50", group("g"))), nil, "a 0.00 | q 50.00 (a 50.00), m 50.00 (a 50.00) | p exclusive_group: only one of g applies: q gives 50.00, this 1.00"},
		{"two groups", "a 100.00", rules(percent("p", "1", group("g")), percent("q", "2", group("g")), percent("r", "3", group("h")), percent("s", "4", group("h"))), nil, "a 94.08 | q 2.00 (a 2.00), s 3.92 (a 3.92) | p exclusive_group: only one of g applies: q gives 2.00, this 1.00, r exclusive_group: only one of h applies: s gives 3.92, this 2.94"},
		{"over the steps: the earlier wins", "a 100.00", rules(fixed("f", "80.00", group("g")), percent("p", "10", group("g"))), nil, "a 80.00 | f 20.00 (a 20.00) | p exclusive_group: only one of g applies: f gives 20.00, this 10.00"},
		{"over the steps: the later wins", "a 100.00", rules(fixed("f", "95.00", group("g")), percent("p", "10", group("g"))), nil, "a 90.00 | p 10.00 (a 10.00) | f exclusive_group: only one of g applies: p gives 10.00, this 5.00"},
		{"the later one applies in its own step", "a 100.00 x3", rules(fixed("f", "95.00", group("g")), buyGet("b", 2, 1), percent("p", "10", group("g"))), nil, "a 180.00 | b 100.00 (a 100.00), p 20.00 (a 20.00) | f exclusive_group: only one of g applies: p gives 30.00, this 15.00"},
		{"and is not promised its amount", "a 100.00", rules(fixed("f", "95.00", group("g")), percent("x", "10", priority(9)), off("o", "100.00", "10.00", group("g"))), nil, "a 90.00 | x 10.00 (a 10.00) | f exclusive_group: only one of g applies: o gives 10.00, this 5.00, o threshold_not_met: 10.00 more for o; 100.00 was reached before earlier discounts"},
		{"alone in its group", "a 100.00", rules(percent("p", "10", group("g"))), nil, "a 90.00 | p 10.00 (a 10.00) |"},
		{"a member without a line in scope is none", "a 100.00", rules(percent("p", "10", group("g")), percent("q", "90", group("g"), skus("z"))), nil, "a 90.00 | p 10.00 (a 10.00) |"},
	})
}

func TestDates(t *testing.T) {
	from, to := noon, noon.Add(time.Hour)
	p := percent("p", "10")
	p.StartsAt, p.EndsAt = &from, &to
	r := Compile(rules(p))
	for _, c := range []struct {
		name string
		now  time.Time
		want int
	}{
		{"before", from.Add(-1), 0},
		{"at the start", from, 1},
		{"last moment", to.Add(-1), 1},
		{"at the end", to, 0},
		{"in another zone", from.In(time.FixedZone("", 8*3600)), 1},
	} {
		q := mustPrice(t, Input{Now: c.now, Lines: cartOf("a 1.00"), Rules: r})
		if len(q.Applied) != c.want || len(q.Skipped) != 0 {
			t.Errorf("%s: %s", c.name, say(q))
		}
	}
	off := false
	p = percent("p", "10")
	p.Active = &off
	if q := mustPrice(t, Input{Now: noon, Lines: cartOf("a 1.00"), Rules: Compile(rules(p))}); len(q.Applied)+len(q.Skipped) != 0 {
		t.Errorf("not active: %s", say(q))
	}
}

func TestUser(t *testing.T) {
	for _, c := range []struct {
		name         string
		levels, tags []string
		user         User
		want         bool
	}{
		{"for all", nil, nil, User{}, true},
		{"level", []string{"silver", "gold"}, nil, User{Level: "gold"}, true},
		{"other level", []string{"gold"}, nil, User{Level: "silver"}, false},
		{"no level", []string{"gold"}, nil, User{}, false},
		{"one of the tags", nil, []string{"new", "vip"}, User{Tags: []string{"x", "vip"}}, true},
		{"none of the tags", nil, []string{"new"}, User{Tags: []string{"x"}}, false},
		{"both asked, both had", []string{"gold"}, []string{"new"}, User{Level: "gold", Tags: []string{"new"}}, true},
		{"both asked, one had", []string{"gold"}, []string{"new"}, User{Level: "gold"}, false},
	} {
		p := percent("p", "10")
		p.UserLevels, p.UserTags = c.levels, c.tags
		q := mustPrice(t, Input{User: c.user, Lines: cartOf("a 1.00"), Rules: Compile(rules(p))})
		if got := len(q.Applied) == 1; got != c.want || !got && q.Skipped[0].Reason != UserNotEligible {
			t.Errorf("%s: %s", c.name, say(q))
		}
	}
}

func TestInputAtFault(t *testing.T) {
	line := func(unit, quantity int64) Line {
		return Line{Sku: fmt.Sprint("s", unit, quantity), UnitPrice: unit, Quantity: quantity}
	}
	many := make([]Line, MaxLines+1)
	full := make([]Line, MaxLines)
	for i := range full {
		full[i] = Line{Sku: fmt.Sprint(i), UnitPrice: 1, Quantity: MaxQuantity}
	}
	for _, c := range []struct {
		name  string
		lines []Line
		want  string
	}{
		{"as many as can be", full, ""},
		{"one more", many, "/items"},
		{"none of it", []Line{line(1, 1), line(1, 0)}, "/items/1/quantity"},
		{"negative", []Line{line(1, -1)}, "/items/0/quantity"},
		{"too many of it", []Line{line(1, MaxQuantity+1)}, "/items/0/quantity"},
		{"negative price", []Line{line(-1, 1)}, "/items/0/unitPrice"},
		{"too dear", []Line{line(money.Max+1, 1)}, "/items/0/unitPrice"},
		{"as dear as can be", []Line{line(money.Max, 1)}, ""},
		{"the line overflows", []Line{line(1, 1), line(money.Max, 2)}, "/items/1/quantity"},
		{"the line wraps", []Line{line(money.Max, MaxQuantity)}, "/items/0/quantity"},
		{"the cart overflows, by place not by sku", []Line{{"z", "", nil, money.Max, 1}, {"a", "", nil, 1, 1}}, "/items/1/quantity"},
		{"duplicates", []Line{{"b", "", nil, 1, 1}, {"a", "", nil, 1, 1}, {"b", "", nil, 1, 1}}, "/items/2/sku"},
		{"all of them", []Line{line(-1, 1), line(1, 1), line(1, 0)}, "/items/0/unitPrice /items/2/quantity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := Price(Input{Lines: c.lines})
			if got := join(pointers(err)); got != c.want || (err == nil) != (q != nil) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestQuoteJSON(t *testing.T) {
	q := mustPrice(t, Input{Currency: "CNY"})
	got, err := json.Marshal(q)
	want := `{"currency":"CNY","totalAmount":0,"discountAmount":0,"payableAmount":0,"items":[],"appliedDiscounts":[],"skippedDiscounts":[]}`
	if err != nil || string(got) != want {
		t.Errorf("%s %v", got, err)
	}
}

// Compile keeps nothing of what it was given, Price changes nothing of it,
// and many may price at once.
func TestRulesAreTheirOwn(t *testing.T) {
	given := benchRules(40)
	r := Compile(given)
	in := Input{Now: noon, Lines: benchCart(), Rules: r, Coupons: coupons(couponOff("A", "0", "1.00"), couponPercent("B", "5"))}
	slices.Reverse(in.Lines)
	before, _ := json.Marshal([]any{in.Lines, in.Coupons})
	want, _ := json.Marshal(mustPrice(t, in))
	for i := range given {
		p := &given[i]
		if p.PercentOff != nil {
			*p.PercentOff = 1
		}
		if p.Scope != nil {
			clear(p.Scope.Skus)
		}
		*p = Promotion{}
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				q, err := Price(in)
				if got, _ := json.Marshal(q); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s\n%s %v", got, want, err)
					return
				}
			}
		})
	}
	all.Wait()
	if after, _ := json.Marshal([]any{in.Lines, in.Coupons}); !bytes.Equal(before, after) {
		t.Error("the input has changed")
	}
}
