package reconcile

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tandem-pay/tandem/payment"
)

// Match compares one partition of a day: what our books have of it with the
// rows of the bill. Both may come in any order.
//
// ours must hold every payment and refund that we think moved within the day
// (Options.RefundsWhenAsked: refunds that were requested within it), and
// beside them whatever theirs names and we have at all: the payment and, of a
// refund, also the payment that it is of, whether settled or not and of
// whatever day. A row of theirs without one of ours counts as unknown to us. A
// number that ours has twice is one row; the one that says that money moved is
// believed.
//
// The differences come ordered by number, and their rows are copies.
func Match(day Span, ours []Ours, theirs []payment.BillRow, opt Options) ([]Difference, Summary) {
	m := matcher{day: day, opt: &opt, failed: opt.FailedStates}
	if m.failed == nil {
		m.failed = DefaultFailedStates
	}
	m.gather(ours, theirs)
	for i := range m.groups {
		m.judge(&m.groups[i], ours, theirs)
	}
	found := sorted(m.found)
	m.sum.Count(found)
	return found, m.sum
}

type matcher struct {
	day    Span
	opt    *Options
	failed []string
	groups []group
	// Rows of one payment are chained: each list begins in its group, and goes
	// on here. An entry is a row's index and one; 0 ends a list.
	nextOurs, nextTheirs []int32

	found []Difference
	sum   Summary

	// What is at hand while one group is judged; kept to be used again.
	pays, requested []*Ours
	rows, backs     []*payment.BillRow
}

// group is everything about one payment number.
type group struct{ ours, theirs int32 }

// gather puts every row to its payment. One look into one map a row is most
// of what a match costs.
func (m *matcher) gather(ours []Ours, theirs []payment.BillRow) {
	size := max(len(ours), len(theirs))
	index := make(map[string]int32, size)
	m.groups = make([]group, 0, size)
	m.nextOurs, m.nextTheirs = make([]int32, len(ours)), make([]int32, len(theirs))
	of := func(no string) *group {
		i, have := index[no]
		if !have {
			i = int32(len(m.groups)) //nolint:gosec // at most the numbers of a part, which fit into memory
			index[no], m.groups = i, append(m.groups, group{})
		}
		return &m.groups[i]
	}
	for i := range ours {
		g := of(ours[i].PaymentNo)
		m.nextOurs[i], g.ours = g.ours, int32(i+1)
	}
	for i := range theirs {
		m.sum.theirs(&theirs[i])
		g := of(theirs[i].PaymentNo)
		m.nextTheirs[i], g.theirs = g.theirs, int32(i+1)
	}
}

// judge compares all about one payment.
func (m *matcher) judge(g *group, ours []Ours, theirs []payment.BillRow) {
	m.pays, m.requested, m.rows, m.backs = m.pays[:0], m.requested[:0], m.rows[:0], m.backs[:0]
	for i := g.ours; i != 0; i = m.nextOurs[i-1] {
		if o := &ours[i-1]; o.Kind == payment.BillPayment {
			m.pays = append(m.pays, o)
		} else {
			m.requested = append(m.requested, o)
		}
	}
	for i := g.theirs; i != 0; i = m.nextTheirs[i-1] {
		if t := &theirs[i-1]; t.Kind == payment.BillPayment {
			m.rows = append(m.rows, t)
		} else {
			m.backs = append(m.backs, t)
		}
	}
	var p *Ours
	if len(m.pays) > 0 {
		p = slices.MinFunc(m.pays, (*Ours).compare)
		m.sum.ours(p, m.day, m.opt)
	}
	rows, gone := m.distinct(p, m.rows)
	m.payment(p, rows, gone)
	if len(m.requested)+len(m.backs) > 0 {
		m.refunds(p, len(rows) > 0)
	}
}

// distinct takes rows of the same movement for one, and reports them. It
// returns those of money that moved or is to move, earliest first, and how
// many say that the payment p was taken back, which it reports as well.
func (m *matcher) distinct(p *Ours, rows []*payment.BillRow) (kept []*payment.BillRow, gone int) {
	if len(rows) > 1 {
		slices.SortFunc(rows, compareRows)
	}
	kept = rows[:0]
	for i := 0; i < len(rows); {
		first, n, extra := rows[i], 1, int64(0)
		for ; i+n < len(rows) && sameMovement(first, rows[i+n]); n++ {
			extra += rows[i+n].Amount
		}
		i += n
		if reversed(first) {
			gone++
			m.add(StateReversed, p, first, first.Amount, "the bill says "+first.Reported)
			continue
		}
		if n > 1 {
			m.add(DuplicateRow, nil, first, extra, "it stands there "+strconv.Itoa(n)+" times")
		}
		kept = append(kept, first)
	}
	if len(kept) > 1 {
		slices.SortStableFunc(kept, func(a, b *payment.BillRow) int { return a.At.Compare(b.At) })
	}
	return kept, gone
}

// reversed says that the row is of a payment that was taken back. A payment
// that did not move money has no other reason to stand in a bill.
func reversed(t *payment.BillRow) bool {
	return t.Reported == Revoked || t.Kind == payment.BillPayment && !t.Done
}

// sameMovement says whether two rows, neighbours in the order of compareRows,
// are of one movement. A refund may stand there once for each state that it
// had.
func sameMovement(a, b *payment.BillRow) bool {
	return a.TransactionID == b.TransactionID && a.RefundNo == b.RefundNo && a.RefundID == b.RefundID && reversed(a) == reversed(b) &&
		(a.Kind == payment.BillPayment || a.Done == b.Done && a.Reported == b.Reported)
}

// compareRows brings rows of one movement together, in the order of the file.
// Rows that it finds equal are equal.
func compareRows(a, b *payment.BillRow) int {
	return cmp.Or(cmp.Compare(a.RefundNo, b.RefundNo), cmp.Compare(a.RefundID, b.RefundID), cmp.Compare(a.TransactionID, b.TransactionID),
		after(reversed(a), reversed(b)), byRefundState(a, b), cmp.Compare(a.Line, b.Line), a.At.Compare(b.At), cmp.Compare(a.Amount, b.Amount),
		cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.App, b.App),
		cmp.Compare(a.Fee, b.Fee), cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.Reported, b.Reported), after(b.Done, a.Done))
}

// after puts what is not before what is.
func after(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func byRefundState(a, b *payment.BillRow) int {
	if a.Kind == payment.BillPayment {
		return 0
	}
	return cmp.Or(after(b.Done, a.Done), cmp.Compare(a.Reported, b.Reported))
}

// add reports a difference between ours and theirs, one of which may be nil.
func (m *matcher) add(c Class, o *Ours, t *payment.BillRow, amount int64, detail string) *Difference {
	d := Difference{Class: c, Amount: amount, Detail: detail}
	if o != nil {
		ours := *o
		d.Ours = &ours
		d.Kind, d.PaymentNo, d.RefundNo, d.TransactionID = o.Kind, o.PaymentNo, o.RefundNo, o.TransactionID
	}
	if t != nil {
		theirs := *t
		d.Theirs = &theirs
		d.Kind, d.PaymentNo, d.RefundNo, d.RefundID = t.Kind, t.PaymentNo, t.RefundNo, t.RefundID
		d.TransactionID = cmp.Or(t.TransactionID, d.TransactionID)
	}
	m.found = append(m.found, d)
	return &m.found[len(m.found)-1]
}
