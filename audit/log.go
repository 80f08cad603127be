package audit

import (
	"slices"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/rows"
)

func (a *auditor) cursor(follower string, p event.Position) error {
	a.cursors[follower] = p
	return nil
}

func (a *auditor) putAside(r rows.ParkedRecord) error {
	a.parked[r.ID] = true
	return nil
}

// behind says whether the reaction has not come to a record yet, or has put
// it aside.
func (a *auditor) behind(reaction string, at event.Position) bool {
	return a.cursors[reaction] < at || a.parked[rows.ParkedID(reaction, at)]
}

func (a *auditor) record(r event.Record) error {
	a.r.Records++
	for i := range r.Events {
		e := &r.Events[i]
		switch e.Type {
		case event.StockAdjusted:
			a.moved(e.Sku, e.Quantity)
		case event.StockSold:
			a.moved(e.Sku, -e.Quantity)
		case event.OrderPaid, event.OrderClosed, event.OrderPartiallyPaid, event.OrderRefunded:
			a.ended(r.Position, e)
		default: // the other events move no stock on hand and end nothing
		}
		if e.Seq > 0 {
			if o := a.orders[e.Order]; o != nil {
				o.seen = append(o.seen, e.Seq)
				if e.Seq > o.last {
					o.last, o.lastSt = e.Seq, e.Status
				}
			} else {
				a.offend(6, "order "+e.Order, "has events and is not there")
			}
		}
	}
	return nil
}

// ended notes an order's end, and what reactions have still to do about it.
func (a *auditor) ended(at event.Position, e *event.Event) {
	if e.Type == event.OrderPartiallyPaid && len(e.Units) == 0 {
		return
	}
	if a.behind("stock", at) {
		a.r.Pending++
		if e.Type != event.OrderRefunded {
			for _, u := range e.Units {
				a.reserve(u)
			}
		}
		if e.Type == event.OrderClosed {
			a.count(e.Counts)
		}
	} else if a.behind("coupons", at) || e.Type == event.OrderClosed && e.Amount > 0 && a.behind("refunds", at) {
		a.r.Pending++
	}
	if o := a.orders[e.Order]; o != nil && len(e.Coupons) > 0 {
		end := *e
		o.end, o.endAt = &end, at
	}
}

// checkEnds compares orders with their ends and with their refunds.
func (a *auditor) checkEnds() {
	for no, o := range a.orders {
		a.checkEnd(no, o)
		// A refund that somebody else made may have taken what was promised.
		if o.refunding > o.pending {
			a.offend(7, "order "+no, "promises %d back, its refunds under way are of %d", o.refunding, o.pending)
		}
	}
}

// checkSequences finds gaps in the numbers of orders' events.
func (a *auditor) checkSequences() {
	for no, o := range a.orders {
		slices.Sort(o.seen)
		for i, seq := range o.seen {
			if seq != int64(i)+1 {
				a.offend(6, "order "+no, "event %d stands where %d should", seq, i+1)
				break
			}
		}
		if o.last != o.seq || o.lastSt != string(o.status) {
			a.offend(6, "order "+no, "is %s at %d, its events end with %s at %d", o.status, o.seq, o.lastSt, o.last)
		}
	}
}
