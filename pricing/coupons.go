package pricing

import (
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/fault"
)

// couponKinds are the kinds that a coupon may be of, in the order of their
// turns. The search for the best (search.go) relies on what is true of each: it
// takes no more from less.
var couponKinds = []*kind{&percentOff, &amountOff}

func couponKind(name string) *kind {
	for _, k := range couponKinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

// couponUse is a given coupon and what has become of it.
type couponUse struct {
	*Coupon
	rule Promotion // the same, as the kinds want it
	kind *kind
	in   scoped

	open    bool // may be tried
	applied bool
	reason  Reason
	lack    lack
	below   below
}

// checkCoupons refuses a code that is given twice, for it would be taken
// twice, and more coupons than the limit.
func checkCoupons(coupons []Coupon) error {
	if len(coupons) > MaxCoupons {
		return fault.Invalidf("/couponCodes", "must have at most %d codes", MaxCoupons)
	}
	var f faults
	for i := range coupons {
		for j := range i {
			if coupons[i].Code == coupons[j].Code {
				f.add(fmt.Sprintf("/couponCodes/%d", i), "is given twice")
				break
			}
		}
	}
	return f.err()
}

// useCoupons has the coupons' turns. A coupon that is not stackable can only
// be known to apply by trying it beside those that are; so the candidates are
// tried in the order given, each from the same amounts, until one applies.
func (c *cart) useCoupons(coupons []Coupon, without *source) {
	if len(coupons) == 0 {
		return
	}
	uses := c.openCoupons(coupons)
	if without != nil {
		uses = slices.DeleteFunc(uses, func(u couponUse) bool { return *without == source{FromCoupon, u.TemplateID, u.Code} })
	}
	var candidates []int
	for i := range uses {
		if uses[i].open && !uses[i].Stackable {
			candidates = append(candidates, i)
		}
	}
	undo := c.snapshot()
	for n := 0; ; n++ {
		chosen := -1
		if n < len(candidates) {
			chosen = candidates[n]
		}
		c.tryCoupons(uses, chosen)
		if n+1 >= len(candidates) || uses[chosen].applied {
			c.refuseOthers(uses, candidates[min(n+1, len(candidates)):], chosen)
			break
		}
		undo()
	}
	for i := range uses {
		if u := &uses[i]; !u.applied {
			u.below.at(c, len(c.skipped))
			c.skipped = append(c.skipped, Skipped{
				Source: FromCoupon, ID: u.TemplateID, Code: u.Code, Name: u.Name, Version: u.Version,
				Reason: u.reason, Detail: u.lack.en, DetailZh: u.lack.zh, Missing: u.lack.missing,
			})
		}
	}
}

// openCoupons finds the lines of each coupon and settles those that cannot
// apply whatever happens.
func (c *cart) openCoupons(coupons []Coupon) []couponUse {
	uses := make([]couponUse, len(coupons))
	for i := range coupons {
		u := &uses[i]
		u.Coupon = &coupons[i]
		u.rule = Promotion{
			Name: u.Name, AmountOff: u.AmountOff, PercentOff: &u.PercentOff,
			MaxDiscount: u.MaxDiscount, Threshold: u.Threshold,
		}
		if u.Refused != "" {
			u.reason, u.lack.bilingual = u.Refused, u.refusal()
			continue
		}
		if u.kind = couponKind(u.Kind); u.kind == nil || u.broken() {
			u.reason, u.lack.bilingual = NotActive, bilingual{"its rule cannot be priced", "券的规则无法计价"}
			continue
		}
		for _, line := range c.every {
			if u.Scope.covers(c.lines[line].given) {
				u.in = append(u.in, line)
			}
		}
		if u.open = len(u.in) > 0; !u.open {
			u.reason, u.lack.bilingual = NothingInScope, bilingual{"no item is in its scope", "没有适用的商品"}
		}
	}
	return uses
}

// broken says whether a parameter is missing or out of its range: the kinds
// could not measure it.
func (u *couponUse) broken() bool {
	var f faults
	f.parameters(&u.rule, u.Kind, couponParameters[u.Kind], nil)
	return len(f) > 0
}

// tryCoupons gives every open coupon that is stackable, and the chosen one,
// its turn: percent coupons, then amount coupons.
func (c *cart) tryCoupons(uses []couponUse, chosen int) {
	for _, k := range couponKinds {
		for i := range uses {
			u := &uses[i]
			if !u.open || u.kind != k || !u.Stackable && i != chosen {
				continue
			}
			amount, why := k.discount(c, &u.rule, u.in)
			u.applied, u.reason, u.below = why == "", why, below{}
			if !u.applied {
				u.lack = k.explain(c, &u.rule, u.in, why)
				if u.lack.reached > 0 {
					u.below = c.blame(&u.lack, u.in)
				}
				continue
			}
			c.apply(k, &u.rule, u.in, amount, Applied{
				Source: FromCoupon, ID: u.TemplateID, Code: u.Code, Name: u.Name, Version: u.Version,
			})
		}
	}
}

// refuseOthers settles the candidates that were given after the chosen one.
func (c *cart) refuseOthers(uses []couponUse, others []int, chosen int) {
	for _, i := range others {
		uses[i].reason = NotStackable
		name := uses[chosen].Name
		uses[i].lack = lack{bilingual: bilingual{"does not combine with " + name, "不能与" + name + "叠加使用"}}
	}
}

// snapshot returns a function that brings the amounts and the discounts back
// to what they are now. It does not know about units: coupons leave them be.
func (c *cart) snapshot() (undo func()) {
	left := make([]int64, len(c.lines))
	for i := range left {
		left[i] = c.lines[i].left
	}
	applied := len(c.applied)
	return func() {
		for i := range left {
			c.lines[i].left = left[i]
		}
		c.applied = c.applied[:applied]
	}
}
