package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
)

// What can be done to a draft beside what can be done to any order. Drafting
// one is POST /v1/orders.

// draftView is the content of a draft: what PUT takes.
type draftView struct {
	Items       []event.Units    `json:"items" doc:"As they were sent; without gifts"`
	CouponCodes []string         `json:"couponCodes"`
	ExpiresIn   string           `json:"expiresIn,omitempty" example:"15m0s" doc:"Counted from the submission"`
	Instalments []draftPlanEntry `json:"instalments,omitempty"`
	EditedAt    time.Time        `json:"editedAt" doc:"When it, or its price, last changed"`
}

type draftPlanEntry struct {
	Amount int64      `json:"amount" doc:"Minor units"`
	DueAt  *time.Time `json:"dueAt,omitempty"`
}

func viewDraft(d *order.DraftData) *draftView {
	v := &draftView{Items: rest.OrEmpty(d.Items), CouponCodes: rest.OrEmpty(d.Coupons), EditedAt: at(d.EditedAt)}
	if d.ExpiresIn != 0 {
		v.ExpiresIn = d.ExpiresIn.String()
	}
	for _, p := range d.Plan {
		v.Instalments = append(v.Instalments, draftPlanEntry{p.Amount, atOrNil(p.DueAt)})
	}
	return v
}

const draftExample = `{"orderNo":"12026060104000012300000000017","userId":"u-1001","status":"draft","currency":"CNY",` +
	`"totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"paidAmount":0,"refundedAmount":0,"refundingAmount":0,` +
	`"items":` + linesExample + `,"appliedDiscounts":` + appliedExample + `,"payments":[],` +
	`"draft":{"items":[{"sku":"tea","quantity":2}],"couponCodes":["WELCOME-7F3K"],"editedAt":"2026-06-01T04:05:00.123Z"},"skippedDiscounts":[],` +
	`"createdAt":"2026-06-01T04:00:00.123Z","expiresAt":"2026-07-01T04:05:00.123Z","version":2}`

var editDraft = rest.Operation{
	Route: "PUT /v1/orders/{orderNo}", ID: "editDraft", Tag: "Orders", Summary: "Edit a draft",
	Details: "Replaces its whole content, and prices it again. With the `If-Match` of the version that was read, " +
		"one editor cannot overwrite what another wrote in the meantime. A draft keeps its buyer. " +
		"If neither content nor price changes, the version stays.",
	Codes:   []fault.Code{fault.NotFound, fault.OrderFrozen, fault.PreconditionFailed, fault.SkuNotFound, fault.PriceChanged},
	Request: `{"items":[{"sku":"tea","quantity":2}],"couponCodes":["WELCOME-7F3K"]}`, Response: draftExample,
}

type editDraftInput struct {
	OrderPath
	rest.IfMatch
	Body struct {
		UserID                string     `json:"userId,omitempty" maxLength:"64" doc:"The draft's own, or absent"`
		Items                 []cartItem `json:"items" minItems:"1" maxItems:"200" doc:"Lines of the same sku are added up"`
		CouponCodes           []string   `json:"couponCodes,omitempty" maxItems:"20" maxLength:"64"`
		ExpectedPayableAmount *int64     `json:"expectedPayableAmount,omitempty" minimum:"0" maximum:"1000000000000000" doc:"Refuse with price_changed if the price differs"`
		TermsBody
	} `nameHint:"DraftEdit"`
}

type draftOutput struct {
	rest.Replay
	ETag string `header:"ETag"`
	Body orderView
}

func viewEdited(d order.Data, replayed bool) *draftOutput {
	return &draftOutput{rest.Replayed(replayed), rest.VersionTag(d.Seq), viewOrder(app.OrderView{Order: d})}
}

func (s *server) editDraft(ctx context.Context, in *editDraftInput) (*draftOutput, error) {
	cart := CartBody{UserID: in.Body.UserID, Items: in.Body.Items}
	request, err := in.Body.request(cart.cart(in.Body.CouponCodes))
	if err != nil {
		return nil, err
	}
	request.Expected = in.Body.ExpectedPayableAmount
	d, err := s.app.EditDraft(ctx, caller(ctx).Shop, in.OrderNo, app.Versions(in.Versions()), request)
	if err != nil {
		return nil, err
	}
	return viewEdited(d, false), nil
}

var priceDraft = rest.Operation{
	Route: "POST /v1/orders/{orderNo}/reprice", ID: "priceDraft", Tag: "Orders", Summary: "Price a draft again, as it is",
	Details: "For a buyer who returns to it. If the price is unchanged, the version stays.",
	Codes: []fault.Code{
		fault.NotFound, fault.OrderFrozen, fault.PreconditionFailed, fault.Conflict, fault.SkuNotFound, fault.IdempotencyKeyReused,
	},
	Response: draftExample,
}

type priceDraftInput struct {
	OrderPath
	rest.KeyAccepted
	rest.IfMatch
}

func (s *server) priceDraft(ctx context.Context, in *priceDraftInput) (*draftOutput, error) {
	d, replayed, err := s.app.PriceDraft(ctx, caller(ctx).Shop, in.OrderNo, in.IdempotencyKey, app.Versions(in.Versions()))
	if err != nil {
		return nil, err
	}
	return viewEdited(d, replayed), nil
}

var submitDraft = rest.Operation{
	Route: "POST /v1/orders/{orderNo}/submit", ID: "submitDraft", Tag: "Orders", Summary: "Submit a draft",
	Details: "Places the order in one atomic step, at its price now. Every check of placing applies, " +
		"and a refusal leaves the draft as it was. Send the price that the buyer saw as `expectedPayableAmount`. " +
		"It can be submitted once; a repeat with the same key gets the first answer again.",
	Codes: []fault.Code{
		fault.NotFound, fault.OrderFrozen, fault.PreconditionFailed,
		fault.IdempotencyKeyReused, fault.UserBlocked, fault.SkuNotFound, fault.CouponNotFound,
		fault.CouponUnavailable, fault.CouponNotApplicable, fault.PriceChanged, fault.PromotionExhausted, fault.PurchaseLimitExceeded,
		fault.OutOfStock,
	},
	Request: `{"expectedPayableAmount":16276}`, Response: submittedExample,
}

const submittedExample = orderHead + `,"submittedAt":"2026-06-01T04:00:00.123Z","clientToken":"ct_ZGVmYXVsdC8xMjAyNg"}`

type submitDraftInput struct {
	OrderPath
	rest.KeyAccepted
	rest.IfMatch
	Body *submitBody
}

type submitBody struct {
	ExpectedPayableAmount *int64 `json:"expectedPayableAmount,omitempty" minimum:"0" maximum:"1000000000000000" doc:"Refuse with price_changed if the price differs"`
}

func (s *server) submitDraft(ctx context.Context, in *submitDraftInput) (*placeOrderOutput, error) {
	c := caller(ctx)
	var expected *int64
	if in.Body != nil {
		expected = in.Body.ExpectedPayableAmount
	}
	d, replayed, err := s.app.SubmitDraft(ctx, c.Shop, in.OrderNo, in.IdempotencyKey, app.Versions(in.Versions()), expected)
	if err != nil {
		return nil, err
	}
	return &placeOrderOutput{rest.Replayed(replayed), s.viewPlaced(c.Shop, d)}, nil
}
