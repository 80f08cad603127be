package audit

import (
	"slices"

	"github.com/tandem-pay/tandem/event"
)

func (a *auditor) record(r event.Record) error {
	a.r.Records++
	for i := range a.followers {
		if f := a.followers[i].Record; f != nil {
			f(&r)
		}
	}
	for i := range r.Events {
		e := &r.Events[i]
		switch e.Type {
		case event.StockAdjusted:
			a.moved(e.Sku, e.Quantity)
		case event.StockSold:
			a.moved(e.Sku, -e.Quantity)
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
