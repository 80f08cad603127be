package payment

import "time"

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
}
