package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/tandem-pay/tandem/fault"
)

// titles say in a few words what each code means. They are the title of the
// problem, the text of the document, and the page that the problem's type
// leads to.
var titles = map[fault.Code]string{
	fault.ValidationFailed:       "The request is malformed",
	fault.UnknownField:           "The request has a field that does not exist",
	fault.BodyTooLarge:           "The body is too large",
	fault.IdempotencyKeyRequired: "The Idempotency-Key header is missing",
	fault.IdempotencyKeyReused:   "The Idempotency-Key was used for another request",

	fault.Unauthorized:       "No key, or one that is not known",
	fault.Forbidden:          "The key or token does not reach that far",
	fault.NotFound:           "It is not there",
	fault.RateLimited:        "Too many requests at once",
	fault.Internal:           "Something went wrong on our side",
	fault.Unavailable:        "The server cannot serve now",
	fault.Conflict:           "It has been changed meanwhile",
	fault.PreconditionFailed: "It is not what If-Match names",

	fault.SkuNotFound:           "There is no such sku",
	fault.OutOfStock:            "Not enough stock",
	fault.PurchaseLimitExceeded: "More than one buyer may have",
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
	fault.RefundNotOpen:         "The refund cannot do that any more",
	fault.DiscrepancyClosed:     "The discrepancy is closed",
	fault.PaymentNotClosable:    "The payment cannot be closed",
	fault.AlreadyExists:         "It exists already",
	fault.ChannelNotConfigured:  "The shop has no such channel",
	fault.ChannelRejected:       "The channel refused",
	fault.ChannelUnavailable:    "The channel gave no certain answer",
	fault.ChannelTimeout:        "The channel did not answer in time",

	methodNotAllowed:     "The method is not allowed here",
	unsupportedMediaType: "The body is not JSON by its content type",
	requestTimeout:       "The body did not arrive in time",
}

// explain is the page that a problem's type leads to.
func explain(w http.ResponseWriter, r *http.Request) {
	code := fault.Code(r.PathValue("code"))
	title, ok := titles[code]
	if !ok {
		http.Error(w, "no such problem", http.StatusNotFound)
		return
	}
	status := statusOf(&fault.Error{Code: code})
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "%s\n\n%s.\nIt comes with status %s %s.\n", code, title, strconv.Itoa(status), http.StatusText(status))
}
