package app

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// Book is where money of a payment can stand.
type Book string

// The books. Suspense is what no other book holds; see payment.Data.Suspense.
const (
	BookPaid      Book = "paid"      // it has arrived, and is put into one of the others
	BookApplied   Book = "applied"   // the order took it
	BookRefunding Book = "refunding" // reserved for a refund that is under way
	BookRefunded  Book = "refunded"  // it has gone back to the buyer
	BookSuspense  Book = "suspense"  // it has arrived, and is neither the order's nor refunded
)

// Step is one thing that a fact does. One with From and To moves money; these
// are the only moves that facts make. What a shop requests, or the closing of an
// order requires, to be refunded is reserved in refund.go, from applied to refunding.
type Step struct {
	Name   string
	From   Book // "": no money moves
	To     Book
	Events []event.Type // that it can record
	run    func(*settling) error
}

// Steps that move money.
var (
	// The order takes what is due; the rest stays in suspense.
	paidToApplied = Step{
		"what is due",
		BookPaid,
		BookApplied,
		[]event.Type{event.OrderPaid, event.OrderPartiallyPaid},
		func(s *settling) error {
			s.apply(s.order.Settle(s.payment.Data().Amount, s.tx.Now()))
			return nil
		},
	}

	// A closed order takes what comes late if the shop revives orders, and if
	// everything that the order held is still available.
	paidToRevival = Step{
		"all of it, if the shop revives orders and this one can be",
		BookPaid,
		BookApplied,
		[]event.Type{event.OrderPaid},
		func(s *settling) error {
			amount := s.payment.Data().Amount
			if s.tx.Shop().Policies.LatePayment != shop.Revive || allGone.holds(s) {
				return nil
			}
			revived, err := revive(s.tx, s.order, amount)
			if revived {
				s.apply(amount)
			}
			return err
		},
	}

	// The buyer paid twice under one number. The second money is a payment of
	// its own, so that the books show it, and all of it goes back.
	secondPayment = Step{
		"a payment of its own, all of it",
		BookSuspense,
		BookRefunding,
		[]event.Type{event.PaymentSucceeded, event.RefundCreated},
		func(s *settling) error {
			var known []string
			for _, q := range s.tx.PaymentsOf(s.order.No()) {
				if d := q.Data(); d.Request.PaymentNo == s.payment.No() && d.No != s.payment.No() {
					known = append(known, d.TransactionID)
				}
			}
			q := s.payment.Again(s.repeatNo, known, s.tx.Now())
			if q == nil {
				return nil
			}
			s.order.Note(q.Event(event.PaymentSucceeded, string(payment.PaidAgain)))
			s.tx.PutPayment(q)
			s.tx.PutRefund(automaticRefund(s.tx, s.order, q, payment.Overpayment, q.Data().Amount, nil))
			return nil
		},
	}

	// Money went back that the order had not reserved. Suspense gives it; what
	// suspense does not have, the order gives.
	suspenseToRefunded = Step{
		"what went back; what suspense does not have, from applied",
		BookSuspense,
		BookRefunded,
		refundEvents,
		func(s *settling) error {
			e := moneyBack(s.payment, s.back)
			if s.part != nil {
				e = s.refundedEvent()
			}
			giveBack(s.order, s.payment, s.payment.Apply(0), e)
			return nil
		},
	}

	// A refund of the order has succeeded. It is the reserved amount, unless
	// the channel did something else: then what is missing of the reserve goes
	// back to the order, and what is beyond it is taken from the order.
	refundingToRefunded = Step{"what was reserved", BookRefunding, BookRefunded, refundEvents, func(s *settling) error {
		lines := s.refund.Data().Lines
		taken := s.takeApplied()
		reserved := s.payment.Unreserve(s.part.Amount)
		kept := min(taken, reserved)
		s.order.CompleteRefund(returns(lines), s.held, reserved, kept, s.refundedEvent())
		if taken > kept {
			giveBack(s.order, s.payment, taken-kept, moneyBack(s.payment, taken-kept))
		}
		return nil
	}}

	// A refund of the order has succeeded after it had been given up.
	appliedToRefunded = Step{"what went back", BookApplied, BookRefunded, refundEvents, func(s *settling) error {
		taken := s.takeApplied()
		s.order.RefundReleased(returns(s.refund.Data().Lines), s.held, taken, s.payment.Overreserved(), s.refundedEvent())
		return nil
	}}

	// A refund of the order is given up, as a whole or for its last parts: their
	// reserve ends. A part that the channel alone gave up stays reserved.
	refundingToApplied = Step{"what was reserved of it", BookRefunding, BookApplied, nil, func(s *settling) error {
		d := s.refund.Data()
		var released int64
		for i := range d.Allocations {
			was, is := &s.before[i], &d.Allocations[i]
			if !was.Reserved() || is.Reserved() {
				continue
			}
			p := s.payment
			if is.Payment != p.No() {
				var err error
				if p, err = s.tx.Payment(is.Payment); err != nil {
					return err
				}
			}
			released += p.Unreserve(is.Amount)
			s.tx.PutPayment(p)
		}
		s.order.ReleaseRefund(returns(d.Lines), s.held, released)
		return nil
	}}
)

var refundEvents = []event.Type{event.RefundSucceeded, event.RefundProgressed, event.OrderRefunded, event.GoodsReturned}

// suspenseToRefunding refunds what is left in suspense, without anybody's
// request. What was reported of this refund before its payment is settled with it.
func suspenseToRefunding(cause payment.Cause) Step {
	return Step{
		"the rest, as " + string(cause),
		BookSuspense,
		BookRefunding,
		[]event.Type{event.RefundCreated, event.RefundSucceeded, event.RefundFailed, event.RefundParked, event.OrderRefunded},
		func(s *settling) error {
			if s.excess <= 0 {
				return nil
			}
			r := automaticRefund(s.tx, s.order, s.payment, cause, s.excess, nil)
			for _, f := range s.own {
				switch r.Settle(f, s.tx.Now()) {
				case payment.GoneBack:
					giveBack(s.order, s.payment, s.overdrawn, refundEvent(r, event.RefundSucceeded, ""))
				case payment.NowFailed:
					s.order.Note(refundEvent(r, event.RefundFailed, f.Reported))
				case payment.NowParked:
					s.order.Note(refundEvent(r, event.RefundParked, f.Reported))
				default: // known already, or without effect: nothing to report
				}
			}
			s.tx.PutRefund(r)
			return nil
		},
	}
}

// earlierRefunds books the refunds that were reported before the payment. One
// under the number of the automatic refund is Tandem's own if there is an
// excess, and left to suspenseToRefunding. The others were made at the
// merchant's console, say: suspense gives them first, so that there is less
// left to refund.
func earlierRefunds(cause payment.Cause) Step {
	return Step{
		"what had gone back before; what suspense does not have, from applied",
		BookSuspense,
		BookRefunded,
		[]event.Type{event.RefundSucceeded, event.OrderRefunded},
		func(s *settling) error {
			d := s.payment.Data()
			no := derivedNumber(cause, d.No)
			ownGone := false
			for _, f := range d.Facts {
				if f.RefundNo == no && s.excess > 0 && s.payment.Believes(f) {
					s.own = append(s.own, f)
					ownGone = ownGone || f.Kind == payment.Refunded
				}
			}
			left := d.Refunded
			if ownGone {
				left -= min(left, s.excess)
			}
			for _, f := range d.Facts {
				if f.Kind != payment.Refunded || f.RefundNo == no && s.excess > 0 || !s.payment.Believes(f) {
					continue
				}
				part := min(f.Amount, left)
				if part == 0 {
					continue
				}
				left -= part
				fromApplied := min(part, s.overdrawn)
				s.overdrawn -= fromApplied
				giveBack(s.order, s.payment, fromApplied, moneyBack(s.payment, part))
				if !ownGone {
					s.excess -= part
				}
			}
			// The channel counts more than it names.
			if left > 0 {
				fromApplied := min(left, s.overdrawn)
				s.overdrawn -= fromApplied
				giveBack(s.order, s.payment, fromApplied, moneyBack(s.payment, left))
				if !ownGone {
					s.excess -= left
				}
			}
			return nil
		},
	}
}

// Steps that move no money.
var (
	paymentSucceeded = recordEvent(event.PaymentSucceeded, func(*settling) string { return "" })
	paymentFailed    = recordEvent(event.PaymentFailed, func(s *settling) string { return s.fact.Reported })
	paymentAnomaly   = recordEvent(event.PaymentAnomaly, func(s *settling) string { return s.payment.Data().Anomaly })

	// A payment that the channel had nothing to close of can still be paid
	// until it expires: it is queried once more then.
	paymentClosed = Step{Name: "payment.closed", Events: []event.Type{event.PaymentClosed}, run: func(s *settling) error {
		s.order.Note(s.payment.Event(event.PaymentClosed, s.fact.Reported))
		if s.fact.Reported == NobodyOpened {
			s.payment.Watch()
		}
		return nil
	}}
	attemptFailed = Step{Name: "the attempt failed", Events: []event.Type{event.OrderPaymentFailed}, run: func(s *settling) error {
		s.order.AttemptFailed(s.fact.Reported)
		return nil
	}}
	refundFailed = Step{Name: "refund.failed", Events: []event.Type{event.RefundFailed}, run: func(s *settling) error {
		s.order.Note(refundEvent(s.refund, event.RefundFailed, s.fact.Reported))
		return nil
	}}
	refundParked = Step{Name: "refund.parked", Events: []event.Type{event.RefundParked}, run: func(s *settling) error {
		s.order.Note(refundEvent(s.refund, event.RefundParked, s.fact.Reported))
		return nil
	}}
)

func recordEvent(t event.Type, reason func(*settling) string) Step {
	return Step{Name: string(t), Events: []event.Type{t}, run: func(s *settling) error {
		s.order.Note(s.payment.Event(t, reason(s)))
		return nil
	}}
}

// apply books what the order took of the payment.
func (s *settling) apply(amount int64) {
	s.overdrawn = s.payment.Apply(amount)
	s.excess -= amount
}

// takeApplied takes what went back from what the order took, also what of it
// was counted as suspense.
func (s *settling) takeApplied() int64 {
	taken := s.payment.RefundApplied(s.back)
	return taken + s.payment.Apply(0)
}

// refundedEvent is the event of a part of a refund that has gone back.
func (s *settling) refundedEvent() event.Event {
	d := s.refund.Data()
	if d.Status == payment.RefundSucceeded {
		return refundEvent(s.refund, event.RefundSucceeded, "")
	}
	e := s.payment.Event(event.RefundProgressed, "")
	e.Refund, e.Amount = d.No, s.fact.Amount
	return e
}

// giveBack books money that went back without a reserve, amount of it out of
// what the order took. Where the order had reserved it for other refunds,
// their reserve is given up: the channel will refuse them.
func giveBack(o *order.Order, p *payment.Payment, amount int64, e event.Event) {
	o.RefundUnreserved(amount, p.Overreserved(), e)
}

// moneyBack is the event of money that went back without a refund of ours.
func moneyBack(p *payment.Payment, amount int64) event.Event {
	e := p.Event(event.RefundSucceeded, "")
	e.Amount = amount
	return e
}
