package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountShop() {
	rest.Add(s.rest, getShop, s.getShop)
	rest.Add(s.rest, putPolicies, s.putPolicies)
}

// shopView is the shop of a key.
type shopView struct {
	ID        string        `json:"id" example:"default"`
	Name      string        `json:"name"`
	Currency  string        `json:"currency" example:"CNY" doc:"ISO 4217"`
	Policies  shop.Policies `json:"policies" doc:"An absent policy has the first value of its list"`
	CreatedAt time.Time     `json:"createdAt"`
}

func viewShop(d shop.Shop) shopView {
	return shopView{d.ID, d.Name, d.Currency, d.Policies, at(d.CreatedAt)}
}

const shopExample = `{"id":"default","name":"茶铺","currency":"CNY","policies":{"latePayment":"revive"},"createdAt":"2026-06-01T03:00:00Z"}`

var getShop = rest.Operation{
	Route: "GET /v1/shop", ID: "getShop", Tag: "Shop", Summary: "The shop and its policies", Response: shopExample,
}

type getShopInput struct{ rest.IfNoneMatch }

func (s *server) getShop(ctx context.Context, in *getShopInput) (*rest.Tagged[shopView], error) {
	return rest.TaggedOf(in.IfNoneMatch, viewShop)(s.app.Store.ShopByID(ctx, caller(ctx).Shop))
}

var putPolicies = rest.Operation{
	Route: "PUT /v1/shop/policies", ID: "putPolicies", Tag: "Shop", Summary: "Set the shop's policies, all of them",
	Details: "An absent policy gets the first value of its list. They apply to what happens from now on, except `instalmentGoods`, which an order keeps " +
		"as it was when it was placed.",
	Request: `{"latePayment":"revive"}`, Response: shopExample,
}

type putPoliciesInput struct{ Body shop.Policies }

func (s *server) putPolicies(ctx context.Context, in *putPoliciesInput) (*rest.Answer[shopView], error) {
	return rest.AnswerOf(viewShop)(s.app.PutPolicies(ctx, caller(ctx).Shop, in.Body))
}
