package sandbox

import (
	"net/http"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// What a program can do in place of the buyer and of the platform's
// operators. A trade's number may be prefixed by the protocol's name, as in
// "alipay:NO1": the same number in two protocols names two trades, and without
// the prefix the first protocol that knows one is meant. A refund's number may
// need the trade's too: where refund numbers belong to trades.

// Pay lets the buyer pay the trade and sends the callback.
func (g *Gateway) Pay(outTradeNo string) error { return g.withTrade(outTradeNo, g.book.Pay) }

// PaySilently lets the buyer pay the trade, but sends no callback: for a
// caller that delivers SignedCallback itself.
func (g *Gateway) PaySilently(outTradeNo string) error {
	return g.withTrade(outTradeNo, g.book.PaySilently)
}

// PayAnyway lets the buyer pay a trade that is paid, closed or expired, as
// the faults SecondPayment and PayAfterClose do, or one that is open.
func (g *Gateway) PayAnyway(outTradeNo string) error {
	return g.withTrade(outTradeNo, g.book.PayAnyway)
}

// Fail lets the buyer's attempt to pay fail. Nothing is reported to the shop,
// and a later attempt may succeed.
func (g *Gateway) Fail(outTradeNo string) error { return g.withTrade(outTradeNo, g.book.Fail) }

// Scan lets the buyer open the trade without paying it. At Alipay that is
// what creates the trade; elsewhere it changes nothing.
func (g *Gateway) Scan(outTradeNo string) error { return g.withTrade(outTradeNo, g.book.Open) }

// Notify sends every callback of a paid trade once more, right now.
func (g *Gateway) Notify(outTradeNo string) error { return g.withTrade(outTradeNo, g.book.Resend) }

// Trade shows one trade.
func (g *Gateway) Trade(outTradeNo string) (v TradeView, err error) {
	err = g.withTrade(outTradeNo, func(t *trade.Trade) error { v = viewTrade(t, g.book.Now()); return nil })
	return v, err
}

// Trades shows the newest trades, at most limit.
func (g *Gateway) Trades(limit int) []TradeView {
	g.book.Lock()
	defer g.book.Unlock()
	out := []TradeView{}
	for _, t := range g.book.Newest(limit) {
		out = append(out, viewTrade(t, g.book.Now()))
	}
	return out
}

// PayPath is the path of the trade's phone page below the handler's root.
func (g *Gateway) PayPath(outTradeNo string) (path string, err error) {
	v, err := g.Trade(outTradeNo)
	return v.PayPath, err
}

// FinishRefund ends a refund that is processing, or one that is abnormal, and
// sends the callback.
func (g *Gateway) FinishRefund(refundNo string, state trade.RefundState, outTradeNo ...string) error {
	return g.withRefund(refundNo, func(r *trade.Refund) error { return g.book.FinishRefund(r, state) }, outTradeNo...)
}

// RefundByNo shows one refund.
func (g *Gateway) RefundByNo(refundNo string, outTradeNo ...string) (v RefundView, err error) {
	err = g.withRefund(refundNo, func(r *trade.Refund) error { v = viewRefund(r); return nil }, outTradeNo...)
	return v, err
}

// NotifyRefund sends every callback of a refund once more, right now.
func (g *Gateway) NotifyRefund(refundNo string, outTradeNo ...string) error {
	return g.withRefund(refundNo, g.book.ResendRefund, outTradeNo...)
}

// SignedCallback makes a callback for a trade that has been paid, as it would
// be sent now: with the id and body of the one that the gateway itself sends,
// under a fresh timestamp, nonce and signature.
func (g *Gateway) SignedCallback(outTradeNo string) (http.Header, []byte, error) {
	var n *trade.Notice
	err := g.withTrade(outTradeNo, func(t *trade.Trade) error {
		if len(t.Notices) == 0 {
			return trade.ErrUnpaid
		}
		n = t.Notices[0]
		return nil
	})
	return g.signedCallback(n, err)
}

// SignedRefundCallback makes the callback that reports the last state of a
// refund, as it would be sent now: with the id and body of the one that the
// gateway itself sends. The shop must have given a notify_url for the refund.
func (g *Gateway) SignedRefundCallback(refundNo string, outTradeNo ...string) (http.Header, []byte, error) {
	var n *trade.Notice
	err := g.withRefund(refundNo, func(r *trade.Refund) error {
		for _, sent := range r.Trade.Notices {
			if sent.Refund == r {
				n = sent
			}
		}
		if n == nil {
			return trade.ErrNoRefund
		}
		return nil
	}, outTradeNo...)
	return g.signedCallback(n, err)
}

func (g *Gateway) signedCallback(n *trade.Notice, err error) (http.Header, []byte, error) {
	if err != nil {
		return nil, nil, err
	}
	header, body, _, err := g.protocolOf(n.Trade).Callback(n, 0, "")
	return header, body, err
}

// withTrade runs f on the trade, with the book's lock held.
func (g *Gateway) withTrade(no string, f func(*trade.Trade) error) error {
	g.book.Lock()
	defer g.book.Unlock()
	channel, rest, prefixed := strings.Cut(no, ":")
	if prefixed {
		no = rest
	}
	for _, p := range g.protocols {
		if t := g.book.ByNo(p, no); t != nil && (!prefixed || p.Name() == channel) {
			return f(t)
		}
	}
	return trade.ErrNoTrade
}

// withRefund runs f on the refund, with the book's lock held.
func (g *Gateway) withRefund(no string, f func(*trade.Refund) error, outTradeNo ...string) error {
	g.book.Lock()
	defer g.book.Unlock()
	for _, p := range g.protocols {
		for _, scope := range append([]string{""}, outTradeNo...) {
			if r := g.book.RefundByNo(p, scope, no); r != nil {
				return f(r)
			}
		}
	}
	return trade.ErrNoRefund
}

// Arm makes the next count operations op go wrong; see faults.Set.Arm.
func (g *Gateway) Arm(op faults.Op, fault faults.Fault, count int, delay ...time.Duration) error {
	return g.ArmOn("", op, fault, count, delay...)
}

// ArmOn is Arm for the operations of one trade alone. Of a bill, it chooses
// the row that is altered.
func (g *Gateway) ArmOn(outTradeNo string, op faults.Op, fault faults.Fault, count int, delay ...time.Duration) error {
	var d time.Duration
	if len(delay) > 0 {
		d = delay[0]
	}
	return g.book.Faults.Arm(outTradeNo, op, fault, count, d)
}

// Disarm clears all armed faults.
func (g *Gateway) Disarm() { g.book.Faults.Disarm() }

// ArmedFaults are the faults that still wait for an operation.
func (g *Gateway) ArmedFaults() []faults.Armed { return g.book.Faults.Armed() }

// Chaos makes operations go wrong by chance; see faults.Set.Chaos.
func (g *Gateway) Chaos(seed uint64, rate float64, only ...faults.Fault) error {
	return g.book.Faults.Chaos(seed, rate, only...)
}

// ChaosState reports what chance has done since it was switched on.
func (g *Gateway) ChaosState() faults.ChaosState { return g.book.Faults.ChaosState() }

// Size counts what the gateway holds in memory.
func (g *Gateway) Size() trade.Size {
	g.book.Lock()
	defer g.book.Unlock()
	return g.book.Size()
}
