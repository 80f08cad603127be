package pricing

import (
	"strconv"

	"github.com/tandem-pay/tandem/money"
)

// bilingual is one text in English and Chinese.
type bilingual struct{ en, zh string }

var nothingLeft = bilingual{"nothing is left to discount", "已没有可优惠的金额"}

// ofNothing explains a percentage that comes to less than a minor unit.
func ofNothing(p money.Percent, base int64) bilingual {
	if base == 0 {
		return nothingLeft
	}
	amount := money.FormatYuan(base)
	return bilingual{
		p.String() + " % of " + amount + " rounds down to nothing",
		amount + "元的" + p.String() + "%舍去零头后为0",
	}
}

// ofSets is the text for a number of sets.
func ofSets(sets, _ int64) bilingual {
	n := strconv.FormatInt(sets, 10)
	if sets == 1 {
		return bilingual{"1 set", "1套"}
	}
	return bilingual{n + " sets", n + "套"}
}

// elsewhere adds that so many units are not counted.
func (w bilingual) elsewhere(units int64) bilingual {
	if units > 0 {
		n := strconv.FormatInt(units, 10)
		w.en += "; " + n + " take part in another offer"
		w.zh += "；有" + n + "件已参加其他优惠"
	}
	return w
}

// lack is why a rule gives nothing.
type lack struct {
	bilingual
	missing int64 // minor units or units of goods; 0 when nothing countable is missing
	reached int64 // the threshold, if it was reached before earlier discounts; or 0
}

// refusals are the texts for coupons that may not be used, unless the input
// has a text of its own.
var refusals = map[Reason]bilingual{
	NotActive:        {"it is not active", "此券未启用"},
	NotStarted:       {"it has not started yet", "活动尚未开始"},
	Ended:            {"it has ended", "活动已结束"},
	UserNotEligible:  {"not offered to this user", "此用户不适用"},
	CouponNotFound:   {"there is no such code", "没有这张券"},
	CouponNotYours:   {"this code belongs to another user", "此券属于其他用户"},
	CouponLocked:     {"another order holds this code", "此券已被其他订单占用"},
	CouponUsed:       {"this code has been used", "此券已使用"},
	CouponExpired:    {"this code has expired", "此券已过期"},
	CouponRevoked:    {"this code was withdrawn", "此券已作废"},
	CouponNotStarted: {"this code is not valid yet", "此券尚未生效"},
}

// refusal is the text for a refused coupon.
func (u *Coupon) refusal() bilingual {
	text, known := refusals[u.Refused]
	if !known {
		text = bilingual{"it cannot be used: " + string(u.Refused), "此券不可用：" + string(u.Refused)}
	}
	if u.Detail != "" {
		text.en = u.Detail
	}
	if u.DetailZh != "" {
		text.zh = u.DetailZh
	}
	return text
}
