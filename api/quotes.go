package api

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountQuotes() { add(s, makeQuote, s.makeQuote) }

// CartBody is what a quote and an order have in common. (Exported for huma,
// which looks into embedded structs that are.)
type CartBody struct {
	UserID      string     `json:"userId" minLength:"1" maxLength:"64" example:"u-1001"`
	Items       []cartItem `json:"items" minItems:"1" maxItems:"200" doc:"Lines of the same sku are added up"`
	CouponCodes []string   `json:"couponCodes,omitempty" maxItems:"20" maxLength:"64"`
}

type cartItem struct {
	Sku      string `json:"sku" minLength:"1" maxLength:"64" example:"tea"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000"`
}

func (b *CartBody) cart() app.Cart {
	c := app.Cart{User: b.UserID, Items: make([]app.Item, len(b.Items)), Coupons: b.CouponCodes}
	for i, it := range b.Items {
		c.Items[i] = app.Item(it)
	}
	return c
}

const (
	cartExample    = `{"userId":"u-1001","items":[{"sku":"tea","quantity":2}],"couponCodes":["WELCOME-7F3K"]}`
	linesExample   = `[{"sku":"tea","name":"明前龙井 50g","quantity":2,"unitPrice":8888,"totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"gift":false}]`
	appliedExample = `[{"source":"promotion","id":"spring","name":"满100减10","kind":"amount_off","version":1,"amount":1000,"lines":[{"line":0,"amount":1000}]},` +
		`{"source":"coupon","id":"welcome","code":"WELCOME-7F3K","name":"新人券","kind":"amount_off","version":1,"amount":500,"lines":[{"line":0,"amount":500}]}]`
)

var makeQuote = op{
	call: "POST /v1/quotes", id: "makeQuote", tag: "Quotes", summary: "What a cart costs now, and why (试算)",
	about: "Nothing is stored or reserved. A coupon that cannot be used is listed in `skippedDiscounts` with the reason, where an order would be refused. " +
		"A promotion that had its turn and gave nothing says why there too, and what is missing.",
	codes: []fault.Code{fault.SkuNotFound}, body: cartExample,
	answer: `{"currency":"CNY","totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"items":` + linesExample +
		`,"appliedDiscounts":` + appliedExample + `,"skippedDiscounts":[{"source":"promotion","id":"summer","name":"满200减30","version":2,"reason":"threshold_not_met",` +
		`"detail":"32.24 more for 满200减30","detailZh":"再买32.24元可享满200减30","missing":3224}]}`,
}

type makeQuoteInput struct {
	KeyAccepted
	Body CartBody
}

func (s *server) makeQuote(ctx context.Context, in *makeQuoteInput) (*answer[*pricing.Quote], error) {
	return answerOf(viewQuote)(s.app.Quote(ctx, caller(ctx).Shop, in.Body.cart()))
}

// viewQuote has lists where Go has nil.
func viewQuote(q *pricing.Quote) *pricing.Quote {
	v := *q
	v.Lines, v.Applied, v.Skipped = orEmpty(q.Lines), orEmpty(q.Applied), orEmpty(q.Skipped)
	return &v
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
