package shop

import (
	"slices"

	"github.com/tandem-pay/tandem/fault"
)

// Policies are what a shop decides about the cases that have more than one right
// outcome. "" is the first of each list, the default.
type Policies struct {
	LatePayment      string `json:"latePayment,omitempty" enum:"refund,revive" doc:"Money that arrives after its order was closed: given back, or the order is revived if its goods and coupons are still available"`
	RefundSplit      string `json:"refundSplit,omitempty" enum:"newest_first,proportional" doc:"How a refund is taken from several payments of one order"`
	RefundedStock    string `json:"refundedStock,omitempty" enum:"return,keep_out" doc:"What a full refund does with the units: back on hand, or not"`
	RefundedLimits   string `json:"refundedLimits,omitempty" enum:"return,keep" doc:"What a full refund does with what the order counted against limits (per user, uses, budget, first order): given back, or not"`
	UnpaidInstalment string `json:"unpaidInstalment,omitempty" enum:"close,forfeit,wait" doc:"A part that was not paid in time: close and give back what was paid, close and keep the first part, or wait on"`
	InstalmentGoods  string `json:"instalmentGoods,omitempty" enum:"all_parts,first_part" doc:"When an order in instalments has its goods and uses its coupons"`
}

// The values of the policies.
const (
	Revive       = "revive"
	Proportional = "proportional"
	KeepOut      = "keep_out"
	KeepLimits   = "keep"
	Forfeit      = "forfeit"
	Wait         = "wait"
	FirstPart    = "first_part"
)

// Check refuses values that a policy does not have.
func (p *Policies) Check() error {
	for _, c := range []struct {
		pointer, value string
		values         []string
	}{
		{"/latePayment", p.LatePayment, []string{"", "refund", Revive}},
		{"/refundSplit", p.RefundSplit, []string{"", "newest_first", Proportional}},
		{"/refundedStock", p.RefundedStock, []string{"", "return", KeepOut}},
		{"/refundedLimits", p.RefundedLimits, []string{"", "return", KeepLimits}},
		{"/unpaidInstalment", p.UnpaidInstalment, []string{"", "close", Forfeit, Wait}},
		{"/instalmentGoods", p.InstalmentGoods, []string{"", "all_parts", FirstPart}},
	} {
		if !slices.Contains(c.values, c.value) {
			return fault.Invalidf(c.pointer, "must be one of %v", c.values[1:])
		}
	}
	return nil
}
