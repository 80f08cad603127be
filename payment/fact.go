package payment

import (
	"cmp"
	"time"
)

// FactKind is what a piece of evidence says about a payment.
type FactKind string

// The kinds.
const (
	Paid        FactKind = "paid"         // the money is at the channel
	Failed      FactKind = "failed"       // this attempt failed; a later one may succeed
	Closed      FactKind = "closed"       // the channel takes no money for it any more
	Refunded    FactKind = "refunded"     // money went back: Amount of it, by the refund in the ID
	RefundStuck FactKind = "refund_stuck" // a refund that the channel cannot finish by itself; it may yet succeed
	Open        FactKind = "open"         // the channel knows it, and it is not paid (or refunded) yet; says nothing lasting

	// RefundFailed: a refund that the channel has given up for good. Its
	// number is used up, no money has gone; another try needs a new number.
	RefundFailed FactKind = "refund_failed"
)

// Source is where a fact comes from.
type Source string

// The sources.
const (
	ByCallback Source = "callback"
	ByPrepay   Source = "prepay"
	ByQuery    Source = "query"
	ByClose    Source = "close"
	ByOperator Source = "operator"
	ByRefund   Source = "refund" // the answer to a refund that we requested
	ByBill     Source = "bill"
)

// Fact is one piece of evidence about a payment: a verified callback, a
// query's answer, an operator's statement. A payment's state is a function of the
// set of its facts, whatever the order in which they came.
type Fact struct {
	// ID is equal for the same fact reported twice, whatever its source: made by
	// the channel from what it says ("paid/4200000000202611225108579453").
	ID            string    `json:"id"`
	Kind          FactKind  `json:"kind"`
	Source        Source    `json:"source"`
	TransactionID string    `json:"transactionId,omitempty"` // the channel's number, of a refund fact that of the refund
	RefundNo      string    `json:"refundNo,omitempty"`      // our number of the refund, of refund facts
	Amount        int64     `json:"amount,omitempty"`        // minor units, as the channel says
	Currency      string    `json:"currency,omitempty"`
	Merchant      string    `json:"merchant,omitempty"` // mchid or seller id, as the channel says
	App           string    `json:"app,omitempty"`      // app id, as the channel says
	Reported      string    `json:"word,omitempty"`     // the channel's own code: SUCCESS, NOTPAY, …
	At            time.Time `json:"at,omitzero"`        // when it happened, by the channel
	ReceivedAt    time.Time `json:"receivedAt,omitzero"`

	// Returned is how much of a paid payment had gone back in all, when the
	// channel said so: minor units, 0 when it says nothing, or ReturnedSome. It
	// says that whoever made the refunds.
	Returned int64 `json:"returned,omitempty"`
	// Foreign is how much of Returned no refund of Tandem's explains: that much
	// counts. It is our own finding, and not part of what was reported.
	Foreign int64 `json:"foreign,omitempty"`
	// Ours says, of money that went back, that it is a refund of Tandem's: our own
	// finding as well.
	Ours bool `json:"ours,omitempty"`
}

// ReturnedSome is the Returned of a channel that says that money has gone back,
// and not how much.
const ReturnedSome = -1

// same says whether g reports the same as f. One transaction that is reported
// with two contents is two facts, so that their order cannot matter.
func (f *Fact) same(g *Fact, currency string) bool {
	if f.ID != g.ID || f.Kind != g.Kind {
		return f.ID == g.ID
	}
	in := func(c string) string { return cmp.Or(c, currency) }
	switch f.Kind {
	case Paid:
		return f.TransactionID == g.TransactionID && f.Amount == g.Amount && in(f.Currency) == in(g.Currency) &&
			f.Merchant == g.Merchant && f.App == g.App && f.Returned == g.Returned
	case Refunded:
		return f.Amount == g.Amount && f.Merchant == g.Merchant
	default:
		return true
	}
}
