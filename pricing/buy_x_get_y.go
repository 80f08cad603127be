package pricing

import (
	"cmp"
	"slices"
	"strconv"
)

// buyXGetY (买二赠一): of the units in scope, all skus together, the get
// cheapest are free for every buy+get. "Cheapest" is by what a unit costs
// after fixed prices; of equals, those of the sku that sorts first.
//
// The units that take part are the cheapest (buy+get) × sets, so that what is
// left over for another rule is the dearest. Since a unit takes part in one
// such rule only, a unit that has not taken part yet costs exactly its line's
// unit price, whatever the rest of the line has been through: no amount is
// ever divided by a quantity here.
var buyXGetY = kind{
	name:  "buy_x_get_y",
	title: bilingual{"Buy some, get some free", "买赠"},
	about: bilingual{"of all units in scope together, the `get` cheapest are free for every `buy` + `get`", "范围内所有商品合计，每 `buy` + `get` 件中最便宜的 `get` 件免费"},
	step:  stepUnits,
	uses: []parameter{
		goods("buy", 1, bilingual{"units to buy", "购买件数"}, func(p *Promotion) int64 { return p.Buy }),
		goods("get", 1, bilingual{"units that are then free", "免费件数"}, func(p *Promotion) int64 { return p.Get }),
	},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		sets := c.loose(in) / (p.Buy + p.Get)
		if sets == 0 {
			return 0, NotEnoughUnits
		}
		var sum int64
		free := sets * p.Get
		for _, i := range c.cheapestFirst(in) {
			l := &c.lines[i]
			n := min(free, l.loose)
			sum += n * l.unit
			if free -= n; free == 0 {
				break
			}
		}
		if sum == 0 {
			return 0, NothingLeft
		}
		return sum, ""
	},

	take: func(c *cart, p *Promotion, in scoped, _ int64) {
		sets := c.loose(in) / (p.Buy + p.Get)
		free, part := sets*p.Get, sets*(p.Buy+p.Get)
		for _, i := range c.cheapestFirst(in) {
			l := &c.lines[i]
			n := min(free, l.loose)
			c.shares[i] = n * l.unit
			free -= n
			n = min(part, l.loose)
			l.loose -= n
			if part -= n; part == 0 {
				break
			}
		}
	},

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		if why == NothingLeft {
			return lack{bilingual: bilingual{"the items that would be free cost nothing already", "可免单的商品本就不要钱"}}
		}
		return c.explainUnits(p, in, p.Buy+p.Get)
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual {
		sets := c.loose(in) / (p.Buy + p.Get)
		free, all := strconv.FormatInt(sets*p.Get, 10), strconv.FormatInt(sets*(p.Buy+p.Get), 10)
		return bilingual{free + " of " + all + " units are free", all + "件中" + free + "件免费"}
	},
}

// explainUnits says how many more units are needed, and how many are not
// counted because they take part elsewhere.
func (c *cart) explainUnits(p *Promotion, in scoped, needed int64) lack {
	units := c.loose(in)
	missing := needed - units
	var all int64
	for _, i := range in {
		all += c.lines[i].given.Quantity
	}
	more := strconv.FormatInt(missing, 10)
	detail := bilingual{more + " more for " + p.Name, "再买" + more + "件可享" + p.Name}
	return lack{bilingual: detail.elsewhere(all - units), missing: missing}
}

// loose counts the units in scope that take part in no rule yet.
func (c *cart) loose(in scoped) int64 {
	var n int64
	for _, i := range in {
		n += c.lines[i].loose
	}
	return n
}

// cheapestFirst orders lines by what one of their loose units costs, then by
// sku. The result is good until the next call.
func (c *cart) cheapestFirst(in scoped) scoped {
	c.sorted = append(c.sorted[:0], in...)
	slices.SortFunc(c.sorted, func(a, b uint8) int {
		return cmp.Or(cmp.Compare(c.lines[a].unit, c.lines[b].unit), cmp.Compare(a, b))
	})
	return c.sorted
}
