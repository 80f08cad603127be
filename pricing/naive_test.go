package pricing

import (
	"cmp"
	"maps"
	"slices"
)

// A second evaluator, written from the text of the rules and not from the
// code: slow and obvious. Units are single things in a list, fractions are
// fractions, and what a rule would give is found by letting it have its way
// with a copy of the cart.

type naiveUnit struct {
	sku   string
	costs int64
	part  bool // takes part in a rule about single units
}

type naiveCart struct {
	lines  []Line // by sku
	units  []naiveUnit
	amount map[string]int64 // running, by sku
	known  []Gift
	given  []naiveGift
}

type naiveGift struct {
	sku             string
	quantity, value int64
}

func (c naiveCart) copy() naiveCart {
	c.units, c.amount, c.given = slices.Clone(c.units), maps.Clone(c.amount), slices.Clone(c.given)
	return c
}

// naiveAnswer is what became of a rule: shares by sku or a gift, or a reason.
type naiveAnswer struct {
	shares  map[string]int64
	gift    *naiveGift
	reason  Reason
	missing int64
}

func (a naiveAnswer) gives() bool { return a.reason == "" }

func (a naiveAnswer) sum() (sum int64) {
	if a.gift != nil {
		return a.gift.value
	}
	for _, s := range a.shares {
		sum += s
	}
	return sum
}

type naiveQuote struct {
	payable map[string]int64
	given   []naiveGift
	order   []string // of those that applied
	answers map[string]naiveAnswer
}

func (q *naiveQuote) answer(key string, a naiveAnswer) {
	if a.gives() {
		q.order = append(q.order, key)
	}
	q.answers[key] = a
}

func naiveInScope(s *Scope, l Line) bool {
	if s == nil {
		return true
	}
	has := func(list []string) bool {
		return slices.ContainsFunc(l.Categories, func(c string) bool { return slices.Contains(list, c) })
	}
	if slices.Contains(s.ExcludeSkus, l.Sku) || has(s.ExcludeCategories) {
		return false
	}
	return len(s.Skus)+len(s.Categories) == 0 || slices.Contains(s.Skus, l.Sku) || has(s.Categories)
}

// naiveAbout says whether a rule is about a line: a bundle is about its items.
func naiveAbout(p Promotion, l Line) bool {
	item := slices.ContainsFunc(p.Items, func(it BundleItem) bool { return it.Sku == l.Sku })
	return naiveInScope(p.Scope, l) && (p.Kind != "bundle" || item)
}

func naivePrice(in Input, promotions []Promotion) naiveQuote {
	q := naiveQuote{answers: map[string]naiveAnswer{}}
	c := naiveCart{lines: slices.Clone(in.Lines), amount: map[string]int64{}, known: in.Gifts}
	slices.SortFunc(c.lines, func(a, b Line) int { return cmp.Compare(a.Sku, b.Sku) })
	for _, l := range c.lines {
		c.amount[l.Sku] = l.UnitPrice * l.Quantity
		for range l.Quantity {
			c.units = append(c.units, naiveUnit{sku: l.Sku, costs: l.UnitPrice})
		}
	}
	q.promotions(&c, in, promotions)
	q.coupons(&c, in.Coupons)
	q.payable, q.given = c.amount, c.given
	return q
}

func (q *naiveQuote) promotions(c *naiveCart, in Input, promotions []Promotion) {
	phases := [][]string{{"fixed_price"}, {"bundle", "buy_x_get_y", "nth_item", "n_for_price"}, {"percent_off", "amount_off", "tiered", "gift"}}
	phaseOf := func(p Promotion) int {
		return slices.IndexFunc(phases, func(kinds []string) bool { return slices.Contains(kinds, p.Kind) })
	}
	var play []Promotion
	for _, p := range promotions {
		touches := slices.ContainsFunc(c.lines, func(l Line) bool { return naiveAbout(p, l) })
		started := p.StartsAt == nil || !in.Now.Before(*p.StartsAt)
		ended := p.EndsAt != nil && !in.Now.Before(*p.EndsAt)
		if touches && started && !ended && (p.Active == nil || *p.Active) {
			play = append(play, p)
		}
	}
	before := func(a, b Promotion) int { return cmp.Or(b.Priority-a.Priority, cmp.Compare(a.ID, b.ID)) }
	slices.SortFunc(play, func(a, b Promotion) int { return cmp.Or(phaseOf(a)-phaseOf(b), before(a, b)) })

	try := func(p Promotion, c *naiveCart) naiveAnswer {
		level := len(p.UserLevels) == 0 || slices.Contains(p.UserLevels, in.User.Level)
		tag := len(p.UserTags) == 0
		for _, t := range in.User.Tags {
			tag = tag || slices.Contains(p.UserTags, t)
		}
		if !level || !tag {
			return naiveAnswer{reason: UserNotEligible}
		}
		used := in.Usage[p.ID]
		switch {
		case p.FirstOrderOnly && !in.User.FirstOrder:
			return naiveAnswer{reason: FirstOrderOnly}
		case p.UsageLimit != 0 && used.Uses+1 > p.UsageLimit:
			return naiveAnswer{reason: UsageLimit}
		case p.PerUserLimit != 0 && used.ByUser+1 > p.PerUserLimit:
			return naiveAnswer{reason: PerUserLimit}
		}
		a := c.have(p)
		if a.gives() && p.Budget != 0 && used.Spent+a.sum() > p.Budget {
			return naiveAnswer{reason: BudgetSpent}
		}
		return a
	}

	for len(play) > 0 {
		turn := play[0]
		// Those that compete now: a rule without group competes with nobody.
		var rivals []Promotion
		for _, p := range play {
			if p.ID == turn.ID || turn.ExclusiveGroup != "" && p.ExclusiveGroup == turn.ExclusiveGroup {
				rivals = append(rivals, p)
			}
		}
		would := map[string]naiveAnswer{}
		var winner *Promotion
		for i, p := range rivals {
			own := c.copy()
			would[p.ID] = try(p, &own)
			if gives := would[p.ID].sum(); would[p.ID].gives() {
				if winner == nil || gives > would[winner.ID].sum() ||
					gives == would[winner.ID].sum() && before(p, *winner) < 0 {
					winner = &rivals[i]
				}
			}
		}
		nowhere := map[string]bool{}
		for _, p := range rivals {
			ofThisPhase := phaseOf(p) == phaseOf(turn)
			wonNow := winner != nil && phaseOf(*winner) == phaseOf(turn)
			switch {
			case winner != nil && p.ID == winner.ID && wonNow:
				q.answer("promotion/"+p.ID, try(p, c))
			case winner != nil && p.ID == winner.ID:
				continue // in its own phase
			case !ofThisPhase && !wonNow:
				continue
			case would[p.ID].gives():
				q.answer("promotion/"+p.ID, naiveAnswer{reason: LostToBetter})
			default:
				q.answer("promotion/"+p.ID, would[p.ID])
			}
			nowhere[p.ID] = true
		}
		play = slices.DeleteFunc(play, func(p Promotion) bool { return nowhere[p.ID] })
	}
}

func (q *naiveQuote) coupons(c *naiveCart, coupons []Coupon) {
	rule := func(u Coupon) Promotion {
		return Promotion{
			Kind: u.Kind, AmountOff: u.AmountOff, PercentOff: &u.PercentOff,
			MaxDiscount: u.MaxDiscount, Threshold: u.Threshold, Scope: u.Scope,
		}
	}
	// with prices the stackable ones and, of the others, the one.
	with := func(one string, c *naiveCart) (answers naiveQuote) {
		answers.answers = map[string]naiveAnswer{}
		for _, kind := range []string{"percent_off", "amount_off"} {
			for _, u := range coupons {
				if u.Kind == kind && u.Refused == "" && (u.Stackable || u.Code == one) {
					answers.answer("coupon/"+u.Code, c.have(rule(u)))
				}
			}
		}
		return answers
	}
	one := ""
	for _, u := range coupons {
		if u.Stackable || u.Refused != "" {
			continue
		}
		key, own := "coupon/"+u.Code, c.copy()
		switch a := with(u.Code, &own).answers[key]; {
		case naiveOutOfScope(c.lines, u):
			q.answer(key, naiveAnswer{reason: NothingInScope})
		case one != "":
			q.answer(key, naiveAnswer{reason: NotStackable})
		case a.gives():
			one = u.Code
		default:
			q.answer(key, a)
		}
	}
	last := with(one, c)
	q.order = append(q.order, last.order...)
	maps.Copy(q.answers, last.answers)
	for _, u := range coupons {
		if u.Refused != "" {
			q.answer("coupon/"+u.Code, naiveAnswer{reason: u.Refused})
		}
	}
}

func naiveOutOfScope(lines []Line, u Coupon) bool {
	return !slices.ContainsFunc(lines, func(l Line) bool { return naiveInScope(u.Scope, l) })
}
