package harness

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
)

// Gate is a payment channel with its gateway in memory: it keeps trades,
// answers like a real one, and does what a test has it do. It signs
// nothing: the protocols have tests of their own.
type Gate struct {
	now func() time.Time

	mu     sync.Mutex
	trades map[string]*trade
	// Prepays, Queries, Closes, Refunds and RefundQueries count the calls
	// so far.
	Prepays, Queries, Closes, Refunds, RefundQueries int
	// Fail, if set, is called before each call; its error is the answer, and
	// while it blocks that call hangs, and no other. After says whether the
	// gateway did its work all the same; of a bill (call "bill", with the day
	// for a number) that half of the rows came before the error.
	Fail func(call, paymentNo string) (err error, after bool)
	// Rows is what its bills have, of all days.
	Rows []payment.BillRow
	slow bool
}

type trade struct {
	amount  int64
	again   int64 // how often it was paid once more
	state   payment.FactKind
	refunds map[string]*refund
}

// refund at the gate: Slow leaves it open until Finish.
type refund struct {
	amount int64
	kind   payment.FactKind
}

// Slow has refunds wait for Finish; otherwise they succeed at once.
func (g *Gate) Slow(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slow = on
}

// Finish ends a refund, and gives the fact that a callback would bring.
func (g *Gate) Finish(refundNo string, kind payment.FactKind) payment.Fact {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.trades {
		if r := t.refunds[refundNo]; r != nil {
			r.kind = kind
			return g.refundFact(refundNo, r, payment.ByCallback)
		}
	}
	panic("the gate has no refund " + refundNo)
}

// Refund sends money back, once for one number.
func (g *Gate) Refund(_ context.Context, q payment.RefundRequest) (payment.Fact, error) {
	after, err := g.fail("refund", q.RefundNo)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Refunds++
	t := g.trades[q.PaymentNo]
	switch {
	case t == nil || t.state != payment.Paid:
		return payment.Fact{}, &payment.RejectedError{Code: "NOT_PAID", Message: "nothing was paid"}
	case t.refunds[q.RefundNo] == nil && after:
		if q.Amount > t.left() {
			return payment.Fact{}, &payment.RejectedError{Code: "TOO_MUCH", Message: "more than is left"}
		}
		if t.refunds == nil {
			t.refunds = map[string]*refund{}
		}
		kind := payment.Refunded
		if g.slow {
			kind = payment.Open
		}
		t.refunds[q.RefundNo] = &refund{q.Amount, kind}
	}
	if err != nil {
		return payment.Fact{}, err
	}
	return g.refundFact(q.RefundNo, t.refunds[q.RefundNo], payment.ByRefund), nil
}

// QueryRefund reports the state of a refund.
func (g *Gate) QueryRefund(_ context.Context, q payment.RefundRequest) (payment.Fact, error) {
	_, err := g.fail("query refund", q.RefundNo)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.RefundQueries++
	if err != nil {
		return payment.Fact{}, err
	}
	t := g.trades[q.PaymentNo]
	if t == nil || t.refunds[q.RefundNo] == nil {
		return payment.Fact{}, payment.ErrNotExist
	}
	return g.refundFact(q.RefundNo, t.refunds[q.RefundNo], payment.ByQuery), nil
}

func (g *Gate) refundFact(no string, r *refund, by payment.Source) payment.Fact {
	f := payment.Fact{
		ID: "refund/" + no, Kind: r.kind, Source: by, RefundNo: no, TransactionID: "R" + no, Amount: r.amount,
		Merchant: "mch", App: "app", Reported: string(r.kind), At: g.now(),
	}
	if r.kind != payment.Refunded {
		f.ID += "/" + string(r.kind)
	}
	return f
}

// Bill has what was paid and refunded at the gate that day.
func (g *Gate) Bill(_ context.Context, day payment.Day, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	after, failed := g.fail("bill", day.String())
	g.mu.Lock()
	rows := slices.Clone(g.Rows)
	g.mu.Unlock()
	if failed != nil && !after {
		return payment.BillSummary{}, failed
	}
	var sum payment.BillSummary
	for i, r := range rows {
		if failed != nil && i >= (len(rows)+1)/2 {
			return sum, failed
		}
		if payment.DayOf(r.At, g.Zone()) != day {
			continue
		}
		if r.Kind == payment.BillRefund {
			sum.Refunds++
			sum.Refunded += r.Amount
		} else {
			sum.Payments++
			sum.Paid += r.Amount
		}
		if err := emit(r); err != nil {
			return sum, err
		}
	}
	if sum.Payments+sum.Refunds == 0 {
		return sum, payment.ErrNoBill
	}
	return sum, nil
}

// Zone is China's.
func (g *Gate) Zone() *time.Location { return time.FixedZone("+08:00", 8*60*60) }

// NewGate makes a gate.
func NewGate(now func() time.Time) *Gate { return &Gate{now: now, trades: map[string]*trade{}} }

// Channel finds the gate under any name.
func (g *Gate) Channel(_ context.Context, _, _ string) (app.Configured, error) {
	return app.Configured{Channel: g, Merchant: "mch", App: "app"}, nil
}

// Kind is its protocol.
func (g *Gate) Kind() string { return "gate" }

// Methods are all.
func (g *Gate) Methods() []payment.Method { return []payment.Method{payment.Native, payment.H5} }

func (g *Gate) fail(call, no string) (after bool, err error) {
	if g.Fail == nil {
		return true, nil
	}
	err, after = g.Fail(call, no)
	return after, err
}

// Prepay opens a trade.
func (g *Gate) Prepay(_ context.Context, r payment.PrepayRequest) (payment.Action, error) {
	after, err := g.fail("prepay", r.PaymentNo)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Prepays++
	if after && g.trades[r.PaymentNo] == nil {
		g.trades[r.PaymentNo] = &trade{amount: r.Amount, state: payment.Open}
	}
	if err != nil {
		return payment.Action{}, err
	}
	switch g.trades[r.PaymentNo].state {
	case payment.Paid:
		return payment.Action{}, payment.ErrPaid
	case payment.Closed:
		return payment.Action{}, payment.ErrClosed
	default: // the trade is open
	}
	return payment.Action{Kind: "qr_code", CodeURL: "gate://" + r.PaymentNo}, nil
}

// Query reports the state of a trade.
func (g *Gate) Query(_ context.Context, no string) (payment.Fact, error) {
	_, err := g.fail("query", no)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Queries++
	if err != nil {
		return payment.Fact{}, err
	}
	t := g.trades[no]
	if t == nil {
		return payment.Fact{}, payment.ErrNotExist
	}
	return g.fact(no, t, payment.ByQuery), nil
}

// Close closes an open trade.
func (g *Gate) Close(_ context.Context, no string) error {
	after, err := g.fail("close", no)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Closes++
	t := g.trades[no]
	switch {
	case t == nil:
		return payment.ErrNotExist
	case t.state == payment.Paid:
		return payment.ErrPaid
	case after:
		t.state = payment.Closed
	}
	return err
}

// Pay pays a trade whatever its state: a gateway may be late.
func (g *Gate) Pay(no string) payment.Fact {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.trades[no]
	t.state = payment.Paid
	return g.fact(no, t, payment.ByCallback)
}

// GiveBack refunds part of a trade at the merchant's own console, under a
// number of its own, and gives the fact that a callback would bring.
func (g *Gate) GiveBack(no, refundNo string, amount int64) payment.Fact {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.trades[no]
	if t.refunds == nil {
		t.refunds = map[string]*refund{}
	}
	t.refunds[refundNo] = &refund{amount, payment.Refunded}
	return g.refundFact(refundNo, t.refunds[refundNo], payment.ByCallback)
}

// PayAgain pays a paid trade once more: the gate then has money twice for it.
func (g *Gate) PayAgain(no string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trades[no].again++
}

// Holds is the money that the gate has of a trade, less what went back.
func (g *Gate) Holds(no string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.trades[no]; t != nil && t.state == payment.Paid {
		return t.left()
	}
	return 0
}

// left is what was paid and is not on its way back.
func (t *trade) left() int64 {
	left := t.amount * (1 + t.again)
	for _, r := range t.refunds {
		if r.kind != payment.RefundFailed {
			left -= r.amount
		}
	}
	return left
}

func (g *Gate) fact(no string, t *trade, by payment.Source) payment.Fact {
	f := payment.Fact{ID: string(t.state), Kind: t.state, Source: by}
	if t.state == payment.Paid {
		f.ID, f.TransactionID = "paid/T"+no, "T"+no
		f.Amount, f.Currency, f.Merchant, f.App, f.At = t.amount, "CNY", "mch", "app", g.now()
	}
	return f
}

// Callback is the body that Read understands.
func Callback(paymentNo string, f payment.Fact) []byte {
	b, err := json.Marshal(payment.Notice{ID: "n-" + paymentNo, Type: "PAID", PaymentNo: paymentNo, Fact: f})
	if err != nil {
		panic(err) // plain data
	}
	return b
}

// Read takes a body that Callback made, and refuses others.
func (g *Gate) Read(_ time.Time, _ http.Header, body []byte) (payment.Notice, error) {
	var n payment.Notice
	if err := json.Unmarshal(body, &n); err != nil || n.PaymentNo == "" {
		return n, &payment.RefusedError{Stage: payment.StageSignature, Reason: "not ours"}
	}
	return n, nil
}

// Answer is 200 or 500.
func (g *Gate) Answer(ok bool) payment.CallbackAnswer {
	if ok {
		return payment.CallbackAnswer{Status: http.StatusOK}
	}
	return payment.CallbackAnswer{Status: http.StatusInternalServerError}
}
