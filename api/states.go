package api

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// The states that the document lists are drawn from the tables that the
// aggregates obey, so that a new state is published with its first verb.
type (
	orderStatus   string
	paymentStatus string
	couponStatus  string
	refundStatus  string
)

// Schema lists the states of an order.
func (orderStatus) Schema(huma.Registry) *huma.Schema {
	var s []any
	for _, t := range order.Transitions {
		s = meet(s, string(t.From), string(t.To))
	}
	return &huma.Schema{Type: huma.TypeString, Enum: s}
}

// Schema lists the states of a payment.
func (paymentStatus) Schema(huma.Registry) *huma.Schema {
	var s []any
	for _, t := range payment.Transitions {
		s = meet(s, string(t.From), string(t.To))
	}
	return &huma.Schema{Type: huma.TypeString, Enum: s}
}

// Schema lists the states of a coupon.
func (couponStatus) Schema(huma.Registry) *huma.Schema {
	var s []any
	for _, t := range marketing.Transitions {
		s = meet(s, string(t.From), string(t.To))
	}
	return &huma.Schema{Type: huma.TypeString, Enum: s}
}

// Schema lists the states of a refund.
func (refundStatus) Schema(huma.Registry) *huma.Schema {
	var s []any
	for _, t := range payment.RefundTransitions {
		s = meet(s, string(t.From), string(t.To))
	}
	return &huma.Schema{Type: huma.TypeString, Enum: s}
}

// meet adds the states that are not listed yet.
func meet(list []any, states ...string) []any {
	for _, s := range states {
		if !slices.Contains(list, any(s)) {
			list = append(list, s)
		}
	}
	return list
}
