package api

import (
	"context"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
)

func (s *server) mountSkus() {
	add(s, putSku, s.putSku)
	add(s, getSku, s.getSku)
	add(s, listSkus, s.listSkus)
	add(s, adjustStock, s.adjustStock)
}

// skuView is a sku as clients see it.
type skuView struct {
	Sku        string    `json:"sku" example:"tea"`
	Name       string    `json:"name"`
	Price      int64     `json:"price" doc:"Minor units"`
	Categories []string  `json:"categories"`
	MaxPerUser int64     `json:"maxPerUser,omitempty" doc:"Units that one user may hold in live orders; absent without a limit"`
	Stock      stockView `json:"stock"`
}

type stockView struct {
	OnHand    int64 `json:"onHand"`
	Reserved  int64 `json:"reserved" doc:"Held by open orders"`
	Available int64 `json:"available" doc:"onHand - reserved"`
}

func viewSku(d inventory.Data) skuView {
	return skuView{
		Sku: d.Sku, Name: d.Name, Price: d.Price, Categories: orEmpty(d.Categories), MaxPerUser: d.MaxPerUser,
		Stock: stockView{OnHand: d.OnHand, Reserved: d.Reserved, Available: d.Available()},
	}
}

const skuExample = `{"sku":"tea","name":"明前龙井 50g","price":8888,"categories":["tea"],"stock":{"onHand":100,"reserved":2,"available":98}}`

// SkuPath is the sku of a path.
type SkuPath struct {
	Sku string `path:"sku" maxLength:"64" example:"tea"`
}

var putSku = op{
	call: "PUT /v1/skus/{sku}", id: "putSku", tag: "Skus", summary: "Make or redefine a sku",
	about: "`stock` sets what is on hand; absent, it stays as it is (0 on a new sku). Orders that were placed keep their price.",
	codes: []fault.Code{fault.OutOfStock},
	body:  `{"name":"明前龙井 50g","price":8888,"categories":["tea"],"stock":100}`, answer: skuExample,
}

type putSkuInput struct {
	SkuPath
	Body struct {
		Name       string   `json:"name" minLength:"1" maxLength:"128"`
		Price      int64    `json:"price" minimum:"0" maximum:"1000000000000000" doc:"Minor units"`
		Categories []string `json:"categories,omitempty" maxItems:"20" minLength:"1" maxLength:"128"`
		Stock      *int64   `json:"stock,omitempty" minimum:"0" maximum:"1000000000" doc:"Units on hand, those that open orders hold included"`
		MaxPerUser int64    `json:"maxPerUser,omitempty" minimum:"0" maximum:"1000000000" doc:"0 is no limit"`
	} `nameHint:"SkuDefinition"`
}

func (s *server) putSku(ctx context.Context, in *putSkuInput) (*answer[skuView], error) {
	b := &in.Body
	return answerOf(viewSku)(s.app.PutSku(ctx, caller(ctx).Shop, in.Sku, inventory.Definition{
		Name: b.Name, Price: b.Price, Categories: b.Categories, Stock: b.Stock, MaxPerUser: b.MaxPerUser,
	}))
}

var getSku = op{
	call: "GET /v1/skus/{sku}", id: "getSku", tag: "Skus", summary: "A sku with its stock",
	codes: []fault.Code{fault.NotFound}, answer: skuExample,
}

type getSkuInput struct {
	SkuPath
	IfNoneMatch
}

func (s *server) getSku(ctx context.Context, in *getSkuInput) (*tagged[skuView], error) {
	return taggedOf(in.IfNoneMatch, viewSku)(s.app.Store.Sku(ctx, caller(ctx).Shop, in.Sku))
}

var listSkus = op{
	call: "GET /v1/skus", id: "listSkus", tag: "Skus", summary: "All skus, by id",
	answer: `{"items":[` + skuExample + `]}`,
}

type listSkusInput struct{ PageParams }

func (s *server) listSkus(ctx context.Context, in *listSkusInput) (*answer[list[skuView]], error) {
	return listOf(viewSku)(s.app.Store.ListSkus(ctx, caller(ctx).Shop, in.page()))
}

var adjustStock = op{
	call: "POST /v1/skus/{sku}/stock", id: "adjustStock", tag: "Skus", summary: "Add to the stock, or take from it",
	about: "What open orders hold cannot be taken away.",
	codes: []fault.Code{fault.SkuNotFound, fault.OutOfStock, fault.IdempotencyKeyReused},
	body:  `{"delta":50}`, answer: skuExample,
}

type adjustStockInput struct {
	SkuPath
	KeyAccepted
	Body struct {
		Delta int64 `json:"delta" minimum:"-1000000000" maximum:"1000000000" doc:"Units; negative to take away"`
	} `nameHint:"StockAdjustment"`
}

func (s *server) adjustStock(ctx context.Context, in *adjustStockInput) (*repeatable[skuView], error) {
	return repeatableOf(viewSku)(s.app.AdjustStock(ctx, caller(ctx).Shop, in.Sku, in.IdempotencyKey, in.Body.Delta))
}
