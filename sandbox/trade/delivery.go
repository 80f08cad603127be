package trade

import (
	"container/heap"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
)

// Delivery is a try of a notice that is due at some time. Whoever takes it
// from Next calls Begin, sends, and calls Finish, or else PutBack.
type Delivery struct {
	Notice *Notice
	due    time.Time
	order  uint64 // of being planned, to break ties
	try    int    // index in the schedule; byHand when it is outside of it
}

const byHand = -1

// deliveries is a heap, the earliest first.
type deliveries []*Delivery

func (q deliveries) Len() int           { return len(q) }
func (q deliveries) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q deliveries) Less(i, j int) bool { return earlier(q[i].due, q[j].due, q[i].order, q[j].order) }
func (q *deliveries) Push(x any)        { *q = append(*q, x.(*Delivery)) }
func (q *deliveries) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

func (b *Book) plan(n *Notice, due time.Time, try int) {
	if try != byHand {
		n.NextTry = due
	}
	b.planned++
	heap.Push(&b.deliveries, &Delivery{Notice: n, due: due, order: b.planned, try: try})
	b.wake()
}

// Next takes the earliest delivery that is due. When there is none it says
// when something will be; ok is false when nothing is planned.
func (b *Book) Next() (d *Delivery, due time.Time, ok bool) {
	b.Lock()
	defer b.Unlock()
	now := b.Now()
	for len(b.deliveries) > 0 {
		if d = b.deliveries[0]; d.due.After(now) {
			break
		}
		heap.Pop(&b.deliveries)
		if d.Notice.Delivered && d.try != byHand {
			d.Notice.NextTry = time.Time{} // it was accepted by hand meanwhile
			continue
		}
		return d, time.Time{}, true
	}
	due, ok = b.nextDue()
	return nil, due, ok
}

// NextDue is when the next delivery or task is due; ok is false when nothing
// is planned.
func (b *Book) NextDue() (due time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nextDue()
}

func (b *Book) nextDue() (due time.Time, ok bool) {
	if len(b.deliveries) > 0 {
		due, ok = b.deliveries[0].due, true
	}
	if len(b.tasks) > 0 && (!ok || b.tasks[0].due.Before(due)) {
		due, ok = b.tasks[0].due, true
	}
	return due, ok
}

// PutBack returns a delivery that says nothing about the shop, since the
// sender stopped.
func (b *Book) PutBack(d *Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	heap.Push(&b.deliveries, d)
}

// Send is how a delivery is to be made.
type Send struct {
	URL    string
	Try    int          // the number of the first copy among all tries
	Copies int          // to be sent at the same moment
	Forged faults.Fault // what is wrong with the signature
}

// Begin counts the tries of a delivery and says how to make them.
func (b *Book) Begin(d *Delivery) Send {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := d.Notice
	s := Send{URL: n.url, Try: n.Tries, Copies: 1}
	if d.try == 0 {
		s.Copies, s.Forged = n.copies, n.forged
	}
	n.Tries += s.Copies
	return s
}

// Finish records the attempts of a delivery and plans what follows.
func (b *Book) Finish(d *Delivery, attempts []Attempt) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := d.Notice
	b.release(n)
	n.Attempts = append(n.Attempts, attempts...)
	if extra := len(n.Attempts) - keepAttempts; extra > 0 {
		n.Attempts = append([]Attempt(nil), n.Attempts[extra:]...)
	}
	if slices.ContainsFunc(attempts, func(a Attempt) bool { return a.OK }) {
		n.Delivered = true
		if n.repeat > 0 {
			n.repeat--
			b.plan(n, b.Now(), byHand)
		}
	}
	if d.try == byHand {
		return
	}
	n.NextTry = time.Time{}
	if waits := n.Trade.Protocol.Schedule(); !n.Delivered && !n.Trade.gone && d.try < len(waits) {
		due := n.first
		for _, wait := range waits[:d.try+1] {
			due = due.Add(wait)
		}
		b.plan(n, due, d.try+1)
	}
}

// release makes due the notices that waited for one like this to be sent.
func (b *Book) release(sent *Notice) {
	b.held = slices.DeleteFunc(b.held, func(n *Notice) bool {
		switch {
		case n == sent || n.Tries > 0: // it waited as long as it may
			return true
		case n.behind == faults.RefundBeforePayment && (sent.Refund == nil || sent.Payment != n.Payment):
			return false
		}
		i := slices.IndexFunc(b.deliveries, func(d *Delivery) bool { return d.Notice == n && d.try == 0 })
		if i >= 0 {
			n.first, n.NextTry = b.Now(), b.Now()
			b.deliveries[i].due = n.first
			heap.Fix(&b.deliveries, i)
			b.wake()
		}
		return true
	})
}
