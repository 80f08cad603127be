package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/alipay"
	"github.com/tandem-pay/tandem/channel/guard"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

// channelKinds is the wiring of every protocol: a third is one more line.
// observe, which may be nil, is told of calls and of breakers that open.
func channelKinds(clock app.Clock, observe func(kind, call, outcome string)) []app.ChannelKind {
	return []app.ChannelKind{
		kindOf(wechatpay.Kind, observe, func(c wechatpay.Config) (app.Configured, error) {
			ch, err := wechatpay.New(c, wechatpay.Options{Clock: clock.Now})
			return app.Configured{Channel: ch, Merchant: c.MchID, App: c.AppID}, err
		}),
		kindOf(alipay.Kind, observe, func(c alipay.Config) (app.Configured, error) {
			ch, err := alipay.New(c, alipay.Options{Clock: clock.Now})
			return app.Configured{Channel: ch, Merchant: c.SellerID, App: c.AppID}, err
		}),
	}
}

// loadKinds makes the kinds of channels that load generators use. It is nil but
// in a program that is built with the tag bench.
var loadKinds func(clock app.Clock, observe func(kind, call, outcome string)) []app.ChannelKind

// config is a protocol's settings.
type config[C any] interface {
	Validate() error
	Masked() C
}

// kindOf makes a kind of channel of its settings and of how one is opened.
// Each channel is guarded: a slow or dead one harms no other.
func kindOf[C config[C]](kind string, observe func(kind, call, outcome string), open func(C) (app.Configured, error)) app.ChannelKind {
	read := func(raw json.RawMessage) (c C, err error) {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return c, fault.New(fault.ValidationFailed, "the settings of a %s channel: %v", kind, err)
		}
		delete(members, "kind")
		rest, err := json.Marshal(members)
		if err != nil {
			return c, err
		}
		d := json.NewDecoder(bytes.NewReader(rest))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return c, fault.New(fault.ValidationFailed, "the settings of a %s channel: %v", kind, err)
		}
		return c, nil
	}
	return app.ChannelKind{
		Kind: kind,
		Check: func(raw json.RawMessage) error {
			c, err := read(raw)
			if err != nil {
				return err
			}
			return c.Validate()
		},
		Mask: func(raw json.RawMessage) (json.RawMessage, error) {
			c, err := read(raw)
			if err != nil {
				return nil, err
			}
			masked, err := json.Marshal(c.Masked())
			if err != nil {
				return nil, err
			}
			return fmt.Appendf(nil, `{"kind":%q,%s`, kind, masked[1:]), nil
		},
		Open: func(raw json.RawMessage) (app.Configured, error) {
			c, err := read(raw)
			if err != nil {
				return app.Configured{}, err
			}
			ch, err := open(c)
			if err != nil {
				return app.Configured{}, err
			}
			o := guard.Options{}
			if observe != nil {
				o.Observe = func(call, outcome string) { observe(kind, call, outcome) }
			}
			ch.Channel = guard.New(ch.Channel, o)
			return ch, nil
		},
	}
}

var _ payment.Channel = (*guard.Channel)(nil)
