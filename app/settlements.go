package app

import (
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// Settlement is one row of Settlements: what a fact does that has changed a
// payment, or a refund, in one way, when it finds the rest in one state.
type Settlement struct {
	Fact    string          // in words
	Outcome payment.Outcome // what the fact changed
	State   State           // of the order, of the other payments, or of the refund
	Steps   []Step          // in this order, see books.go; none: nothing else changes
}

// State is a condition under which a row applies.
type State struct {
	Text  string // "": always
	holds func(*settling) bool
}

// The states. Those of refunds are of the refund that the fact is about.
var (
	always = State{}

	allGone = State{"all of it has gone back already, and the order waits for money", func(s *settling) bool {
		d := s.payment.Data()
		return d.Left() == 0
	}}
	orderWaits  = State{"the order waits for money", func(s *settling) bool { return s.order.Data().Status.Live() }}
	orderClosed = State{"the order is closed", func(s *settling) bool { return s.order.Data().Status == order.Closed }}
	orderPaid   = State{"the order is paid or refunded", func(s *settling) bool {
		d := s.order.Data().Status
		return d == order.Paid || d == order.Refunded
	}}

	noneOpenElse = State{
		"no other payment of the order is open",
		func(s *settling) bool { return s.part == nil && !othersOpen(s.tx, s.payment) },
	}
	openElse = State{
		"another payment of the order is open",
		func(s *settling) bool { return s.part == nil && othersOpen(s.tx, s.payment) },
	}
	failedClosed = State{"the attempt failed after all, and no other payment of the order is open", func(s *settling) bool {
		return s.part == nil && s.fact.Kind == payment.Failed && s.payment.Data().Status == payment.StatusClosed &&
			!othersOpen(s.tx, s.payment)
	}}

	notOurs    = State{"not one of Tandem's, or one that had succeeded", func(s *settling) bool { return s.part == nil }}
	ofSuspense = State{
		"a refund of money in suspense",
		func(s *settling) bool { return s.part != nil && !s.refund.Data().Cause.OfOrder() },
	}
	ofOrder          = State{"a refund of applied money", func(s *settling) bool { return ofOrderIs(s, false) }}
	ofOrderAndFailed = State{"a refund of applied money that had failed", func(s *settling) bool { return ofOrderIs(s, true) }}
	ofOrderGoesOn    = State{
		"a refund of applied money, another part of which has gone back or can still go",
		func(s *settling) bool { return ofOrderIs(s, false) && s.refund.Data().Status == payment.RefundPending },
	}
	oneOfOurs = State{"one of Tandem's", func(s *settling) bool { return s.part != nil }}
)

func ofOrderIs(s *settling, failed bool) bool {
	return s.part != nil && s.refund.Data().Cause.OfOrder() && s.part.Reserved() != failed
}

// Settlements is everything that a fact can do beside changing its payment.
// The first row that applies is taken; a fact for which there is none is
// recorded with its payment and does nothing else. Whatever the row, an order
// that is being closed closes when its last open payment has an end.
//
// The books of a payment that succeeded add up to its amount: what its order
// took (applied, of which a part may be reserved for refunds: refunding), what
// has gone back (refunded), and the rest (suspense).
var Settlements = []Settlement{
	// A payment. Money that has gone pays no order.
	{"paid", payment.Settled, State{allGone.Text, func(s *settling) bool { return allGone.holds(s) && orderWaits.holds(s) }},
		[]Step{paymentSucceeded, earlierRefunds(payment.Overpayment), suspenseToRefunding(payment.Overpayment)}},
	{"paid", payment.Settled, orderWaits,
		[]Step{paymentSucceeded, paidToApplied, earlierRefunds(payment.Overpayment), suspenseToRefunding(payment.Overpayment)}},
	{"paid", payment.Settled, orderClosed,
		[]Step{paymentSucceeded, paidToRevival, earlierRefunds(payment.LatePayment), suspenseToRefunding(payment.LatePayment)}},
	{"paid", payment.Settled, orderPaid,
		[]Step{paymentSucceeded, earlierRefunds(payment.Overpayment), suspenseToRefunding(payment.Overpayment)}},
	{"paid, and an unknown part of it has gone back", payment.Held, always, []Step{paymentAnomaly}},
	{"paid a second time under one number", payment.PaidAgain, always, []Step{secondPayment}},
	{"the payment failed", payment.NowFailed, noneOpenElse, []Step{paymentFailed, attemptFailed}},
	{"the payment failed", payment.NowFailed, openElse, []Step{paymentFailed}},
	{"the payment failed, reported after its close", payment.Recorded, failedClosed, []Step{attemptFailed}},
	{"closed at the channel", payment.NowClosed, always, []Step{paymentClosed}},
	{"amount, currency, merchant or app differ", payment.Anomalous, always, []Step{paymentAnomaly}},

	// A refund.
	{"refunded", payment.GoneBack, notOurs, []Step{suspenseToRefunded}},
	{"refunded", payment.GoneBack, ofSuspense, []Step{suspenseToRefunded}},
	{"refunded", payment.GoneBack, ofOrder, []Step{refundingToRefunded}},
	{"refunded", payment.GoneBack, ofOrderAndFailed, []Step{appliedToRefunded}},
	{"the refund failed", payment.NowFailed, ofSuspense, []Step{refundFailed}},
	{"the refund failed", payment.NowFailed, ofOrderGoesOn, []Step{refundingToApplied, refundParked}},
	{"the refund failed", payment.NowFailed, ofOrder, []Step{refundingToApplied, refundFailed}},
	{"the refund is stuck at the channel", payment.NowParked, oneOfOurs, []Step{refundParked}},
}
