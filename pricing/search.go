package pricing

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
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
	flat bool
	seen map[string]bool
	key  []byte

	path []int // groups, in the order taken
	odd  bool  // one of them is not stackable
	room [MaxCoupons + 1]struct {
		open []opening
		left []int64
	}
	lists [4][]int // room for tie

	best    choice
	usable  int
	work    int
	stopped bool
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

func (s *search) run() {
	payable := s.apart
	for i := range s.c.lines {
		payable += s.c.lines[i].left
	}
	s.best.payable = payable
	if s.flat {
		s.seen = map[string]bool{}
	}
	all := make([]opening, len(s.groups))
	for g := range all {
		all[g].group = g
	}
	s.visit(all, payable)
}

// visit follows the branch that path is. open holds the groups that could
// still take something off one step before.
func (s *search) visit(open []opening, payable int64) {
	depth := len(s.path)
	s.consider(payable)
	if depth == MaxCoupons || s.known() {
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
			if s.work > maxWork {
				s.stopped = true
				return
			}
			s.take(g, o.amount)
			s.path = append(s.path, o.group)
			was := s.odd
			s.odd = was || !g.Stackable
			g.used++
			s.visit(open, payable-o.amount)
			g.used--
			s.odd = was
			s.path = s.path[:depth]
			s.putBack(g)
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

// swapped says whether the branch with the group at its end is the same as
// one with its last two the other way round, and that other one is followed:
// two of one turn that share no line do not notice each other's place.
func (s *search) swapped(group int) bool {
	if s.flat || len(s.path) == 0 {
		return false // known will see it
	}
	last := s.path[len(s.path)-1]
	if group >= last || s.groups[group].turn != s.groups[last].turn {
		return false
	}
	a, b := s.groups[group].touches, s.groups[last].touches
	for i := range a {
		if a[i]&b[i] != 0 {
			return false
		}
	}
	return true
}

// known says whether a branch that comes to the same was followed before.
func (s *search) known() bool {
	if !s.flat || len(s.path) < 2 {
		return false
	}
	s.work += 2*len(s.c.lines) + len(s.path)
	k := s.key[:0]
	for _, g := range s.path {
		k = append(k, uint8(g))
	}
	slices.Sort(k)
	for i := range s.c.lines {
		k = binary.AppendVarint(k, s.c.lines[i].left)
	}
	s.key = k
	if s.seen[string(k)] {
		return true
	}
	s.seen[string(k)] = true
	return false
}

const _ = uint8(MaxWallet - 1) // groups are numbered by bytes in keys

// hopeless says whether no way on from the branch that begins with a coupon of
// this turn or a later one beats the best choice, if each coupon took off what
// it would take off now.
func (s *search) hopeless(open []opening, turn int, payable int64) bool {
	need := payable - s.best.payable // to come to the same
	slots, odd := MaxCoupons-len(s.path), s.odd
	var sum int64
	took, enough := 0, 0
	for _, o := range open {
		g := &s.groups[o.group]
		if g.turn < turn || odd && !g.Stackable {
			continue
		}
		odd = odd || !g.Stackable
		for range min(slots-took, len(g.members)-g.used) {
			took++
			sum += o.amount
			if enough == 0 && sum >= need {
				enough = took
			}
		}
	}
	lowest := max(payable-sum, s.apart)
	if lowest != s.best.payable {
		return lowest > s.best.payable
	}
	if count := len(s.path) + enough; count != len(s.best.path) {
		return count > len(s.best.path)
	}
	return s.tie(open, turn, enough) >= 0
}

// consider keeps the branch if it is better than the best.
func (s *search) consider(payable int64) {
	by := cmp.Or(cmp.Compare(payable, s.best.payable), len(s.path)-len(s.best.path))
	if by > 0 || by == 0 && s.tie(nil, 0, 0) >= 0 {
		return
	}
	s.best = choice{payable, append(s.best.path[:0], s.path...)}
}

// tie compares the branch with the best choice, which comes to the same with
// as many coupons, if it took those more that expire, or sort, first of all
// that are open.
func (s *search) tie(open []opening, turn, more int) int {
	for n, rank := range [2][]int{s.expiry, s.code} {
		ours, theirs := s.lists[2*n][:0], s.lists[2*n+1][:0]
		for _, o := range open {
			g := &s.groups[o.group]
			if g.turn < turn {
				continue
			}
			for _, at := range g.members[g.used:min(len(g.members), g.used+more)] {
				ours = append(ours, rank[at])
			}
		}
		slices.Sort(ours)
		ours = appendRanks(s.groups, ours[:min(more, len(ours))], s.path, rank)
		theirs = appendRanks(s.groups, theirs, s.best.path, rank)
		slices.Sort(ours)
		slices.Sort(theirs)
		s.lists[2*n], s.lists[2*n+1] = ours, theirs
		if by := slices.Compare(ours, theirs); by != 0 {
			return by
		}
	}
	return 0
}

// appendRanks appends the ranks of the coupons that a path takes.
func appendRanks(groups []couponGroup, to, path, rank []int) []int {
	for n, g := range path {
		to = append(to, rank[groups[g].members[countIn(path[:n], g)]])
	}
	return to
}

func countIn(path []int, g int) (n int) {
	for _, p := range path {
		if p == g {
			n++
		}
	}
	return n
}

// chosen are the places in the wallet of the best choice, in the order in
// which they are to be given.
func (s *search) chosen() []int {
	at := make([]int, len(s.best.path))
	for n, g := range s.best.path {
		at[n] = s.groups[g].members[countIn(s.best.path[:n], g)]
	}
	return at
}
