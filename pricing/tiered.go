package pricing

import (
	"fmt"

	"github.com/tandem-pay/tandem/money"
)

// MaxTiers is the most tiers that a promotion may have.
const MaxTiers = 20

// Tier is what is taken off from a threshold on: an amount or a percentage,
// one of the two. Amounts are minor units.
type Tier struct {
	Threshold  int64          `json:"threshold" minimum:"1" doc:"The in-scope amount that must be reached, in minor units"`
	AmountOff  int64          `json:"amountOff,omitempty" doc:"Minor units off"`
	PercentOff *money.Percent `json:"percentOff,omitempty" doc:"Or percent off; not beside amountOff"`
}

// tiered (阶梯满减): the highest tier that what the lines in scope have left
// reaches, and only that: its amountOff, but never more than they have left,
// or floor(base × percentOff / 100) of it as a whole. It is spread over them
// in proportion, by largest remainder.
var tiered = kind{
	name:  "tiered",
	title: bilingual{"Tiers", "阶梯满减"},
	about: bilingual{"the highest of the `tiers` that is reached gives its `amountOff` or `percentOff`", "按达到的最高一档减免其 `amountOff` 或 `percentOff`"},
	step:  stepOrder,
	uses: []parameter{{
		ParameterInfo: listInfo("tiers", MaxTiers, bilingual{"tiers, in order", "档位，由低到高"},
			moneyInfo("threshold", bilingual{"amount to reach", "门槛"}),
			optional(amountOffParameter).ParameterInfo,
			optional(percentParameter(bilingual{"or percent off", "或减去的百分比"})).ParameterInfo),
		given: func(p *Promotion) bool { return p.Tiers != nil },
		check: func(p *Promotion, f *faults) { f.tiers(p.Tiers) },
	}},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		base := c.left(in)
		if base == 0 {
			return 0, NothingLeft
		}
		reached := p.reached(base)
		if reached == 0 {
			return 0, ThresholdNotMet
		}
		off := p.Tiers[reached-1].off(base)
		if off == 0 {
			return 0, NothingLeft
		}
		return off, ""
	},

	take: (*cart).spread,

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		if why == ThresholdNotMet {
			return c.explainThreshold(p, p.Tiers[0].Threshold, in)
		}
		if base := c.left(in); base > 0 {
			return lack{bilingual: ofNothing(*p.Tiers[p.reached(base)-1].PercentOff, base)}
		}
		return lack{bilingual: nothingLeft}
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual {
		base := c.left(in)
		reached := p.reached(base)
		tier := money.FormatYuan(p.Tiers[reached-1].Threshold)
		text := bilingual{tier + " is reached", "已满" + tier + "元"}
		if reached < len(p.Tiers) {
			next := p.Tiers[reached].Threshold
			more, of := money.FormatYuan(next-base), money.FormatYuan(next)
			text.en += "; " + more + " more for the next tier, " + of
			text.zh += "；再买" + more + "元可达下一档" + of + "元"
		}
		return text
	},
}

// reached counts the tiers that an amount reaches.
func (p *Promotion) reached(base int64) int {
	n := 0
	for n < len(p.Tiers) && p.Tiers[n].Threshold <= base {
		n++
	}
	return n
}

func (t *Tier) off(base int64) int64 {
	if t.PercentOff != nil {
		return t.PercentOff.Of(base)
	}
	return min(t.AmountOff, base)
}

func (f *faults) tiers(tiers []Tier) {
	if len(tiers) < 1 || len(tiers) > MaxTiers {
		f.add("/tiers", "must have 1 to %d entries", MaxTiers)
		return
	}
	for i := range tiers {
		t, base := &tiers[i], fmt.Sprintf("/tiers/%d", i)
		if f.within(base+"/threshold", t.Threshold, 1, money.Max); i > 0 && t.Threshold <= tiers[i-1].Threshold {
			f.add(base+"/threshold", "must be more than the tier before has")
		}
		switch {
		case t.AmountOff == 0 && t.PercentOff == nil:
			f.add(base+"/amountOff", "must be given, or percentOff")
		case t.AmountOff != 0 && t.PercentOff != nil:
			f.add(base+"/percentOff", "not beside amountOff")
		case t.PercentOff != nil:
			f.percent(base+"/percentOff", *t.PercentOff)
		default:
			f.within(base+"/amountOff", t.AmountOff, 1, money.Max)
		}
	}
}
