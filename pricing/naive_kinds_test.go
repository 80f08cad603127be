package pricing

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/tandem-pay/tandem/money"
)

// have lets a rule have its way with the cart.
func (c *naiveCart) have(p Promotion) naiveAnswer {
	in := map[string]bool{}
	var base int64
	for _, l := range c.lines {
		if naiveAbout(p, l) {
			in[l.Sku] = true
			base += c.amount[l.Sku]
		}
	}
	if len(in) == 0 {
		return naiveAnswer{reason: NothingInScope}
	}
	var a naiveAnswer
	switch p.Kind {
	case "fixed_price":
		a = c.haveFixedPrice(p, in)
	case "bundle":
		a = c.haveBundle(p, in)
	case "buy_x_get_y":
		a = c.haveBuyXGetY(p, in)
	case "nth_item":
		a = c.haveNthItem(p, in)
	case "n_for_price":
		a = c.haveNForPrice(p, in)
	case "gift":
		return c.haveGift(p, base)
	default:
		a = c.haveOff(p, in, base)
	}
	if a.gives() && a.sum() == 0 {
		return naiveAnswer{reason: NothingLeft}
	}
	for sku, s := range a.shares {
		c.amount[sku] -= s
	}
	return a
}

func (c *naiveCart) haveFixedPrice(p Promotion, in map[string]bool) naiveAnswer {
	shares := map[string]int64{}
	for i := range c.units {
		if u := &c.units[i]; in[u.sku] && u.costs > p.Price {
			shares[u.sku] += u.costs - p.Price
			u.costs = p.Price
		}
	}
	return naiveAnswer{shares: shares}
}

// loose lists the units in scope that take part in no rule yet, by sku.
func (c *naiveCart) loose(in map[string]bool) []*naiveUnit {
	var can []*naiveUnit
	for i := range c.units {
		if u := &c.units[i]; in[u.sku] && !u.part {
			can = append(can, u)
		}
	}
	return can
}

func naiveCost(units []*naiveUnit) (sum int64) {
	for _, u := range units {
		sum += u.costs
	}
	return sum
}

func (c *naiveCart) haveBundle(p Promotion, in map[string]bool) naiveAnswer {
	costs, off := map[string]int64{}, int64(0)
	for sets := 0; ; sets++ {
		var set []*naiveUnit
		var missing int64
		for _, it := range p.Items {
			can := c.loose(map[string]bool{it.Sku: in[it.Sku]})
			have := min(int64(len(can)), it.Quantity)
			set = append(set, can[:have]...)
			missing += it.Quantity - have
		}
		if missing > 0 && sets == 0 {
			return naiveAnswer{reason: NotEnoughUnits, missing: missing}
		}
		if missing > 0 || naiveCost(set) <= p.Price {
			break
		}
		off += naiveCost(set) - p.Price
		for _, u := range set {
			u.part = true
			costs[u.sku] += u.costs
		}
	}
	return naiveAnswer{shares: naiveSpread(costs, big.NewInt(off))}
}

func (c *naiveCart) haveBuyXGetY(p Promotion, in map[string]bool) naiveAnswer {
	can := c.loose(in)
	slices.SortStableFunc(can, func(a, b *naiveUnit) int { return cmp.Compare(a.costs, b.costs) })
	sets := int64(len(can)) / (p.Buy + p.Get)
	if sets == 0 {
		return naiveAnswer{reason: NotEnoughUnits, missing: p.Buy + p.Get - int64(len(can))}
	}
	shares := map[string]int64{}
	for _, u := range can[:sets*p.Get] {
		shares[u.sku] += u.costs
		u.costs = 0
	}
	for _, u := range can[:sets*(p.Buy+p.Get)] {
		u.part = true
	}
	return naiveAnswer{shares: shares}
}

func (c *naiveCart) haveNthItem(p Promotion, in map[string]bool) naiveAnswer {
	costs, base, missing := map[string]int64{}, int64(0), p.N
	some := false
	for sku := range in {
		can := c.loose(map[string]bool{sku: true})
		missing = min(missing, p.N-int64(len(can)))
		for ; int64(len(can)) >= p.N; can = can[p.N:] {
			some = true
			nth := can[p.N-1]
			costs[sku] += nth.costs
			base += nth.costs
			for _, u := range can[:p.N] {
				u.part = true
			}
		}
	}
	if !some {
		return naiveAnswer{reason: NotEnoughUnits, missing: missing}
	}
	return naiveAnswer{shares: naiveSpread(costs, naivePercent(base, *p.PercentOff))}
}

func (c *naiveCart) haveNForPrice(p Promotion, in map[string]bool) naiveAnswer {
	can := c.loose(in)
	if int64(len(can)) < p.N {
		return naiveAnswer{reason: NotEnoughUnits, missing: p.N - int64(len(can))}
	}
	slices.SortStableFunc(can, func(a, b *naiveUnit) int { return cmp.Compare(b.costs, a.costs) })
	costs, off := map[string]int64{}, int64(0)
	for ; int64(len(can)) >= p.N && naiveCost(can[:p.N]) > p.Price; can = can[p.N:] {
		off += naiveCost(can[:p.N]) - p.Price
		for _, u := range can[:p.N] {
			u.part = true
			costs[u.sku] += u.costs
		}
	}
	return naiveAnswer{shares: naiveSpread(costs, big.NewInt(off))}
}

// haveOff is whatever takes something off what the lines come to.
func (c *naiveCart) haveOff(p Promotion, in map[string]bool, base int64) naiveAnswer {
	threshold := p.Threshold
	if p.Kind == "tiered" {
		threshold = p.Tiers[0].Threshold
	}
	if base == 0 {
		return naiveAnswer{reason: NothingLeft}
	}
	if base < threshold {
		return naiveAnswer{reason: ThresholdNotMet, missing: threshold - base}
	}
	off := new(big.Int)
	switch p.Kind {
	case "percent_off":
		off = naivePercent(base, *p.PercentOff)
		if most := big.NewInt(p.MaxDiscount); p.MaxDiscount > 0 && off.Cmp(most) > 0 {
			off = most
		}
	case "amount_off":
		off.SetInt64(p.AmountOff)
		if p.Repeat {
			off.Mul(off, big.NewInt(base/p.Threshold))
		}
	case "tiered":
		for _, tier := range p.Tiers {
			if base < tier.Threshold {
				continue
			}
			if off.SetInt64(tier.AmountOff); tier.PercentOff != nil {
				off = naivePercent(base, *tier.PercentOff)
			}
		}
	}
	if off.Cmp(big.NewInt(base)) > 0 {
		off.SetInt64(base)
	}
	amounts := map[string]int64{}
	for sku := range in {
		amounts[sku] = c.amount[sku]
	}
	return naiveAnswer{shares: naiveSpread(amounts, off)}
}

func (c *naiveCart) haveGift(p Promotion, base int64) naiveAnswer {
	if base < p.Threshold {
		return naiveAnswer{reason: ThresholdNotMet, missing: p.Threshold - base}
	}
	total := new(big.Int)
	for _, l := range c.lines {
		total.Add(total, big.NewInt(l.UnitPrice*l.Quantity))
	}
	for _, g := range c.given {
		total.Add(total, big.NewInt(g.value))
	}
	for _, k := range c.known {
		if k.Sku != p.GiftSku || k.UnitPrice < 0 {
			continue
		}
		left := k.Available
		for _, l := range c.lines {
			if l.Sku == k.Sku {
				left -= l.Quantity
			}
		}
		for _, g := range c.given {
			if g.sku == k.Sku {
				left -= g.quantity
			}
		}
		value := new(big.Int).Mul(big.NewInt(k.UnitPrice), big.NewInt(p.GiftQuantity))
		switch {
		case left < p.GiftQuantity:
			return naiveAnswer{reason: GiftOutOfStock}
		case len(c.given) == 20, total.Add(total, value).Cmp(big.NewInt(money.Max)) > 0:
			return naiveAnswer{reason: TooManyGifts}
		}
		g := naiveGift{k.Sku, p.GiftQuantity, value.Int64()}
		c.given = append(c.given, g)
		return naiveAnswer{gift: &g}
	}
	return naiveAnswer{reason: GiftNotFound}
}

func naivePercent(base int64, off money.Percent) *big.Int {
	v := new(big.Int).Mul(big.NewInt(base), big.NewInt(int64(off)))
	return v.Div(v, big.NewInt(10000))
}

// naiveSpread gives each its whole part of its exact share, then one more to
// the largest fraction until nothing is left.
func naiveSpread(over map[string]int64, off *big.Int) map[string]int64 {
	shares, fraction := map[string]int64{}, map[string]*big.Rat{}
	var base int64
	for _, amount := range over {
		base += amount
	}
	left := off.Int64()
	if left == 0 {
		return shares
	}
	for sku, amount := range over {
		exact := big.NewRat(amount, base)
		exact.Mul(exact, new(big.Rat).SetInt(off))
		whole := new(big.Int).Div(exact.Num(), exact.Denom())
		shares[sku] = whole.Int64()
		left -= whole.Int64()
		fraction[sku] = exact.Sub(exact, new(big.Rat).SetInt(whole))
	}
	for ; left > 0; left-- {
		best := ""
		for _, sku := range slices.Sorted(maps.Keys(over)) {
			if best == "" || fraction[sku].Cmp(fraction[best]) > 0 {
				best = sku
			}
		}
		shares[best]++
		fraction[best] = big.NewRat(-1, 1)
	}
	return shares
}
