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

// Needs is what a price depends on beside the cart, the user and the rules.
type Needs struct {
	Limited    []Limited // promotions with limits that may apply, sorted by id
	Gifts      []string  // skus, sorted
	FirstOrder bool      // some rule is for first orders only
}

// needs says whether the rule depends on something that Needs names.
func (u *rule) needs() bool {
	return u.limited != nil || u.FirstOrderOnly || u.kind.gives != nil
}

// HasNeeds says whether there are rules that need anything of Needs at all.
func (r *Rules) HasNeeds() bool { return r != nil && r.needing != nil }

// Needs says what must be known before Price can be called: of the rules that
// are in date, have a line in scope and are for the user. User.FirstOrder is
// not read. For a shop without such rules it costs a comparison.
func (r *Rules) Needs(lines []Line, user *User, now time.Time) Needs {
	var needs Needs
	if r == nil || r.needing == nil || len(lines) == 0 {
		return needs
	}
	marked := make([]uint64, len(r.needing))
	for i := range lines {
		r.eachRank(&lines[i], func(rank int32) {
			if bit := uint64(1) << (rank % 64); r.needing[rank/64]&bit != 0 && !r.rules[rank].excludes(&lines[i]) {
				marked[rank/64] |= bit
			}
		})
	}
	for w := range marked {
		for rest := r.everywhere[w] & r.needing[w]; rest != 0; rest &= rest - 1 {
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
			needs.FirstOrder = needs.FirstOrder || u.FirstOrderOnly
			if u.limited != nil {
				needs.Limited = append(needs.Limited, *u.limited)
			}
			if u.kind.gives != nil {
				sku, _ := u.kind.gives(&u.Promotion)
				needs.Gifts = append(needs.Gifts, sku)
			}
		}
	}
	slices.SortFunc(needs.Limited, func(a, b Limited) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(needs.Gifts)
	needs.Gifts = slices.Compact(needs.Gifts)
	return needs
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
