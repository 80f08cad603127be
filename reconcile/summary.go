package reconcile

import (
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// Total is how many, and how much money.
type Total struct {
	Count  int64 `json:"count"`
	Amount int64 `json:"amount"` // minor units
}

// Summary is what a match came to. Those of the partitions of a day add up to
// that of the day. It adds up currencies as if they were one: it is for one account.
type Summary struct {
	// What our books say moved on that day.
	OurPayments Total `json:"ourPayments"`
	OurRefunds  Total `json:"ourRefunds"`
	// What the bill says moved, each row of it as often as it stands there.
	TheirPayments Total `json:"theirPayments"`
	TheirRefunds  Total `json:"theirRefunds"`
	Fee           int64 `json:"fee"` // of all rows, thousandths of a minor unit
	// Matched are the pairs in which nothing differs.
	Matched int64 `json:"matched"`
	// Classes has every class that was found. The amounts are as
	// Difference.Amount has them, without their signs.
	Classes map[Class]Total `json:"classes,omitempty"`
	// TooMuch: a sum passed money.Max and stands at it.
	TooMuch bool `json:"tooMuch,omitempty"`
}

// Add takes the summary of another partition in.
func (s *Summary) Add(o Summary) {
	s.total(&s.OurPayments, o.OurPayments)
	s.total(&s.OurRefunds, o.OurRefunds)
	s.total(&s.TheirPayments, o.TheirPayments)
	s.total(&s.TheirRefunds, o.TheirRefunds)
	s.sum(&s.Fee, o.Fee)
	s.Matched += o.Matched
	s.TooMuch = s.TooMuch || o.TooMuch
	for c, t := range o.Classes {
		s.class(c, t)
	}
}

// Count adds differences that something else than Match has found.
func (s *Summary) Count(ds []Difference) {
	for i := range ds {
		s.class(ds[i].Class, Total{1, max(ds[i].Amount, -ds[i].Amount)})
	}
}

func (s *Summary) class(c Class, t Total) {
	if s.Classes == nil {
		s.Classes = map[Class]Total{}
	}
	have := s.Classes[c]
	s.total(&have, t)
	s.Classes[c] = have
}

func (s *Summary) total(to *Total, t Total) {
	to.Count += t.Count
	s.sum(&to.Amount, t.Amount)
}

func (s *Summary) sum(to *int64, v int64) {
	was := *to
	if next, err := money.Add(was, v); err == nil {
		*to = next
		return
	}
	s.TooMuch = true
	*to = money.Max
	if was < 0 || v < 0 {
		*to = -money.Max
	}
}

// ours and theirs count a row.
func (s *Summary) ours(o *Ours, day Span, opt *Options) {
	if in, _ := day.place(opt.booked(o)); !o.Settled || !in {
		return
	}
	if o.Kind == payment.BillPayment {
		s.total(&s.OurPayments, Total{1, o.Amount})
	} else {
		s.total(&s.OurRefunds, Total{1, o.Amount})
	}
}

func (s *Summary) theirs(t *payment.BillRow) {
	s.sum(&s.Fee, t.Fee)
	switch {
	case !moved(t):
	case t.Kind == payment.BillPayment:
		s.total(&s.TheirPayments, Total{1, t.Amount})
	default:
		s.total(&s.TheirRefunds, Total{1, t.Amount})
	}
}

// moved says whether a row is of money that moved as its kind says.
func moved(t *payment.BillRow) bool { return t.Done && t.Reported != Revoked }
