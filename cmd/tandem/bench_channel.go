package main

import (
	"context"
	"encoding/json"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/payment"
)

// benchKind is WeChat Pay without the calls: for loads, which measure this
// program and not a gateway. What is asked of the channel is answered at
// once, and its callbacks are verified like any of WeChat Pay's.
func benchKind(clock app.Clock) app.ChannelKind {
	k := channelKinds(clock, nil)[0]
	k.Kind = load.BenchChannel
	open := k.Open
	k.Open = func(settings json.RawMessage) (app.Configured, error) {
		c, err := open(settings)
		c.Channel = benchChannel{c.Channel}
		return c, err
	}
	return k
}

type benchChannel struct{ payment.Channel }

func (benchChannel) Kind() string { return load.BenchChannel }

func (benchChannel) Prepay(_ context.Context, r payment.PrepayRequest) (payment.Action, error) {
	return payment.Action{Kind: "qr_code", CodeURL: "weixin://wxpay/bizpayurl?pr=" + r.PaymentNo}, nil
}

func (benchChannel) Query(_ context.Context, paymentNo string) (payment.Fact, error) {
	return payment.Fact{ID: "open/" + paymentNo, Kind: payment.Open, Source: payment.ByQuery, Word: "NOTPAY"}, nil
}

func (benchChannel) Close(context.Context, string) error { return nil }
