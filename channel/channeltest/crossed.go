package channeltest

import (
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// The rows of this file answer a call about one payment with the channel's own
// answer about another. It is authentic and true, but not of our payment, so
// that nothing may follow from it.

// crossed makes the call ours, answered with the answer to the call others.
func (s suite) crossed(others, ours func()) {
	s.Helper()
	s.Wire.Keep(others)
	if !s.Wire.Replay(ours) {
		s.Error("the call sent nothing to the gateway")
	}
}

// names says whether the protocol's answer to a call names the payment that it
// is about: one that does not can be compared with nothing.
func (s suite) names(call Call) bool { return !slices.Contains(s.Nameless, call) }

func queryCrossed(s suite) {
	const other, no = "CTCROSS0001", "CTCROSS0002"
	s.bought(other)
	s.open(no)
	s.crossed(func() { s.query(other, payment.Paid) }, func() {
		f, err := s.Channel.Query(s.Context(), no)
		s.fails("query", err, payment.ErrUnknown)
		s.nothing(f)
	})
	s.query(no, payment.Open)
}

func closeCrossed(s suite) {
	if !s.names(Close) {
		s.Skip("the answer to a close names no payment")
	}
	const other, no = "CTCROSS0003", "CTCROSS0004"
	s.open(other)
	s.open(no)
	s.crossed(func() { s.must(s.Channel.Close(s.Context(), other)) }, func() {
		s.fails("close", s.Channel.Close(s.Context(), no), payment.ErrUnknown)
	})
	s.query(no, payment.Open)
}

func prepayCrossed(s suite) {
	if !s.names(Prepay) {
		s.Skip("the answer to a prepay names no payment")
	}
	for _, m := range s.Called {
		other, no := "CTCROSSO"+string(m), "CTCROSSN"+string(m)
		s.crossed(func() {
			_, err := s.Channel.Prepay(s.Context(), s.request(m, other))
			s.must(err)
		}, func() {
			a, err := s.Channel.Prepay(s.Context(), s.request(m, no))
			s.fails(string(m), err, payment.ErrUnknown)
			if diff := cmp.Diff(payment.Action{}, a); diff != "" {
				s.Errorf("%s: an action all the same: %s", m, diff)
			}
		})
	}
}

// refundCrossed takes the answer about a refund of another payment, of the
// same amount, and under the same number where the protocol lets two payments
// have one.
func refundCrossed(s suite) {
	const other, no = "CTCROSS0005", "CTCROSS0006"
	s.bought(other)
	s.bought(no)
	theirs, ours := s.refundOf(other, "CTX1", 500), s.refundOf(no, "CTX1", 500)
	s.crossed(func() { s.refund(theirs) }, func() {
		f, err := s.accounts().Refund(s.Context(), ours)
		s.fails("refund", err, payment.ErrUnknown)
		s.nothing(f)
	})
	s.refunded(theirs)
	s.left(no, amount)
}

// queryRefundCrossed takes neither another payment's refund nor another refund
// of the same payment for ours.
func queryRefundCrossed(s suite) {
	const other, no = "CTCROSS0007", "CTCROSS0008"
	s.bought(other)
	s.bought(no)
	for _, row := range []struct {
		name         string
		theirs, ours payment.RefundRequest
	}{
		{"another payment's", s.refundOf(other, "CTX2", 500), s.refundOf(no, "CTX2", 500)},
		{"another number's", s.refundOf(no, "CTX3", 500), s.refundOf(no, "CTX4", 500)},
	} {
		s.refund(row.theirs)
		s.refunded(row.theirs)
		s.crossed(func() { s.became(row.theirs, payment.Refunded) }, func() {
			f, err := s.accounts().QueryRefund(s.Context(), row.ours)
			s.fails(row.name, err, payment.ErrUnknown)
			s.nothing(f)
		})
	}
	s.left(no, amount-500)
}

// nothing requires no fact beside an error.
func (s suite) nothing(f payment.Fact) {
	s.Helper()
	if diff := cmp.Diff(payment.Fact{}, f); diff != "" {
		s.Errorf("a fact all the same: %s", diff)
	}
}
