// Package audit checks a whole shop against the invariants that no single row
// can check: that money, coupons, stock, limits, events, refunds and evidence
// agree with each other, and that what should have followed from events did (Run), and that every order's price comes out the same
// when it is computed again (Prices). It reads one committed moment and
// changes nothing, so that it can run beside a live server.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/outbox"
)

// Run checks the invariants of a shop at one committed moment, and that each
// follower of the log has done what stands before its cursor. What stands
// after it, or is parked, is pending and no offence. Memory is proportional to the orders, to
// the coupons that orders hold or have used, and to the users who were given
// coupons of templates that limit how many; other coupons are not kept.
func Run(ctx context.Context, store app.Admin, shop string, followers []outbox.Follower) (*Report, error) {
	a := &auditor{
		r: &Report{}, skus: map[string]*stock{}, coupons: map[string]held{}, templates: map[string]*issued{},
		counters: map[string]int64{}, counted: map[string]int64{}, within: map[string]int64{},
		cursors: map[string]event.Position{}, orders: map[string]*audited{}, parked: map[string]bool{},
	}
	visits := []unit.Visit{
		unit.Each(rows.Skus, a.sku),
		unit.Each(rows.Templates, a.template),
		unit.Each(rows.Coupons, a.coupon),
		unit.Each(rows.Counters, func(c rows.Counter) error { return a.counter(c.Name, c.Value) }),
		unit.Each(rows.Cursors, func(c rows.Cursor) error { return a.cursor(c.Follower, c.Position) }),
		unit.Each(rows.Parked, a.putAside),
		unit.EachFamily(rows.Orders, rows.Payments, func(o order.Data, p []payment.Data) error {
			return a.order(app.OrderView{Order: o, Payments: p})
		}),
		unit.Each(rows.Refunds, a.refund),
	}
	for _, f := range followers {
		if f.Pending != nil {
			p := f.Pending()
			a.followers = append(a.followers, follower{f.Name, p})
			visits = append(visits, p.Visits...)
		}
	}
	err := store.Scan(ctx, shop, unit.Scan{Visits: unit.Merge(visits...), Record: a.record})
	if err != nil {
		return nil, err
	}
	a.finish()
	return a.r, nil
}

type auditor struct {
	r         *Report
	skus      map[string]*stock
	coupons   map[string]held // by code
	templates map[string]*issued
	counters  map[string]int64 // as stored
	counted   map[string]int64 // as the rows say
	within    map[string]int64 // the largest limit that an order was counted under
	cursors   map[string]event.Position
	parked    map[string]bool // by id
	orders    map[string]*audited
	followers []follower
}

func (a *auditor) offend(invariant int, subject, format string, args ...any) {
	a.r.Offences = append(a.r.Offences, Offence{invariant, subject, fmt.Sprintf(format, args...)})
}

// finish makes the checks that need every row.
func (a *auditor) finish() {
	a.checkFollowers()
	a.checkPromised()
	a.checkHeld()
	a.checkStock()
	a.checkIssued()
	a.checkCounters()
	a.checkSequences()
	slices.SortFunc(a.r.Offences, func(x, y Offence) int {
		return cmp.Or(cmp.Compare(x.Invariant, y.Invariant), cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Message, y.Message))
	})
}
