package audit

import (
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
)

// checkIssued compares the counts of templates with their coupons.
func (a *auditor) checkIssued() {
	for id, t := range a.templates {
		switch {
		case t.absent:
			a.offend(5, "coupon template "+id, "is not there, and %d coupons name it", t.counted)
		case t.supply > 0 && t.stored != t.counted:
			a.offend(5, "coupon template "+id, "issued %d, coupons %d", t.stored, t.counted)
		case t.supply == 0 && t.stored != 0:
			a.offend(5, "coupon template "+id, "has no supply and counts %d", t.stored)
		}
		for user, n := range t.users {
			name := app.PerUserCounter(id, user)
			if v := a.counters[name]; v != n {
				a.offend(5, "counter "+name, "is %d, the coupons say %d", v, n)
			}
			delete(a.counters, name)
		}
	}
}

func (a *auditor) counter(name string, value int64) error {
	a.counters[name] = value
	return nil
}

func (a *auditor) count(counts []event.Count) {
	for _, c := range counts {
		a.counted[c.Name] += c.Amount
		a.within[c.Name] = max(a.within[c.Name], c.Limit)
	}
}

// checkCounters compares what the orders count with the counters that are
// left, which are those of promotions.
func (a *auditor) checkCounters() {
	delete(a.counters, app.CatalogueCounter) // counts changes, not things
	for name, v := range a.counters {
		if v != a.counted[name] {
			a.offend(5, "counter "+name, "is %d, the rows say %d", v, a.counted[name])
		} else if limit := a.within[name]; limit > 0 && v > limit {
			a.offend(5, "counter "+name, "is %d, the limit was at most %d", v, limit)
		}
	}
}
