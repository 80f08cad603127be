package pricing

import "strconv"

// nthItem (第二件半价): of the loose units of each sku in scope, counted by
// itself, every n-th costs percentOff less. For each such unit n take part;
// what is left over is for another rule.
//
// The discount is floor(base × percentOff / 100), where base is what all
// those n-th units cost, taken as a whole. It is spread over the lines in
// proportion to what their n-th units cost, by largest remainder.
var nthItem = kind{
	name:  "nth_item",
	title: bilingual{"Every n-th unit for less", "第N件优惠"},
	about: bilingual{"of each sku by itself, every `n`-th unit costs `percentOff` less", "同一商品每第 `n` 件减去 `percentOff`"},
	step:  stepUnits,
	uses: []parameter{
		goods("n", 2, bilingual{"every how many units", "第几件"}, func(p *Promotion) int64 { return p.N }),
		percentParameter(bilingual{"percent off that unit", "该件减去的百分比"}),
	},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		var count, base int64
		for _, i := range in {
			l := &c.lines[i]
			count += l.loose / p.N
			base += l.loose / p.N * l.unit
		}
		if count == 0 {
			return 0, NotEnoughUnits
		}
		off := p.PercentOff.Of(base)
		if off == 0 {
			return 0, NothingLeft
		}
		return off, ""
	},

	take: func(c *cart, p *Promotion, in scoped, amount int64) {
		weights := c.weights[:len(in)]
		for k, i := range in {
			l := &c.lines[i]
			weights[k] = l.loose / p.N * l.unit
			l.loose %= p.N
		}
		c.allocate(in, amount)
	},

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		missing, base, elsewhere := p.N, int64(0), int64(0)
		for _, i := range in {
			l := &c.lines[i]
			missing = min(missing, p.N-l.loose)
			base += l.loose / p.N * l.unit
			elsewhere += l.given.Quantity - l.loose
		}
		if why == NothingLeft {
			return lack{bilingual: ofNothing(*p.PercentOff, base)}
		}
		more := strconv.FormatInt(missing, 10)
		detail := bilingual{more + " more of one item for " + p.Name, "同款再买" + more + "件可享" + p.Name}
		return lack{bilingual: detail.elsewhere(elsewhere), missing: missing}
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual {
		var count int64
		for _, i := range in {
			count += c.lines[i].loose / p.N
		}
		units, off := strconv.FormatInt(count, 10), p.PercentOff.String()
		return bilingual{units + " × " + off + " % off", units + "件减" + off + "%"}
	},
}
