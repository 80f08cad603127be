// Package payment guards the payment, an aggregate apart from the order, and
// holds the port to the channels. A payment's state is a function of the set
// of its facts (see Settle): a callback, a query's answer and an operator's
// statement all go through one method, so that the order of their arrival cannot
// matter and a repeated fact changes nothing.
package payment

import (
	"slices"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// Status is a payment's state.
type Status string

// The states of a payment. Created becomes Pending when the channel has
// accepted it; an unknown outcome leaves it where it is: unknown is not failed.
const (
	StatusCreated   Status = "created"
	StatusPending   Status = "pending"
	StatusSucceeded Status = "succeeded"
	StatusFailed    Status = "failed"
	StatusClosed    Status = "closed"
)

// Transitions is the state machine as data, from which the documents are
// drawn. Settle computes the same from facts.
var Transitions = []struct {
	From Status
	Verb string
	To   Status
}{
	{StatusCreated, "taken by the channel", StatusPending},
	{StatusCreated, "paid", StatusSucceeded},
	{StatusCreated, "failed", StatusFailed},
	{StatusCreated, "closed", StatusClosed},
	{StatusPending, "paid", StatusSucceeded},
	{StatusPending, "failed", StatusFailed},
	{StatusPending, "closed", StatusClosed},
	{StatusFailed, "paid", StatusSucceeded},
	{StatusFailed, "closed", StatusClosed},
	{StatusClosed, "paid", StatusSucceeded},
}

// Data is a payment as it is stored. Amounts are minor units, times UTC; a
// zero time has not come.
type Data struct {
	No       string
	Order    string
	Channel  string // the shop's name for the channel
	Method   Method
	Amount   int64
	Currency string
	Status   Status
	Applied  int64 // how much of it the order took
	Refunded int64
	// Refunding is how much of what the order took is reserved for refunds
	// that have neither succeeded nor failed yet.
	Refunding int64

	Merchant string // who must have been paid, by the channel's settings when it was opened
	App      string
	Request  PrepayRequest
	Action   *Action // nil until the channel has answered
	Facts    []Fact  // lasting evidence, one per Fact.ID, in order of arrival
	Anomaly  string  // why a fact was kept but does not count; "" if there is none

	TransactionID string // the channel's number of the money that arrived
	CreatedAt     time.Time
	ExpiresAt     time.Time
	SucceededAt   time.Time // by the channel
	ClosedAt      time.Time
	NextQueryAt   time.Time // when to query the channel; zero: no need
	Queries       int
	Trace         string
	Version       int64 // 0 before it was first saved
}

// Suspense is money that arrived and is neither applied nor refunded.
func (d Data) Suspense() int64 {
	if d.Status != StatusSucceeded {
		return 0
	}
	return d.Amount - d.Applied - d.Refunded
}

// Open says whether the channel may still take money for it.
func (d Data) Open() bool { return d.Status == StatusCreated || d.Status == StatusPending }

// Payment is the aggregate.
type Payment struct {
	event.Recorder
	d Data
}

// New makes a payment that has not been saved yet. r becomes its request,
// sent as it is each time.
func New(order, channel, merchant, app, trace string, r PrepayRequest, now time.Time) *Payment {
	return &Payment{d: Data{
		No: r.PaymentNo, Order: order, Channel: channel, Method: r.Method, Amount: r.Amount, Currency: r.Currency,
		Status: StatusCreated, Merchant: merchant, App: app, Request: r,
		CreatedAt: now, ExpiresAt: r.ExpiresAt, NextQueryAt: now.Add(QueryDelays[0]), Trace: trace,
	}}
}

// Again makes the payment of a second transaction under the number of p: the
// channel took money twice for it. It has a number of its own, and its
// request names the one that the channel knows. known are the transactions
// that have a payment already.
func (p *Payment) Again(no string, known []string, now time.Time) *Payment {
	for _, f := range p.d.Facts {
		if f.Kind != Paid || p.mismatch(f) != "" || f.TransactionID == p.d.TransactionID || slices.Contains(known, f.TransactionID) {
			continue
		}
		q := &Payment{d: p.d}
		q.d.No, q.d.Version, q.d.CreatedAt = no, 0, now
		q.d.Applied, q.d.Refunded, q.d.Refunding, q.d.Queries = 0, 0, 0, 0
		q.d.Facts, q.d.Anomaly = nil, ""
		for _, g := range p.d.Facts {
			if g.Kind == Paid && g.TransactionID == f.TransactionID && p.mismatch(g) == "" {
				q.d.Facts = append(q.d.Facts, g)
			}
		}
		q.resolve(now)
		return q
	}
	return nil
}

// Restore makes a payment from what was stored.
func Restore(d Data) *Payment { return &Payment{d: d} }

// Data is the payment's present data. Its slices are not to be changed.
func (p *Payment) Data() Data { return p.d }

// No is the payment number.
func (p *Payment) No() string { return p.d.No }

// Event describes the payment in an event of the given type.
func (p *Payment) Event(t event.Type, reason string) event.Event {
	return event.Event{Type: t, Payment: p.d.No, Channel: p.d.Channel, Amount: p.d.Amount, Reason: reason}
}

// Accepted stores the channel's answer to the prepay. A late answer to a payment
// that has changed since does not change its state.
func (p *Payment) Accepted(a Action) bool {
	if p.d.Status != StatusCreated {
		if p.d.Action == nil {
			p.d.Action = &a
		}
		return false
	}
	p.d.Action, p.d.Status = &a, StatusPending
	return true
}

// QueryDelays is the schedule on which an open payment is queried, each
// counted from the query before; the last repeats. The channel's
// callback usually comes first, so the early ones are for its loss.
var QueryDelays = []time.Duration{
	10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
}

// Queried schedules the next query. A payment that is not open is queried once
// more at most, see Watch.
func (p *Payment) Queried(now time.Time) {
	p.d.Queries++
	if !p.d.Open() {
		p.d.NextQueryAt = time.Time{}
		return
	}
	p.d.NextQueryAt = now.Add(QueryDelays[min(p.d.Queries, len(QueryDelays)-1)])
}

// Watch schedules a last query of a closed payment for after its expiry: it was
// closed here while the buyer's code could still be paid, because the channel
// does not know a payment, and so cannot close it, before its code is opened.
func (p *Payment) Watch() {
	if p.d.Status == StatusClosed {
		p.d.NextQueryAt = p.d.ExpiresAt.Add(time.Minute)
	}
}

// Apply moves amount from suspense to what the order took. What has gone back to
// the buyer is taken from suspense first; overdrawn is what suspense did not
// have: it is taken from the order again.
func (p *Payment) Apply(amount int64) (overdrawn int64) {
	p.d.Applied += amount
	overdrawn = max(0, p.d.Applied+p.d.Refunded-p.d.Amount)
	p.d.Applied -= overdrawn
	return overdrawn
}

// Refundable is how much of what the order took can still be refunded, in minor
// units.
func (d *Data) Refundable() int64 { return max(0, d.Applied-d.Refunding) }

// Reserve reserves amount of what the order took for a refund.
func (p *Payment) Reserve(amount int64) { p.d.Refunding += amount }

// Unreserve ends the reserve of amount: the money has gone, or will not. It
// returns how much of it was still reserved.
func (p *Payment) Unreserve(amount int64) int64 {
	amount = min(amount, p.d.Refunding)
	p.d.Refunding -= amount
	return amount
}

// Overreserved ends what is reserved beyond what the payment still has: money
// went back that was reserved for other refunds, and the channel will refuse
// that much of them. It returns how much that is.
func (p *Payment) Overreserved() int64 { return p.Unreserve(max(0, p.d.Refunding-p.d.Applied)) }

// RefundApplied takes amount that went back from what the order took, instead of
// from suspense. It returns how much of it the order had.
func (p *Payment) RefundApplied(amount int64) int64 {
	amount = min(amount, p.d.Applied)
	p.d.Applied -= amount
	return amount
}
