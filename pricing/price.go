package pricing

import "github.com/tandem-pay/tandem/money"

// Price computes the quote. It does not change the input. The only error is a
// *fault.Error with code validation_failed: lines or coupons that break the
// limits, that are given twice, or whose amounts pass money.Max. Its fields
// point into a request's items and couponCodes, by the places that they have
// in Input.Lines and Input.Coupons.
func Price(in Input) (*Quote, error) {
	c, err := promoted(&in)
	if err != nil {
		return nil, err
	}
	c.useCoupons(in.Coupons)
	return c.quote(in.Currency), nil
}

// promoted is the cart after its promotions, before its coupons.
func promoted(in *Input) (*cart, error) {
	c, err := newCart(in.Lines)
	if err != nil {
		return nil, err
	}
	if err := checkCoupons(in.Coupons); err != nil {
		return nil, err
	}
	turns := in.Rules.turns(c, in.Now)
	c.expect(len(turns) + len(in.Coupons))
	for i := range turns {
		switch t := &turns[i]; {
		case t.done:
		case t.group != 0:
			c.contest(turns, i, &in.User)
		default:
			c.measure(t, &in.User)
			c.take(t)
		}
	}
	return c, nil
}

// measure finds what a turn would give now, or why nothing.
func (c *cart) measure(t *turn, user *User) {
	if t.eligible(user) {
		t.amount, t.why = t.kind.discount(c, &t.Promotion, t.in)
	} else {
		t.amount, t.why = 0, UserNotEligible
	}
}

// take ends a turn that has just been measured: the discount is applied, or
// the rule is skipped for the reason found.
func (c *cart) take(t *turn) {
	if t.amount == 0 {
		c.skip(t)
		return
	}
	t.done = true
	c.apply(t.kind, &t.Promotion, t.in, t.amount, Applied{
		Source: FromPromotion, ID: t.ID, Name: t.Name, Version: t.Version,
	})
}

func (c *cart) skip(t *turn) {
	detail, missing := "not offered to this user", int64(0)
	if t.why != UserNotEligible {
		detail, missing = t.kind.explain(c, &t.Promotion, t.in, t.why)
	}
	c.skipFor(t, t.why, detail, missing)
}

func (c *cart) skipFor(t *turn, why Reason, detail string, missing int64) {
	t.done = true
	c.skipped = append(c.skipped, Skipped{
		Source: FromPromotion, ID: t.ID, Name: t.Name,
		Reason: why, Detail: detail, Missing: missing,
	})
}

// contest is the turn of the exclusive group whose first member in play is
// turns[first]; the package comment has the rule.
func (c *cart) contest(turns []turn, first int, user *User) {
	var best *turn
	for i := first; i >= 0; i = turns[i].next {
		t := &turns[i]
		c.measure(t, user)
		if t.amount > 0 && (best == nil || t.better(best)) {
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
		case t.amount == 0:
			c.skip(t)
		default:
			c.skipFor(t, LostToBetter, "only one of "+t.ExclusiveGroup+" applies: "+
				best.Name+" gives "+money.FormatYuan(best.amount)+", this "+money.FormatYuan(t.amount), 0)
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
