// Package trade is the part of the sandbox that knows no protocol: trades,
// payments and refunds with their rules, the movements of money that bills are
// made of, and the notices that report to the shop what happened.
//
// A Book keeps all of it in memory, behind one lock. It does no I/O: the
// protocols translate requests into its calls, and the sandbox sends the
// notices that it has due.
package trade

import (
	"container/list"
	"errors"
	"time"
)

// State is the state of a trade, in terms of no protocol.
type State string

// The states.
const (
	Open    State = "open"    // can be paid
	Failed  State = "failed"  // an attempt to pay failed; can still be paid
	Paid    State = "paid"    // final
	Closed  State = "closed"  // by the shop
	Expired State = "expired" // its time has run out; the shop may still close it
)

// Why a trade cannot be paid or found.
var (
	ErrNoTrade = errors.New("there is no such trade")
	ErrPaid    = errors.New("the trade has been paid")
	ErrUnpaid  = errors.New("the trade has not been paid")
	ErrClosed  = errors.New("the trade has been closed")
	ErrExpired = errors.New("the trade has expired")
)

// Protocol is what the book needs of a wire protocol. It calls the methods
// with its lock held.
type Protocol interface {
	Name() string
	// Open is called before a buyer does anything with the trade.
	Open(t *Trade, now time.Time)
	// TransactionID is the platform's number of the next payment of the trade.
	TransactionID(t *Trade, now time.Time) string
	// RefundID is a new number of the platform's for a refund.
	RefundID(now time.Time) string
	// Reports says whether a notice reports a refund in that state.
	Reports(state RefundState) bool
	// Schedule is the waits between the tries of a notice.
	Schedule() []time.Duration
}

// Trade is one payment that a shop requested. What the protocol sets when it
// adds the trade does not change, except for Expires and LinkUntil; the rest
// is guarded by the book's lock.
type Trade struct {
	Protocol    Protocol
	No          string // the shop's number
	Token       string // names the phone page; cannot be guessed
	Method      string // native, jsapi, h5, app, qr, page, wap
	Amount      int64  // fen
	Description string
	NotifyURL   string
	Fingerprint [32]byte // of all parameters: a repeat must have the same
	Created     time.Time
	Details     any // the protocol's own

	Expires   time.Time // the last moment to pay; zero: never
	LinkUntil time.Time // the last moment to open the phone page
	Payments  []*Payment
	Refunds   []*Refund
	Notices   []*Notice

	state         State // never Expired, see State
	ids           []string
	moves         []entry
	inAll, inDone *list.Element
	gone          bool // dropped by the book
}

// Payment is money that a buyer paid. TransactionID, At and Coupon do not
// change; the rest is guarded by the book's lock.
type Payment struct {
	TransactionID string
	At            time.Time
	Coupon        int64 // fen of the trade's amount that the platform paid for the buyer

	Refunded   int64 // fen, by refunds that are not closed
	Returned   int64 // fen, by refunds that succeeded
	couponBack int64 // fen of Refunded that are not the buyer's
}

// State is the state at a time. The book's lock is held.
func (t *Trade) State(now time.Time) State {
	if (t.state == Open || t.state == Failed) && !t.Expires.IsZero() && now.After(t.Expires) {
		return Expired
	}
	return t.state
}

// payable is the reason why the trade cannot be paid.
func (t *Trade) payable(now time.Time) error {
	switch t.State(now) {
	case Paid:
		return ErrPaid
	case Closed:
		return ErrClosed
	case Expired:
		return ErrExpired
	case Open, Failed: // after a failed attempt the buyer may try again
	}
	return nil
}
