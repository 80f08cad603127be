package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountShop() {
	add(s, getShop, s.getShop)
	add(s, putPolicies, s.putPolicies)
}

// shopView is the shop of a key.
type shopView struct {
	ID        string        `json:"id" example:"default"`
	Name      string        `json:"name"`
	Currency  string        `json:"currency" example:"CNY" doc:"ISO 4217"`
	Policies  shop.Policies `json:"policies" doc:"What is absent is the first word of its list"`
	CreatedAt time.Time     `json:"createdAt"`
}

func viewShop(d shop.Shop) shopView {
	return shopView{d.ID, d.Name, d.Currency, d.Policies, at(d.CreatedAt)}
}

const shopExample = `{"id":"default","name":"茶铺","currency":"CNY","policies":{"latePayment":"revive"},"createdAt":"2026-06-01T03:00:00Z"}`

var getShop = op{
	call: "GET /v1/shop", id: "getShop", tag: "Shop", summary: "The shop and its policies", answer: shopExample,
}

type getShopInput struct{ IfNoneMatch }

func (s *server) getShop(ctx context.Context, in *getShopInput) (*tagged[shopView], error) {
	return taggedOf(in.IfNoneMatch, viewShop)(s.app.Store.ShopByID(ctx, caller(ctx).Shop))
}

var putPolicies = op{
	call: "PUT /v1/shop/policies", id: "putPolicies", tag: "Shop", summary: "Set the shop's policies, all of them",
	about: "What is absent becomes the first word of its list. They hold for what happens from now on, but `instalmentGoods`, which an order keeps " +
		"as it was when it was placed.",
	body: `{"latePayment":"revive"}`, answer: shopExample,
}

type putPoliciesInput struct{ Body shop.Policies }

func (s *server) putPolicies(ctx context.Context, in *putPoliciesInput) (*answer[shopView], error) {
	return answerOf(viewShop)(s.app.PutPolicies(ctx, caller(ctx).Shop, in.Body))
}
