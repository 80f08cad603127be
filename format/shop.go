package format

import (
	"encoding/json"

	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
)

// Policies is shops.policies, NULL for the defaults.
var Policies = object("shops.policies",
	func(p *shop.Policies) *policies {
		if *p == (shop.Policies{}) {
			return nil
		}
		return &policies{
			LatePayment: p.LatePayment, RefundSplit: p.RefundSplit, RefundedStock: p.RefundedStock,
			UnpaidInstalment: p.UnpaidInstalment, InstalmentGoods: p.InstalmentGoods, RefundedLimits: p.RefundedLimits,
		}
	},
	func(s *policies, p *shop.Policies) {
		*p = shop.Policies{
			LatePayment: s.LatePayment, RefundSplit: s.RefundSplit, RefundedStock: s.RefundedStock,
			UnpaidInstalment: s.UnpaidInstalment, InstalmentGoods: s.InstalmentGoods, RefundedLimits: s.RefundedLimits,
		}
	})

type policies struct {
	version
	LatePayment      string `json:"latePayment,omitempty"`
	RefundSplit      string `json:"refundSplit,omitempty"`
	RefundedStock    string `json:"refundedStock,omitempty"`
	UnpaidInstalment string `json:"unpaidInstalment,omitempty"`
	InstalmentGoods  string `json:"instalmentGoods,omitempty"`
	RefundedLimits   string `json:"refundedLimits,omitempty"`
}

// Tags is users.tags: a list of words.
var Tags = words("users.tags", func(u *shop.User) *[]string { return &u.Tags })

// Categories is skus.categories: a list of words.
var Categories = words("skus.categories", func(d *inventory.Data) *[]string { return &d.Categories })

func words[D any](name string, of func(*D) *[]string) Doc[D] {
	return Doc[D]{
		Name:   name,
		Encode: func(d *D) ([]byte, error) { return json.Marshal(*of(d)) },
		Decode: func(b []byte, d *D) error {
			into := of(d)
			*into = nil
			if b == nil {
				return nil
			}
			return read(name, b, into)
		},
	}
}
