package backtest

import (
	"container/heap"
	"maps"
	"time"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

// simulation takes the orders together in order of time: who buys for the
// first time, and what the draft's limits have left.
type simulation struct {
	draft    *pricing.Promotion
	limited  bool
	tally    *tally
	to       time.Time
	earlier  map[string]struct{} // buyers with an order before the period that was not closed
	buying   map[string]int64    // orders of the period that were not closed so far, by buyer
	waiting  inTime[*pricedAgain]
	releases inTime[release]

	// What orders of the period count of the draft, and what they really
	// counted of the live promotion that has its id.
	counted, really used
}

// used is the counters of a promotion.
type used struct {
	uses, spent int64
	byUser      map[string]int64
}

func (u *used) add(user string, uses, spent int64) {
	u.uses += uses
	u.spent += spent
	if u.byUser[user] += uses; u.byUser[user] == 0 {
		delete(u.byUser, user)
	}
}

// release is what an order gives back when it closes.
type release struct {
	user            string
	counted, really pricing.Usage
}

func newSimulation(b *Request, t *tally) *simulation {
	p := &b.Promotion
	return &simulation{
		draft: p, limited: p.UsageLimit > 0 || p.PerUserLimit > 0 || p.Budget > 0, tally: t, to: b.To,
		earlier: map[string]struct{}{}, buying: map[string]int64{},
		counted: used{byUser: map[string]int64{}}, really: used{byUser: map[string]int64{}},
	}
}

// before notes a buyer with an order before the period.
func (s *simulation) before(user string) error {
	s.earlier[user] = struct{}{}
	return nil
}

// next is the next order by number. One that was a draft waits until its time
// has come.
func (s *simulation) next(p *pricedAgain) {
	if p.Submitted {
		heap.Push(&s.waiting, timed[*pricedAgain]{p.PlacedAt, p})
		return
	}
	s.submit(p.PlacedAt)
	s.take(p)
}

// submit takes the orders that were submitted until a time.
func (s *simulation) submit(until time.Time) {
	for len(s.waiting) > 0 && !s.waiting[0].at.After(until) {
		s.take(heap.Pop(&s.waiting).(timed[*pricedAgain]).value)
	}
}

// end is after the last order.
func (s *simulation) end() {
	s.submit(s.to)
	s.release(s.to.Add(-1))
}

// take decides what the draft's limits allow one order.
func (s *simulation) take(p *pricedAgain) {
	s.release(p.PlacedAt)
	_, bought := s.earlier[p.User]
	first := !bought && s.buying[p.User] == 0
	r := release{user: p.User}
	if p.quote != nil {
		before := s.usage(p)
		s.settle(p, first, before)
		if p.is >= 0 {
			r.counted = pricing.Usage{Uses: 1, Spent: p.is}
			s.tally.give(p.PlacedAt, p.is)
			s.tally.reached(s.draft, p.PlacedAt, before.Uses+1, before.Spent+p.is)
		}
		if l := p.rules.replaced; p.was >= 0 && l != nil {
			if l.UsageLimit > 0 || l.PerUserLimit > 0 {
				r.really.Uses = 1
			}
			if l.Budget > 0 {
				r.really.Spent = p.was
			}
		}
		s.counted.add(p.User, r.counted.Uses, r.counted.Spent)
		s.really.add(p.User, r.really.Uses, r.really.Spent)
	}
	s.buying[p.User]++
	if p.ended() {
		heap.Push(&s.releases, timed[release]{p.ClosedAt, r})
	}
	s.tally.order(p, first)
}

// settle finds the price that the draft's limits leave.
func (s *simulation) settle(p *pricedAgain, first bool, used pricing.Usage) {
	had := p.is >= 0
	if s.draft.FirstOrderOnly && !p.firstKnown && !first && p.in.User.FirstOrder {
		p.in.User.FirstOrder = false
		p.reprice(s.draft.ID)
		had = p.is >= 0
	}
	if p.quote == nil || !s.limited || s.within(p, used) {
		return
	}
	why, known := s.barred(p, used)
	if !known {
		if p.in.Usage = maps.Clone(p.in.Usage); p.in.Usage == nil {
			p.in.Usage = map[string]pricing.Usage{}
		}
		p.in.Usage[s.draft.ID] = used
		if p.reprice(s.draft.ID); p.quote == nil {
			return
		}
		for i := range p.quote.Skipped {
			if k := &p.quote.Skipped[i]; k.Source == pricing.FromPromotion && k.ID == s.draft.ID {
				why = k.Reason
			}
		}
	} else if why != "" {
		p.quote, p.is = nil, -1
	}
	if had {
		s.tally.refuse(why, p.PlacedAt)
	}
}

// barred says for which limit the order has nothing of the draft, "" if for
// none. With a draft that is barred the price is what it was without; whether
// a budget is enough is known if the draft was measured but once. It is not
// known otherwise.
func (s *simulation) barred(p *pricedAgain, u pricing.Usage) (why pricing.Reason, known bool) {
	switch d := s.draft; {
	case p.rules.replaced != nil:
		return "", false
	case d.UsageLimit > 0 && u.Uses >= d.UsageLimit:
		return pricing.UsageLimit, true
	case d.PerUserLimit > 0 && u.ByUser >= d.PerUserLimit:
		return pricing.PerUserLimit, true
	case d.ExclusiveGroup != "":
		return "", false
	case p.is > d.Budget-u.Spent:
		return pricing.BudgetSpent, true
	}
	return "", true
}

// within says whether the draft's limits allow whatever it could give.
func (s *simulation) within(p *pricedAgain, u pricing.Usage) bool {
	d := s.draft
	return (d.UsageLimit == 0 || u.Uses < d.UsageLimit) && (d.PerUserLimit == 0 || u.ByUser < d.PerUserLimit) &&
		(d.Budget == 0 || p.most(d) <= d.Budget-u.Spent)
}

// most is more than the draft can give, whatever else applies.
func (p *pricedAgain) most(d *pricing.Promotion) int64 {
	for i := range p.in.Gifts {
		if g := &p.in.Gifts[i]; g.Sku == d.GiftSku {
			if value, err := money.Mul(g.UnitPrice, d.GiftQuantity); err == nil {
				return value
			}
		}
	}
	return p.quote.Total
}

// usage is what the counters of the draft say when the order comes. Those of
// a live promotion that it replaces stood where the order found them, but for
// what the period's orders count otherwise.
func (s *simulation) usage(p *pricedAgain) pricing.Usage {
	u := pricing.Usage{Uses: s.counted.uses, ByUser: s.counted.byUser[p.User], Spent: s.counted.spent}
	found, ok := p.paid.Basis.Usage[s.draft.ID]
	l := p.rules.replaced
	if !ok || l == nil {
		return u
	}
	if l.UsageLimit > 0 {
		u.Uses = max(0, u.Uses+found.Uses-s.really.uses)
	}
	if l.PerUserLimit > 0 {
		u.ByUser = max(0, u.ByUser+found.ByUser-s.really.byUser[p.User])
	}
	if l.Budget > 0 {
		u.Spent = max(0, u.Spent+found.Spent-s.really.spent)
	}
	return u
}

// release gives back what orders counted that were closed until a time.
func (s *simulation) release(until time.Time) {
	for len(s.releases) > 0 && !s.releases[0].at.After(until) {
		t := heap.Pop(&s.releases).(timed[release])
		r := &t.value
		s.counted.add(r.user, -r.counted.Uses, -r.counted.Spent)
		s.really.add(r.user, -r.really.Uses, -r.really.Spent)
		s.tally.giveBack(t.at, r.counted)
		if s.buying[r.user]--; s.buying[r.user] == 0 {
			delete(s.buying, r.user)
		}
	}
}

// inTime is a heap of what happens at a time, the earliest first.
type inTime[V any] []timed[V]

type timed[V any] struct {
	at    time.Time
	value V
}

func (h inTime[V]) Len() int           { return len(h) }
func (h inTime[V]) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h inTime[V]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *inTime[V]) Push(v any)        { *h = append(*h, v.(timed[V])) }

func (h *inTime[V]) Pop() any {
	last := len(*h) - 1
	v := (*h)[last]
	(*h)[last] = timed[V]{}
	*h = (*h)[:last]
	return v
}
