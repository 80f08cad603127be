package api

import (
	"context"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountPromotions() {
	add(s, makePromotion, s.makePromotion)
	add(s, putPromotion, s.putPromotion)
	add(s, getPromotion, s.getPromotion)
	add(s, listPromotions, s.listPromotions)
	add(s, deletePromotion, s.deletePromotion)
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
		return fault.Invalidf("/id", "the path says %q; leave it out here, or say the same", p.ID)
	}
	return nil
}

var makePromotion = op{
	call: "POST /v1/promotions", id: "makePromotion", tag: "Promotions", summary: "Make a promotion", status: 201,
	about: "Each kind takes its own parameters and refuses the others'. It applies to the next quote and order.",
	codes: []fault.Code{fault.AlreadyExists, fault.IdempotencyKeyReused}, body: promotionBody, answer: promotionExample,
}

type makePromotionInput struct {
	KeyAccepted
	Body pricing.Promotion
}

func (s *server) makePromotion(ctx context.Context, in *makePromotionInput) (*repeatable[pricing.Promotion], error) {
	return repeatableOf(itself[pricing.Promotion])(s.app.PutPromotion(ctx, caller(ctx).Shop, in.IdempotencyKey, in.Body, true))
}

var putPromotion = op{
	call: "PUT /v1/promotions/{id}", id: "putPromotion", tag: "Promotions", summary: "Edit a promotion, or make it under this id",
	about: "An edit is the next version of the rule; orders keep the one that they were priced with.",
	body:  promotionBody, answer: promotionExample,
}

type putPromotionInput struct {
	IDPath
	Body pricing.Promotion
}

func (s *server) putPromotion(ctx context.Context, in *putPromotionInput) (*answer[pricing.Promotion], error) {
	if err := in.sameID(in.Body.ID); err != nil {
		return nil, err
	}
	in.Body.ID = in.ID
	p, _, err := s.app.PutPromotion(ctx, caller(ctx).Shop, "", in.Body, false)
	return answerOf(itself[pricing.Promotion])(p, err)
}

var getPromotion = op{
	call: "GET /v1/promotions/{id}", id: "getPromotion", tag: "Promotions", summary: "A promotion",
	codes: []fault.Code{fault.NotFound}, answer: promotionExample,
}

type getPromotionInput struct {
	IDPath
	IfNoneMatch
}

func (s *server) getPromotion(ctx context.Context, in *getPromotionInput) (*tagged[pricing.Promotion], error) {
	return taggedOf(in.IfNoneMatch, itself[pricing.Promotion])(s.app.Store.Promotion(ctx, caller(ctx).Shop, in.ID))
}

var listPromotions = op{
	call: "GET /v1/promotions", id: "listPromotions", tag: "Promotions", summary: "All promotions, by id",
	answer: `{"items":[` + promotionExample + `]}`,
}

type listPromotionsInput struct{ PageParams }

func (s *server) listPromotions(ctx context.Context, in *listPromotionsInput) (*answer[list[pricing.Promotion]], error) {
	return listOf(itself[pricing.Promotion])(s.app.Store.ListPromotions(ctx, caller(ctx).Shop, in.page()))
}

var deletePromotion = op{
	call: "DELETE /v1/promotions/{id}", id: "deletePromotion", tag: "Promotions", summary: "End a promotion", status: 204,
	about: "Orders that were priced with it stay as they are. `active: false` pauses one instead.",
	codes: []fault.Code{fault.NotFound},
}

type deletePromotionInput struct{ IDPath }

func (s *server) deletePromotion(ctx context.Context, in *deletePromotionInput) (*struct{}, error) {
	return nil, s.app.DeletePromotion(ctx, caller(ctx).Shop, in.ID)
}
