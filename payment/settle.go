package payment

import (
	"fmt"
	"slices"
	"time"
)

// MaxFacts is how many lasting facts one payment keeps. A channel has a
// handful of different things to say about one payment; more is an attack or
// a defect, and is kept with the raw callbacks only.
const MaxFacts = 192

// Outcome is what a fact did.
type Outcome string

// The outcomes.
const (
	Settled    Outcome = "settled"    // the money is there, and this fact was the first to say so
	Held       Outcome = "held"       // the money was there, and a part of it that nobody names has gone back
	Repeated   Outcome = "repeated"   // known already
	Recorded   Outcome = "recorded"   // kept; the state is as before
	NowFailed  Outcome = "failed"     // the attempt failed
	NowClosed  Outcome = "closed"     // closed at the channel
	GoneBack   Outcome = "refunded"   // money of it went back to the buyer
	PaidAgain  Outcome = "paid_again" // a second transaction under its number: the buyer paid twice
	NowParked  Outcome = "parked"     // of a refund: the channel cannot finish it by itself
	Anomalous  Outcome = "anomaly"    // authentic but wrong: kept, but does not count
	Orphan     Outcome = "orphan"     // authentic, about a payment that we do not know
	StillOpen  Outcome = "still_open" // the fact says nothing lasting
	NotFactual Outcome = "refused"    // did not pass a check
)

// Settle adds a fact to the payment's evidence and recomputes its state. It
// is the only way in which a fact changes a payment.
func (p *Payment) Settle(f Fact, now time.Time) Outcome {
	if f.Kind == Open {
		return StillOpen
	}
	if slices.ContainsFunc(p.d.Facts, func(g Fact) bool { return f.same(&g, p.d.Currency) }) {
		return Repeated
	}
	if p.knows(&f) {
		return Repeated
	}
	if len(p.d.Facts) >= MaxFacts {
		return Recorded
	}
	f.ReceivedAt = now
	before, refunded, held := p.d.Status, p.d.Refunded, p.held()
	// A new slice: clones share the old one.
	p.d.Facts = append(slices.Clip(p.d.Facts), f)
	anomaly := p.mismatch(f)
	p.resolve(now)
	switch {
	case anomaly != "":
		return Anomalous
	case held && !p.held():
		return Settled
	case p.d.Status == before && p.d.Refunded != refunded:
		return GoneBack
	case before == StatusSucceeded && f.Kind == Paid && f.TransactionID != p.d.TransactionID:
		return PaidAgain
	case p.d.Status == before:
		return Recorded
	case p.held():
		return Held
	case p.d.Status == StatusSucceeded:
		return Settled
	case p.d.Status == StatusFailed:
		return NowFailed
	default:
		return NowClosed
	}
}

// resolve computes the state from the set of facts: money that is right wins
// over everything, a close over a failure. Only one right payment counts, and
// what went back counts once there is a payment; the set decides, not the
// order of arrival.
func (p *Payment) resolve(now time.Time) {
	var paid *Fact
	var closed, failed bool
	p.d.Anomaly = ""
	for i := range p.d.Facts {
		f := &p.d.Facts[i]
		if why := p.mismatch(*f); why != "" {
			if p.d.Anomaly == "" || why < p.d.Anomaly {
				p.d.Anomaly = why
			}
			continue
		}
		switch f.Kind {
		case Paid:
			if paid == nil || p.settles(f, paid) {
				paid = f
			}
		case Closed:
			closed = true
		case Failed:
			failed = true
		case Open, Refunded, RefundStuck, RefundFailed: // say nothing lasting about the payment
		}
	}
	switch {
	case paid != nil:
		p.d.Status, p.d.TransactionID, p.d.SucceededAt = StatusSucceeded, paid.TransactionID, paid.At
		p.d.NextQueryAt = time.Time{}
		p.resolveReturned()
	case closed:
		if p.d.Status != StatusClosed {
			p.d.ClosedAt = now
		}
		p.d.Status, p.d.NextQueryAt = StatusClosed, time.Time{}
	case failed:
		p.d.Status, p.d.NextQueryAt = StatusFailed, time.Time{}
	}
}

// Believes says whether a fact can be about this payment's money; one that
// cannot is kept, but does not count.
func (p *Payment) Believes(f Fact) bool { return p.mismatch(f) == "" }

// settles says whether f rather than g is the money that settled the payment:
// the transaction that was reported first stays so, because refunds may be under
// way against it. Which of two it was is the one thing that the order of
// arrival decides; what the other brought has a payment of its own.
func (p *Payment) settles(f, g *Fact) bool {
	if now := p.d.TransactionID; now != "" && f.TransactionID != g.TransactionID && (f.TransactionID == now || g.TransactionID == now) {
		return f.TransactionID == now
	}
	return f.At.Before(g.At) || f.At.Equal(g.At) && f.ID < g.ID
}

// mismatch says why a fact cannot be about this payment's money: what the
// channel says of amount, currency, merchant and app must be what we requested.
func (p *Payment) mismatch(f Fact) string {
	switch {
	case f.Kind == Refunded && f.Merchant != p.d.Merchant:
		return fmt.Sprintf("merchant: refunded by %s, ours is %s", f.Merchant, p.d.Merchant)
	case f.Kind == Refunded && (f.Amount <= 0 || f.Amount > p.d.Amount):
		return fmt.Sprintf("amount: refunded %d of %d", f.Amount, p.d.Amount)
	case f.Kind != Paid:
		return ""
	case f.Amount != p.d.Amount:
		return fmt.Sprintf("amount: paid %d, asked %d", f.Amount, p.d.Amount)
	case f.Currency != "" && f.Currency != p.d.Currency:
		return fmt.Sprintf("currency: paid %s, asked %s", f.Currency, p.d.Currency)
	case f.Merchant != p.d.Merchant:
		return fmt.Sprintf("merchant: paid to %s, ours is %s", f.Merchant, p.d.Merchant)
	case f.App != p.d.App:
		return fmt.Sprintf("app: paid in %s, ours is %s", f.App, p.d.App)
	}
	return ""
}
