package pricing

import (
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Gift is what is known of a sku that a gift rule names.
type Gift struct {
	Sku       string `json:"sku"`
	Name      string `json:"name"`
	UnitPrice int64  `json:"unitPrice"` // minor units
	Available int64  `json:"available"` // units that can be had, before this cart takes its own
}

// Ask is what a price depends on beside the cart, the user and the rules.
type Ask struct {
	Limited    []Limited // promotions with limits that may apply, sorted by id
	Gifts      []string  // skus, sorted
	FirstOrder bool      // some rule is for first orders only
}

// asks says whether the rule depends on something that Ask names.
func (u *rule) asks() bool {
	return u.limited != nil || u.FirstOrderOnly || u.kind.gives != nil
}

// Asks says whether there are rules that Ask is about at all.
func (r *Rules) Asks() bool { return r != nil && r.asking != nil }

// Ask says what must be known before Price can be called: of the rules that
// are in date, have a line in scope and are for the user. User.FirstOrder is
// not looked at. For a shop without such rules it costs a comparison.
func (r *Rules) Ask(lines []Line, user *User, now time.Time) Ask {
	var ask Ask
	if r == nil || r.asking == nil || len(lines) == 0 {
		return ask
	}
	marked := make([]uint64, len(r.asking))
	for i := range lines {
		r.eachRank(&lines[i], func(rank int32) {
			if bit := uint64(1) << (rank % 64); r.asking[rank/64]&bit != 0 && !r.rules[rank].excludes(&lines[i]) {
				marked[rank/64] |= bit
			}
		})
	}
	for w := range marked {
		for rest := r.everywhere[w] & r.asking[w]; rest != 0; rest &= rest - 1 {
			bit := bits.TrailingZeros64(rest)
			u := r.rules[w*64+bit]
			if slices.ContainsFunc(lines, func(l Line) bool { return !u.excludes(&l) }) {
				marked[w] |= 1 << bit
			}
		}
		for rest := marked[w]; rest != 0; rest &= rest - 1 {
			u := r.rules[w*64+bits.TrailingZeros64(rest)]
			if !u.inDate(now) || !u.eligible(user) {
				continue
			}
			ask.FirstOrder = ask.FirstOrder || u.FirstOrderOnly
			if u.limited != nil {
				ask.Limited = append(ask.Limited, *u.limited)
			}
			if u.kind.gives != nil {
				sku, _ := u.kind.gives(&u.Promotion)
				ask.Gifts = append(ask.Gifts, sku)
			}
		}
	}
	slices.SortFunc(ask.Limited, func(a, b Limited) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(ask.Gifts)
	ask.Gifts = slices.Compact(ask.Gifts)
	return ask
}

// Considers says whether some rule is in date, has a line in scope and is for
// the user. If none is, Price gives what it gives without these rules. It is
// for few rules: the work grows with their number.
func (r *Rules) Considers(lines []Line, user *User, now time.Time) bool {
	considered := func(rank int32, l *Line) bool {
		u := r.rules[rank]
		return u.inDate(now) && u.eligible(user) && !u.excludes(l)
	}
	found := false
	for i := range lines {
		l := &lines[i]
		for rank, u := range r.rules {
			found = found || !u.listed && considered(int32(rank), l)
		}
		if r.eachRank(l, func(rank int32) { found = found || considered(rank, l) }); found {
			return true
		}
	}
	return false
}
