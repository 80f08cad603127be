package app

import (
	"fmt"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// pendingCoupons finds coupons that are still locked by orders that were paid
// or closed, and used by orders that were refunded.
func pendingCoupons() Pending {
	type holder struct {
		closed               bool
		codes                []string
		over, paid, refunded event.Position
	}
	returned := map[string]bool{} // by template
	coupons := map[string]marketing.CouponData{}
	orders := map[string]*holder{}
	return Pending{
		Visits: []unit.Visit{
			unit.Each(rows.Templates, func(t marketing.Template) error {
				returned[t.ID] = t.ReturnOnRefund
				return nil
			}),
			unit.Each(rows.Coupons, func(c marketing.CouponData) error {
				if c.Order != "" {
					coupons[c.Code] = c
				}
				return nil
			}),
			unit.EachFamily(rows.Orders, rows.Payments, func(d order.Data, _ []payment.Data) error {
				if len(d.Coupons) > 0 && (!d.Status.Live() || d.GoodsGone) {
					orders[d.No] = &holder{closed: d.Status == order.Closed && !d.GoodsGone, codes: d.Coupons}
				}
				return nil
			}),
		},
		Record: func(r *event.Record) {
			for i := range r.Events {
				e := &r.Events[i]
				o := orders[e.Order]
				if o == nil || len(e.Coupons) == 0 {
					continue
				}
				switch e.Type {
				case event.OrderPaid, event.OrderPartiallyPaid:
					o.paid = r.Position
				case event.OrderClosed:
					o.over = r.Position
				case event.OrderRefunded, event.GoodsReturned:
					o.refunded = r.Position
				default: // the others move no coupon
				}
			}
		},
		Tasks: func(report func(*Task)) {
			for no, o := range orders {
				for _, code := range o.codes {
					c := coupons[code]
					w := Task{Subject: "order " + no, At: o.paid}
					switch {
					case c.Order != no:
						continue // given back or revoked
					case o.closed:
						w.At, w.Left = o.over, fmt.Sprintf("is closed and holds coupon %s", code)
					case c.Status == marketing.Locked:
						w.Left = fmt.Sprintf("is paid, its coupon %s is locked", code)
					default:
						w.Done = true
					}
					report(&w)
					if w.Done && o.refunded > 0 && returned[c.TemplateID] {
						report(
							&Task{
								At:      o.refunded,
								Subject: w.Subject,
								Left:    fmt.Sprintf("is refunded and holds coupon %s", code),
								Choice:  true,
							},
						)
					}
				}
			}
		},
	}
}

// pendingStock finds orders that were paid or closed and still hold units, and
// those whose units or counts are to go back and have not.
func pendingStock() Pending {
	type end struct {
		at     event.Position
		closed bool
		units  []event.Units
		counts []event.Count
	}
	type holder struct {
		holds    int64 // units, by what was reserved, sold and released
		ends     []end
		back     int64 // units that went on hand again
		returns  []end
		refunded event.Position // by an earlier version: whether its units go back was not said
	}
	orders := map[string]*holder{}
	return Pending{
		Record: func(r *event.Record) {
			for i := range r.Events {
				e := &r.Events[i]
				if e.Order == "" {
					continue
				}
				o := orders[e.Order]
				if o == nil {
					o = &holder{}
					orders[e.Order] = o
				}
				switch e.Type {
				case event.StockReserved:
					o.holds += e.Quantity
				case event.StockSold, event.StockReleased:
					o.holds -= e.Quantity
				case event.StockAdjusted:
					o.back += e.Quantity
				case event.OrderPaid, event.OrderPartiallyPaid, event.OrderClosed:
					if len(e.Units) > 0 {
						o.ends = append(o.ends, end{r.Position, e.Type == event.OrderClosed, e.Units, e.Counts})
					}
				case event.OrderRefunded, event.GoodsReturned:
					switch {
					case e.Type == event.GoodsReturned || e.Decided:
						o.returns = append(o.returns, end{at: r.Position, units: e.Units, counts: e.Counts})
					case len(e.Units) > 0:
						o.refunded = r.Position
					}
				default: // the others move no units
				}
			}
		},
		Tasks: func(report func(*Task)) {
			for no, o := range orders {
				// A follower comes to the last end last.
				for i := len(o.ends) - 1; i >= 0; i-- {
					x := &o.ends[i]
					n := quantity(x.units)
					w := Task{At: x.at, Subject: "order " + no, Done: o.holds < n}
					if !w.Done {
						o.holds -= n
						w.Units = x.units
						if w.Left = "is paid, its units are not sold"; x.closed {
							w.Left, w.Counts = "is closed and holds units", x.counts
						}
					}
					report(&w)
				}
				back := o.back
				for _, x := range o.returns {
					n := quantity(x.units)
					w := Task{
						At:       x.at,
						Subject:  "order " + no,
						Left:     "is refunded, its units are not back",
						Done:     n > 0 && back >= n,
						Unseen:   n == 0,
						Returned: x.counts,
					}
					back -= min(n, back)
					report(&w)
				}
				if o.refunded > 0 && o.back == 0 {
					report(&Task{At: o.refunded, Subject: "order " + no, Left: "is refunded, its units are not back", Choice: true})
				}
			}
		},
	}
}

func quantity(units []event.Units) (n int64) {
	for _, u := range units {
		n += u.Quantity
	}
	return n
}

// pendingPayments finds payments that are open at the channel though their
// order wants no more money, and that no job closes.
func pendingPayments() Pending {
	open := map[string][]string{}        // by order
	since := map[string]event.Position{} // by order
	closed := map[string]bool{}          // by payment: a job closes it
	return Pending{
		Visits: []unit.Visit{
			unit.EachFamily(rows.Orders, rows.Payments, func(d order.Data, all []payment.Data) error {
				if d.Status.Live() && d.Closing == "" {
					return nil
				}
				for i := range all {
					// One with an anomaly is a person's.
					if p := &all[i]; p.Open() && p.Anomaly == "" {
						open[d.No] = append(open[d.No], p.No)
					}
				}
				return nil
			}),
			unit.Each(rows.Jobs, func(j Job) error {
				closed[j.Payment] = closed[j.Payment] || j.Kind == JobClosePayment
				return nil
			}),
		},
		Record: func(r *event.Record) {
			for i := range r.Events {
				if e := &r.Events[i]; open[e.Order] != nil && (e.Type == event.OrderPaid || e.Type == event.OrderClosing) {
					since[e.Order] = r.Position
				}
			}
		},
		Tasks: func(report func(*Task)) {
			for no, payments := range open {
				for _, p := range payments {
					if !closed[p] {
						report(
							&Task{
								At:      since[no],
								Subject: "order " + no,
								Left:    fmt.Sprintf("wants no money, and nothing closes its payment %s", p),
							},
						)
					}
				}
			}
		},
	}
}

// pendingRefunds finds closed orders that keep money which was paid towards
// them.
func pendingRefunds() Pending {
	type holder struct {
		at     event.Position
		amount int64
		choice bool
		done   bool
	}
	orders := map[string]*holder{}
	refunded := map[string]bool{} // orders that a person refunded
	return Pending{
		Visits: []unit.Visit{
			unit.EachFamily(rows.Orders, rows.Payments, func(d order.Data, all []payment.Data) error {
				if d.Status != order.Closed || d.Paid == 0 {
					return nil
				}
				var paid int64
				for i := range all {
					paid += all[i].Refundable()
				}
				// Of one that expired in an earlier version, the shop may have kept it.
				orders[d.No] = &holder{
					amount: min(paid, max(0, d.Refundable()-d.Kept)), choice: d.EndedBy == "" && d.CloseReason == order.Expired,
				}
				return nil
			}),
			unit.Each(rows.Refunds, func(d payment.RefundData) error {
				switch o := orders[d.Order]; {
				case o == nil:
				case d.Cause == payment.OrderClosed:
					o.done = true
				case d.Cause == payment.Requested:
					refunded[d.Order] = true
				}
				return nil
			}),
		},
		Record: func(r *event.Record) {
			for i := range r.Events {
				if e := &r.Events[i]; e.Type == event.OrderClosed && orders[e.Order] != nil {
					orders[e.Order].at = r.Position
				}
			}
		},
		Tasks: func(report func(*Task)) {
			for no, o := range orders {
				if o.done || o.amount > 0 && !refunded[no] {
					report(&Task{
						At: o.at, Subject: "order " + no, Left: fmt.Sprintf("is closed and keeps %d that were paid", o.amount),
						Done: o.done, Choice: o.choice,
					})
				}
			}
		},
	}
}
