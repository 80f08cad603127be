package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/payment"
)

// refunds compares the refunds of one payment of ours (nil: none) with the
// rows that the bill has of them. paid says that the bill has the payment.
func (m *matcher) refunds(p *Ours, paid bool) {
	rows, _ := m.distinct(p, m.backs)
	if len(m.requested) > 1 {
		slices.SortFunc(m.requested, func(a, b *Ours) int { return cmp.Or(cmp.Compare(a.RefundNo, b.RefundNo), a.compare(b)) })
		// The first of a number is the one that is believed.
		m.requested = slices.CompactFunc(m.requested, func(a, b *Ours) bool { return a.RefundNo == b.RefundNo })
	}
	slices.SortFunc(rows, compareRefunds)
	before := p != nil && !p.Settled && !paid
	ours := m.requested
	for len(ours)+len(rows) > 0 {
		var r *Ours
		n := 0 // rows of one number
		switch {
		case len(rows) == 0 || len(ours) > 0 && ours[0].RefundNo < rows[0].RefundNo:
			r, ours = ours[0], ours[1:]
		default:
			if len(ours) > 0 && ours[0].RefundNo == rows[0].RefundNo {
				r, ours = ours[0], ours[1:]
			}
			n = 1
			for n < len(rows) && rows[n].RefundNo == rows[0].RefundNo && rows[0].RefundNo != "" {
				n++
			}
		}
		if r != nil {
			m.sum.ours(r, m.day, m.opt)
		}
		if n == 0 {
			m.missing(RefundMissing, r)
			continue
		}
		t := rows[0]
		for _, other := range rows[1:n] {
			if other.RefundID != t.RefundID {
				m.add(RefundTwice, r, other, other.Amount, fmt.Sprintf("refund %s of %d beside %s", other.RefundID, other.Amount, t.RefundID))
			}
		}
		rows = rows[n:]
		if before && t.Done {
			m.add(RefundBeforePayment, p, t, t.Amount, "our payment is "+p.State)
		}
		if r == nil {
			m.unrequested(p, t)
		} else {
			m.refund(r, t)
		}
	}
}

// compareRefunds puts the row that counts first among those of one number:
// one that is done, the earliest of them.
func compareRefunds(a, b *payment.BillRow) int {
	return cmp.Or(cmp.Compare(a.RefundNo, b.RefundNo), after(b.Done, a.Done), a.At.Compare(b.At), compareRows(a, b))
}

// unrequested judges a refund that we never requested.
func (m *matcher) unrequested(p *Ours, t *payment.BillRow) {
	if p == nil {
		m.add(RefundOrphan, nil, t, t.Amount, "no payment of ours has this number")
		return
	}
	detail := "the channel's state is " + t.Reported
	// What Settle would not accept cannot be healed.
	right := t.Amount > 0 && t.Amount <= p.Amount && m.opt.merchant(t) == p.Merchant
	if !right {
		detail += fmt.Sprintf("; %d of %d, by %s for %s", t.Amount, p.Amount, m.opt.merchant(t), p.Merchant)
	}
	d := m.add(RefundUnknown, nil, t, t.Amount, detail)
	d.Heals = right && t.Done && t.RefundNo != ""
}

// refund compares two rows that are of the same refund.
func (m *matcher) refund(r *Ours, t *payment.BillRow) {
	before := len(m.found)
	switch {
	case t.Done:
		m.done(r, t)
	case slices.Contains(m.failed, t.Reported):
		if r.State != string(payment.StatusFailed) || r.Settled {
			m.add(RefundFailed, r, t, t.Amount, "ours is "+r.State+", the bill says "+t.Reported)
		}
	case r.Settled || r.over():
		m.add(RefundPending, r, t, t.Amount, "ours is "+r.State+", the bill says "+t.Reported)
	}
	if len(m.found) == before {
		m.sum.Matched++
	}
}

// done compares a refund with a row that says that the money has gone.
func (m *matcher) done(r *Ours, t *payment.BillRow) {
	wrong := m.mismatch(r, t, true)
	if r.TransactionID != "" && t.TransactionID != "" && r.TransactionID != t.TransactionID {
		m.add(RefundTransaction, r, t, t.Amount, fmt.Sprintf("ours is of %s, the bill has it of %s", r.TransactionID, t.TransactionID))
	}
	if why := m.opt.fee(t); why != "" {
		m.add(Fee, r, t, 0, why)
	}
	switch {
	case r.Settled:
		m.sameDay(r, t)
	case wrong == 0:
		m.add(RefundUnsettled, r, t, t.Amount, "ours is "+r.State).Heals = t.RefundNo != ""
	}
}
