package main

import (
	"bytes"
	"encoding/json"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/wechatpay"
	"github.com/tandem-pay/tandem/fault"
)

// wechatpayKind is the wiring of WeChat Pay.
func wechatpayKind(clock app.Clock) app.ChannelKind {
	type settings struct {
		Kind string `json:"kind"`
		wechatpay.Config
	}
	read := func(raw json.RawMessage) (settings, error) {
		var s settings
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			return s, fault.New(fault.ValidationFailed, "the settings of a wechatpay channel: %v", err)
		}
		return s, nil
	}
	return app.ChannelKind{
		Kind: "wechatpay",
		Check: func(raw json.RawMessage) error {
			s, err := read(raw)
			if err != nil {
				return err
			}
			return s.Validate()
		},
		Mask: func(raw json.RawMessage) (json.RawMessage, error) {
			s, err := read(raw)
			if err != nil {
				return nil, err
			}
			s.Config = s.Masked()
			return json.Marshal(s)
		},
		Open: func(raw json.RawMessage) (app.Configured, error) {
			s, err := read(raw)
			if err != nil {
				return app.Configured{}, err
			}
			ch, err := wechatpay.New(s.Config, wechatpay.Options{Clock: clock.Now})
			if err != nil {
				return app.Configured{}, err
			}
			return app.Configured{Channel: ch, Merchant: s.MchID, App: s.AppID}, nil
		},
	}
}
