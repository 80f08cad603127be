package trade

import (
	"container/list"
	"log/slog"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
)

// Clock is the only source of time. After's channel receives once the clock
// has passed d from now, also when the clock is moved there in one jump.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// China is the zone of the days of bills, and of all times on the wire.
var China = time.FixedZone("CST", 8*3600)

// Options of NewBook. All are required.
type Options struct {
	Clock  Clock
	Random *random.Source
	Faults *faults.Set
	Log    *slog.Logger
	// Limit is the number of trades to keep. The oldest that is paid or closed
	// makes room, or the oldest of all when none is.
	Limit int
	// RefundSpacing is the least time between two refunds of one trade.
	RefundSpacing time.Duration
}

// Book keeps the trades. What is done under its lock takes microseconds, a
// hundredth of the signature that every call needs anyway.
type Book struct {
	Options

	// Changed receives when something was planned that may be due first.
	Changed chan struct{}

	mu            sync.Mutex // guards what follows and the trades within
	byNo          map[number]*Trade
	byToken       map[string]*Trade
	byTransaction map[number]*Trade
	byRefund      map[refundKey]*Refund
	byRefundID    map[number]*Refund
	days          map[dayKey]*list.List // of *Movement
	balances      map[string]int64      // fen, of the merchant's account by protocol
	all           list.List             // in the order of creation
	done          list.List             // paid or closed, in the order of that

	deliveries deliveries
	tasks      tasks
	held       []*Notice // that wait for another to be sent first
	planned    uint64    // deliveries and tasks ever planned
	noticed    uint64    // notices ever made
}

// number is a number within a protocol.
type number struct{ protocol, no string }

// NewBook makes an empty book.
func NewBook(o Options) *Book {
	return &Book{
		Options:       o,
		Changed:       make(chan struct{}, 1),
		byNo:          map[number]*Trade{},
		byToken:       map[string]*Trade{},
		byTransaction: map[number]*Trade{},
		byRefund:      map[refundKey]*Refund{},
		byRefundID:    map[number]*Refund{},
		days:          map[dayKey]*list.List{},
		balances:      map[string]int64{},
	}
}

// Lock locks the book and does what has become due, so that it is right
// whenever it is looked at. Every other method but Now, Next, Begin, Finish,
// PutBack and NextDue is called between Lock and Unlock.
func (b *Book) Lock() {
	b.mu.Lock()
	b.catchUp()
}

// Unlock ends Lock.
func (b *Book) Unlock() { b.mu.Unlock() }

// Now is the time of the book's clock.
func (b *Book) Now() time.Time { return b.Clock.Now() }

// TokenLength is that of Trade.Token.
const TokenLength = 20

// Add keeps a new trade, which is open, and gives it a token.
func (b *Book) Add(t *Trade) {
	for t.Token == "" || b.byToken[t.Token] != nil {
		t.Token = b.Random.Text(TokenLength, random.Lower)
	}
	t.state = Open
	b.byNo[number{t.Protocol.Name(), t.No}] = t
	b.byToken[t.Token] = t
	t.inAll = b.all.PushBack(t)
	if b.all.Len() <= b.Limit {
		return
	}
	oldest := b.all.Front()
	if b.done.Len() > 0 {
		oldest = b.done.Front()
	}
	b.remove(oldest.Value.(*Trade))
}

// AddID lets the trade be found by a number of the platform's.
func (b *Book) AddID(t *Trade, id string) {
	t.ids = append(t.ids, id)
	b.byTransaction[number{t.Protocol.Name(), id}] = t
}

// remove forgets a trade. A notice of it that is planned is still sent, but
// not tried again: otherwise a shop that is down would keep all trades alive.
func (b *Book) remove(t *Trade) {
	name := t.Protocol.Name()
	t.gone = true
	delete(b.byNo, number{name, t.No})
	delete(b.byToken, t.Token)
	for _, id := range t.ids {
		delete(b.byTransaction, number{name, id})
	}
	for _, r := range t.Refunds {
		delete(b.byRefund, refundKey{name, r.Scope, r.No})
		delete(b.byRefundID, number{name, r.ID})
	}
	for _, m := range t.moves {
		b.forget(m)
	}
	b.all.Remove(t.inAll)
	if t.inDone != nil {
		b.done.Remove(t.inDone)
	}
}

// finish moves t to a final state.
func (b *Book) finish(t *Trade, state State) {
	t.state = state
	if t.inDone == nil {
		t.inDone = b.done.PushBack(t)
	}
}

// ByNo returns the trade with the shop's number, or nil.
func (b *Book) ByNo(p Protocol, no string) *Trade { return b.byNo[number{p.Name(), no}] }

// ByToken returns the trade of the phone page, or nil.
func (b *Book) ByToken(token string) *Trade { return b.byToken[token] }

// ByID returns the trade with the platform's number, or nil.
func (b *Book) ByID(p Protocol, id string) *Trade { return b.byTransaction[number{p.Name(), id}] }

// RefundByNo returns the refund with the shop's number, or nil. The scope is
// the trade's number where refund numbers belong to trades, otherwise "".
func (b *Book) RefundByNo(p Protocol, scope, no string) *Refund {
	return b.byRefund[refundKey{p.Name(), scope, no}]
}

// RefundByID returns the refund with the platform's number, or nil.
func (b *Book) RefundByID(p Protocol, id string) *Refund { return b.byRefundID[number{p.Name(), id}] }

// Newest are the newest trades, at most limit.
func (b *Book) Newest(limit int) (out []*Trade) {
	for e := b.all.Back(); e != nil && len(out) < limit; e = e.Prev() {
		out = append(out, e.Value.(*Trade))
	}
	return out
}

// Size is how much a book holds.
type Size struct {
	Trades, Done, Tokens, Transactions, Refunds, RefundIDs, Movements, Held int
}

// Size counts what the book holds, to find what is never let go.
func (b *Book) Size() Size {
	s := Size{
		Trades: len(b.byNo), Done: b.done.Len(), Tokens: len(b.byToken), Transactions: len(b.byTransaction),
		Refunds: len(b.byRefund), RefundIDs: len(b.byRefundID), Held: len(b.held),
	}
	for _, day := range b.days {
		s.Movements += day.Len()
	}
	return s
}
