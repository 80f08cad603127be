package pricing

import (
	"cmp"
	"slices"
)

// search finds the best coupons of a wallet by branch and bound. A branch is
// a list of coupons that each took something off: percent coupons, then
// amount coupons, as they have their turns. From each branch it goes on with
// the coupons that would take something off now, the largest first.
//
// What is left of a line only ever falls, and no kind of coupon takes more
// from less, nor reaches a threshold with less. So a coupon that takes
// nothing off now never will on this branch, and what each would take off now
// is the most that it can: a branch ends where even all of that together does
// not beat the best choice known.
//
// Coupons that differ in nothing but their code and their end are one group,
// of which the next to expire is taken: to try them in every order would be
// to do the same again and again.
type search struct {
	c      *cart // a copy: only the lines that some coupon covers
	groups []couponGroup
	apart  int64 // what the other lines come to
	expiry []int // by place in the wallet: rank of the end, equal ends equal
	code   []int // rank of the code

	// flat: the lines that two coupons cover are the same or none in common.
	// Then a line of the copy stands for all that one coupon covers, and a
	// branch is known by which coupons it took and what they left: another
	// that comes to the same is not followed again.
	flat  bool
	rough bool
	seen  map[string]bool
	key   []byte

	path []int // groups, in the order taken
	odd  bool  // one of them is not stackable
	room [MaxCoupons + 1]struct {
		open []opening
		left []int64
	}
	lists [4][]int // room for tie

	best    choice
	dived   int // coupons of the earlier turns that the last dive took
	usable  int
	work    int  // examinations of a line
	limit   int  // of work
	ended   bool // at the limit
	stopped bool // at the end: by a limit
}

// couponGroup is the coupons of a wallet that are worth the same.
type couponGroup struct {
	*couponUse
	turn    int      // of its kind
	in      scoped   // in the search's cart
	touches []uint64 // the same as bits
	members []int    // places in the wallet, the next to expire first
	used    int      // of members, on this branch
}

// opening is a group that would take something off now, and how much.
type opening struct {
	group  int
	amount int64
}

type choice struct {
	payable int64
	path    []int
}

func (s *search) run() {
	payable := s.apart
	for i := range s.c.lines {
		payable += s.c.lines[i].left
	}
	s.best.payable = payable
	s.seen = map[string]bool{}
	all := make([]opening, len(s.groups))
	for g := range all {
		all[g].group = g
	}
	for _, first := range []func(a, b *couponGroup) bool{sortedFirst, thresholdFirst} {
		for n := range MaxCoupons + 1 {
			s.dived = 0
			if s.dive(all, payable, n, first); s.dived < n {
				break // there are no more of the earlier turns
			}
		}
	}
	s.limit = maxWork
	if !s.flat {
		// First roughly, for half of what may be done: two branches are taken for
		// the same that took the same coupons and come to the same payable.
		s.rough, s.limit = true, maxWork/2
		s.visit(all, payable)
		s.rough, s.limit, s.seen = false, maxWork, nil
	}
	s.ended = false
	s.visit(all, payable)
	s.stopped = s.stopped || s.ended
}

// dive follows one branch to its end, for a good choice to begin with: at
// most so many coupons of the earlier turns, the largest first, then those of
// the last turn, as first says.
func (s *search) dive(open []opening, payable int64, early int, first func(a, b *couponGroup) bool) {
	s.consider(payable)
	if len(s.path) == MaxCoupons {
		return
	}
	open = s.measure(open)
	next := -1
	for i := range open {
		g := &s.groups[open[i].group]
		if g.turn < len(couponKinds)-1 {
			if early > 0 {
				next = i
				break
			}
		} else if next < 0 || first(g, &s.groups[open[next].group]) {
			next = i
		}
	}
	if next < 0 {
		return
	}
	o := open[next]
	g := &s.groups[o.group]
	if g.turn < len(couponKinds)-1 {
		early--
		s.dived++
	}
	s.step(g, o, func() { s.dive(open, payable-o.amount, early, first) })
}

// sortedFirst is the largest first, as they are sorted.
func sortedFirst(*couponGroup, *couponGroup) bool { return false }

// thresholdFirst leaves the most coupons within their thresholds, if all are
// about the same lines.
func thresholdFirst(a, b *couponGroup) bool {
	return a.Threshold-a.AmountOff > b.Threshold-b.AmountOff
}

// step has do follow the branch with one more coupon.
func (s *search) step(g *couponGroup, o opening, do func()) {
	depth, odd := len(s.path), s.odd
	s.take(g, o.amount)
	s.path = append(s.path, o.group)
	s.odd = odd || !g.Stackable
	g.used++
	do()
	g.used--
	s.odd = odd
	s.path = s.path[:depth]
	s.putBack(g)
}

// visit follows the branch that path is. open holds the groups that could
// still take something off one step before.
func (s *search) visit(open []opening, payable int64) {
	s.consider(payable)
	if len(s.path) == MaxCoupons || s.known(payable) {
		return
	}
	open = s.measure(open)
	for turn := range couponKinds {
		for _, o := range open {
			g := &s.groups[o.group]
			if g.turn != turn || s.swapped(o.group) {
				continue
			}
			if s.hopeless(open, turn, payable) {
				return
			}
			if s.ended = s.ended || s.work > s.limit; s.ended {
				return
			}
			s.step(g, o, func() { s.visit(open, payable-o.amount) })
		}
	}
}

// measure finds what each group would take off now, the largest first.
func (s *search) measure(open []opening) []opening {
	turn := 0
	if n := len(s.path); n > 0 {
		turn = s.groups[s.path[n-1]].turn
	}
	now := s.room[len(s.path)].open[:0]
	for _, o := range open {
		g := &s.groups[o.group]
		if g.used == len(g.members) || g.turn < turn || s.odd && !g.Stackable {
			continue
		}
		s.work += len(g.in) + 2
		if o.amount, _ = g.kind.discount(s.c, &g.rule, g.in); o.amount > 0 {
			now = append(now, o)
		}
	}
	slices.SortFunc(now, func(a, b opening) int {
		return cmp.Or(cmp.Compare(b.amount, a.amount), a.group-b.group)
	})
	s.room[len(s.path)].open = now
	return now
}

// take takes the amount that was measured off the lines.
func (s *search) take(g *couponGroup, amount int64) {
	s.work += 4 * len(g.in)
	left := s.room[len(s.path)].left[:0]
	g.kind.take(s.c, &g.rule, g.in, amount)
	for _, i := range g.in {
		l := &s.c.lines[i]
		left = append(left, l.left)
		l.left -= s.c.shares[i]
		s.c.shares[i] = 0
	}
	s.room[len(s.path)].left = left
}

// putBack undoes the take of the branch that path is.
func (s *search) putBack(g *couponGroup) {
	for n, i := range g.in {
		s.c.lines[i].left = s.room[len(s.path)].left[n]
	}
}
