package audit

import (
	"slices"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// checkMoney checks an order's amounts against its payments.
func (a *auditor) checkMoney(subject string, v *app.OrderView) {
	d := &v.Order
	var applied, refunded int64
	for i := range v.Payments {
		p := &v.Payments[i]
		a.r.Payments++
		who := "payment " + p.No
		applied += p.Applied
		refunded += p.Refunded
		a.r.Suspense += p.Suspense()
		if p.Applied < 0 || p.Refunded < 0 || p.Suspense() < 0 || p.Status != payment.StatusSucceeded && p.Applied != 0 {
			a.offend(2, who, "%s of %d: applied %d, refunded %d", p.Status, p.Amount, p.Applied, p.Refunded)
		}
		if p.Refunded+p.Refunding > p.Amount || p.Refunding > p.Applied || p.Refunding < 0 {
			a.offend(7, who, "refunded %d and refunding %d of %d, of which the order has %d", p.Refunded, p.Refunding, p.Amount, p.Applied)
		}
		a.replay(who, p)
	}
	if applied != d.Paid-d.Refunded || d.Paid < 0 || d.Paid > d.Payable {
		a.offend(2, subject, "paid %d of %d and refunded %d, its payments apply %d", d.Paid, d.Payable, d.Refunded, applied)
	}
	if (d.Status == order.Paid || d.Status == order.Refunded) && d.Paid != d.Payable {
		a.offend(2, subject, "is paid with %d of %d", d.Paid, d.Payable)
	}
	if refunded < d.Refunded {
		a.offend(7, subject, "refunded %d, its payments %d", d.Refunded, refunded)
	}
	var back, reserved int64
	for _, r := range d.Returns {
		back += r.Amount
		if l := &d.Items[r.Line]; r.Amount < 0 || r.Amount > l.Payable || r.Quantity < 0 || r.Quantity > l.Quantity {
			a.offend(7, subject, "line %d of %d × %d gave back %d × %d", r.Line, l.Payable, l.Quantity, r.Amount, r.Quantity)
		}
	}
	for i := range v.Payments {
		reserved += v.Payments[i].Refunding
	}
	if back != d.Refunded+d.Refunding || reserved != d.Refunding || d.Refunding < 0 {
		a.offend(
			7, subject, "refunded %d and refunding %d, its lines gave back %d, its payments are refunding %d", d.Refunded, d.Refunding,
			back, reserved,
		)
	}
}

// replay settles the payment's facts again, last first. Of two transactions under
// one number, whichever was reported first settled the payment, and what is said
// of the other counts elsewhere: so those of the one that did come first.
func (a *auditor) replay(who string, p *payment.Data) {
	if len(p.Facts) == 0 {
		return
	}
	again := payment.New(p.Order, p.Channel, p.Merchant, p.App, p.Trace, p.Request, p.CreatedAt)
	if p.Action != nil && p.Status == payment.StatusPending {
		again.Accepted(*p.Action)
	}
	facts := slices.Clone(p.Facts)
	slices.Reverse(facts)
	transactions := map[string]bool{}
	for _, f := range facts {
		if f.Kind == payment.Paid {
			transactions[f.TransactionID] = true
		}
	}
	if len(transactions) > 1 {
		settled := func(f payment.Fact) int {
			if f.Kind == payment.Paid && f.TransactionID == p.TransactionID {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(facts, func(x, y payment.Fact) int { return settled(x) - settled(y) })
	}
	for _, f := range facts {
		again.Settle(f, f.ReceivedAt)
	}
	d := again.Data()
	status := d.Status
	if status == payment.StatusCreated && p.Status == payment.StatusPending {
		status = p.Status
	}
	if status != p.Status || d.Anomaly != p.Anomaly || d.TransactionID != p.TransactionID || d.Refunded != p.Refunded {
		a.offend(
			8, who, "is %s (%s %s), its evidence says %s (%s %s)", p.Status, p.TransactionID, p.Anomaly, status, d.TransactionID,
			d.Anomaly,
		)
	}
}
