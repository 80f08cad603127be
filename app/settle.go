package app

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// Settle is the one method through which facts about payments arrive: from
// callbacks, queries, closes and operators. x is the channel message that brought
// the fact; it is stored with what it did.
func (a *App) Settle(ctx context.Context, shopID, paymentNo string, f payment.Fact, x ChannelMessage) (payment.Outcome, error) {
	began := time.Now()
	repeatNo, err := newNumber(repeatDigit, a.Clock.Now(), a.Rand)
	if err != nil {
		return "", err
	}
	out, _, err := Do(ctx, a, &Command{
		Shop: shopID, Name: "settle", Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Payments.Keys(paymentNo), rows.Refunds.Keys(refundsOf(f)...)},
	}, func(tx *Tx) (settled, error) { return settle(tx, paymentNo, f, x, repeatNo) })
	if err == nil && out.unexplained {
		err = a.explain(ctx, shopID, paymentNo)
	}
	if err == nil && out.trace != "" {
		a.Tracer.AddSpan(ctx, "settle "+x.Kind, out.trace, began)
	}
	return out.outcome, err
}

// settled is what became of a fact, and the order's trace if the payment exists.
type settled struct {
	outcome payment.Outcome
	trace   string
	// unexplained: more went back than refunds of ours that have succeeded, see explain
	unexplained bool
}

// settling is a fact with all that it can change.
type settling struct {
	tx       *Tx
	order    *order.Order
	payment  *payment.Payment
	fact     payment.Fact
	repeatNo string // number of a second payment

	refund *payment.Refund      // that the fact is about; nil if it is about none of ours
	part   *payment.Allocation  // of the refund, as it was before the fact; nil with refund
	before []payment.Allocation // all parts of the refund before the fact
	held   order.Held           // of the refund

	back      int64          // what went back of the payment by this fact, minor units
	excess    int64          // of money that arrives: what the order has not taken, less what had gone back
	overdrawn int64          // what the order took and had gone back before
	own       []payment.Fact // about the refund of the excess, reported before the money
}

// settle adds a fact to its payment, and takes the steps that Settlements has
// for what that changed.
func settle(tx *Tx, paymentNo string, f payment.Fact, x ChannelMessage, repeatNo string) (settled, error) {
	p, err := tx.Payment(paymentNo)
	if err != nil {
		return settled{}, err
	}
	x.Payment = paymentNo
	if p == nil {
		x.Verdict = string(payment.Orphan)
		return settled{outcome: payment.Orphan}, tx.keepOnce(x)
	}
	if p, err = refundedPayment(tx, p, f); err != nil {
		return settled{}, err
	}
	d := p.Data()
	tx.Join(d.Trace)
	o, err := tx.Order(d.Order)
	if err != nil {
		return settled{}, err
	}
	if x.Kind == MessageQuery {
		p.Queried(tx.Now())
	}
	mine, err := ours(tx, p, f)
	if err != nil {
		return settled{}, err
	}
	f = p.Found(f, mine)
	outcome, foreign := p.Settle(f, tx.Now()), false
	if outcome == payment.Repeated {
		err = repeated(tx, p, f)
	} else {
		s := &settling{tx: tx, order: o, payment: p, fact: f, repeatNo: repeatNo, excess: d.Amount, back: p.Data().Refunded - d.Refunded}
		err = s.run(outcome)
		foreign = f.Kind == payment.Refunded && outcome == payment.GoneBack && s.part == nil
	}
	if err != nil {
		return settled{}, err
	}
	x.Order, x.Verdict = d.Order, string(outcome)
	if outcome != payment.Repeated {
		tx.Keep(x)
	} else if err := tx.keepOnce(x); err != nil {
		return settled{}, err
	}
	after := p.Data()
	return settled{outcome, d.Trace, foreign || after.Unexplained()}, nil
}

// repeated moves the next query on: the channel gave the same answer again.
func repeated(tx *Tx, p *payment.Payment, f payment.Fact) error {
	if f.Source == payment.ByQuery {
		tx.PutPayment(p)
	}
	if f.RefundNo == "" || !answersQuery(f) {
		return nil
	}
	r, err := tx.Refund(payment.RefundOf(f.RefundNo))
	if err != nil || r == nil {
		return err
	}
	r.Tried(tx.Now())
	tx.PutRefund(r)
	return nil
}

// answersQuery says whether the fact is a channel's answer about a refund.
func answersQuery(f payment.Fact) bool {
	return f.Source == payment.ByRefund || f.Source == payment.ByQuery
}

// run takes the steps for what the fact changed, and saves what they changed.
func (s *settling) run(outcome payment.Outcome) error {
	before := s.order.Data().Seq
	if s.fact.RefundNo != "" && outcome != payment.Settled {
		var err error
		if outcome, err = s.settleRefund(outcome); err != nil {
			return err
		}
	}
	if outcome == payment.GoneBack && s.part != nil {
		s.returnUnits()
	}
	for _, step := range s.steps(outcome) {
		if err := step.run(s); err != nil {
			return err
		}
	}
	if s.part != nil {
		s.tx.PutRefund(s.refund)
	}
	s.tx.PutPayment(s.payment)
	if d := s.order.Data(); d.Closing != "" && !s.payment.Data().Open() && !othersOpen(s.tx, s.payment) {
		// No payment can be paid any more, so that the order can close. It is
		// live, or Closing would have been cleared.
		if err := s.order.Close(order.Ending{By: d.EndedBy, Reason: d.Closing}, s.tx.Now()); err != nil {
			panic(err)
		}
	}
	if s.order.Data().Seq > before { // every change of an order has its event
		s.tx.PutOrder(s.order)
	}
	return nil
}

// returnUnits has the units of a refund go back with the first of its money.
func (s *settling) returnUnits() {
	if slices.ContainsFunc(s.before, func(a payment.Allocation) bool { return a.Status == payment.RefundSucceeded }) {
		return
	}
	returnUnits(s.tx, s.order, s.refund)
}

func (s *settling) steps(outcome payment.Outcome) []Step {
	for i := range Settlements {
		row := &Settlements[i]
		if row.Outcome == outcome && (row.State.holds == nil || row.State.holds(s)) {
			return row.Steps
		}
	}
	return nil
}

// settleRefund adds a fact that the payment has accepted to the refund of ours
// that it is about, and returns what it changed: the refund's outcome then, and
// the payment's if the refund is not one of ours, or had succeeded before.
func (s *settling) settleRefund(outcome payment.Outcome) (payment.Outcome, error) {
	if outcome != payment.StillOpen && outcome != payment.Recorded && outcome != payment.GoneBack {
		return outcome, nil
	}
	if s.fact.Source == payment.ByCallback && s.fact.Kind == payment.Open {
		// The callback says that the refund changed, and not how.
		s.tx.Enqueue(Job{Kind: JobQueryRefund, Payment: s.payment.No(), Refund: s.fact.RefundNo})
	}
	r, err := s.tx.Refund(payment.RefundOf(s.fact.RefundNo))
	if err != nil || r == nil {
		return outcome, err
	}
	d := r.Data()
	part := d.Allocation(s.fact.RefundNo, s.payment.No())
	if part == nil || part.Status == payment.RefundSucceeded {
		return outcome, nil
	}
	s.refund, s.part, s.before, s.held.Before = r, part, d.Allocations, d.Held()
	outcome = r.Settle(s.fact, s.tx.Now())
	after := r.Data()
	s.held.After = after.Held()
	if answersQuery(s.fact) {
		r.Tried(s.tx.Now())
	}
	return outcome, nil
}

// refundedPayment finds the payment that a fact about a refund is really about: the
// channel names the number that was paid, also when it was paid twice and the
// second money goes back.
func refundedPayment(tx *Tx, p *payment.Payment, f payment.Fact) (*payment.Payment, error) {
	if f.RefundNo == "" {
		return p, nil
	}
	r, err := tx.Refund(payment.RefundOf(f.RefundNo))
	if err != nil || r == nil {
		return p, err
	}
	for _, part := range r.Data().Allocations {
		if part.No != f.RefundNo || part.Payment == p.No() || !IsRepeat(part.Payment) {
			continue
		}
		q, err := tx.Payment(part.Payment)
		if err != nil {
			return nil, err
		}
		if q != nil && q.Data().Request.PaymentNo == p.No() {
			return q, nil
		}
	}
	return p, nil
}

// ours says whether a fact is about a refund of Tandem's.
func ours(tx *Tx, p *payment.Payment, f payment.Fact) (bool, error) {
	if f.Kind != payment.Refunded || f.RefundNo == "" {
		return false, nil
	}
	r, err := tx.Refund(payment.RefundOf(f.RefundNo))
	if err != nil || r == nil {
		return false, err
	}
	d := r.Data()
	return d.Allocation(f.RefundNo, p.No()) != nil, nil
}

// othersOpen says whether another payment of the order may still be paid.
func othersOpen(tx *Tx, p *payment.Payment) bool {
	d := p.Data()
	for _, q := range tx.PaymentsOf(d.Order) {
		if qd := q.Data(); qd.No != d.No && qd.Open() {
			return true
		}
	}
	return false
}

// The kinds of messages.
const (
	MessageCallback = "callback"
	MessagePrepay   = "prepay"
	MessageQuery    = "query"
	MessageClose    = "close"

	MessageRefund      = "refund"
	MessageRefundQuery = "refund_query"
	MessageBill        = "bill"
	MessageOperator    = "operator"
)

// callTime bounds one call to a channel, whatever the channel's own limit.
const callTime = 10 * time.Second
