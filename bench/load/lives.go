package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
	emulator "github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// The channels of a server under load, each named as its kind. A server has
// them if it was built with the tag bench.
const (
	BenchChannel = "bench"      // answers at once
	SlowChannel  = "bench-slow" // hangs
)

// ChannelSettings are the settings of a channel of one of these kinds, for
// the keys that callbacks are signed with.
func ChannelSettings(k *sandbox.Keys, kind string) json.RawMessage {
	m := k.WechatPay.Merchant()
	raw, err := json.Marshal(map[string]any{
		"kind": kind, "mchId": m.MchID, "appId": m.AppID, "merchantSerial": m.MerchantSerial,
		"merchantPrivateKey": m.MerchantPrivateKeyPEM, "apiV3Key": m.APIv3Key, "platformKeys": m.PlatformKeys,
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return raw
}

// callback is one delivery, signed before it is sent.
type callback struct {
	header http.Header
	body   []byte
}

// life is one order on its way to being paid.
type life struct {
	order   string
	payment string
	amount  int64
	signed  callback
}

// lives are orders with all that is needed to take them further.
type lives struct {
	t    Target
	s    *Shop
	k    *sandbox.Keys
	keys keys
	list []life

	answered func(i int64) // called for every callback that was answered; may be nil
}

func newLives(t Target, s *Shop, k *sandbox.Keys, n int64) *lives {
	return &lives{t: t, s: s, k: k, keys: newKeys(), list: make([]life, n)}
}

// Lives takes N orders, each with a coupon, through their whole life in
// three timed stages: all are placed; a payment is opened for each; the
// channel's callbacks, signed beforehand, are delivered, until every coupon
// is used. Its rate is N over the sum of the three.
func Lives(ctx context.Context, t Target, s *Shop, k *sandbox.Keys, n int64, p Pace, progress Progress) (*Report, error) {
	if s.Coupons < n {
		return nil, fmt.Errorf("%d lives need as many coupons; there are %d", n, s.Coupons)
	}
	p.WarmUp, p.For = 0, 10*time.Minute
	l := newLives(t, s, k, n)
	r := &Report{Scenario: "lives"}
	var sum float64
	timed := func(j job, then func() error) error {
		began := time.Now()
		stage, err := j.run(ctx, t, p, progress)
		if err == nil && then != nil {
			err = then()
			stage.Seconds = time.Since(began).Seconds()
			stage.Rate = float64(stage.Count) / stage.Seconds
		}
		if err != nil {
			return fmt.Errorf("lives: %s: %w", j.stage, err)
		}
		sum += stage.Seconds
		r.Stages = append(r.Stages, stage)
		return nil
	}
	if err := timed(l.place(), nil); err != nil {
		return nil, err
	}
	if err := timed(l.open(), nil); err != nil {
		return nil, err
	}
	if err := l.sign(ctx, progress); err != nil {
		return nil, err
	}
	var delivered atomic.Int64
	last := make([]atomic.Int64, 2*p.orDefaults().Clients) // the last deliveries, a ring
	deliver := l.deliver(func(i int64) { last[(delivered.Add(1)-1)%int64(len(last))].Store(i) })
	err := timed(deliver, func() error {
		// Coupons are used in the order of the payments. What is older than
		// everything that was in flight at the end is used when those are.
		return l.waitUsed(ctx, last[:min(n, int64(len(last)))])
	})
	if err != nil {
		return nil, err
	}
	r.Rate = float64(n) / sum
	return r, l.checkUsed(ctx, p, progress)
}

func (l *lives) place() job {
	return job{stage: "place", total: int64(len(l.list)), strict: true, do: func(c *client, i int64) error {
		coupon := "" // a shop without coupons does without
		if i < l.s.Coupons {
			coupon = l.s.coupon(i)
		}
		c.body = cart(c.body[:0], l.s.Skus, 2, coupon)
		status, answer, err := c.post("/v1/orders", l.keys.of(i), c.body)
		if err := want(http.StatusCreated)(status, answer, err); err != nil {
			return err
		}
		l.list[i].order = text(answer, "orderNo")
		return nil
	}}
}

func (l *lives) open() job {
	return job{stage: "open", total: int64(len(l.list)), strict: true, do: l.openOne}
}

// openOne opens the payment of one order.
func (l *lives) openOne(c *client, i int64) error {
	status, answer, err := l.requestPayment(c, i, BenchChannel)
	if err := want(http.StatusCreated)(status, answer, err); err != nil {
		return err
	}
	o := &l.list[i]
	o.payment, o.amount = text(answer, "paymentNo"), number(answer, "amount")
	return nil
}

// requestPayment requests a payment of one order at a channel.
func (l *lives) requestPayment(c *client, i int64, channel string) (status int, answer []byte, err error) {
	return c.post("/v1/orders/"+l.list[i].order+"/payments", l.keys.of(i)+"/pay", []byte(`{"channel":"`+channel+`","method":"native"}`))
}

// sign signs the callbacks of all payments: some 0.8 ms of a processor each.
func (l *lives) sign(ctx context.Context, progress Progress) error {
	var next atomic.Int64
	total := int64(len(l.list))
	return during(ctx, progress, "sign", total, next.Load, func() error {
		var wg sync.WaitGroup
		errs := make(chan error, runtime.GOMAXPROCS(0))
		for range cap(errs) {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < total && ctx.Err() == nil; i = next.Add(1) - 1 {
					if err := l.signOne(&l.list[i]); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		if err := ctx.Err(); err != nil {
			return err
		}
		return <-errs
	})
}

func (l *lives) signOne(o *life) (err error) {
	now := time.Now()
	o.signed.header, o.signed.body, err = emulator.SignCallback(l.k.WechatPay, now, "", emulator.Transaction{
		AppID: l.k.WechatPay.AppID, MchID: l.k.WechatPay.MchID, OutTradeNo: o.payment, TransactionID: "42" + o.payment[len(o.payment)-26:],
		TradeType: "NATIVE", TradeState: "SUCCESS", TradeStateDesc: "支付成功", BankType: "OTHERS",
		SuccessTime: now.Format(time.RFC3339), Payer: &emulator.Payer{OpenID: "openid-of-the-bench"},
		Amount: emulator.Amount{Total: o.amount, PayerTotal: o.amount, Currency: "CNY", PayerCurrency: "CNY"},
	})
	return err
}

func (l *lives) deliver(delivered func(i int64)) job {
	return job{stage: "deliver", total: int64(len(l.list)), strict: true, do: func(c *client, i int64) error {
		err := l.pay(c, i)
		if err == nil {
			delivered(i)
		}
		return err
	}}
}

// pay delivers the callback of one payment.
func (l *lives) pay(c *client, i int64) error {
	o := &l.list[i]
	return want(http.StatusOK)(c.deliver("/v1/notify/"+l.t.Shop+"/"+BenchChannel, o.signed.header, o.signed.body))
}

// usedTime is how long a paid order's coupon may take.
const usedTime = 30 * time.Second

// waitUsed returns when the coupons of the given lives are used.
func (l *lives) waitUsed(ctx context.Context, which []atomic.Int64) error {
	c, err := dial(ctx, l.t)
	if err != nil {
		return err
	}
	defer c.close()
	for end := time.Now().Add(usedTime); len(which) > 0; {
		i := which[len(which)-1].Load()
		used, err := l.used(c, i)
		switch {
		case err != nil:
			return err
		case used:
			which = which[:len(which)-1]
		case time.Now().After(end):
			return fmt.Errorf("coupon %s is not used %s after its order was paid", l.s.coupon(i), usedTime)
		default:
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

func (l *lives) used(c *client, i int64) (bool, error) {
	status, answer, err := c.call("GET", "/v1/coupons/"+l.s.coupon(i), nil)
	if err := want(http.StatusOK)(status, answer, err); err != nil {
		return false, err
	}
	return text(answer, "status") == "used", nil
}

// checkUsed checks, after the measurement, that every coupon was used.
func (l *lives) checkUsed(ctx context.Context, p Pace, progress Progress) error {
	_, err := job{stage: "check", total: int64(len(l.list)), strict: true, do: func(c *client, i int64) error {
		used, err := l.used(c, i)
		if err == nil && !used {
			err = fmt.Errorf("coupon %s is not used, and its order is paid", l.s.coupon(i))
		}
		return err
	}}.run(ctx, l.t, p, progress)
	return err
}
