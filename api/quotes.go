package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountQuotes() { rest.Add(s.rest, makeQuote, s.makeQuote) }

// quoteBody is what is to be quoted.
type quoteBody struct {
	CartBody
	CouponCodes couponChoice `json:"couponCodes,omitempty"`

	rest.Unread
}

// ReadPlain reads a plain body in one pass: most requests are quotes.
func (b *quoteBody) ReadPlain(p *rest.Plain) bool {
	ok := p.Object(func(name string) bool {
		if name == "couponCodes" {
			return b.CouponCodes.read(p)
		}
		return b.readMember(p, name)
	})
	return ok && b.complete()
}

const (
	cartExample    = `{"userId":"u-1001","items":[{"sku":"tea","quantity":2}],"couponCodes":["WELCOME-7F3K"]}`
	linesExample   = `[{"sku":"tea","name":"明前龙井 50g","quantity":2,"unitPrice":8888,"totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"gift":false}]`
	appliedExample = `[{"source":"promotion","id":"spring","name":"满100减10","kind":"amount_off","version":1,"amount":1000,"lines":[{"line":0,"amount":1000}]},` +
		`{"source":"coupon","id":"welcome","code":"WELCOME-7F3K","name":"新人券","kind":"amount_off","version":1,"amount":500,"lines":[{"line":0,"amount":500}]}]`
)

var makeQuote = rest.Operation{
	Route: "POST /v1/quotes", ID: "makeQuote", Tag: "Quotes", Summary: "What a cart costs now, and why (试算)",
	Details: "Nothing is stored or reserved. A coupon that cannot be used is listed in `skippedDiscounts` with the reason, where an order would be refused. " +
		"So is a promotion that was tried and gave nothing, with what is missing.\n\n" +
		"With `couponCodes` set to `best` (最优惠) the server picks, from the coupons that the user holds, those that bring the cart to the lowest `payableAmount`: " +
		"at most 20, in the best order. The answer says which in `best.couponCodes`; send those codes with the order, which takes only codes. " +
		"Of choices with the same price, the one with the fewest coupons is taken, then those that expire first, then the codes that sort first. " +
		"The search ends at a limit, after some tens of milliseconds, or when there are more than 200 coupons of different worth or 1000 in all: then `best.stopped` is true, " +
		"and the choice is a good one but may not be the best.\n\n" +
		"What another instance changed (a promotion, a price, a user's level) is in force here within a second; an order is priced by what is in force when it is placed.",
	Codes: []fault.Code{fault.SkuNotFound}, Request: cartExample,
	Response: `{"currency":"CNY","totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"items":` + linesExample +
		`,"appliedDiscounts":` + appliedExample + `,"skippedDiscounts":[{"source":"promotion","id":"summer","name":"满200减30","version":2,"reason":"threshold_not_met",` +
		`"detail":"32.24 more for 满200减30","detailZh":"再买32.24元可享满200减30","missing":3224}]}`,
}

type makeQuoteInput struct {
	rest.KeyAccepted
	Body quoteBody
}

type quoteView struct {
	pricing.Quote
	Best *bestView `json:"best,omitempty" doc:"Only when couponCodes was best"`
}

type bestView struct {
	CouponCodes []string `json:"couponCodes" doc:"Those that were chosen; send them with the order in this sequence"`
	Of          int      `json:"of" doc:"How many of the user's coupons could take something off this cart by themselves"`
	Stopped     bool     `json:"stopped" doc:"The search ended at a limit: there may be a better choice"`
}

func (s *server) makeQuote(ctx context.Context, in *makeQuoteInput) (*rest.Answer[*quoteView], error) {
	ours, cart := caller(ctx).Shop, in.Body.cart(in.Body.CouponCodes.codes)
	if in.Body.CouponCodes.best {
		return rest.AnswerOf(viewChoice)(s.app.QuoteBest(ctx, ours, cart))
	}
	return rest.AnswerOf(viewQuote)(s.app.Quote(ctx, ours, cart))
}

// viewQuote has lists where Go has nil.
func viewQuote(q *pricing.Quote) *quoteView {
	v := &quoteView{Quote: *q}
	v.Lines, v.Applied, v.Skipped = rest.OrEmpty(q.Lines), rest.OrEmpty(q.Applied), rest.OrEmpty(q.Skipped)
	return v
}

func viewChoice(c pricing.Choice) *quoteView {
	v := viewQuote(c.Quote)
	v.Best = &bestView{CouponCodes: rest.OrEmpty(c.Codes), Of: c.Of, Stopped: c.Stopped}
	return v
}
