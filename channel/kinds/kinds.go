// Package kinds lists the kinds of channels that Tandem has. The wiring, the
// API's documentation and its schema are made from this list: a new channel is
// one more line here.
package kinds

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/alipay"
	"github.com/tandem-pay/tandem/channel/guard"
	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/fault"
)

// Options of All and Of.
type Options struct {
	// Now is the time for timestamps and expiries that channels are sent.
	Now func() time.Time
	// Observe receives each call with its outcome, and each breaker that opens.
	// Optional.
	Observe func(kind, call, outcome string)
}

// All are the kinds of channels.
func All(o Options) []app.ChannelKind {
	return []app.ChannelKind{
		Of(wechatpay.Kind, o, func(c wechatpay.Config) (app.Configured, error) {
			ch, err := wechatpay.New(c, wechatpay.Options{Clock: o.Now})
			return app.Configured{Channel: ch, Merchant: c.MchID, App: c.AppID}, err
		}),
		Of(alipay.Kind, o, func(c alipay.Config) (app.Configured, error) {
			ch, err := alipay.New(c, alipay.Options{Clock: o.Now})
			return app.Configured{Channel: ch, Merchant: c.SellerID, App: c.AppID}, err
		}),
	}
}

// Config is the configuration of a kind of channel, with the tags that
// package settings reads.
type Config interface {
	// Validate returns a validation_failed that names every field at fault.
	Validate() error
}

// Of makes a kind of channel of its configuration and of how one is opened.
// Each channel is guarded: a slow or dead one harms no other.
func Of[C Config](kind string, o Options, open func(C) (app.Configured, error)) app.ChannelKind {
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
		Kind: kind, Settings: describe(settings.Of[C]()),
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
			masked, err := json.Marshal(settings.Masked(c))
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
			g := guard.Options{}
			if o.Observe != nil {
				g.Observe = func(call, outcome string) { o.Observe(kind, call, outcome) }
			}
			ch.Channel = guard.New(ch.Channel, g)
			return ch, nil
		},
	}
}

// describe says in Markdown which settings there are.
func describe(fields []settings.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = describeField(f)
	}
	return out
}

func describeField(f settings.Field) string {
	text := "`" + f.Name + "`"
	var notes []string
	if f.Doc != "" {
		notes = append(notes, f.Doc)
	}
	if f.Optional {
		notes = append(notes, "optional")
	}
	if f.Secret {
		notes = append(notes, "secret")
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, "; ") + ")"
	}
	if len(f.Fields) > 0 {
		of := ", an object of "
		if f.List {
			of = ", a list of objects of "
		}
		text += of + strings.Join(describe(f.Fields), ", ")
	}
	return text
}
