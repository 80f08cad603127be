package pricing

import (
	"strconv"

	"github.com/tandem-pay/tandem/money"
)

var (
	thresholdParameter = minorUnits("threshold", bilingual{"amount to reach", "门槛"}, func(p *Promotion) int64 { return p.Threshold })
	amountOffParameter = minorUnits("amountOff", bilingual{"amount off", "减免金额"}, func(p *Promotion) int64 { return p.AmountOff })
	repeatParameter    = parameter{
		ParameterInfo: ParameterInfo{Name: "repeat", Type: "boolean", Label: "once for every full threshold", LabelZh: "每满一次减一次"},
		given:         func(p *Promotion) bool { return p.Repeat },
		check:         func(*Promotion, *faults) {},
	}
)

// amountOff (满100减10): amountOff once what the lines in scope have left
// reaches the threshold; with repeat, once for every full threshold in it.
// Never more than they have left. It is spread over them in proportion, by
// largest remainder.
var amountOff = kind{
	name:  "amount_off",
	title: bilingual{"Amount off", "满减"},
	about: bilingual{
		"from `threshold` on, `amountOff`; with `repeat`, once for every full threshold",
		"满 `threshold` 减 `amountOff`；`repeat` 则每满一次减一次",
	},
	step: stepOrder,
	uses: []parameter{thresholdParameter, amountOffParameter, repeatParameter},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		base := c.left(in)
		switch {
		case base == 0:
			return 0, NothingLeft
		case base < p.Threshold:
			return 0, ThresholdNotMet
		}
		times := int64(1)
		if p.Repeat {
			times = base / p.Threshold
		}
		// Compared by division: times × amountOff may pass an int64.
		if times > base/p.AmountOff {
			return base, ""
		}
		return times * p.AmountOff, ""
	},

	take: (*cart).spread,

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		if why == ThresholdNotMet {
			return c.explainThreshold(p, p.Threshold, in)
		}
		return lack{bilingual: nothingLeft}
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual {
		if !p.Repeat || c.left(in) < 2*p.Threshold {
			return bilingual{}
		}
		times := c.left(in) / p.Threshold
		if times > c.left(in)/p.AmountOff { // less is left than that
			return bilingual{}
		}
		of := strconv.FormatInt(times, 10) + " × " + money.FormatYuan(p.AmountOff)
		return bilingual{of, of + "元"}
	},
}

// explainThreshold says how much more is needed, and whether it was earlier
// discounts that took the amount below the threshold.
func (c *cart) explainThreshold(p *Promotion, threshold int64, in scoped) lack {
	var total int64
	for _, i := range in {
		total += c.lines[i].total
	}
	missing := threshold - c.left(in)
	more := money.FormatYuan(missing)
	l := lack{bilingual: bilingual{more + " more for " + p.Name, "再买" + more + "元可享" + p.Name}, missing: missing}
	if total >= threshold {
		l.reached = threshold
	}
	return l
}
