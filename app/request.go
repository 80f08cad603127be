package app

import (
	"fmt"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// Hash is the fingerprint of a request under an idempotency key: the operation,
// with what it is done to, and the request in its stored format. A request is a
// word or a number, or has its format here: what has none is a defect, and
// panics.
func Hash(operation string, request any) []byte {
	return format.RequestHash(operation, canonical(request))
}

// canonical is the request as it is hashed.
func canonical(request any) any {
	switch r := request.(type) {
	case PlaceOrder:
		s := format.PlaceRequest{
			User: r.User, Coupons: r.Coupons, Expected: r.Expected, ExpiresIn: r.ExpiresIn, Metadata: r.Metadata, Plan: format.PlanRequestOf(r.Plan),
		}
		if r.Items != nil {
			s.Items = make([]format.UnitsRequest, len(r.Items))
			for i := range r.Items {
				s.Items[i] = format.UnitsRequest(r.Items[i])
			}
		}
		return s
	case OpenPayment:
		r.ClientIP = ""
		return format.PaymentRequest(r)
	case RequestRefund:
		s := format.RefundRequest{Amount: r.Amount, Reason: r.Reason, Restock: r.Restock}
		if r.Items != nil {
			s.Items = make([]format.RefundItemRequest, len(r.Items))
			for i := range r.Items {
				s.Items[i] = format.RefundItemRequest(r.Items[i])
			}
		}
		return s
	case IssueCoupons:
		return format.IssueRequest(r)
	case *IssueJob:
		return format.IssueJobRequest(*r)
	case pricing.Promotion:
		return format.PromotionRequest(&r)
	case marketing.Template:
		return format.TemplateRequest(&r)
	case submission:
		return []any{r.seen, r.expected}
	case nil, string, int64, Versions, format.ReconcileRequest, format.CancelRequest:
		return r
	}
	panic(fmt.Errorf("requests of %T have no format", request))
}

// submission is a request to submit a draft.
type submission struct {
	seen     Versions
	expected *int64 // minor units
}
