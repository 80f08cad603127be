package sandbox

import (
	"container/list"
	"errors"
	"strings"
	"time"
)

// State is what has become of a trade, in words of no protocol.
type State string

// The states.
const (
	Open    State = "open"    // can be paid
	Failed  State = "failed"  // the buyer tried in vain; can still be paid
	Paid    State = "paid"    // for good
	Closed  State = "closed"  // by the shop
	Expired State = "expired" // its time has run out; the shop may still close it
)

// Why a trade cannot be paid or asked for.
var (
	ErrNoTrade = errors.New("there is no such trade")
	ErrPaid    = errors.New("the trade has been paid")
	ErrUnpaid  = errors.New("the trade has not been paid")
	ErrClosed  = errors.New("the trade has been closed")
	ErrExpired = errors.New("the trade has expired")
)

// trade is one payment that a shop asked for. What prepay sets does not
// change, except for linkUntil; the rest is guarded by Gateway.mu.
type trade struct {
	speaks      protocol
	no          string // the shop's number
	token       string // names the phone page; not to be guessed
	method      string // native, jsapi, h5, app
	amount      int64  // fen
	description string
	notifyURL   string
	fingerprint [32]byte // of all parameters: a repeat must have the same
	created     time.Time
	expires     time.Time // the last moment to pay; zero: never
	wechat      wechatTrade
	alipay      alipayTrade

	linkUntil time.Time // the last moment to open the phone page
	state     State     // never Expired, see stateAt
	payments  []*payment
	refunds   []*refund
	notices   []*notice
	moves     []entry // of the ledger

	inAll, inDone *list.Element
	gone          bool // dropped by the store
}

// payment is money that a buyer paid. The number, the time and the coupon do
// not change; the rest is guarded by Gateway.mu.
type payment struct {
	transactionID string
	at            time.Time
	coupon        int64 // fen of the trade's amount that the platform paid for the buyer

	refunded   int64 // fen, by refunds that are not closed
	couponBack int64 // fen of those that are not the buyer's
	returned   int64 // fen, by refunds that succeeded
}

func (t *trade) stateAt(now time.Time) State {
	if (t.state == Open || t.state == Failed) && !t.expires.IsZero() && now.After(t.expires) {
		return Expired
	}
	return t.state
}

// store keeps the trades. Gateway.mu guards it: what is done under it takes
// microseconds, a hundredth of the signature that every call needs anyway.
type store struct {
	limit         int
	byNo          map[tradeKey]*trade
	byToken       map[string]*trade
	byTransaction map[tradeKey]*trade
	byRefund      map[refundKey]*refund
	byRefundID    map[tradeKey]*refund
	days          map[ledgerKey]*list.List // of *movement
	balances      map[string]int64         // fen, of the merchant's account by protocol
	all           list.List                // in the order of creation
	done          list.List                // paid or closed, in the order of that
}

// tradeKey is a number within a protocol.
type tradeKey struct{ protocol, no string }

func newStore(limit int) *store {
	return &store{
		limit:         limit,
		byNo:          map[tradeKey]*trade{},
		byToken:       map[string]*trade{},
		byTransaction: map[tradeKey]*trade{},
		byRefund:      map[refundKey]*refund{},
		byRefundID:    map[tradeKey]*refund{},
		days:          map[ledgerKey]*list.List{},
		balances:      map[string]int64{},
	}
}

func (s *store) add(t *trade) {
	s.byNo[tradeKey{t.speaks.name(), t.no}] = t
	s.byToken[t.token] = t
	t.inAll = s.all.PushBack(t)
	if s.all.Len() <= s.limit {
		return
	}
	victim := s.all.Front()
	if s.done.Len() > 0 {
		victim = s.done.Front()
	}
	s.remove(victim.Value.(*trade))
}

// remove forgets a trade. A callback of it that is queued is still sent, but
// not tried again: otherwise a shop that is down would keep all trades alive.
func (s *store) remove(t *trade) {
	t.gone = true
	delete(s.byNo, tradeKey{t.speaks.name(), t.no})
	delete(s.byToken, t.token)
	delete(s.byTransaction, tradeKey{t.speaks.name(), t.alipay.tradeNo})
	for _, p := range t.payments {
		delete(s.byTransaction, tradeKey{t.speaks.name(), p.transactionID})
	}
	for _, r := range t.refunds {
		delete(s.byRefund, refundKey{t.speaks.name(), r.scope, r.no})
		delete(s.byRefundID, tradeKey{t.speaks.name(), r.id})
	}
	for _, m := range t.moves {
		s.forget(m)
	}
	s.all.Remove(t.inAll)
	if t.inDone != nil {
		s.done.Remove(t.inDone)
	}
}

func (s *store) addRefund(r *refund) {
	s.byRefund[refundKey{r.trade.speaks.name(), r.scope, r.no}] = r
	s.byRefundID[tradeKey{r.trade.speaks.name(), r.id}] = r
}

// finish moves t to a final state.
func (s *store) finish(t *trade, state State) {
	t.state = state
	if t.inDone == nil {
		t.inDone = s.done.PushBack(t)
	}
}

// Pay lets the buyer pay the trade and sends the callback.
func (g *Gateway) Pay(outTradeNo string) error {
	return g.withTrade(outTradeNo, func(t *trade) error { return g.pay(t, true) })
}

// PaySilently lets the buyer pay the trade, but sends no callback: for a
// caller that delivers SignedCallback itself.
func (g *Gateway) PaySilently(outTradeNo string) error {
	return g.withTrade(outTradeNo, func(t *trade) error { return g.pay(t, false) })
}

// Fail lets the buyer's attempt to pay fail. The shop is not told, and a
// later attempt may succeed.
func (g *Gateway) Fail(outTradeNo string) error {
	return g.withTrade(outTradeNo, g.fail)
}

// withTrade runs f on the trade, under the lock. The number may be led by the
// protocol's name, as in "alipay:NO1": the same number in two protocols names
// two trades, and without it the first protocol that knows one is meant.
func (g *Gateway) withTrade(no string, f func(*trade) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	channel, rest, chosen := strings.Cut(no, ":")
	if chosen {
		no = rest
	}
	for _, p := range g.protocols {
		if t := g.trades.byNo[tradeKey{p.name(), no}]; t != nil && (!chosen || p.name() == channel) {
			return f(t)
		}
	}
	return ErrNoTrade
}

func (g *Gateway) pay(t *trade, tell bool) error {
	now := g.now()
	switch t.stateAt(now) {
	case Paid:
		if g.strike(OpPay, t.no, SecondPayment).Fault == "" {
			return ErrPaid
		}
	case Closed:
		if g.strike(OpPay, t.no, PayAfterClose).Fault == "" {
			return ErrClosed
		}
	case Expired:
		if g.strike(OpPay, t.no, PayAfterClose).Fault == "" {
			return ErrExpired
		}
	}
	t.speaks.begin(t, now)
	times, coupon := 1, int64(0)
	switch g.strike(OpPay, t.no, PaidTwice, PlatformCoupon).Fault {
	case PaidTwice:
		times = 2
	case PlatformCoupon:
		coupon = min(max(1, t.amount/10), t.amount-1) // the buyer pays something
	}
	for range times {
		p := &payment{transactionID: t.speaks.transactionID(t, now), at: now, coupon: coupon}
		t.payments = append(t.payments, p)
		g.trades.byTransaction[tradeKey{t.speaks.name(), p.transactionID}] = t
		g.trades.finish(t, Paid)
		g.moved(t, p, nil, now)
		g.announce(t, p, tell)
		g.log.Debug("sandbox: trade paid", "outTradeNo", t.no, "transactionId", p.transactionID)
	}
	return nil
}

func (g *Gateway) fail(t *trade) error {
	switch t.stateAt(g.now()) {
	case Paid:
		return ErrPaid
	case Closed:
		return ErrClosed
	case Expired:
		return ErrExpired
	}
	t.speaks.begin(t, g.now())
	t.state = Failed
	return nil
}
