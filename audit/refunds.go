package audit

import "github.com/tandem-pay/tandem/payment"

// refund checks a refund against its parts and its lines.
func (a *auditor) refund(d payment.RefundData) error {
	who := "refund " + d.No
	var parts int64
	status := payment.RefundSucceeded
	for i := range d.Allocations {
		p := &d.Allocations[i]
		parts += p.Amount
		if p.Reserved() {
			status = payment.RefundPending
		} else if p.Status == payment.RefundGivenUp && status != payment.RefundPending {
			status = p.Status
		}
		o := a.orders[d.Order]
		switch {
		case o == nil:
			a.offend(7, who, "its order %s is not there", d.Order)
		case p.Reserved() && d.Cause.OfOrder():
			o.pending += p.Amount
		}
	}
	var lines int64
	for _, l := range d.Lines {
		lines += l.Amount
	}
	if parts != d.Amount || status != d.Status || d.Cause.OfOrder() && lines != d.Amount {
		a.offend(7, who, "%s of %d: its payments give %d (%s), its lines %d", d.Status, d.Amount, parts, status, lines)
	}
	return nil
}
