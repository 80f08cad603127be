package sandbox

import (
	"container/heap"
	"container/list"
	"time"
)

// movement is money that moved: a payment or, with refund set, a refund that
// succeeded. It does not change. Bills are made of movements.
type movement struct {
	at      time.Time
	trade   *trade
	payment *payment
	refund  *refund // nil: the payment
	amount  int64   // fen that moved, in either direction
	coupon  int64   // fen of it that the platform's coupon paid, or got back
	fee     int64   // fen that the platform keeps of a payment, or gives back with a refund
	balance int64   // fen of the merchant's account afterwards
}

// ledgerKey is a day, in China, of a protocol.
type ledgerKey struct{ protocol, day string }

const dayLayout = time.DateOnly

// feeBasisPoints is the price of a payment, 0.60 %.
const feeBasisPoints = 60

// feeOf is the fee for an amount, rounded to fen, halves up.
func feeOf(amount int64) int64 { return (amount*feeBasisPoints + 5000) / 10000 }

// moved records a movement. The fee of refunds is what the fee of the rest is
// less, so that the whole payment gives back the whole fee. g.mu is held.
func (g *Gateway) moved(t *trade, p *payment, r *refund, at time.Time) {
	s := g.trades
	name := t.speaks.name()
	m := &movement{at: at, trade: t, payment: p, refund: r, amount: t.amount, coupon: p.coupon, fee: feeOf(t.amount)}
	if r == nil {
		s.balances[name] += m.amount - m.fee
	} else {
		m.amount, m.coupon = r.amount, r.coupon
		m.fee = feeOf(t.amount-p.returned) - feeOf(t.amount-p.returned-r.amount)
		p.returned += r.amount
		s.balances[name] -= m.amount - m.fee
	}
	m.balance = s.balances[name]
	key := ledgerKey{name, at.In(china).Format(dayLayout)}
	day := s.days[key]
	if day == nil {
		day = list.New()
		s.days[key] = day
	}
	t.moves = append(t.moves, entry{key, day.PushBack(m)})
}

// entry is where a trade's movement is kept.
type entry struct {
	day ledgerKey
	at  *list.Element
}

// forget takes a movement out of its day.
func (s *store) forget(e entry) {
	day := s.days[e.day]
	day.Remove(e.at)
	if day.Len() == 0 {
		delete(s.days, e.day)
	}
}

// movements are those of a day in China, "2006-01-02", in the order in which
// they happened. Trades that made room for others are missing. g.mu is held.
func (g *Gateway) movements(p protocol, day string) []*movement {
	g.catchUp()
	kept := g.trades.days[ledgerKey{p.name(), day}]
	if kept == nil {
		return nil
	}
	out := make([]*movement, 0, kept.Len())
	for e := kept.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*movement))
	}
	return out
}

// task is something of the gateway's own that is due at some time.
type task struct {
	due   time.Time
	order uint64 // of being planned, to break ties
	do    func(at time.Time)
}

// agenda is a heap of tasks, the earliest first.
type agenda []task

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(task)) }
func (a agenda) Less(i, j int) bool {
	if a[i].due.Equal(a[j].due) {
		return a[i].order < a[j].order
	}
	return a[i].due.Before(a[j].due)
}
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = task{}
	*a = old[:len(old)-1]
	return last
}

// later plans do for a time; it is called under the lock. g.mu is held.
func (g *Gateway) later(due time.Time, do func(at time.Time)) {
	g.queued++
	heap.Push(&g.agenda, task{due: due, order: g.queued, do: do})
	g.wake()
}

// catchUp does what has become due, each as at its own time: so the gateway
// is right whenever it is looked at, whether or not Run is running. g.mu is
// held.
func (g *Gateway) catchUp() {
	for now := g.now(); len(g.agenda) > 0 && !g.agenda[0].due.After(now); {
		t := heap.Pop(&g.agenda).(task)
		t.do(t.due)
	}
}
