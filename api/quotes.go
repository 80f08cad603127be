package api

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountQuotes() { add(s, makeQuote, s.makeQuote) }

// CartBody is what a quote and an order have in common. (Exported for huma,
// which looks into embedded structs that are.)
type CartBody struct {
	UserID string     `json:"userId" minLength:"1" maxLength:"64" example:"u-1001"`
	Items  []cartItem `json:"items" minItems:"1" maxItems:"200" doc:"Lines of the same sku are added up"`
}

type cartItem struct {
	Sku      string `json:"sku" minLength:"1" maxLength:"64" example:"tea"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000"`
}

func (b *CartBody) cart(codes []string) app.Cart {
	c := app.Cart{User: b.UserID, Items: make([]app.Item, len(b.Items)), Coupons: codes}
	for i, it := range b.Items {
		c.Items[i] = app.Item(it)
	}
	return c
}

// couponChoice is codes, or the word that leaves the choice to the server.
type couponChoice struct {
	best  bool
	codes []string
}

const best = "best"

// Schema documents both forms. It says nothing that huma would check: it
// could only say that neither form fits, not why. UnmarshalJSON does.
func (couponChoice) Schema(huma.Registry) *huma.Schema {
	most, long := pricing.MaxCoupons, marketing.MaxCode
	return &huma.Schema{
		Description: "Codes, or the word best: the server then chooses from the coupons that the user holds",
		Extensions: map[string]any{"oneOf": []*huma.Schema{
			{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, MaxLength: &long}, MaxItems: &most},
			{Type: huma.TypeString, Enum: []any{best}},
		}},
	}
}

// UnmarshalJSON takes either form; what is wrong is a blame.
func (c *couponChoice) UnmarshalJSON(data []byte) error {
	const pointer = "/couponCodes"
	*c = couponChoice{}
	if len(data) > 0 && data[0] == '"' {
		var word string
		if err := json.Unmarshal(data, &word); err != nil || word != best {
			return blame{pointer, `must be a list of codes, or "best"`}
		}
		c.best = true
		return nil
	}
	var codes []json.RawMessage
	if json.Unmarshal(data, &codes) != nil || codes == nil {
		return blame{pointer, `must be a list of codes, or "best"`}
	}
	if len(codes) > pricing.MaxCoupons {
		return blame{pointer, fmt.Sprintf("at most %d codes, not %d", pricing.MaxCoupons, len(codes))}
	}
	c.codes = make([]string, len(codes))
	for i, code := range codes {
		if code[0] != '"' || json.Unmarshal(code, &c.codes[i]) != nil || utf8.RuneCountInString(c.codes[i]) > marketing.MaxCode {
			return blame{fmt.Sprintf("%s/%d", pointer, i), fmt.Sprintf("must be a code of at most %d characters", marketing.MaxCode)}
		}
	}
	return nil
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
		"A promotion that had its turn and gave nothing says why there too, and what is missing.\n\n" +
		"With `couponCodes` set to `best` (最优惠) the server picks, from the coupons that the user holds, those that bring the cart to the lowest `payableAmount`: " +
		"at most 20, in the best order. The answer says which in `best.couponCodes`; send those codes with the order, which takes codes only. " +
		"Of choices that come to the same, the one with the fewest coupons is taken, then those that expire first, then the codes that sort first. " +
		"The search ends at a limit, after some tens of milliseconds, or when there are more than 200 coupons of different worth or 1000 in all: then `best.stopped` is true, " +
		"and the choice is a good one but may not be the best.\n\n" +
		"What another instance changed (a promotion, a price, a user's level) is in force here within a second; an order is priced by what is in force when it is placed.",
	codes: []fault.Code{fault.SkuNotFound}, body: cartExample, readsBody: true,
	answer: `{"currency":"CNY","totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"items":` + linesExample +
		`,"appliedDiscounts":` + appliedExample + `,"skippedDiscounts":[{"source":"promotion","id":"summer","name":"满200减30","version":2,"reason":"threshold_not_met",` +
		`"detail":"32.24 more for 满200减30","detailZh":"再买32.24元可享满200减30","missing":3224}]}`,
}

type makeQuoteInput struct {
	KeyAccepted
	Body quoteBody
}

type quoteView struct {
	pricing.Quote
	Best *bestView `json:"best,omitempty" doc:"Only when the best coupons were asked for"`
}

type bestView struct {
	CouponCodes []string `json:"couponCodes" doc:"Those that were chosen, in the order to send them in with the order"`
	Of          int      `json:"of" doc:"How many of the user's coupons could take something off this cart by themselves"`
	Stopped     bool     `json:"stopped" doc:"The search ended at a limit: there may be a better choice"`
}

func (s *server) makeQuote(ctx context.Context, in *makeQuoteInput) (*answer[*quoteView], error) {
	if in.Body.whole != nil {
		if err := s.readWhole(&in.Body); err != nil {
			return nil, err
		}
	}
	ours, cart := caller(ctx).Shop, in.Body.cart(in.Body.CouponCodes.codes)
	if in.Body.CouponCodes.best {
		return answerOf(viewChoice)(s.app.QuoteBest(ctx, ours, cart))
	}
	return answerOf(viewQuote)(s.app.Quote(ctx, ours, cart))
}

// viewQuote has lists where Go has nil.
func viewQuote(q *pricing.Quote) *quoteView {
	v := &quoteView{Quote: *q}
	v.Lines, v.Applied, v.Skipped = orEmpty(q.Lines), orEmpty(q.Applied), orEmpty(q.Skipped)
	return v
}

func viewChoice(c pricing.Choice) *quoteView {
	v := viewQuote(c.Quote)
	v.Best = &bestView{CouponCodes: orEmpty(c.Codes), Of: c.Of, Stopped: c.Stopped}
	return v
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
