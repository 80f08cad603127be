package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// buyer is one order and what its buyer does.
type buyer struct {
	r    *run
	i    int
	dice *rand.Rand
	no   string
	key  int
}

// chance is true that often in a hundred.
func (b *buyer) chance(percent int) bool { return b.dice.IntN(100) < percent }

func (b *buyer) nextKey() string {
	b.key++
	return fmt.Sprintf("chaos-%d-%d-%d", b.r.o.Seed, b.i, b.key)
}

// tolerated are refusals that a buyer in a chaos run has to expect: the order has
// moved on meanwhile.
var tolerated = map[string]bool{
	"order_not_payable": true, "order_not_cancellable": true, "amount_exceeds_due": true, "refund_exceeds_paid": true,
	"channel_rejected": true, "channel_unavailable": true, "channel_timeout": true,
	"payment_not_closable": true, "conflict": true, "not_found": true,
}

// try makes a call whose refusal may be in order, and says whether it was
// accepted.
func (b *buyer) try(ctx context.Context, method, path string, in, out any) (bool, error) {
	err := b.r.c.do(ctx, method, path, b.nextKey(), in, out)
	var no *refusal
	if errors.As(err, &no) && (tolerated[no.code] || no.status >= 500) {
		return false, nil
	}
	return err == nil, err
}

func (b *buyer) live(ctx context.Context) error {
	if err := b.place(ctx); err != nil {
		return err
	}
	switch n := b.dice.IntN(100); {
	case n < 5: // walks away without trying
		return nil
	case n < 12: // walks away from an open payment
		_, err := b.open(ctx, b.channel(), 0)
		return err
	case n < 22: // cancels, and pays all the same
		p, err := b.open(ctx, b.channel(), 0)
		if err != nil {
			return err
		}
		if err := b.cancel(ctx); err != nil {
			return err
		}
		return b.pay(ctx, p, true)
	case n < 32: // pays by both channels at once
		return b.both(ctx)
	case n < 38: // one attempt fails first
		p, err := b.open(ctx, b.channel(), 0)
		if err != nil || p == nil {
			return err
		}
		if err := b.gate(ctx, p, "fail"); err != nil {
			return err
		}
		return b.payAndReturn(ctx)
	case n < 44: // pays while cancelling
		return b.race(ctx)
	case n < 50: // pays in part only
		p, err := b.open(ctx, b.channel(), 100)
		if err != nil {
			return err
		}
		return b.pay(ctx, p, false)
	}
	return b.payAndReturn(ctx)
}

func (b *buyer) place(ctx context.Context) error {
	items := []map[string]any{}
	first := b.dice.IntN(skus)
	for n := range 1 + b.dice.IntN(3) {
		items = append(items, map[string]any{"sku": sku((first + n) % skus), "quantity": 1 + b.dice.IntN(3)})
	}
	cart := map[string]any{"userId": fmt.Sprintf("chaos-%d", b.dice.IntN(2000)), "items": items}
	if b.i%3 == 0 {
		cart["couponCodes"] = []string{coupon(b.i)}
	}
	if b.chance(8) { // 定金 + 尾款
		var q struct{ PayableAmount int64 }
		if err := b.r.c.must(ctx, "POST", "/v1/quotes", "", cart, &q); err != nil {
			return err
		}
		cart["instalments"] = []map[string]any{
			{"amount": q.PayableAmount / 3},
			{"amount": q.PayableAmount - q.PayableAmount/3, "dueAt": b.r.start.Add(15 * 24 * time.Hour).UTC().Format(time.RFC3339)},
		}
	}
	var o struct{ OrderNo string }
	if err := b.r.c.must(ctx, "POST", "/v1/orders", b.nextKey(), cart, &o); err != nil {
		return err
	}
	b.no, b.r.orders[b.i] = o.OrderNo, o.OrderNo
	return nil
}

func (b *buyer) channel() string { return channels[b.dice.IntN(len(channels))] }

// opened is a payment that the buyer can pay.
type opened struct {
	no, channel, status string
}

// open requests a payment; nil when the order needs none, or when the channel
// gave no certain answer in all tries.
func (b *buyer) open(ctx context.Context, channel string, amount int64) (*opened, error) {
	in := map[string]any{"channel": channel, "method": map[string]string{"wechatpay": "native", "alipay": "precreate"}[channel]}
	if amount > 0 {
		in["amount"] = amount
	}
	var p struct{ PaymentNo, Status string }
	ok, err := b.try(ctx, "POST", "/v1/orders/"+b.no+"/payments", in, &p)
	if err != nil || !ok {
		return nil, err
	}
	return &opened{p.PaymentNo, channel, p.Status}, nil
}

// gate is something that the buyer does with their phone. What the gateway
// does not know, because the call never came through, cannot be paid.
func (b *buyer) gate(ctx context.Context, p *opened, what string) error {
	err := b.r.c.do(ctx, "POST", "/sandbox/trades/"+p.no+"/"+what, "", nil, nil)
	var no *refusal
	if errors.As(err, &no) && (no.status == 404 || no.status == 409) {
		return nil
	}
	return err
}

// pay pays on the phone; anyway also if the trade was closed meanwhile.
func (b *buyer) pay(ctx context.Context, p *opened, anyway bool) error {
	if p == nil {
		return nil
	}
	if p.channel == "alipay" {
		if err := b.gate(ctx, p, "scan"); err != nil {
			return err
		}
	}
	if anyway {
		return b.gate(ctx, p, "pay-anyway")
	}
	return b.gate(ctx, p, "pay")
}

func (b *buyer) cancel(ctx context.Context) error {
	_, err := b.try(ctx, "POST", "/v1/orders/"+b.no+"/cancel", map[string]any{"reason": "changed my mind"}, nil)
	return err
}

func (b *buyer) both(ctx context.Context) error {
	one, err := b.open(ctx, channels[0], 0)
	if err != nil {
		return err
	}
	two, err := b.open(ctx, channels[1], 0)
	if err != nil {
		return err
	}
	first := make(chan error, 1)
	go func() { first <- b.pay(ctx, one, false) }()
	return errors.Join(b.pay(ctx, two, false), <-first)
}

func (b *buyer) race(ctx context.Context) error {
	p, err := b.open(ctx, b.channel(), 0)
	if err != nil {
		return err
	}
	other := *b
	other.key += 1000
	cancelled := make(chan error, 1)
	go func() { cancelled <- other.cancel(ctx) }()
	err = b.pay(ctx, p, false)
	err = errors.Join(err, <-cancelled)
	b.key += 2000
	return err
}

// payAndReturn pays, all parts if there are some, and sometimes requests a
// refund.
func (b *buyer) payAndReturn(ctx context.Context) error {
	for range 2 {
		p, err := b.open(ctx, b.channel(), 0)
		if err != nil {
			return err
		}
		if err := b.pay(ctx, p, false); err != nil || p == nil {
			return err
		}
		if b.chance(4) { // scans the same code again
			if err := b.gate(ctx, p, "pay-anyway"); err != nil {
				return err
			}
		}
		paid, err := b.wait(ctx)
		if err != nil {
			return err
		}
		if paid {
			break
		}
	}
	var refund map[string]any
	switch n := b.dice.IntN(100); {
	case n < 12:
		refund = map[string]any{}
	case n < 20:
		refund = map[string]any{"amount": 1 + b.dice.IntN(400)}
	case n < 32:
		refund = map[string]any{"items": []map[string]any{{"line": 0, "quantity": 1}}}
	default:
		return nil
	}
	refund["reason"] = "chaos"
	for range 1 + b.dice.IntN(2) {
		if _, err := b.try(ctx, "POST", "/v1/orders/"+b.no+"/refunds", refund, nil); err != nil {
			return err
		}
	}
	return nil
}

// wait checks a few times whether the order is paid; a lost callback is found
// by the schedule later.
func (b *buyer) wait(ctx context.Context) (bool, error) {
	for range 20 {
		var o struct{ Status string }
		if err := b.r.c.must(ctx, "GET", "/v1/orders/"+b.no, "", nil, &o); err != nil {
			return false, err
		}
		if o.Status == "paid" {
			return true, nil
		}
		select {
		case <-time.After(25 * time.Millisecond):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return false, nil
}
