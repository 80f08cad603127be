package api

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
)

func (s *server) mountTemplates() {
	add(s, makeTemplate, s.makeTemplate)
	add(s, putTemplate, s.putTemplate)
	add(s, getTemplate, s.getTemplate)
	add(s, listTemplates, s.listTemplates)
	add(s, claimCoupon, s.claimCoupon)
}

const (
	templateBody    = `{"id":"welcome","name":"新人券","kind":"amount_off","amountOff":500,"threshold":2000,"validDays":30,"supply":10000,"perUserLimit":1}`
	templateExample = `{"id":"welcome","name":"新人券","kind":"amount_off","amountOff":500,"threshold":2000,"validDays":30,"supply":10000,"perUserLimit":1,"issued":0,"version":1}`
)

var makeTemplate = op{
	call: "POST /v1/coupon-templates", id: "makeCouponTemplate", tag: "Coupons", summary: "Make a coupon template", status: 201,
	codes: []fault.Code{fault.AlreadyExists, fault.IdempotencyKeyReused}, body: templateBody, answer: templateExample,
}

type makeTemplateInput struct {
	KeyAccepted
	Body marketing.Template
}

func (s *server) makeTemplate(ctx context.Context, in *makeTemplateInput) (*repeatable[marketing.Template], error) {
	return repeatableOf(itself[marketing.Template])(s.app.PutTemplate(ctx, caller(ctx).Shop, in.IdempotencyKey, in.Body, true))
}

var putTemplate = op{
	call: "PUT /v1/coupon-templates/{id}", id: "putCouponTemplate", tag: "Coupons", summary: "Edit a coupon template",
	about: "The next version of the rule holds for coupons that were issued before, too; their dates stay.",
	codes: []fault.Code{fault.Missing}, body: templateBody, answer: templateExample,
}

type putTemplateInput struct {
	IDPath
	Body marketing.Template
}

func (s *server) putTemplate(ctx context.Context, in *putTemplateInput) (*answer[marketing.Template], error) {
	if err := in.sameID(in.Body.ID); err != nil {
		return nil, err
	}
	in.Body.ID = in.ID
	t, _, err := s.app.PutTemplate(ctx, caller(ctx).Shop, "", in.Body, false)
	return answerOf(itself[marketing.Template])(t, err)
}

var getTemplate = op{
	call: "GET /v1/coupon-templates/{id}", id: "getCouponTemplate", tag: "Coupons", summary: "A coupon template",
	codes: []fault.Code{fault.Missing}, answer: templateExample,
}

type getTemplateInput struct {
	IDPath
	IfNoneMatch
}

func (s *server) getTemplate(ctx context.Context, in *getTemplateInput) (*tagged[marketing.Template], error) {
	return taggedOf(in.IfNoneMatch, itself[marketing.Template])(s.app.Store.Template(ctx, caller(ctx).Shop, in.ID))
}

var listTemplates = op{
	call: "GET /v1/coupon-templates", id: "listCouponTemplates", tag: "Coupons", summary: "All coupon templates, by id",
	answer: `{"items":[` + templateExample + `]}`,
}

type listTemplatesInput struct{ PageParams }

func (s *server) listTemplates(ctx context.Context, in *listTemplatesInput) (*answer[list[marketing.Template]], error) {
	return listOf(itself[marketing.Template])(s.app.Store.ListTemplates(ctx, caller(ctx).Shop, in.page()))
}

var claimCoupon = op{
	call: "POST /v1/coupon-templates/{id}/claim", id: "claimCoupon", tag: "Coupons", summary: "Give a user a coupon (领券)", status: 201,
	codes: []fault.Code{fault.Missing, fault.CouponUnavailable, fault.IdempotencyKeyReused},
	body:  `{"userId":"u-1001"}`, answer: couponExample,
}

type claimCouponInput struct {
	IDPath
	KeyAccepted
	Body struct {
		UserID string `json:"userId" minLength:"1" maxLength:"64"`
	} `nameHint:"Claim"`
}

func (s *server) claimCoupon(ctx context.Context, in *claimCouponInput) (*repeatable[couponView], error) {
	issued, replayed, err := s.app.IssueCoupons(ctx, caller(ctx).Shop, in.IdempotencyKey, app.IssueCoupons{Template: in.ID, User: in.Body.UserID, Count: 1})
	if err != nil {
		return nil, err
	}
	return &repeatable[couponView]{replay(replayed), s.viewCoupon(issued[0])}, nil
}
