package pricing

import "github.com/tandem-pay/tandem/money"

// fixedPrice (限时价): every unit in scope costs price, if that is lower than
// what it costs now. QuoteLine.UnitPrice stays what the catalogue says; the
// difference × quantity is a discount on the line.
//
// It goes before every rule about single units, so that all units of a line
// still cost the same when it has its turn.
var fixedPrice = kind{
	name:  "fixed_price",
	title: bilingual{"Fixed price", "限时价"},
	about: bilingual{"every unit in scope costs `price`, if that is lower", "范围内每件按 `price` 计价，仅当低于现价"},
	step:  stepPrice,
	uses:  []parameter{minorUnits("price", bilingual{"price of a unit", "单价"}, func(p *Promotion) int64 { return p.Price })},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		var sum int64
		for _, i := range in {
			l := &c.lines[i]
			sum += max(0, l.unit-p.Price) * l.given.Quantity
		}
		if sum == 0 {
			return 0, NothingLeft
		}
		return sum, ""
	},

	take: func(c *cart, p *Promotion, in scoped, _ int64) {
		for _, i := range in {
			if l := &c.lines[i]; l.unit > p.Price {
				c.shares[i] = (l.unit - p.Price) * l.given.Quantity
				l.unit = p.Price
			}
		}
	},

	explain: func(_ *cart, p *Promotion, _ scoped, _ Reason) lack {
		price := money.FormatYuan(p.Price)
		return lack{bilingual: bilingual{"no item in its scope costs more than " + price, "范围内没有高于" + price + "元的商品"}}
	},
}
