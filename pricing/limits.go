package pricing

import (
	"slices"
	"strconv"

	"github.com/tandem-pay/tandem/money"
)

// Usage is what a limited promotion has given so far.
type Usage struct {
	Uses   int64 `json:"uses,omitempty"`   // orders that used it, of everybody
	ByUser int64 `json:"byUser,omitempty"` // of them, this buyer's
	Spent  int64 `json:"spent,omitempty"`  // discount that it has given, minor units
}

// Limited names a promotion with limits: orders of all buyers, orders of one
// buyer, and discount in minor units. 0 is no limit.
type Limited struct {
	ID                    string
	Uses, PerUser, Budget int64
}

// mostUses is the largest limit on a number of orders.
const mostUses = 1_000_000_000_000

// limits are parameters that every kind has.
var limits = []parameter{
	optional(number(ParameterInfo{Name: "perUserLimit", Min: 1, Max: mostUses}, func(p *Promotion) int64 { return p.PerUserLimit })),
	optional(number(ParameterInfo{Name: "usageLimit", Min: 1, Max: mostUses}, func(p *Promotion) int64 { return p.UsageLimit })),
	optional(minorUnits("budget", bilingual{}, func(p *Promotion) int64 { return p.Budget })),
}

// limited is nil for a promotion without limits.
func (p *Promotion) limited() *Limited {
	if p.UsageLimit == 0 && p.PerUserLimit == 0 && p.Budget == 0 {
		return nil
	}
	return &Limited{ID: p.ID, Uses: p.UsageLimit, PerUser: p.PerUserLimit, Budget: p.Budget}
}

// eligible says whether the user is one that the promotion is for: of one of
// its levels, if it lists any, and with at least one of its tags, if it lists
// any.
func (p *Promotion) eligible(u *User) bool {
	return (len(p.UserLevels) == 0 || slices.Contains(p.UserLevels, u.Level)) &&
		(len(p.UserTags) == 0 || shareOne(p.UserTags, u.Tags))
}

// barred says why a rule cannot apply whatever it would give; "" when it can.
func (c *cart) barred(u *rule) Reason {
	switch {
	case !u.eligible(&c.user):
		return UserNotEligible
	case u.FirstOrderOnly && !c.user.FirstOrder:
		return FirstOrderOnly
	case u.limited == nil:
		return ""
	}
	used := c.usage[u.ID]
	switch {
	case u.UsageLimit > 0 && used.Uses >= u.UsageLimit:
		return UsageLimit
	case u.PerUserLimit > 0 && used.ByUser >= u.PerUserLimit:
		return PerUserLimit
	}
	return ""
}

// beyondBudget says whether a discount that was just measured is more than
// the budget has left. Then nothing is given: a part of what a rule promises
// would be a price that nobody can explain.
func (c *cart) beyondBudget(t *turn) bool {
	return t.Budget > 0 && t.amount > t.Budget-c.usage[t.ID].Spent
}

// explainLimits says why a rule cannot apply to this buyer or not any more;
// false when its kind has to explain.
func (c *cart) explainLimits(t *turn) (lack, bool) {
	switch t.why {
	case UserNotEligible:
		return lack{bilingual: refusals[UserNotEligible]}, true
	case FirstOrderOnly:
		return lack{bilingual: bilingual{"only for a buyer's first order", "仅限首单"}}, true
	case UsageLimit:
		times := strconv.FormatInt(t.UsageLimit, 10)
		return lack{bilingual: bilingual{"all its " + times + " uses are taken", times + "个名额已用完"}}, true
	case PerUserLimit:
		times := strconv.FormatInt(t.PerUserLimit, 10)
		return lack{bilingual: bilingual{"this buyer has used it, and may " + times + " times in all", "每人限享" + times + "次，已用完"}}, true
	case BudgetSpent:
		left, this := money.FormatYuan(max(0, t.Budget-c.usage[t.ID].Spent)), money.FormatYuan(t.amount)
		return lack{bilingual: bilingual{
			"its budget has " + left + " left, and here it would give " + this,
			"活动预算仅余" + left + "元，不足以优惠" + this + "元",
		}}, true
	default:
		return lack{}, false
	}
}
