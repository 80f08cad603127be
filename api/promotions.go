package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountPromotions() {
	rest.Add(s.rest, makePromotion, s.makePromotion)
	rest.Add(s.rest, putPromotion, s.putPromotion)
	rest.Add(s.rest, getPromotion, s.getPromotion)
	rest.Add(s.rest, listPromotions, s.listPromotions)
	rest.Add(s.rest, deletePromotion, s.deletePromotion)
}

const (
	promotionBody    = `{"id":"spring","name":"满100减10","kind":"amount_off","threshold":10000,"amountOff":1000,"scope":{"categories":["tea"]},"priority":10}`
	promotionExample = `{"id":"spring","name":"满100减10","kind":"amount_off","threshold":10000,"amountOff":1000,"scope":{"categories":["tea"]},"priority":10,"version":1}`
)

// IDPath is the id of a path.
type IDPath struct {
	ID string `path:"id" maxLength:"64"`
}

// sameID refuses a body that names another id than the path.
func (p IDPath) sameID(inBody string) error {
	if inBody != "" && inBody != p.ID {
		return fault.Invalidf("/id", "the path has the id %q; leave it out here, or send the same", p.ID)
	}
	return nil
}

var makePromotion = rest.Operation{
	Route: "POST /v1/promotions", ID: "makePromotion", Tag: "Promotions", Summary: "Create a promotion", Status: 201,
	Details: "Each kind takes its own parameters only. It applies to the next quote and order.",
	Codes:   []fault.Code{fault.AlreadyExists, fault.IdempotencyKeyReused}, Request: promotionBody, Response: promotionExample,
}

type makePromotionInput struct {
	rest.KeyAccepted
	Body pricing.Promotion
}

func (s *server) makePromotion(ctx context.Context, in *makePromotionInput) (*rest.Repeatable[pricing.Promotion], error) {
	return rest.RepeatableOf(rest.Itself[pricing.Promotion])(s.app.PutPromotion(ctx, caller(ctx).Shop, in.IdempotencyKey, in.Body, true))
}

var putPromotion = rest.Operation{
	Route: "PUT /v1/promotions/{id}", ID: "putPromotion", Tag: "Promotions", Summary: "Edit a promotion, or create it with this id",
	Details: "An edit is the next version of the rule; orders keep the one that they were priced with.",
	Request: promotionBody, Response: promotionExample,
}

type putPromotionInput struct {
	IDPath
	Body pricing.Promotion
}

func (s *server) putPromotion(ctx context.Context, in *putPromotionInput) (*rest.Answer[pricing.Promotion], error) {
	if err := in.sameID(in.Body.ID); err != nil {
		return nil, err
	}
	in.Body.ID = in.ID
	p, _, err := s.app.PutPromotion(ctx, caller(ctx).Shop, "", in.Body, false)
	return rest.AnswerOf(rest.Itself[pricing.Promotion])(p, err)
}

var getPromotion = rest.Operation{
	Route: "GET /v1/promotions/{id}", ID: "getPromotion", Tag: "Promotions", Summary: "A promotion",
	Codes: []fault.Code{fault.NotFound}, Response: promotionExample,
}

type getPromotionInput struct {
	IDPath
	rest.IfNoneMatch
}

func (s *server) getPromotion(ctx context.Context, in *getPromotionInput) (*rest.Tagged[pricing.Promotion], error) {
	return rest.TaggedOf(in.IfNoneMatch, rest.Itself[pricing.Promotion])(s.app.Store.Promotion(ctx, caller(ctx).Shop, in.ID))
}

var listPromotions = rest.Operation{
	Route: "GET /v1/promotions", ID: "listPromotions", Tag: "Promotions", Summary: "All promotions, by id",
	Response: `{"items":[` + promotionExample + `]}`,
}

type listPromotionsInput struct{ rest.PageParams }

func (s *server) listPromotions(ctx context.Context, in *listPromotionsInput) (*rest.Answer[rest.List[pricing.Promotion]], error) {
	return rest.ListOf(rest.Itself[pricing.Promotion])(s.app.Store.ListPromotions(ctx, caller(ctx).Shop, page(in.PageParams)))
}

var deletePromotion = rest.Operation{
	Route: "DELETE /v1/promotions/{id}", ID: "deletePromotion", Tag: "Promotions", Summary: "Delete a promotion", Status: 204,
	Details: "Orders that were priced with it stay as they are. `active: false` pauses one instead.",
	Codes:   []fault.Code{fault.NotFound},
}

type deletePromotionInput struct{ IDPath }

func (s *server) deletePromotion(ctx context.Context, in *deletePromotionInput) (*struct{}, error) {
	return nil, s.app.DeletePromotion(ctx, caller(ctx).Shop, in.ID)
}
