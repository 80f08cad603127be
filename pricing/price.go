package pricing

import "github.com/tandem-pay/tandem/money"

// Price computes the quote. It does not change the input. The only error is a
// *fault.Error with code validation_failed: lines or coupons that break the
// limits, that are given twice, or whose amounts pass money.Max. Its fields
// point into a request's items and couponCodes, by the places that they have
// in Input.Lines and Input.Coupons.
func Price(in Input) (*Quote, error) {
	c, err := price(&in, nil)
	if err != nil {
		return nil, err
	}
	c.sayWhatIf(&in)
	return c.quote(in.Currency), nil
}

// price has all rules' turns but those of one rule, which may be nil.
func price(in *Input, without *source) (*cart, error) {
	c, err := promoted(in, without)
	if err != nil {
		return nil, err
	}
	c.useCoupons(in.Coupons, without)
	return c, nil
}

// promoted is the cart after its promotions, before its coupons.
func promoted(in *Input, without *source) (*cart, error) {
	c, err := newCart(in.Lines)
	if err != nil {
		return nil, err
	}
	if err := checkCoupons(in.Coupons); err != nil {
		return nil, err
	}
	c.user, c.usage, c.gifts, c.explain = in.User, in.Usage, in.Gifts, in.Explain
	turns := in.Rules.turns(c, in.Now, without)
	c.expect(len(turns) + len(in.Coupons))
	for i := range turns {
		switch t := &turns[i]; {
		case t.done:
		case t.group != 0:
			c.contest(turns, i)
		default:
			c.measure(t)
			c.take(t)
		}
	}
	return c, nil
}

// measure finds what a turn would give now, or why nothing.
func (c *cart) measure(t *turn) {
	t.amount = 0
	if t.why = c.barred(t.rule); t.why != "" {
		return
	}
	if t.amount, t.why = t.kind.discount(c, &t.Promotion, t.in); t.why == "" && c.beyondBudget(t) {
		t.why = BudgetSpent
	}
}

// take ends a turn that has just been measured: the discount is applied, or
// the rule is skipped for the reason found.
func (c *cart) take(t *turn) {
	if t.why != "" {
		c.skip(t)
		return
	}
	t.done = true
	c.apply(t.kind, &t.Promotion, t.in, t.amount, Applied{
		Source: FromPromotion, ID: t.ID, Name: t.Name, Version: t.Version, Limited: t.limited,
	})
}

func (c *cart) skip(t *turn) {
	l, ofLimits := c.explainLimits(t)
	if !ofLimits {
		l = t.kind.explain(c, &t.Promotion, t.in, t.why)
	}
	if l.reached > 0 {
		c.blame(&l, t.in).at(c, len(c.skipped))
	}
	c.skipFor(t, t.why, l)
}

func (c *cart) skipFor(t *turn, why Reason, l lack) {
	t.done = true
	c.skipped = append(c.skipped, Skipped{
		Source: FromPromotion, ID: t.ID, Name: t.Name, Version: t.Version,
		Reason: why, Detail: l.en, DetailZh: l.zh, Missing: l.missing,
	})
}

// contest is the turn of the exclusive group whose first member in play is
// turns[first]; the package comment has the rule.
func (c *cart) contest(turns []turn, first int) {
	var best *turn
	for i := first; i >= 0; i = turns[i].next {
		t := &turns[i]
		c.measure(t)
		if t.why == "" && (best == nil || t.better(best)) {
			best = t
		}
	}
	step := turns[first].kind.step
	decided := best != nil && best.kind.step == step
	// The losers first: they are explained by the amounts that they were
	// measured on.
	for i := first; i >= 0; i = turns[i].next {
		switch t := &turns[i]; {
		case t == best || !decided && t.kind.step > step:
		case t.why != "":
			c.skip(t)
		default:
			gives, this := money.FormatYuan(best.amount), money.FormatYuan(t.amount)
			c.skipFor(t, LostToBetter, lack{bilingual: bilingual{
				"only one of " + t.ExclusiveGroup + " applies: " + best.Name + " gives " + gives + ", this " + this,
				t.ExclusiveGroup + "只能享受一项：" + best.Name + "优惠" + gives + "元，此项" + this + "元",
			}})
		}
	}
	if decided {
		c.take(best)
	}
}

// better compares two turns of one group that have been measured.
func (t *turn) better(other *turn) bool {
	return t.amount > other.amount || t.amount == other.amount && t.ahead(other.rule) < 0
}
