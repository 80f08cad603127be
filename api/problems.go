package api

import (
	"net/http"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
)

// titles explain the codes that package rest does not.
var titles = map[fault.Code]string{
	fault.SkuNotFound:           "There is no such sku",
	fault.OutOfStock:            "Not enough stock",
	fault.PurchaseLimitExceeded: "More than one buyer may buy",
	fault.UserBlocked:           "The user may not place orders",
	fault.CouponNotFound:        "There is no such coupon",
	fault.CouponUnavailable:     "The coupon cannot be used now",
	fault.CouponNotApplicable:   "The coupon does not apply to this cart",
	fault.PromotionExhausted:    "The promotion is used up",
	fault.PriceChanged:          "The price is not the expected one",
	fault.OrderNotPayable:       "The order cannot be paid",
	fault.OrderNotCancellable:   "The order cannot be cancelled",
	fault.OrderFrozen:           "The order cannot be changed any more",
	fault.AmountExceedsDue:      "More than what is due",
	fault.RefundExceedsPaid:     "More than what was paid",
	fault.RefundNotOpen:         "The refund is in a state that does not allow this",
	fault.DiscrepancyClosed:     "The discrepancy is closed",
	fault.PaymentNotClosable:    "The payment cannot be closed",
	fault.ChannelNotConfigured:  "The shop has no such channel",
	fault.ChannelRejected:       "The channel refused",
	fault.ChannelUnavailable:    "The channel gave no certain answer",
	fault.ChannelTimeout:        "The channel did not answer in time",
	fault.ChannelMisconfigured:  "The channel refuses its settings",
}

var problems = rest.Problems{Titles: titles, Realm: "tandem"}

// WriteProblem answers a request with the problem of err, as every endpoint
// here does: for those that others mount beside them.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) { problems.Write(w, r, err) }
