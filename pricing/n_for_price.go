package pricing

import (
	"cmp"
	"slices"
	"sort"
	"strconv"

	"github.com/tandem-pay/tandem/money"
)

// nForPrice (任选N件): any n loose units in scope, all skus together, cost
// price. Sets are made of the dearest units first, which is best for the
// buyer; of equals those of the sku that sorts first. A set is made only while
// its units cost more than price, so that nothing becomes dearer; units that
// make no such set are for another rule.
//
// The discount of all sets together is what their units cost less price for
// each. It is spread over their lines in proportion to what those units cost,
// by largest remainder.
var nForPrice = kind{
	name:  "n_for_price",
	title: bilingual{"Any n for a price", "任选N件"},
	about: bilingual{"any `n` units in scope cost `price` together, the dearest first, where that is cheaper", "范围内任选 `n` 件共 `price`，从最贵的算起，仅当更便宜"},
	step:  stepUnits,
	uses: []parameter{
		goods("n", 2, bilingual{"how many units", "件数"}, func(p *Promotion) int64 { return p.N }),
		minorUnits("price", bilingual{"price of these units together", "总价"}, func(p *Promotion) int64 { return p.Price }),
	},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		if c.loose(in) < p.N {
			return 0, NotEnoughUnits
		}
		dearest := c.dearestFirst(in)
		sets := c.setsFor(p, dearest)
		if sets == 0 {
			return 0, NothingLeft
		}
		return c.worth(dearest, sets*p.N) - sets*p.Price, ""
	},

	take: func(c *cart, p *Promotion, in scoped, amount int64) {
		dearest := c.dearestFirst(in)
		units := c.setsFor(p, dearest) * p.N
		weights := c.weights[:len(in)]
		clear(weights)
		for _, i := range dearest {
			l := &c.lines[i]
			n := min(units, l.loose)
			k, _ := slices.BinarySearch(in, i)
			weights[k] = n * l.unit
			l.loose -= n
			units -= n
		}
		c.allocate(in, amount)
	},

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		if why == NothingLeft {
			n, price := strconv.FormatInt(p.N, 10), money.FormatYuan(p.Price)
			return lack{bilingual: bilingual{"no " + n + " units cost more than " + price + " as they are", "任意" + n + "件现价均不高于" + price + "元"}}
		}
		return c.explainUnits(p, in, p.N)
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual {
		dearest := c.dearestFirst(in)
		sets := c.setsFor(p, dearest)
		return ofSets(sets, 0)
	},
}

// dearestFirst orders lines by what one of their loose units costs, the
// dearest first, then by sku. The result is good until the next call of it or
// of cheapestFirst.
func (c *cart) dearestFirst(in scoped) scoped {
	c.sorted = append(c.sorted[:0], in...)
	slices.SortFunc(c.sorted, func(a, b uint8) int {
		return cmp.Or(cmp.Compare(c.lines[b].unit, c.lines[a].unit), cmp.Compare(a, b))
	})
	return c.sorted
}

// setsFor counts the sets that cost more than the rule's price. Each costs no
// more than the one before it, so they are found by halving.
func (c *cart) setsFor(p *Promotion, dearest scoped) int64 {
	all := c.loose(dearest) / p.N
	return int64(sort.Search(int(all), func(i int) bool {
		return c.worth(dearest, int64(i+1)*p.N)-c.worth(dearest, int64(i)*p.N) <= p.Price
	}))
}

// worth is what the first of the loose units cost, in the order of the lines.
func (c *cart) worth(lines scoped, units int64) int64 {
	var sum int64
	for _, i := range lines {
		n := min(units, c.lines[i].loose)
		sum += n * c.lines[i].unit
		if units -= n; units == 0 {
			break
		}
	}
	return sum
}
