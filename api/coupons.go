package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountCoupons() {
	rest.Add(s.rest, issueCoupons, s.issueCoupons)
	rest.Add(s.rest, getCoupon, s.getCoupon)
	rest.Add(s.rest, revokeCoupon, s.revokeCoupon)
	rest.Add(s.rest, listCoupons, s.listCoupons)
}

// couponView is a coupon as clients see it.
type couponView struct {
	Code        string       `json:"code" example:"WELCOME-7F3K"`
	TemplateID  string       `json:"templateId"`
	UserID      string       `json:"userId" doc:"Empty when it belongs to nobody: whoever has the code may use it"`
	Status      couponStatus `json:"status"`
	OrderNo     string       `json:"orderNo,omitempty" doc:"The order that holds or used it"`
	LockedUntil *time.Time   `json:"lockedUntil,omitempty" doc:"When the order that holds it expires"`
	ValidFrom   *time.Time   `json:"validFrom,omitempty"`
	ValidUntil  *time.Time   `json:"validUntil,omitempty" doc:"The first moment at which it is no longer valid"`
	IssuedAt    time.Time    `json:"issuedAt"`
}

func (s *server) viewCoupon(d marketing.CouponData) couponView {
	return couponView{
		Code: d.Code, TemplateID: d.TemplateID, UserID: d.User, Status: couponStatus(d.StatusAt(s.app.Clock.Now())), OrderNo: d.Order,
		LockedUntil: atOrNil(d.LockedUntil), ValidFrom: atOrNil(d.ValidFrom), ValidUntil: atOrNil(d.ValidUntil), IssuedAt: at(d.IssuedAt),
	}
}

const couponExample = `{"code":"WELCOME-7F3K","templateId":"welcome","userId":"u-1001","status":"available","validUntil":"2026-07-01T04:00:00Z","issuedAt":"2026-06-01T04:00:00Z"}`

// CouponPath is the code of a path.
type CouponPath struct {
	Code string `path:"code" maxLength:"64" example:"WELCOME-7F3K"`
}

var issueCoupons = rest.Operation{
	Route: "POST /v1/coupons", ID: "issueCoupons", Tag: "Coupons", Summary: "Issue coupons of a template", Status: 201,
	Details: "With `codes` those codes, else `count` random ones (1 when absent): all of them or none. Without `userId` whoever has a code may use it. " +
		"With `userIds` a random one for each of those users. For more than one call takes, use `tandem coupons issue`.",
	Codes:   []fault.Code{fault.NotFound, fault.AlreadyExists, fault.CouponUnavailable, fault.IdempotencyKeyReused},
	Request: `{"templateId":"welcome","userId":"u-1001","codes":["WELCOME-7F3K"]}`, Response: `{"items":[` + couponExample + `]}`,
}

type issueCouponsInput struct {
	rest.KeyAccepted
	Body struct {
		TemplateID string   `json:"templateId" minLength:"1" maxLength:"64"`
		UserID     string   `json:"userId,omitempty" maxLength:"64"`
		Count      *int     `json:"count,omitempty" minimum:"1" maximum:"1000"`
		Codes      []string `json:"codes,omitempty" maxItems:"1000" pattern:"^[A-Za-z0-9_-]{1,64}$"`
		UserIDs    []string `json:"userIds,omitempty" maxItems:"1000" maxLength:"64" doc:"Users who get one coupon each"`
	} `nameHint:"Issue"`
}

func (s *server) issueCoupons(ctx context.Context, in *issueCouponsInput) (*rest.Repeatable[rest.List[couponView]], error) {
	request := app.IssueCoupons{Template: in.Body.TemplateID, User: in.Body.UserID, Users: in.Body.UserIDs, Codes: in.Body.Codes}
	if in.Body.Count != nil {
		request.Count = *in.Body.Count
	}
	issued, replayed, err := s.app.IssueCoupons(ctx, caller(ctx).Shop, in.IdempotencyKey, request)
	out, err := rest.ListOf(s.viewCoupon)(issued, "", err)
	if err != nil {
		return nil, err
	}
	return rest.RepeatableOf(rest.Itself[rest.List[couponView]])(out.Body, replayed, nil)
}

var getCoupon = rest.Operation{
	Route: "GET /v1/coupons/{code}", ID: "getCoupon", Tag: "Coupons", Summary: "A coupon",
	Codes: []fault.Code{fault.NotFound}, Response: couponExample,
}

type getCouponInput struct {
	CouponPath
	rest.IfNoneMatch
}

func (s *server) getCoupon(ctx context.Context, in *getCouponInput) (*rest.Tagged[couponView], error) {
	return rest.TaggedOf(in.IfNoneMatch, s.viewCoupon)(s.app.Store.Coupon(ctx, caller(ctx).Shop, in.Code))
}

var revokeCoupon = rest.Operation{
	Route: "POST /v1/coupons/{code}/revoke", ID: "revokeCoupon", Tag: "Coupons", Summary: "Withdraw a coupon",
	Details: "An order that holds it keeps its price. A used coupon stays used.",
	Codes:   []fault.Code{fault.CouponNotFound, fault.CouponUnavailable, fault.IdempotencyKeyReused}, Response: couponExample,
}

type revokeCouponInput struct {
	CouponPath
	rest.KeyAccepted
}

func (s *server) revokeCoupon(ctx context.Context, in *revokeCouponInput) (*rest.Repeatable[couponView], error) {
	ours := caller(ctx).Shop
	return rest.RepeatableOf(s.viewCoupon)(app.Idempotent(ctx, s.app, ours, "revoke coupon "+in.Code, in.IdempotencyKey, nil,
		func() (marketing.CouponData, error) { return s.app.RevokeCoupon(ctx, ours, in.Code) }))
}

var listCoupons = rest.Operation{
	Route: "GET /v1/users/{userId}/coupons", ID: "listUserCoupons", Tag: "Coupons", Summary: "A user's coupons, by code",
	Response: `{"items":[` + couponExample + `]}`,
}

type listCouponsInput struct {
	UserPath
	rest.PageParams
	Status couponStatus `query:"status" doc:"Only those; any when absent"`
}

func (s *server) listCoupons(ctx context.Context, in *listCouponsInput) (*rest.Answer[rest.List[couponView]], error) {
	if err := shop.CheckID("userId", in.UserID); err != nil {
		return nil, err
	}
	f := app.CouponFilter{User: in.UserID, Status: marketing.Status(in.Status), Now: s.app.Clock.Now().UTC()}
	return rest.ListOf(s.viewCoupon)(s.app.Store.ListCoupons(ctx, caller(ctx).Shop, f, page(in.PageParams)))
}
