package audit

import (
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
)

// audited is what later checks need of an order.
type audited struct {
	status order.Status
	seq    int64
	seen   []int64 // sequence numbers met in the log
	last   int64
	lastSt string

	refunding int64 // reserved, by the order
	pending   int64 // reserved, by its refunds
}

func (a *auditor) order(v app.OrderView) error {
	a.r.Orders++
	d := &v.Order
	subject := "order " + d.No
	a.checkAmounts(subject, d)
	a.checkMoney(subject, &v)
	live := d.Status.Live()
	if d.Status == order.Draft && (d.Draft == nil || len(d.Coupons)+len(d.Counts)+len(v.Payments) > 0) || live && d.Draft != nil {
		a.offend(
			1, subject, "is %s with %d coupons, %d counts and %d payments; keeps a draft's request: %v", d.Status, len(d.Coupons),
			len(d.Counts), len(v.Payments), d.Draft != nil,
		)
	}
	if d.HoldsLimits() {
		a.count(d.Counts)
	}
	if d.Status == order.Closed && d.GoodsGone && !d.Undone {
		a.offend(4, subject, "is closed, and its units, coupons and limits, which went with its first part, have not gone back; cancel it again")
	}
	for _, code := range d.Coupons {
		c, held := a.coupons[code]
		// A revoked coupon is held by nobody, and leaves the order its price.
		if live && !d.GoodsGone && held && (c.status != marketing.Locked || c.order != d.No) {
			a.offend(3, subject, "coupon %s is %s by order %q", code, c.status, c.order)
		}
		if live || c.order == d.No {
			delete(a.coupons, code)
		}
	}
	if live && !d.GoodsGone {
		for _, u := range d.Units() {
			a.reserve(u)
		}
	}
	a.orders[d.No] = &audited{status: d.Status, seq: d.Seq, refunding: d.Refunding}
	return nil
}

// checkAmounts checks an order's price against its own lines and discounts.
func (a *auditor) checkAmounts(subject string, d *order.Data) {
	var total, shares, applied int64
	byLine := make([]int64, len(d.Items))
	for i := range d.Items {
		l := &d.Items[i]
		total += l.Total
		shares += l.Discount
		if l.Total != l.UnitPrice*l.Quantity || l.Payable != l.Total-l.Discount || l.Payable < 0 || l.Discount < 0 {
			a.offend(
				1, subject, "line %d: total %d, discount %d, payable %d at %d × %d", i, l.Total, l.Discount, l.Payable,
				l.UnitPrice, l.Quantity,
			)
		}
	}
	for i := range d.Applied {
		p := &d.Applied[i]
		applied += p.Amount
		var sum int64
		for _, s := range p.Shares {
			sum += s.Amount
			if s.Line >= 0 && s.Line < len(byLine) {
				byLine[s.Line] += s.Amount
			}
		}
		if sum != p.Amount {
			a.offend(1, subject, "discount %s: shares add up to %d, not %d", p.ID, sum, p.Amount)
		}
	}
	for i := range byLine {
		if byLine[i] != d.Items[i].Discount {
			a.offend(1, subject, "line %d: discounts add up to %d, not %d", i, byLine[i], d.Items[i].Discount)
		}
	}
	if total != d.Total || shares != d.Discount || applied != d.Discount || d.Payable != d.Total-d.Discount || d.Payable < 0 {
		a.offend(
			1, subject, "total %d (lines %d), discount %d (lines %d, applied %d), payable %d", d.Total, total, d.Discount, shares,
			applied, d.Payable,
		)
	}
}
