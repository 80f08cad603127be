package format

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
)

// RequestHash is the fingerprint of a request under an idempotency key, which
// is stored with the answer: of the operation and the members of the request.
//
// The structs below list the members. A request that a client repeats after an
// upgrade must have the hash that was saved before it, so the list only grows,
// at its end, and by members that are absent where they are zero (omitzero):
// then a request that does not use them has the hash that it always had. Those
// of the first release are there with any value.
func RequestHash(operation string, request any) []byte {
	h := sha256.New()
	h.Write([]byte(operation))
	h.Write([]byte{0})
	// It is plain data of ours: it always marshals, and with map keys in order,
	// so that equal requests have equal bytes.
	_ = json.NewEncoder(h).Encode(request)
	return h.Sum(nil)
}

// PlaceRequest is a request to place or to draft an order.
type PlaceRequest struct {
	User      string            `json:"User"`
	Items     []UnitsRequest    `json:"Items"`
	Coupons   []string          `json:"Coupons"`
	Expected  *int64            `json:"Expected"`
	ExpiresIn time.Duration     `json:"ExpiresIn"` // nanoseconds
	Metadata  map[string]string `json:"Metadata"`
	Plan      PlanRequest       `json:"Plan,omitempty"`
}

// UnitsRequest is a quantity of a sku.
type UnitsRequest struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// PlanRequest is a plan of instalments.
type PlanRequest []instalment

// PlanRequestOf is the plan that an order is to have.
func PlanRequestOf(plan []order.Instalment) PlanRequest { return each(plan, instalmentOf) }

// PaymentRequest is a request to open a payment. The payer's address is no part
// of it: a repeat may come from another.
type PaymentRequest struct {
	Channel   string         `json:"Channel"`
	Method    payment.Method `json:"Method"`
	Amount    int64          `json:"Amount"`
	OpenID    string         `json:"OpenID"`
	ClientIP  string         `json:"ClientIP"` // of the first release; always ""
	ReturnURL string         `json:"ReturnURL"`
}

// RefundRequest is a request for a refund.
type RefundRequest struct {
	Amount int64               `json:"Amount"`
	Items  []RefundItemRequest `json:"Items"`
	Reason string              `json:"Reason"`

	Restock *bool `json:"Restock,omitzero"`
}

// CancelRequest is a request to cancel an order and to keep what was paid of it.
type CancelRequest struct {
	Reason   string `json:"reason"`
	KeepPaid bool   `json:"keepPaid"`
}

// RefundItemRequest is a quantity of a line.
type RefundItemRequest struct {
	Line     int   `json:"Line"`
	Quantity int64 `json:"Quantity"`
}

// IssueRequest is a request to issue coupons.
type IssueRequest struct {
	Template string   `json:"Template"`
	User     string   `json:"User"`
	Users    []string `json:"Users,omitempty"`
	Count    int      `json:"Count"`
	Codes    []string `json:"Codes"`
}

// IssueJobRequest is a request to issue a great number of coupons.
type IssueJobRequest struct {
	Name     string `json:"Name"`
	Template string `json:"Template"`
	Prefix   string `json:"Prefix"`
	Count    int    `json:"Count"`
}

// ReconcileRequest is a request to reconcile a day of a channel.
type ReconcileRequest struct {
	Channel string `json:"channel"`
	Date    string `json:"date"`
}

// PromotionRequest is a request to make or to edit a promotion.
func PromotionRequest(p *pricing.Promotion) any { return promotionOf(p) }

// TemplateRequest is a request to make or to edit a coupon template.
func TemplateRequest(t *marketing.Template) any { return templateOf(t) }
