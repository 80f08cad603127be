package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
)

func (s *server) mountSkus() {
	rest.Add(s.rest, putSku, s.putSku)
	rest.Add(s.rest, getSku, s.getSku)
	rest.Add(s.rest, listSkus, s.listSkus)
	rest.Add(s.rest, adjustStock, s.adjustStock)
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
		Sku: d.Sku, Name: d.Name, Price: d.Price, Categories: rest.OrEmpty(d.Categories), MaxPerUser: d.MaxPerUser,
		Stock: stockView{OnHand: d.OnHand, Reserved: d.Reserved, Available: d.Available()},
	}
}

const skuExample = `{"sku":"tea","name":"明前龙井 50g","price":8888,"categories":["tea"],"stock":{"onHand":100,"reserved":2,"available":98}}`

// SkuPath is the sku of a path.
type SkuPath struct {
	Sku string `path:"sku" maxLength:"64" example:"tea"`
}

var putSku = rest.Operation{
	Route: "PUT /v1/skus/{sku}", ID: "putSku", Tag: "Skus", Summary: "Create or change a sku",
	Details: "`stock` sets the units on hand; when absent they stay as they are (0 for a new sku). Orders that were placed keep their price.",
	Codes:   []fault.Code{fault.OutOfStock},
	Request: `{"name":"明前龙井 50g","price":8888,"categories":["tea"],"stock":100}`, Response: skuExample,
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

func (s *server) putSku(ctx context.Context, in *putSkuInput) (*rest.Answer[skuView], error) {
	b := &in.Body
	return rest.AnswerOf(viewSku)(s.app.PutSku(ctx, caller(ctx).Shop, in.Sku, inventory.Definition{
		Name: b.Name, Price: b.Price, Categories: b.Categories, Stock: b.Stock, MaxPerUser: b.MaxPerUser,
	}))
}

var getSku = rest.Operation{
	Route: "GET /v1/skus/{sku}", ID: "getSku", Tag: "Skus", Summary: "A sku with its stock",
	Codes: []fault.Code{fault.NotFound}, Response: skuExample,
}

type getSkuInput struct {
	SkuPath
	rest.IfNoneMatch
}

func (s *server) getSku(ctx context.Context, in *getSkuInput) (*rest.Tagged[skuView], error) {
	return rest.TaggedOf(in.IfNoneMatch, viewSku)(s.app.Store.Sku(ctx, caller(ctx).Shop, in.Sku))
}

var listSkus = rest.Operation{
	Route: "GET /v1/skus", ID: "listSkus", Tag: "Skus", Summary: "All skus, by id",
	Response: `{"items":[` + skuExample + `]}`,
}

type listSkusInput struct{ rest.PageParams }

func (s *server) listSkus(ctx context.Context, in *listSkusInput) (*rest.Answer[rest.List[skuView]], error) {
	return rest.ListOf(viewSku)(s.app.Store.ListSkus(ctx, caller(ctx).Shop, page(in.PageParams)))
}

var adjustStock = rest.Operation{
	Route: "POST /v1/skus/{sku}/stock", ID: "adjustStock", Tag: "Skus", Summary: "Raise or lower the stock",
	Details: "It cannot be lowered below what open orders hold.",
	Codes:   []fault.Code{fault.SkuNotFound, fault.OutOfStock, fault.IdempotencyKeyReused},
	Request: `{"delta":50}`, Response: skuExample,
}

type adjustStockInput struct {
	SkuPath
	rest.KeyAccepted
	Body struct {
		Delta int64 `json:"delta" minimum:"-1000000000" maximum:"1000000000" doc:"Units; negative to take away"`
	} `nameHint:"StockAdjustment"`
}

func (s *server) adjustStock(ctx context.Context, in *adjustStockInput) (*rest.Repeatable[skuView], error) {
	return rest.RepeatableOf(viewSku)(s.app.AdjustStock(ctx, caller(ctx).Shop, in.Sku, in.IdempotencyKey, in.Body.Delta))
}
