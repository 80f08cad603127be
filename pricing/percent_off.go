package pricing

import "github.com/tandem-pay/tandem/money"

var (
	percentOffParameter  = percentParameter(bilingual{"percent off", "减去的百分比"})
	maxDiscountParameter = optional(minorUnits("maxDiscount", bilingual{"at most", "最多减免"}, func(p *Promotion) int64 { return p.MaxDiscount }))
)

// percentOff (全场九折): floor(base × percentOff / 100), at most maxDiscount,
// where base is what the lines in scope have left, taken as a whole. It is
// spread over them in proportion, by largest remainder.
var percentOff = kind{
	name:  "percent_off",
	title: bilingual{"Percent off", "折扣"},
	about: bilingual{"`percentOff` of what the lines in scope come to, at most `maxDiscount`", "范围内商品金额减去 `percentOff`，至多 `maxDiscount`"},
	step:  stepOrder,
	uses:  []parameter{percentOffParameter, maxDiscountParameter},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		base := c.left(in)
		if base > 0 && base < p.Threshold { // only a coupon has one
			return 0, ThresholdNotMet
		}
		off := p.PercentOff.Of(base)
		if p.MaxDiscount > 0 {
			off = min(off, p.MaxDiscount)
		}
		if off == 0 {
			return 0, NothingLeft
		}
		return off, ""
	},

	take: (*cart).spread,

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		if why == ThresholdNotMet {
			return c.explainThreshold(p, p.Threshold, in)
		}
		return lack{bilingual: ofNothing(*p.PercentOff, c.left(in))}
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual {
		if p.MaxDiscount == 0 || p.PercentOff.Of(c.left(in)) <= p.MaxDiscount {
			return bilingual{}
		}
		most := money.FormatYuan(p.MaxDiscount)
		return bilingual{"at most " + most, "至多减" + most + "元"}
	},
}
