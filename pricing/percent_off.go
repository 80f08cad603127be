package pricing

var (
	percentOffParameter = parameter{
		name:  "percentOff",
		given: func(p *Promotion) bool { return p.PercentOff != nil },
		check: func(p *Promotion, f *faults) { f.percent("/percentOff", *p.PercentOff) },
	}
	maxDiscountParameter = optional(minorUnits("maxDiscount", func(p *Promotion) int64 { return p.MaxDiscount }))
)

// percentOff (全场九折): floor(base × percentOff / 100), at most maxDiscount,
// where base is what the lines in scope have left, taken as a whole. It is
// spread over them in proportion.
var percentOff = kind{
	name: "percent_off",
	step: stepOrder,
	uses: []parameter{percentOffParameter, maxDiscountParameter},

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

	explain: func(c *cart, p *Promotion, in scoped, why Reason) (words, int64) {
		if why == ThresholdNotMet {
			return c.explainThreshold(p, in)
		}
		if base := c.left(in); base > 0 {
			return ofNothing(*p.PercentOff, base), 0
		}
		return nothingLeft, 0
	},
}
