package pricing

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// swapped says whether the branch with the group at its end is the same as
// one with its last two the other way round, and that other one is followed:
// two of one turn that share no line do not notice each other's place.
func (s *search) swapped(group int) bool {
	if s.flat || s.rough || len(s.path) == 0 {
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
func (s *search) known(payable int64) bool {
	if !s.flat && !s.rough || len(s.path) < 2 {
		return false
	}
	s.work += 2*len(s.c.lines) + len(s.path)
	k := s.key[:0]
	for _, g := range s.path {
		k = append(k, uint8(g))
	}
	slices.Sort(k)
	if s.rough {
		k = binary.AppendVarint(k, payable)
	} else {
		for i := range s.c.lines {
			k = binary.AppendVarint(k, s.c.lines[i].left)
		}
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
	s.work += 1 + len(open)/4
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
		s.work += 2 + 4*len(ours)
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
