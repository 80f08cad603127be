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
	add(s, revokeTemplate, s.revokeTemplate)
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
	about: "The next version of the rule holds for coupons that were issued before, too; their dates stay. A limit (`supply`, `perUserLimit`) " +
		"can be raised or lowered, but neither added nor taken away: what has no limit is not counted.",
	codes: []fault.Code{fault.NotFound}, body: templateBody, answer: templateExample,
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
	codes: []fault.Code{fault.NotFound}, answer: templateExample,
}

type getTemplateInput struct {
	IDPath
	IfNoneMatch
}

func (s *server) getTemplate(ctx context.Context, in *getTemplateInput) (*tagged[marketing.Template], error) {
	return taggedOf(in.IfNoneMatch, itself[marketing.Template])(s.app.Template(ctx, caller(ctx).Shop, in.ID))
}

var listTemplates = op{
	call: "GET /v1/coupon-templates", id: "listCouponTemplates", tag: "Coupons", summary: "All coupon templates, by id",
	answer: `{"items":[` + templateExample + `]}`,
}

type listTemplatesInput struct{ PageParams }

func (s *server) listTemplates(ctx context.Context, in *listTemplatesInput) (*answer[list[marketing.Template]], error) {
	return listOf(itself[marketing.Template])(s.app.ListTemplates(ctx, caller(ctx).Shop, in.page()))
}

var claimCoupon = op{
	call: "POST /v1/coupon-templates/{id}/claim", id: "claimCoupon", tag: "Coupons", summary: "Give a user a coupon (领券)", status: 201,
	about: "Unless the template says `\"claimable\": false`, from its `validFrom` to its `validUntil`, as long as its supply lasts and up to `perUserLimit` for each user: " +
		"exact, however many ask at once. `coupon_unavailable` says which of these it was.",
	codes: []fault.Code{fault.NotFound, fault.CouponUnavailable, fault.IdempotencyKeyReused},
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
	return repeatableOf(s.viewCoupon)(s.app.ClaimCoupon(ctx, caller(ctx).Shop, in.IdempotencyKey, in.ID, in.Body.UserID))
}

var revokeTemplate = op{
	call: "POST /v1/coupon-templates/{id}/revoke", id: "revokeCouponTemplate", tag: "Coupons", summary: "Withdraw the coupons of a template",
	about: "Those that are available, and those that orders hold (the orders keep their prices). What has been used stays used. " +
		"One call looks at 10,000 coupons; while there is a `nextCursor`, send it as `cursor` to go on. It does not keep new ones from being " +
		"issued: set `claimable` to false, or `validUntil` to now, before.",
	codes: []fault.Code{fault.NotFound, fault.IdempotencyKeyReused}, answer: `{"revoked":8731}`,
}

type revokeTemplateInput struct {
	IDPath
	KeyAccepted
	Cursor string `query:"cursor" maxLength:"64" doc:"The nextCursor of the call before"`
}

func (s *server) revokeTemplate(ctx context.Context, in *revokeTemplateInput) (*repeatable[app.Revocation], error) {
	ours := caller(ctx).Shop
	return repeatableOf(itself[app.Revocation])(app.Idempotent(ctx, s.app, ours, "revoke coupons of "+in.ID, in.IdempotencyKey, in.Cursor,
		func() (app.Revocation, error) { return s.app.RevokeTemplate(ctx, ours, in.ID, in.Cursor) }))
}
