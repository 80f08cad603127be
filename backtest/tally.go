package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// topBuyers is how many buyers are named.
const topBuyers = 10

// tally sums up orders as they are taken.
type tally struct {
	b      *Request
	r      *Report
	done   int64
	today  int // the day that was looked for last
	gains  []int64
	levels map[string]*Group
	buyers map[string]*Group
	lost   map[ruleID]*RuleEffect
	more   map[ruleID]*RuleEffect
	limits map[pricing.Reason]*LimitUse
	uses   int64 // that are counted, and not given back
}

func newTally(b *Request, currency string) *tally {
	const day = "2006-01-02"
	from, to := b.From.In(b.Zone), b.To.In(b.Zone)
	t := &tally{
		b: b, levels: map[string]*Group{}, buyers: map[string]*Group{}, lost: map[ruleID]*RuleEffect{}, more: map[ruleID]*RuleEffect{},
		limits: map[pricing.Reason]*LimitUse{},
		r: &Report{
			Shop: b.Shop, Currency: currency, Promotion: b.Promotion, Zone: b.Zone.String(), Skipped: map[string]int64{},
			From: from.Format(day), To: to.Add(-1).Format(day),
		},
	}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		t.r.Days = append(t.r.Days, Day{Day: d.Format(day), ends: d.AddDate(0, 0, 1)})
	}
	p := &b.Promotion
	for _, l := range []struct {
		reason pricing.Reason
		name   string
		of     int64
	}{
		{pricing.UsageLimit, "usageLimit", p.UsageLimit},
		{pricing.PerUserLimit, "perUserLimit", p.PerUserLimit},
		{pricing.BudgetSpent, "budget", p.Budget},
	} {
		if l.of > 0 {
			t.limits[l.reason] = &LimitUse{Limit: l.name, Of: l.of}
		}
	}
	return t
}

// seen is how many orders were read.
func (t *tally) seen() int64 { return t.done }

// day is the day of a time within the period.
func (t *tally) day(at time.Time) *Day {
	days := t.r.Days
	for t.today > 0 && at.Before(days[t.today-1].ends) {
		t.today--
	}
	for t.today < len(days)-1 && !at.Before(days[t.today].ends) {
		t.today++
	}
	return &days[t.today]
}

func (t *tally) give(at time.Time, amount int64) {
	t.uses++
	t.day(at).Given += amount
}

func (t *tally) giveBack(at time.Time, counted pricing.Usage) {
	t.uses -= counted.Uses
	t.day(at).Returned += counted.Spent
}

// refuse notes why an order had nothing of the draft, if that was a limit.
func (t *tally) refuse(why pricing.Reason, at time.Time) {
	if l := t.limits[why]; l != nil {
		l.Refused++
		t.reach(why, at)
	}
}

// reached notes a limit of which nothing is left.
func (t *tally) reached(p *pricing.Promotion, at time.Time, uses, spent int64) {
	if p.UsageLimit > 0 && uses >= p.UsageLimit {
		t.reach(pricing.UsageLimit, at)
	}
	if p.Budget > 0 && spent >= p.Budget {
		t.reach(pricing.BudgetSpent, at)
	}
}

func (t *tally) reach(limit pricing.Reason, at time.Time) {
	if l := t.limits[limit]; l.Reached == "" {
		l.Reached = t.day(at).Day
	}
}

func (s *Split) count(status order.Status) (paid bool) {
	s.All++
	switch status {
	case order.Paid:
		s.Paid++
		return true
	case order.Refunded:
		s.Refunded++
	case order.Closed:
		s.Closed++
	default:
		s.Open++
	}
	return false
}

func (g *Group) add(gain int64) {
	g.Orders++
	g.Amount += gain
}

func groupOf(groups map[string]*Group, name string) *Group {
	g := groups[name]
	if g == nil {
		g = &Group{Name: strings.Clone(name)} // not the whole order that it is a part of
		groups[g.Name] = g
	}
	return g
}

// order takes one order in.
func (t *tally) order(p *pricedAgain, first bool) {
	t.done++
	if p.why != "" {
		t.r.Skipped[p.why]++
		return
	}
	paid := t.r.Orders.count(p.Status)
	day := t.day(p.PlacedAt)
	day.Orders++
	if paid && p.was >= 0 {
		if t.r.Replaces == nil {
			t.r.Replaces = &Replaced{}
		}
		t.r.Replaces.Orders++
		t.r.Replaces.Amount += p.was
	}
	if paid && p.is > 0 {
		t.r.Given += p.is
	}
	if !p.touched() {
		return
	}
	t.r.Touched.count(p.Status)
	gain := p.gain()
	t.r.Exposure += gain
	if !paid {
		return
	}
	day.Touched++
	day.Cost += gain
	t.r.Cost += gain
	t.gains = append(t.gains, gain)
	switch {
	case gain > 0:
		t.r.Less.add(gain)
	case gain < 0:
		t.r.More.add(-gain)
	}
	groupOf(t.levels, p.paid.Basis.Level).add(gain)
	groupOf(t.buyers, p.User).add(gain)
	if first {
		t.r.First.add(gain)
	} else {
		t.r.Returning.add(gain)
	}
	t.conflicts(p, gain < 0)
}

// conflicts notes the rules that would have given less.
func (t *tally) conflicts(p *pricedAgain, more bool) {
	refused := false
	for i := range p.paid.Applied {
		was := &p.paid.Applied[i]
		if was.Source == pricing.FromPromotion && was.ID == t.b.Promotion.ID {
			continue
		}
		same := func(a pricing.Applied) bool { return a.Source == was.Source && a.ID == was.ID && a.Code == was.Code }
		at := slices.IndexFunc(p.quote.Applied, same)
		less := was.Amount
		if at >= 0 {
			less -= p.quote.Applied[at].Amount
		}
		if at >= 0 && less <= 0 {
			continue
		}
		var why pricing.Reason
		if at < 0 {
			if k := slices.IndexFunc(p.quote.Skipped, func(s pricing.Skipped) bool {
				return s.Source == was.Source && s.ID == was.ID && s.Code == was.Code
			}); k >= 0 {
				why = p.quote.Skipped[k].Reason
			}
			if was.Source == pricing.FromCoupon {
				refused = true
				t.r.Coupons.Coupons++
				t.r.Coupons.Amount += was.Amount
			}
		}
		note(t.lost, was, less, at < 0, why)
		if more {
			note(t.more, was, less, at < 0, why)
		}
	}
	if refused {
		t.r.Coupons.Orders++
	}
}

func note(effects map[ruleID]*RuleEffect, was *pricing.Applied, less int64, lost bool, why pricing.Reason) {
	e := effects[ruleID{was.Source, was.ID}]
	if e == nil {
		id := ruleID{was.Source, strings.Clone(was.ID)}
		e = &RuleEffect{Source: id.source, ID: id.id, Reasons: map[pricing.Reason]int64{}}
		effects[id] = e
	}
	e.Orders++
	e.Amount += less
	if lost {
		e.Lost++
		e.Reasons[cmp.Or(why, pricing.NothingInScope)]++
	}
}

// report is the end of it.
func (t *tally) report(w *whatIfs) *Report {
	r := t.r
	var spent int64
	r.Limits = []LimitUse{}
	for i := range r.Days {
		d := &r.Days[i]
		spent += d.Given - d.Returned
		d.Spent = spent
	}
	for _, reason := range []pricing.Reason{pricing.UsageLimit, pricing.PerUserLimit, pricing.BudgetSpent} {
		if l := t.limits[reason]; l != nil {
			l.Used = map[pricing.Reason]int64{pricing.UsageLimit: t.uses, pricing.PerUserLimit: -1, pricing.BudgetSpent: spent}[reason]
			r.Limits = append(r.Limits, *l)
		}
	}
	if slices.Sort(t.gains); len(t.gains) > 0 {
		r.Extra = Spread{t.quantile(50), t.quantile(90), t.gains[len(t.gains)-1]}
	}
	r.Buyers, r.Levels, r.Top = int64(len(t.buyers)), byAmount(t.levels), byAmount(t.buyers)
	r.Top = r.Top[:min(len(r.Top), topBuyers)]
	r.Conflicts, r.MoreBy = effects(t.lost, w.names), effects(t.more, w.names)
	if len(w.replaced) > 0 && r.Replaces == nil {
		r.Replaces = &Replaced{}
	}
	if r.Replaces != nil {
		r.Replaces.Versions = slices.Sorted(maps.Keys(w.replaced))
	}
	r.GiftAssumed = w.gift != nil
	return r
}

// quantile is the smallest gain that so many per cent are not above.
func (t *tally) quantile(percent int) int64 {
	return t.gains[(len(t.gains)*percent+99)/100-1]
}

func byAmount(groups map[string]*Group) []Group {
	all := make([]Group, 0, len(groups))
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), strings.Compare(a.Name, b.Name))
	})
	return all
}

func effects(of map[ruleID]*RuleEffect, names map[ruleID]string) []RuleEffect {
	all := make([]RuleEffect, 0, len(of))
	for id, e := range of {
		e.Name = names[id]
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b RuleEffect) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), strings.Compare(a.ID, b.ID), strings.Compare(string(a.Source), string(b.Source)))
	})
	return all
}
