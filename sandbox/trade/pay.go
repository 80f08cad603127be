package trade

import (
	"errors"

	"github.com/tandem-pay/tandem/sandbox/faults"
)

// Pay lets the buyer pay the trade and reports it to the shop.
func (b *Book) Pay(t *Trade) error { return b.pay(t, false, true) }

// PaySilently is Pay, but sends no notice.
func (b *Book) PaySilently(t *Trade) error { return b.pay(t, false, false) }

// PayAnyway is Pay also of a trade that is paid, closed or expired, as the
// faults SecondPayment and PayAfterClose allow it. It uses up none of them.
func (b *Book) PayAnyway(t *Trade) error { return b.pay(t, true, true) }

func (b *Book) pay(t *Trade, anyway, send bool) error {
	now := b.Now()
	if err := t.payable(now); err != nil && !anyway {
		allows := faults.PayAfterClose
		if errors.Is(err, ErrPaid) {
			allows = faults.SecondPayment
		}
		if b.Faults.Take(faults.Pay, t.No, allows).Fault == "" {
			return err
		}
	}
	t.Protocol.Open(t, now)
	times, coupon := 1, int64(0)
	switch b.Faults.Take(faults.Pay, t.No, faults.PaidTwice, faults.PlatformCoupon).Fault {
	case faults.PaidTwice:
		times = 2
	case faults.PlatformCoupon:
		coupon = min(max(1, t.Amount/10), t.Amount-1) // the buyer pays something
	default: // no other fault was asked for
	}
	for range times {
		p := &Payment{TransactionID: t.Protocol.TransactionID(t, now), At: now, Coupon: coupon}
		t.Payments = append(t.Payments, p)
		b.AddID(t, p.TransactionID)
		b.finish(t, Paid)
		b.move(t, p, nil, now)
		b.report(faults.Callback, Notice{Trade: t, Payment: p, url: t.NotifyURL, Created: now}, send && t.NotifyURL != "")
		b.Log.Debug("sandbox: trade paid", "outTradeNo", t.No, "transactionId", p.TransactionID)
	}
	return nil
}

// Fail lets the buyer's attempt to pay fail. Nothing is reported, and a later
// attempt may succeed.
func (b *Book) Fail(t *Trade) error {
	if err := b.Open(t); err != nil {
		return err
	}
	t.state = Failed
	return nil
}

// Open lets the buyer open the trade and not pay it.
func (b *Book) Open(t *Trade) error {
	now := b.Now()
	if err := t.payable(now); err != nil {
		return err
	}
	t.Protocol.Open(t, now)
	return nil
}

// Close closes the trade.
func (b *Book) Close(t *Trade) { b.finish(t, Closed) }
