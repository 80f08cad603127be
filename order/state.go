package order

import "github.com/tandem-pay/tandem/fault"

// Status is an order's state.
type Status string

// The states of an order.
const (
	Draft          Status = "draft"
	PendingPayment Status = "pending_payment"
	PartiallyPaid  Status = "partially_paid"
	PaymentFailed  Status = "payment_failed"
	Paid           Status = "paid"
	Closed         Status = "closed"
	Refunded       Status = "refunded"
)

// Verb is what can be done to an order's state.
type Verb string

// The verbs.
const (
	EditDraft   Verb = "edit"
	SubmitDraft Verb = "submit"
	PayPart     Verb = "pay part"
	PayRest     Verb = "pay the rest"
	FailAttempt Verb = "attempt failed"
	TryAgain    Verb = "new attempt"
	BeginClose  Verb = "begin to close"
	Close       Verb = "cancel or expire"
	CloseFree   Verb = "cancel an order of 0"
	RefundPart  Verb = "part of it refunded"
	RefundRest  Verb = "refunded in full"
	Revive      Verb = "late money, by policy"
)

// Transitions is the whole state machine as data: move obeys it, the
// documents are drawn from it. What is not listed is refused.
var Transitions = []struct {
	From Status
	Verb Verb
	To   Status
}{
	{Draft, EditDraft, Draft},
	{Draft, SubmitDraft, PendingPayment},
	{Draft, Close, Closed},

	{PendingPayment, PayPart, PartiallyPaid},
	{PendingPayment, PayRest, Paid},
	{PendingPayment, FailAttempt, PaymentFailed},
	{PendingPayment, TryAgain, PendingPayment},
	{PendingPayment, BeginClose, PendingPayment},
	{PendingPayment, Close, Closed},

	{PaymentFailed, PayPart, PartiallyPaid},
	{PaymentFailed, PayRest, Paid},
	{PaymentFailed, FailAttempt, PaymentFailed},
	{PaymentFailed, TryAgain, PendingPayment},
	{PaymentFailed, BeginClose, PaymentFailed},
	{PaymentFailed, Close, Closed},

	{PartiallyPaid, PayPart, PartiallyPaid},
	{PartiallyPaid, PayRest, Paid},
	{PartiallyPaid, FailAttempt, PartiallyPaid},
	{PartiallyPaid, TryAgain, PartiallyPaid},
	{PartiallyPaid, BeginClose, PartiallyPaid},
	{PartiallyPaid, Close, Closed},
	{PartiallyPaid, RefundPart, PartiallyPaid},

	{Paid, RefundPart, Paid},
	{Paid, RefundRest, Refunded},
	{Paid, CloseFree, Closed},
	{Closed, RefundPart, Closed},
	{Closed, Revive, Paid},
}

type edge struct {
	from Status
	verb Verb
}

var next = func() map[edge]Status {
	m := make(map[edge]Status, len(Transitions))
	for _, t := range Transitions {
		m[edge{t.From, t.Verb}] = t.To
	}
	return m
}()

// Live says whether money can still settle the order.
func (s Status) Live() bool { return s == PendingPayment || s == PartiallyPaid || s == PaymentFailed }

// Expires says whether the order closes when its time is over: it waits for
// money, or is a draft that nobody went on with.
func (s Status) Expires() bool { return s == Draft || s.Live() }

// move follows the table, or refuses with the code.
func (o *Order) move(v Verb, code fault.Code) error {
	to, ok := next[edge{o.d.Status, v}]
	if !ok {
		return fault.New(code, "order %s is %s", o.d.No, o.d.Status)
	}
	o.d.Status = to
	return nil
}
