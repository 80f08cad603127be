package pricing

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Rules is a shop's promotions, made ready for evaluation: sorted by turn and
// indexed by what they are about, so that those without a line in a cart cost
// that cart nothing. It is immutable and safe for use by many at once.
type Rules struct {
	rules  []*rule // in the order of their turns; an index into it is a rank
	groups int     // exclusive groups

	everywhere []uint64 // set of the ranks that are about all lines
	needing    []uint64 // set of the ranks that need more than cart, user and rules; nil when there are none
	bySku      index
	byCategory index
}

// rule is a promotion with what Compile found out about it.
type rule struct {
	Promotion
	kind    *kind
	group   int32    // from 1; 0 is none
	limited *Limited // nil is none

	listed            bool // has skus or categories, so that the index knows its lines
	excludeSkus       map[string]struct{}
	excludeCategories map[string]struct{}
	within            *Scope // of a rule that lists by itself: nil is no scope
}

// Compile makes promotions ready for Price. It copies what it keeps. Those
// that are not active are left out, and so are those of a kind that this
// version does not know or with a parameter out of its range: Validate
// refuses them, but one that got into the store nevertheless must not stop a
// shop from selling.
func Compile(promotions []Promotion) *Rules {
	r := &Rules{}
	all := make([]rule, 0, len(promotions))
	var f faults
	for i := range promotions {
		p := &promotions[i]
		k := kindNamed(p.Kind)
		if k == nil || p.Active != nil && !*p.Active {
			continue
		}
		f = f[:0]
		f.parameters(p, k.name, k.uses, nil)
		if f.parameters(p, k.name, limits, nil); len(f) == 0 {
			all = append(all, rule{Promotion: p.clone(), kind: k, limited: p.limited()})
		}
	}
	r.rules = make([]*rule, len(all))
	for i := range all {
		r.rules[i] = &all[i]
	}
	slices.SortStableFunc(r.rules, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(a.kind.step, b.kind.step), a.ahead(b))
	})
	r.everywhere = make([]uint64, (len(r.rules)+63)/64)
	groups := map[string]int32{}
	skus, categories := listings{slots: map[string]int32{}}, listings{slots: map[string]int32{}}
	for rank, u := range r.rules {
		if u.ExclusiveGroup != "" {
			if groups[u.ExclusiveGroup] == 0 {
				groups[u.ExclusiveGroup] = int32(len(groups) + 1)
			}
			u.group = groups[u.ExclusiveGroup]
		}
		r.list(int32(rank), u, &skus, &categories)
		if u.needs() {
			if r.needing == nil {
				r.needing = make([]uint64, len(r.everywhere))
			}
			r.needing[rank/64] |= 1 << (rank % 64)
		}
	}
	r.groups, r.bySku, r.byCategory = len(groups), skus.index(), categories.index()
	return r
}

// ahead compares by priority, higher first, then by id.
func (u *rule) ahead(other *rule) int {
	return cmp.Or(cmp.Compare(other.Priority, u.Priority), strings.Compare(u.ID, other.ID))
}

// list puts what a rule is about into the indexes.
func (r *Rules) list(rank int32, u *rule, skus, categories *listings) {
	s := u.Scope
	u.Scope = nil // from here on the index knows it
	if u.kind.lists != nil {
		u.listed, u.within = true, s
		skus.add(rank, u.kind.lists(&u.Promotion))
		return
	}
	if s != nil {
		u.excludeSkus, u.excludeCategories = set(s.ExcludeSkus), set(s.ExcludeCategories)
	}
	if s.everywhere() {
		r.everywhere[rank/64] |= 1 << (rank % 64)
		return
	}
	u.listed = true
	skus.add(rank, s.Skus)
	categories.add(rank, s.Categories)
}

// turn is a rule that has a line of the cart in scope and is in date.
type turn struct {
	*rule
	in   scoped
	done bool // applied or skipped
	next int  // the next turn of its exclusive group; -1 is none

	amount int64 // what it gave when it was last measured
	why    Reason
}

// turns finds the rules that have a turn at this cart, in order, but
// those of one that is left out; without may be nil. The work
// grows with the rules that have a line in scope, not with those of the shop,
// but for a bit each.
func (r *Rules) turns(c *cart, now time.Time, without *source) []turn {
	if r == nil || len(c.lines) == 0 {
		return nil
	}
	marked := slices.Clone(r.everywhere)
	listed := r.listed(c)
	for _, l := range listed {
		marked[l.rank/64] |= 1 << (l.rank % 64)
	}

	n := 0
	before := make([]int32, len(marked)) // turns in the 64-bit words before this one
	for w := range marked {
		before[w] = int32(n)
		for rest := marked[w]; rest != 0; rest &= rest - 1 {
			bit := bits.TrailingZeros64(rest)
			if r.rules[w*64+bit].inDate(now) {
				n++
			} else {
				marked[w] &^= 1 << bit
			}
		}
	}
	if n == 0 {
		return nil
	}

	sets := make([]lineSet, n)
	for _, l := range listed {
		w, bit := l.rank/64, uint64(1)<<(l.rank%64)
		if marked[w]&bit != 0 {
			place := before[w] + int32(bits.OnesCount64(marked[w]&(bit-1)))
			sets[place][l.line/64] |= 1 << (l.line % 64)
		}
	}

	all := make([]turn, 0, n)
	var room scoped
	place := 0
	for w := range marked {
		for rest := marked[w]; rest != 0; rest &= rest - 1 {
			u := r.rules[w*64+bits.TrailingZeros64(rest)]
			in := c.every
			if u.listed || u.excludeSkus != nil || u.excludeCategories != nil {
				start := len(room)
				room = u.appendLines(room, c, &sets[place])
				in = room[start:len(room):len(room)]
			}
			if place++; len(in) > 0 {
				all = append(all, turn{rule: u, in: in, next: -1})
			}
		}
	}
	if without != nil {
		all = slices.DeleteFunc(all, func(t turn) bool { return *without == source{FromPromotion, t.ID, ""} })
	}
	r.chain(all)
	return all
}

// lineSet is a set of lines of a cart.
type lineSet [(MaxLines + 63) / 64]uint64

// listing is a rule that lists a line's sku or one of its categories.
type listing struct {
	rank int32
	line int32
}

// listed finds all listings, some at times more than once.
func (r *Rules) listed(c *cart) []listing {
	all := make([]listing, 0, 4*len(c.lines))
	for i := range c.lines {
		r.eachRank(c.lines[i].given, func(rank int32) { all = append(all, listing{rank, int32(i)}) })
	}
	return all
}

// eachRank calls yield for every rule that lists the line's sku or one of its
// categories, at times more than once.
func (r *Rules) eachRank(l *Line, yield func(rank int32)) {
	for _, rank := range r.bySku.of(l.Sku) {
		yield(rank)
	}
	for _, category := range l.Categories {
		for _, rank := range r.byCategory.of(category) {
			yield(rank)
		}
	}
}

// appendLines appends those of the listed lines (or of all, if the rule lists
// none) that the rule does not exclude.
func (u *rule) appendLines(to scoped, c *cart, listed *lineSet) scoped {
	for i := range c.lines {
		if u.listed && listed[i/64]&(1<<(i%64)) == 0 {
			continue
		}
		if !u.excludes(c.lines[i].given) {
			to = append(to, uint8(i))
		}
	}
	return to
}

func (u *rule) excludes(l *Line) bool {
	if u.excludeSkus == nil && u.excludeCategories == nil {
		return !u.within.covers(l)
	}
	if _, excluded := u.excludeSkus[l.Sku]; excluded {
		return true
	}
	for _, category := range l.Categories {
		if _, excluded := u.excludeCategories[category]; excluded {
			return true
		}
	}
	return false
}

// chain links the turns of each exclusive group.
func (r *Rules) chain(all []turn) {
	if r.groups == 0 {
		return
	}
	after := make([]int, r.groups+1) // by group, 1 + the first turn found
	for i := len(all) - 1; i >= 0; i-- {
		if g := all[i].group; g != 0 {
			all[i].next, after[g] = after[g]-1, i+1
		}
	}
}

// inDate says whether now is in [StartsAt, EndsAt).
func (u *rule) inDate(now time.Time) bool {
	return (u.StartsAt == nil || !now.Before(*u.StartsAt)) && (u.EndsAt == nil || now.Before(*u.EndsAt))
}

// clone copies p with all that it points to, and sorts the items of a bundle.
func (p *Promotion) clone() Promotion {
	c := *p
	c.PercentOff, c.StartsAt, c.EndsAt, c.Active = copied(p.PercentOff), copied(p.StartsAt), copied(p.EndsAt), copied(p.Active)
	c.Scope = p.Scope.clone()
	c.UserLevels, c.UserTags = slices.Clone(p.UserLevels), slices.Clone(p.UserTags)
	c.Items, c.Tiers = slices.Clone(p.Items), slices.Clone(p.Tiers)
	slices.SortFunc(c.Items, func(a, b BundleItem) int { return strings.Compare(a.Sku, b.Sku) })
	for i := range c.Tiers {
		c.Tiers[i].PercentOff = copied(c.Tiers[i].PercentOff)
	}
	return c
}

func (s *Scope) clone() *Scope {
	if s == nil {
		return nil
	}
	return &Scope{slices.Clone(s.Skus), slices.Clone(s.Categories), slices.Clone(s.ExcludeSkus), slices.Clone(s.ExcludeCategories)}
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// set is nil for an empty list.
func set(list []string) map[string]struct{} {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]struct{}, len(list))
	for _, s := range list {
		m[s] = struct{}{}
	}
	return m
}
