package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
)

func (s *server) mountTemplates() {
	rest.Add(s.rest, makeTemplate, s.makeTemplate)
	rest.Add(s.rest, putTemplate, s.putTemplate)
	rest.Add(s.rest, getTemplate, s.getTemplate)
	rest.Add(s.rest, listTemplates, s.listTemplates)
	rest.Add(s.rest, claimCoupon, s.claimCoupon)
	rest.Add(s.rest, revokeTemplate, s.revokeTemplate)
}

const (
	templateBody    = `{"id":"welcome","name":"新人券","kind":"amount_off","amountOff":500,"threshold":2000,"validDays":30,"supply":10000,"perUserLimit":1}`
	templateExample = `{"id":"welcome","name":"新人券","kind":"amount_off","amountOff":500,"threshold":2000,"validDays":30,"supply":10000,"perUserLimit":1,"issued":0,"version":1}`
)

var makeTemplate = rest.Operation{
	Route: "POST /v1/coupon-templates", ID: "makeCouponTemplate", Tag: "Coupons", Summary: "Create a coupon template", Status: 201,
	Codes: []fault.Code{fault.AlreadyExists, fault.IdempotencyKeyReused}, Request: templateBody, Response: templateExample,
}

type makeTemplateInput struct {
	rest.KeyAccepted
	Body marketing.Template
}

func (s *server) makeTemplate(ctx context.Context, in *makeTemplateInput) (*rest.Repeatable[marketing.Template], error) {
	return rest.RepeatableOf(rest.Itself[marketing.Template])(s.app.PutTemplate(ctx, caller(ctx).Shop, in.IdempotencyKey, in.Body, true))
}

var putTemplate = rest.Operation{
	Route: "PUT /v1/coupon-templates/{id}", ID: "putCouponTemplate", Tag: "Coupons", Summary: "Edit a coupon template",
	Details: "The new version applies to coupons that were issued before, too; their dates stay. A limit (`supply`, `perUserLimit`) " +
		"can be raised or lowered, but neither added nor removed: without a limit nothing is counted.",
	Codes: []fault.Code{fault.NotFound}, Request: templateBody, Response: templateExample,
}

type putTemplateInput struct {
	IDPath
	Body marketing.Template
}

func (s *server) putTemplate(ctx context.Context, in *putTemplateInput) (*rest.Answer[marketing.Template], error) {
	if err := in.sameID(in.Body.ID); err != nil {
		return nil, err
	}
	in.Body.ID = in.ID
	t, _, err := s.app.PutTemplate(ctx, caller(ctx).Shop, "", in.Body, false)
	return rest.AnswerOf(rest.Itself[marketing.Template])(t, err)
}

var getTemplate = rest.Operation{
	Route: "GET /v1/coupon-templates/{id}", ID: "getCouponTemplate", Tag: "Coupons", Summary: "A coupon template",
	Codes: []fault.Code{fault.NotFound}, Response: templateExample,
}

type getTemplateInput struct {
	IDPath
	rest.IfNoneMatch
}

func (s *server) getTemplate(ctx context.Context, in *getTemplateInput) (*rest.Tagged[marketing.Template], error) {
	return rest.TaggedOf(in.IfNoneMatch, rest.Itself[marketing.Template])(s.app.Template(ctx, caller(ctx).Shop, in.ID))
}

var listTemplates = rest.Operation{
	Route: "GET /v1/coupon-templates", ID: "listCouponTemplates", Tag: "Coupons", Summary: "All coupon templates, by id",
	Response: `{"items":[` + templateExample + `]}`,
}

type listTemplatesInput struct{ rest.PageParams }

func (s *server) listTemplates(ctx context.Context, in *listTemplatesInput) (*rest.Answer[rest.List[marketing.Template]], error) {
	return rest.ListOf(rest.Itself[marketing.Template])(s.app.ListTemplates(ctx, caller(ctx).Shop, page(in.PageParams)))
}

var claimCoupon = rest.Operation{
	Route: "POST /v1/coupon-templates/{id}/claim", ID: "claimCoupon", Tag: "Coupons", Summary: "Give a user a coupon (领券)", Status: 201,
	Details: "Unless the template has `\"claimable\": false`, from its `validFrom` to its `validUntil`, as long as its supply lasts and up to `perUserLimit` for each user. " +
		"The limits are exact, however many requests come at once. The detail of `coupon_unavailable` names the reason.",
	Codes:   []fault.Code{fault.NotFound, fault.CouponUnavailable, fault.IdempotencyKeyReused},
	Request: `{"userId":"u-1001"}`, Response: couponExample,
}

type claimCouponInput struct {
	IDPath
	rest.KeyAccepted
	Body struct {
		UserID string `json:"userId" minLength:"1" maxLength:"64"`
	} `nameHint:"Claim"`
}

func (s *server) claimCoupon(ctx context.Context, in *claimCouponInput) (*rest.Repeatable[couponView], error) {
	return rest.RepeatableOf(s.viewCoupon)(s.app.ClaimCoupon(ctx, caller(ctx).Shop, in.IdempotencyKey, in.ID, in.Body.UserID))
}

var revokeTemplate = rest.Operation{
	Route: "POST /v1/coupon-templates/{id}/revoke", ID: "revokeCouponTemplate", Tag: "Coupons", Summary: "Withdraw the coupons of a template",
	Details: "Revokes those that are available and those that orders hold (the orders keep their prices). Used coupons stay used. " +
		"One call checks 10,000 coupons; while there is a `nextCursor`, send it as `cursor` to continue. It does not stop new ones from being " +
		"issued: set `claimable` to false, or `validUntil` to now, first.",
	Codes: []fault.Code{fault.NotFound, fault.IdempotencyKeyReused}, Response: `{"revoked":8731}`,
}

type revokeTemplateInput struct {
	IDPath
	rest.KeyAccepted
	Cursor string `query:"cursor" maxLength:"64" doc:"The nextCursor of the call before"`
}

func (s *server) revokeTemplate(ctx context.Context, in *revokeTemplateInput) (*rest.Repeatable[app.Revocation], error) {
	ours := caller(ctx).Shop
	return rest.RepeatableOf(rest.Itself[app.Revocation])(
		app.Idempotent(ctx, s.app, ours, "revoke coupons of "+in.ID, in.IdempotencyKey, in.Cursor,
			func() (app.Revocation, error) { return s.app.RevokeTemplate(ctx, ours, in.ID, in.Cursor) }),
	)
}
