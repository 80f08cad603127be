package pricing

import (
	"testing"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
)

func TestCoupons(t *testing.T) {
	refused := couponOff("R", "0", "1.00")
	refused.Refused, refused.Detail = CouponExpired, "ended yesterday"
	capped := couponPercent("P", "50")
	capped.MaxDiscount, capped.Threshold = 1000, 5000
	runRows(t, []row{
		{"amount", "a 100.00", nil, coupons(couponOff("C", "100.00", "10.00")), "a 90.00 | C 10.00 (a 10.00) |"},
		{"amount without threshold", "a 5.00", nil, coupons(couponOff("C", "0", "10.00")), "a 0.00 | C 5.00 (a 5.00) |"},
		{"threshold not met", "a 99.00", nil, coupons(couponOff("C", "100.00", "10.00")), "a 99.00 | | C threshold_not_met: 1.00 more for C"},
		{"percent", "a 100.00", nil, coupons(couponPercent("C", "12.5")), "a 87.50 | C 12.50 (a 12.50) |"},
		{"percent, at most", "a 100.00", nil, coupons(capped), "a 90.00 | P 10.00 (a 10.00) |"},
		{"percent, threshold not met", "a 49.99", nil, coupons(capped), "a 49.99 | | P threshold_not_met: 0.01 more for P"},
		{"a hundred percent", "a 3.00; b 4.00", nil, coupons(couponPercent("C", "100")), "a 0.00 b 0.00 | C 7.00 (a 3.00 b 4.00) |"},
		{"scope", "a 3.00; b 4.00", nil, coupons(couponOff("C", "0", "1.00", couponSkus("b"))), "a 3.00 b 3.00 | C 1.00 (b 1.00) |"},
		{"nothing in scope", "a 3.00", nil, coupons(couponOff("C", "0", "1.00", couponSkus("b"))), "a 3.00 | | C nothing_in_scope: no item is in its scope"},
		{"refused by marketing", "a 3.00", nil, coupons(refused), "a 3.00 | | R coupon_expired: ended yesterday"},
		{"an empty cart", "", nil, coupons(couponOff("C", "0", "1.00")), " | | C nothing_in_scope: no item is in its scope"},
		{"after the promotions", "a 105.00", rules(percent("p", "10")), coupons(couponOff("C", "100.00", "10.00")), "a 94.50 | p 10.50 (a 10.50) | C threshold_not_met: 5.50 more for C; 100.00 was reached before earlier discounts"},
		{"nothing left", "a 1.00", rules(percent("p", "100")), coupons(couponOff("C", "0", "1.00")), "a 0.00 | p 1.00 (a 1.00) | C nothing_left_to_discount: nothing is left to discount"},
		{"a rule that cannot be", "a 1.00", nil, coupons(Coupon{Code: "C", TemplateID: "C", Kind: "percent_off"}, Coupon{Code: "D", TemplateID: "D", Kind: "bogus"}), "a 1.00 | | C not_active: its rule cannot be priced, D not_active: its rule cannot be priced"},

		{"percent before amount", "a 100.00", nil, coupons(couponOff("A", "0", "10.00", stackable), couponPercent("P", "10", stackable)), "a 80.00 | P 10.00 (a 10.00), A 10.00 (a 10.00) |"},
		{"each kind as given", "a 100.00", nil, coupons(couponOff("B", "0", "10.00", stackable), couponOff("A", "0", "1.00", stackable)), "a 89.00 | B 10.00 (a 10.00), A 1.00 (a 1.00) |"},
		{"stackable ones and one that is not", "a 100.00", nil, coupons(couponOff("A", "0", "10.00"), couponOff("B", "0", "1.00", stackable)), "a 89.00 | A 10.00 (a 10.00), B 1.00 (a 1.00) |"},
		{"two that do not stack: the first given", "a 100.00", nil, coupons(couponOff("B", "0", "10.00"), couponOff("A", "0", "50.00")), "a 90.00 | B 10.00 (a 10.00) | A not_stackable: does not combine with B"},
		{"the first given, even if its kind goes later", "a 100.00", nil, coupons(couponOff("A", "0", "10.00"), couponPercent("P", "50")), "a 90.00 | A 10.00 (a 10.00) | P not_stackable: does not combine with A"},
		{"the first that can", "a 100.00", nil, coupons(couponOff("A", "200.00", "10.00"), couponOff("B", "0", "5.00"), couponOff("C", "0", "6.00")), "a 95.00 | B 5.00 (a 5.00) | A threshold_not_met: 100.00 more for A, C not_stackable: does not combine with B"},
		{"a refused one does not stand in the way", "a 100.00", nil, coupons(refused, couponOff("B", "0", "5.00")), "a 95.00 | B 5.00 (a 5.00) | R coupon_expired: ended yesterday"},
		{"the first that can beside those that stack", "a 100.00", nil, coupons(couponOff("A", "100.00", "10.00"), couponPercent("P", "50", stackable), couponOff("B", "0", "5.00")), "a 45.00 | P 50.00 (a 50.00), B 5.00 (a 5.00) | A threshold_not_met: 50.00 more for A; 100.00 was reached before earlier discounts"},
		{"none that can", "a 10.00", nil, coupons(couponOff("A", "100.00", "10.00"), couponOff("B", "50.00", "5.00"), couponOff("C", "0", "1.00", stackable)), "a 9.00 | C 1.00 (a 1.00) | A threshold_not_met: 90.00 more for A, B threshold_not_met: 40.00 more for B"},
	})
}

func TestCouponLimits(t *testing.T) {
	_, err := Price(Input{Coupons: coupons(couponOff("A", "0", "1"), couponOff("B", "0", "1"), couponOff("A", "0", "1"))})
	if got := pointers(err); len(got) != 1 || got[0] != "/couponCodes/2" {
		t.Errorf("twice: %v", err)
	}
	if _, err := Price(Input{Coupons: make([]Coupon, MaxCoupons+1)}); !fault.Is(err, fault.ValidationFailed) {
		t.Errorf("too many: %v", err)
	}
}

func TestValidateCoupon(t *testing.T) {
	zero := money.Percent(0)
	for _, r := range []struct {
		name           string
		kind           string
		off            int64
		percent        *money.Percent
		max, threshold int64
		scope          *Scope
		want           string
	}{
		{"amount", "amount_off", 1, nil, 0, 0, nil, ""},
		{"amount with threshold", "amount_off", 1, nil, 0, money.Max, &Scope{Skus: []string{"a"}}, ""},
		{"percent", "percent_off", 0, pct("100"), 0, 0, nil, ""},
		{"percent with all", "percent_off", 0, pct("0.01"), 1, 1, &Scope{}, ""},
		{"no kind", "", 1, nil, 0, 0, nil, "/kind"},
		{"a promotion's kind", "fixed_price", 1, nil, 0, 0, nil, "/kind"},
		{"no amount", "amount_off", 0, nil, 0, 0, nil, "/amountOff"},
		{"no percentage", "percent_off", 0, nil, 0, 0, nil, "/percentOff"},
		{"zero percent", "percent_off", 0, &zero, 0, 0, nil, "/percentOff"},
		{"all wrong", "amount_off", -1, pct("1"), -1, -1, &Scope{ExcludeSkus: []string{"a", ""}}, "/amountOff /threshold /percentOff /maxDiscount /scope/excludeSkus/1"},
		{"the other's", "percent_off", 5, pct("1"), money.Max + 1, money.Max + 1, nil, "/maxDiscount /threshold /amountOff"},
	} {
		t.Run(r.name, func(t *testing.T) {
			f := faults(ValidateCoupon(r.kind, r.off, r.percent, r.max, r.threshold, r.scope))
			if got := join(pointers(f.err())); got != r.want {
				t.Errorf("at fault: %q, want %q", got, r.want)
			}
		})
	}
}
