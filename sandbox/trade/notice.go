package trade

import (
	"errors"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
)

// Notice is one callback to the shop, in all its tries. The first group of
// fields does not change; the rest is guarded by the book's lock.
type Notice struct {
	Trade   *Trade
	Payment *Payment    // nil: the trade was closed unpaid
	Refund  *Refund     // nil: it reports the payment
	State   RefundState // of the refund, when the notice was made
	At      time.Time   // since when the refund has the state, or the trade is closed
	Account string      // where the refund goes, then
	Total   int64       // fen of the payment that had gone back by then
	ID      string
	Salt    string // 12 characters: the nonce of the encryption
	Created time.Time
	Serial  uint64 // its number among all notices

	url    string
	first  time.Time    // when the first try is due; the schedule counts from here
	forged faults.Fault // what is wrong with the signature of the first try
	copies int          // of the first try, at the same moment
	behind faults.Fault // what must be sent first: Reordered or RefundBeforePayment
	repeat int          // how often to send it once more after it was accepted

	Lost      bool // by a fault: it is never sent
	Delivered bool
	NextTry   time.Time // zero: none is planned
	Tries     int
	Attempts  []Attempt // the last twenty
}

// Attempt is one try to deliver a notice.
type Attempt struct {
	At     time.Time    `json:"at"`
	Key    string       `json:"key"`              // what it was signed with: certificate, public_key or alipay
	Forged faults.Fault `json:"forged,omitempty"` // set when the signature was wrong on purpose
	Status int          `json:"status,omitempty"` // of the shop's answer
	Error  string       `json:"error,omitempty"`  // when there was none
	OK     bool         `json:"ok"`
}

// keepAttempts is how many attempts of a notice are kept: all of the schedule
// and a few by hand.
const keepAttempts = 20

// ReportClosing makes and plans the notice that reports that the trade was
// closed unpaid.
func (b *Book) ReportClosing(t *Trade, at time.Time) {
	b.report(faults.Callback, Notice{Trade: t, url: t.NotifyURL, Created: at, At: at}, t.NotifyURL != "")
}

// reportRefund makes and plans the notices that report the state of r, when
// the shop gave an address.
func (b *Book) reportRefund(r *Refund, at time.Time) {
	if r.notifyURL != "" && r.Trade.Protocol.Reports(r.State) {
		b.report(faults.RefundCallback, Notice{Trade: r.Trade, Payment: r.Payment, Refund: r, State: r.State, At: at,
			Account: r.Account, Total: r.Payment.Returned, url: r.notifyURL, Created: at}, true)
	}
}

// report makes notices after the pattern and, when they are to be sent, plans
// them, with a fault of op or without.
func (b *Book) report(op faults.Op, pattern Notice, send bool) {
	t, now := pattern.Trade, pattern.Created
	fresh := func() *Notice {
		b.noticed++
		n := new(Notice)
		*n = pattern
		n.ID, n.Salt, n.first, n.Serial, n.copies = b.Random.UUID(), b.Random.Text(12, random.Alnum), now, b.noticed, 1
		t.Notices = append(t.Notices, n)
		return n
	}
	n := fresh()
	if !send {
		return
	}
	switch fault := b.Faults.Take(op, t.No); fault.Fault {
	case faults.Lost:
		n.Lost = true
		return
	case faults.Duplicated:
		n.repeat = 1
	case faults.ConcurrentDuplicate:
		n.copies = 2
	case faults.Delayed:
		n.first = now.Add(fault.Delay)
	case faults.Reordered, faults.RefundBeforePayment:
		n.first, n.behind = now.Add(fault.Delay), fault.Fault
		b.held = append(b.held, n)
	case faults.SecondID:
		b.plan(fresh(), now, 0)
	case faults.SigntestProbe, faults.CorruptSignature, faults.Unsigned:
		n.forged = fault.Fault
	default: // the other faults are not of callbacks
	}
	b.plan(n, n.first, 0)
}

// Resend plans every notice of t for a try right now, outside of the schedule.
func (b *Book) Resend(t *Trade) error {
	if len(t.Notices) == 0 {
		return ErrUnpaid
	}
	for _, n := range t.Notices {
		b.plan(n, b.Now(), byHand)
	}
	return nil
}

// ResendRefund is Resend for the notices of one refund.
func (b *Book) ResendRefund(r *Refund) error {
	of := func(n *Notice) bool { return n.Refund == r }
	if !slices.ContainsFunc(r.Trade.Notices, of) {
		return errors.New("the refund has no callback yet")
	}
	for _, n := range r.Trade.Notices {
		if of(n) {
			b.plan(n, b.Now(), byHand)
		}
	}
	return nil
}
