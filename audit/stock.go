package audit

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
)

// stock is a sku with what should be of it.
type stock struct {
	d        inventory.Data
	reserved int64
	onHand   int64 // by the events
}

func (a *auditor) sku(d inventory.Data) error {
	a.r.Skus++
	a.skus[d.Sku] = &stock{d: d}
	if d.Reserved < 0 || d.OnHand < d.Reserved {
		a.offend(4, "sku "+d.Sku, "onHand %d, reserved %d", d.OnHand, d.Reserved)
	}
	return nil
}

func (a *auditor) reserve(u event.Units) {
	if s := a.skus[u.Sku]; s != nil {
		s.reserved += u.Quantity
	} else {
		a.offend(4, "sku "+u.Sku, "an order holds units of it, and it is not there")
	}
}

func (a *auditor) moved(sku string, delta int64) {
	if s := a.skus[sku]; s != nil {
		s.onHand += delta
	}
}

// checkStock compares what the skus say with the orders and the events.
func (a *auditor) checkStock() {
	for id, s := range a.skus {
		if s.reserved != s.d.Reserved {
			a.offend(4, "sku "+id, "reserved %d, open orders hold %d", s.d.Reserved, s.reserved)
		}
		if s.onHand != s.d.OnHand {
			a.offend(4, "sku "+id, "onHand %d, the events say %d", s.d.OnHand, s.onHand)
		}
	}
}
