package reconcile

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// payment compares one payment of ours (nil: none) with the rows that the bill
// has of it: those of money that moved, earliest first, and how many say that
// it was taken back.
func (m *matcher) payment(o *Ours, rows []*payment.BillRow, gone int) {
	if o == nil {
		for _, t := range rows {
			m.add(PaymentUnknown, nil, t, t.Amount, "no payment of ours has this number")
		}
		return
	}
	i := m.own(o, rows)
	for j, t := range rows {
		if j != i {
			m.add(PaidTwice, o, t, t.Amount, fmt.Sprintf("transaction %s of %d %s beside %s",
				t.TransactionID, t.Amount, t.Currency, m.beside(o, rows, i)))
		}
	}
	if i >= 0 {
		m.pair(o, rows[i])
		return
	}
	if gone == 0 {
		m.missing(PaymentMissing, o)
	}
}

// own finds the row that is of o's own transaction; -1 if there is none. The
// rest is money that came a second time.
func (m *matcher) own(o *Ours, rows []*payment.BillRow) int {
	if !o.Settled {
		// The payment takes the earliest money that is right, so that is it.
		for i, t := range rows {
			if m.mismatch(o, t, false) == 0 {
				return i
			}
		}
		return min(0, len(rows)-1)
	}
	for i, t := range rows {
		if t.TransactionID == o.TransactionID || t.TransactionID == "" || o.TransactionID == "" {
			return i
		}
	}
	if at := m.opt.booked(o); !at.IsZero() {
		if in, _ := m.day.place(at); !in {
			return -1 // its own row is in the bill of its own day
		}
	}
	return min(0, len(rows)-1)
}

func (m *matcher) beside(o *Ours, rows []*payment.BillRow, own int) string {
	if own >= 0 {
		return rows[own].TransactionID
	}
	return o.TransactionID
}

// pair compares two rows that are of the same payment.
func (m *matcher) pair(o *Ours, t *payment.BillRow) {
	before := len(m.found)
	wrong := m.mismatch(o, t, true)
	if o.Settled && o.TransactionID != "" && t.TransactionID != "" && o.TransactionID != t.TransactionID {
		m.add(PaymentTransaction, o, t, t.Amount, fmt.Sprintf("ours is %s, the bill has %s", o.TransactionID, t.TransactionID))
	}
	if why := m.opt.fee(t); why != "" {
		m.add(Fee, o, t, 0, why)
	}
	switch {
	case o.Settled:
		m.sameDay(o, t)
	case wrong > 0: // what is wrong with it has been reported, and cannot be healed
	case o.over():
		m.add(PaymentLate, o, t, t.Amount, "ours is "+o.State).Heals = t.TransactionID != ""
	default:
		m.add(PaymentUnsettled, o, t, t.Amount, "ours is "+o.State).Heals = t.TransactionID != ""
	}
	if len(m.found) == before {
		m.sum.Matched++
	}
}

// mismatch counts in how many ways the money of a row is not the money of o,
// and adds a difference for each if list is set. What a payment has not accepted
// yet is compared as Settle will compare it, with our identity where the bill
// has none.
func (m *matcher) mismatch(o *Ours, t *payment.BillRow, list bool) int {
	refund := o.Kind == payment.BillRefund
	n := 0
	report := func(pay, back Class, amount int64, ours, theirs string) {
		n++
		if !list {
			return
		}
		if refund {
			pay = back
		}
		m.add(pay, o, t, amount, "ours is "+ours+", the bill has "+theirs)
	}
	if o.Amount != t.Amount || t.Amount <= 0 {
		report(PaymentAmount, RefundAmount, t.Amount-o.Amount, strconv.FormatInt(o.Amount, 10), strconv.FormatInt(t.Amount, 10))
	}
	if t.Currency != "" && t.Currency != o.Currency {
		report(PaymentCurrency, RefundCurrency, t.Amount, o.Currency, t.Currency)
	}
	merchant, app := t.Merchant, t.App
	if !o.Settled {
		merchant, app = m.opt.merchant(t), m.opt.app(t)
	}
	if (merchant != "" || !o.Settled) && merchant != o.Merchant || (app != "" || !o.Settled && !refund) && app != o.App {
		report(PaymentMerchant, RefundMerchant, t.Amount, o.Merchant+" "+o.App, merchant+" "+app)
	}
	return n
}

// sameDay reports ours that stands in the bill of another day.
func (m *matcher) sameDay(o *Ours, t *payment.BillRow) {
	at := m.opt.booked(o)
	if at.IsZero() {
		return
	}
	in, far := m.day.place(at)
	switch {
	case in:
	case far <= m.opt.tolerance():
		m.add(OtherDay, o, t, t.Amount, "ours is "+far.String()+" beyond the border of the day")
	default:
		m.add(WrongDay, o, t, t.Amount, "ours is of "+at.UTC().Format(time.RFC3339))
	}
}

// missing reports ours that moved on this day and has no row.
func (m *matcher) missing(c Class, o *Ours) {
	at := m.opt.booked(o)
	if !o.Settled || at.IsZero() {
		return
	}
	in, far := m.day.place(at)
	switch {
	case !in:
	case far <= m.opt.tolerance():
		m.add(OtherDay, o, nil, o.Amount, "ours is "+far.String()+" from the border; the neighbouring day's bill should have it")
	default:
		m.add(c, o, nil, o.Amount, "the bill has no row of it")
	}
}
