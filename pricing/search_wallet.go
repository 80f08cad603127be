package pricing

import (
	"slices"
	"strings"
)

// newSearch takes a cart after its promotions, and the wallet's coupons,
// the soonest to expire first.
func newSearch(c *cart, uses []couponUse) *search {
	s := &search{expiry: make([]int, len(uses)), code: make([]int, len(uses))}
	byCode := make([]int, len(uses))
	for i := range uses {
		byCode[i] = i
		if i > 0 {
			s.expiry[i] = s.expiry[i-1]
			if uses[i-1].expires(uses[i].Coupon) != 0 {
				s.expiry[i]++
			}
		}
	}
	slices.SortFunc(byCode, func(a, b int) int { return strings.Compare(uses[a].Code, uses[b].Code) })
	for rank, i := range byCode {
		s.code[i] = rank
	}
	s.group(c, uses)
	s.copyCart(c)
	return s
}

// group puts the coupons that would take something off into groups, at most
// MaxWallet in all.
func (s *search) group(c *cart, uses []couponUse) {
	type worth struct {
		kind, lines               string
		off, most, from, percents int64
		stacks                    bool
	}
	at := map[worth]int{}
	kept := 0
	for i := range uses {
		u := &uses[i]
		if !u.open {
			continue
		}
		if amount, _ := u.kind.discount(c, &u.rule, u.in); amount == 0 {
			continue
		}
		s.usable++
		w := worth{u.Kind, string(u.in), u.AmountOff, u.MaxDiscount, u.Threshold, int64(u.PercentOff), u.Stackable}
		n, known := at[w]
		if known && (!u.Stackable || len(s.groups[n].members) == MaxCoupons) {
			continue // more of these could not be given
		}
		if kept++; kept > MaxWallet {
			s.stopped = true
			continue
		}
		if !known {
			n = len(s.groups)
			at[w] = n
			s.groups = append(s.groups, couponGroup{couponUse: u, turn: slices.Index(couponKinds, u.kind), in: u.in})
		}
		s.groups[n].members = append(s.groups[n].members, i)
	}
}

// copyCart makes the cart that the search works on, and the groups' lines in
// it.
func (s *search) copyCart(c *cart) {
	const none = -1
	owner := make([]int, len(c.lines)) // the first group that covers the line
	for i := range owner {
		owner[i] = none
	}
	s.flat = true
	for g := range s.groups {
		in := s.groups[g].in
		first := owner[in[0]]
		for _, i := range in {
			s.flat = s.flat && owner[i] == first
			if owner[i] == none {
				owner[i] = g
			}
		}
		s.flat = s.flat && (first == none || len(in) == len(s.groups[first].in))
	}
	place := make([]int, len(c.lines)) // of a line, in the copy
	ofOwner := map[int]int{}
	var left []int64
	for i := range c.lines {
		known := false
		if place[i], known = ofOwner[owner[i]]; owner[i] == none {
			s.apart += c.lines[i].left
		} else if s.flat && known {
			left[place[i]] += c.lines[i].left
		} else {
			place[i] = len(left)
			ofOwner[owner[i]] = place[i]
			left = append(left, c.lines[i].left)
		}
	}
	n := len(left)
	numbers := make([]int64, 3*n)
	s.c = &cart{lines: make([]cartLine, n), shares: numbers[:n], weights: numbers[n : 2*n], parts: numbers[2*n:]}
	for i := range left {
		s.c.lines[i].left = left[i]
	}
	for g := range s.groups {
		group := &s.groups[g]
		given := group.in
		group.in, group.touches = nil, make([]uint64, (n+63)/64)
		for _, i := range given {
			to := place[i]
			if bit := uint64(1) << (to % 64); group.touches[to/64]&bit == 0 {
				group.touches[to/64] |= bit
				group.in = append(group.in, uint8(to))
			}
		}
	}
}
