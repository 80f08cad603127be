package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// paymentMethod is a way of paying within a channel.
type paymentMethod string

// Schema lists the methods of all channels.
func (paymentMethod) Schema(huma.Registry) *huma.Schema { return rest.Enum(payment.Methods) }

// refundCause is why a refund was made.
type refundCause string

// Schema lists the causes.
func (refundCause) Schema(huma.Registry) *huma.Schema { return rest.Enum(payment.Causes) }

// discrepancyStatus is where a discrepancy stands.
type discrepancyStatus string

// Schema lists the statuses.
func (discrepancyStatus) Schema(huma.Registry) *huma.Schema {
	return rest.Enum([]rows.DiscrepancyStatus{rows.DiscrepancyOpen, rows.DiscrepancyHealed, rows.DiscrepancyResolved})
}

// The states that the document lists are made from the tables that the
// aggregates obey, so that a new state is published with its first verb.
type (
	orderStatus   string
	paymentStatus string
	couponStatus  string
	refundStatus  string
)

// Schema lists the states of an order.
func (orderStatus) Schema(huma.Registry) *huma.Schema {
	var s []string
	for _, t := range order.Transitions {
		s = append(s, string(t.From), string(t.To))
	}
	return rest.Enum(s)
}

// Schema lists the states of a payment.
func (paymentStatus) Schema(huma.Registry) *huma.Schema {
	var s []string
	for _, t := range payment.Transitions {
		s = append(s, string(t.From), string(t.To))
	}
	return rest.Enum(s)
}

// Schema lists the states of a coupon.
func (couponStatus) Schema(huma.Registry) *huma.Schema {
	var s []string
	for _, t := range marketing.Transitions {
		s = append(s, string(t.From), string(t.To))
	}
	return rest.Enum(s)
}

// Schema lists the states of a refund.
func (refundStatus) Schema(huma.Registry) *huma.Schema {
	var s []string
	for _, t := range payment.RefundTransitions {
		s = append(s, string(t.From), string(t.To))
	}
	return rest.Enum(s)
}
