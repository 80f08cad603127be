package pricing

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
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
}

func (c naiveCart) copy() naiveCart {
	c.units, c.amount = slices.Clone(c.units), maps.Clone(c.amount)
	return c
}

// naiveAnswer is what became of a rule: shares by sku, or a reason.
type naiveAnswer struct {
	shares  map[string]int64
	reason  Reason
	missing int64
}

func (a naiveAnswer) sum() (sum int64) {
	for _, s := range a.shares {
		sum += s
	}
	return sum
}

type naiveQuote struct {
	payable map[string]int64
	order   []string // of those that applied
	answers map[string]naiveAnswer
}

func (q *naiveQuote) answer(key string, a naiveAnswer) {
	if a.sum() > 0 {
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

// have lets a rule have its way with the cart.
func (c *naiveCart) have(p Promotion) naiveAnswer {
	in := map[string]bool{}
	var base int64
	for _, l := range c.lines {
		if naiveInScope(p.Scope, l) {
			in[l.Sku] = true
			base += c.amount[l.Sku]
		}
	}
	if len(in) == 0 {
		return naiveAnswer{reason: NothingInScope}
	}
	shares := map[string]int64{}
	switch p.Kind {
	case "fixed_price":
		for i := range c.units {
			if u := &c.units[i]; in[u.sku] && u.costs > p.Price {
				shares[u.sku] += u.costs - p.Price
				u.costs = p.Price
			}
		}
	case "buy_x_get_y":
		var can []*naiveUnit
		for i := range c.units {
			if u := &c.units[i]; in[u.sku] && !u.part {
				can = append(can, u)
			}
		}
		slices.SortStableFunc(can, func(a, b *naiveUnit) int { return cmp.Compare(a.costs, b.costs) })
		sets := int64(len(can)) / (p.Buy + p.Get)
		if sets == 0 {
			return naiveAnswer{reason: NotEnoughUnits, missing: p.Buy + p.Get - int64(len(can))}
		}
		for _, u := range can[:sets*p.Get] {
			shares[u.sku] += u.costs
			u.costs = 0
		}
		for _, u := range can[:sets*(p.Buy+p.Get)] {
			u.part = true
		}
	default:
		if base == 0 {
			return naiveAnswer{reason: NothingLeft}
		}
		if base < p.Threshold {
			return naiveAnswer{reason: ThresholdNotMet, missing: p.Threshold - base}
		}
		off := new(big.Int)
		if p.Kind == "percent_off" {
			off.Mul(big.NewInt(base), big.NewInt(int64(*p.PercentOff)))
			off.Div(off, big.NewInt(10000))
			if most := big.NewInt(p.MaxDiscount); p.MaxDiscount > 0 && off.Cmp(most) > 0 {
				off = most
			}
		} else {
			off.SetInt64(p.AmountOff)
			if p.Repeat {
				off.Mul(off, big.NewInt(base/p.Threshold))
			}
		}
		if off.Cmp(big.NewInt(base)) > 0 {
			off.SetInt64(base)
		}
		shares = c.naiveSpread(in, off, base)
	}
	a := naiveAnswer{shares: shares}
	if a.sum() == 0 {
		return naiveAnswer{reason: NothingLeft}
	}
	for sku, s := range shares {
		c.amount[sku] -= s
	}
	return a
}

// naiveSpread gives each line the whole part of its exact share, then one
// more to the largest fraction until nothing is left.
func (c *naiveCart) naiveSpread(in map[string]bool, off *big.Int, base int64) map[string]int64 {
	shares, fraction := map[string]int64{}, map[string]*big.Rat{}
	left := off.Int64()
	for sku := range in {
		exact := big.NewRat(c.amount[sku], base)
		exact.Mul(exact, new(big.Rat).SetInt(off))
		whole := new(big.Int).Div(exact.Num(), exact.Denom())
		shares[sku] = whole.Int64()
		left -= whole.Int64()
		fraction[sku] = exact.Sub(exact, new(big.Rat).SetInt(whole))
	}
	for ; left > 0; left-- {
		best := ""
		for _, sku := range slices.Sorted(maps.Keys(in)) {
			if best == "" || fraction[sku].Cmp(fraction[best]) > 0 {
				best = sku
			}
		}
		shares[best]++
		fraction[best] = big.NewRat(-1, 1)
	}
	return shares
}

func naivePrice(in Input, promotions []Promotion) naiveQuote {
	q := naiveQuote{answers: map[string]naiveAnswer{}}
	c := naiveCart{lines: slices.Clone(in.Lines), amount: map[string]int64{}}
	slices.SortFunc(c.lines, func(a, b Line) int { return cmp.Compare(a.Sku, b.Sku) })
	for _, l := range c.lines {
		c.amount[l.Sku] = l.UnitPrice * l.Quantity
		for range l.Quantity {
			c.units = append(c.units, naiveUnit{sku: l.Sku, costs: l.UnitPrice})
		}
	}
	q.promotions(&c, in, promotions)
	q.coupons(&c, in.Coupons)
	q.payable = c.amount
	return q
}

func (q *naiveQuote) promotions(c *naiveCart, in Input, promotions []Promotion) {
	phases := [][]string{{"fixed_price"}, {"buy_x_get_y"}, {"percent_off", "amount_off"}}
	phaseOf := func(p Promotion) int {
		return slices.IndexFunc(phases, func(kinds []string) bool { return slices.Contains(kinds, p.Kind) })
	}
	var play []Promotion
	for _, p := range promotions {
		touches := slices.ContainsFunc(c.lines, func(l Line) bool { return naiveInScope(p.Scope, l) })
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
		return c.have(p)
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
			if gives := would[p.ID].sum(); gives > 0 {
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
			case would[p.ID].sum() > 0:
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
		case a.sum() > 0:
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

// differ compares a quote with the naive one.
func differ(q *Quote, n naiveQuote) error {
	for _, l := range q.Lines {
		if l.Payable != n.payable[l.Sku] {
			return fmt.Errorf("line %s is %d, naively %d", l.Sku, l.Payable, n.payable[l.Sku])
		}
	}
	key := func(s Source, id, code string) string {
		if s == FromCoupon {
			return "coupon/" + code
		}
		return "promotion/" + id
	}
	var order []string
	for _, a := range q.Applied {
		k := key(a.Source, a.ID, a.Code)
		order = append(order, k)
		shares := maps.Clone(n.answers[k].shares)
		maps.DeleteFunc(shares, func(_ string, s int64) bool { return s == 0 })
		for _, s := range a.Shares {
			if shares[q.Lines[s.Line].Sku] != s.Amount {
				return fmt.Errorf("%s: %v, naively %v", k, a.Shares, shares)
			}
		}
		if len(shares) != len(a.Shares) {
			return fmt.Errorf("%s: %v, naively %v", k, a.Shares, shares)
		}
	}
	if !slices.Equal(order, n.order) {
		return fmt.Errorf("applied %v, naively %v", order, n.order)
	}
	for _, s := range q.Skipped {
		k := key(s.Source, s.ID, s.Code)
		if a := n.answers[k]; a.reason != s.Reason || a.missing != s.Missing {
			return fmt.Errorf("%s skipped: %s %d, naively %s %d", k, s.Reason, s.Missing, a.reason, a.missing)
		}
	}
	if len(q.Applied)+len(q.Skipped) != len(n.answers) {
		return fmt.Errorf("%d answers, naively %d", len(q.Applied)+len(q.Skipped), len(n.answers))
	}
	return nil
}

func TestAgreesWithNaive(t *testing.T) {
	cases := 20_000
	if testing.Short() {
		cases = 2_000
	}
	reasons := map[Reason]int{}
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		in, promotions := randomInput(r.IntN)
		in.Rules = Compile(promotions)
		q := mustPrice(t, in)
		if err := differ(q, naivePrice(in, promotions)); err != nil {
			t.Fatalf("seed %d: %v\n%s\n%+v\n%+v\n%+v", seed, err, say(q), in.Lines, promotions, in.Coupons)
		}
		reasons["applied"] += len(q.Applied)
		for _, s := range q.Skipped {
			reasons[s.Reason]++
		}
	}
	// A generator that never reaches a rule would prove nothing about it.
	for _, want := range []Reason{"applied", UserNotEligible, NothingInScope, ThresholdNotMet, NotEnoughUnits, NothingLeft, LostToBetter, NotStackable} {
		if reasons[want] < cases/100 {
			t.Errorf("only %d × %s in %v", reasons[want], want, reasons)
		}
	}
}

// Carts and shops of a size at which indexes and buffers matter.
func TestLargeAgreesWithNaive(t *testing.T) {
	for seed := range 10 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		in := Input{Now: noon}
		for _, n := range r.Perm(300)[:60+r.IntN(60)] {
			in.Lines = append(in.Lines, Line{
				Sku: fmt.Sprintf("s%03d", n), Categories: []string{fmt.Sprint("c", n%20)},
				UnitPrice: r.Int64N(20000), Quantity: 1 + r.Int64N(3),
			})
		}
		var promotions []Promotion
		for i := range 300 {
			_, some := randomInput(r.IntN)
			if len(some) == 0 {
				continue
			}
			p := some[0]
			p.ID, p.Priority = fmt.Sprintf("p%03d", i), r.IntN(3)
			p.Scope = &Scope{Skus: []string{fmt.Sprintf("s%03d", r.IntN(300)), fmt.Sprintf("s%03d", r.IntN(300))}}
			switch r.IntN(20) {
			case 0:
				p.Scope = nil
			case 1, 2:
				p.Scope.Categories = []string{fmt.Sprint("c", r.IntN(20))}
			case 3:
				p.Scope = &Scope{ExcludeCategories: []string{fmt.Sprint("c", r.IntN(20))}}
			}
			if p.ExclusiveGroup != "" {
				p.ExclusiveGroup = fmt.Sprint("g", r.IntN(30))
			}
			promotions = append(promotions, p)
		}
		in.Rules = Compile(promotions)
		q := mustPrice(t, in)
		if len(q.Applied) < 5 {
			t.Errorf("seed %d: only %d applied", seed, len(q.Applied))
		}
		if err := differ(q, naivePrice(in, promotions)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
