//go:build bench

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/channel/kinds"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/payment"
)

// Only a program that is built to be measured (go build -tags bench) has these
// kinds: nobody is to be paid through them.
func init() { loadKinds = benchKinds }

// benchKinds are WeChat Pay without the calls: for loads, which measure this
// program and not a gateway. The first answers at once; the other hangs. Both verify callbacks as WeChat Pay does, and both are
// guarded as every channel is.
func benchKinds(o kinds.Options) []app.ChannelKind {
	kind := func(name string, over func(payment.Channel) payment.Channel) app.ChannelKind {
		return kinds.Of(name, o, func(c wechatpay.Config) (app.Configured, error) {
			ch, err := wechatpay.New(c, wechatpay.Options{Clock: o.Now})
			return app.Configured{Channel: over(ch), Merchant: c.MchID, App: c.AppID}, err
		})
	}
	return []app.ChannelKind{
		kind(load.BenchChannel, func(ch payment.Channel) payment.Channel { return benchChannel{ch, load.BenchChannel} }),
		kind(load.SlowChannel, func(ch payment.Channel) payment.Channel {
			return slowChannel{benchChannel{ch, load.SlowChannel}}
		}),
	}
}

// benchChannel answers at once.
type benchChannel struct {
	payment.Channel
	kind string
}

func (c benchChannel) Kind() string { return c.kind }

func (benchChannel) Prepay(_ context.Context, r payment.PrepayRequest) (payment.Action, error) {
	return payment.Action{Kind: "qr_code", CodeURL: "weixin://wxpay/bizpayurl?pr=" + r.PaymentNo}, nil
}

func (benchChannel) Query(_ context.Context, paymentNo string) (payment.Fact, error) {
	return payment.Fact{ID: "open/" + paymentNo, Kind: payment.Open, Source: payment.ByQuery, Reported: "NOTPAY"}, nil
}

func (benchChannel) Close(context.Context, string) error { return nil }

// slowChannel takes slowTime for every answer, which is longer than anybody
// waits for it.
type slowChannel struct{ benchChannel }

const slowTime = 10 * time.Second

// hang honours its context, as a channel must.
func hang(ctx context.Context) error {
	t := time.NewTimer(slowTime)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", payment.ErrUnknown, ctx.Err())
	}
}

func (c slowChannel) Prepay(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	if err := hang(ctx); err != nil {
		return payment.Action{}, err
	}
	return c.benchChannel.Prepay(ctx, r)
}

func (c slowChannel) Query(ctx context.Context, paymentNo string) (payment.Fact, error) {
	if err := hang(ctx); err != nil {
		return payment.Fact{}, err
	}
	return c.benchChannel.Query(ctx, paymentNo)
}

func (c slowChannel) Close(ctx context.Context, paymentNo string) error {
	if err := hang(ctx); err != nil {
		return err
	}
	return c.benchChannel.Close(ctx, paymentNo)
}
