package api

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// maxAmount is the largest amount that an input may have: 10¹⁵ minor units,
// as the schemas say.
const maxAmount = 1_000_000_000_000_000

// maxID is the longest id of a sku or user, as the schemas say.
const maxID = 64

// CartBody is what a quote and an order have in common: it is read in one
// place for both. (Exported for huma, which looks only into embedded structs
// that are.)
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

// readMember reads a member of a plain cart.
func (b *CartBody) readMember(p *rest.Plain, name string) (ok bool) {
	switch name {
	case "userId":
		b.UserID, ok = p.String(maxID)
	case "items":
		b.Items = make([]cartItem, 0, min(p.Count("{"), pricing.MaxLines))
		ok = p.List(pricing.MaxLines, func() bool {
			b.Items = append(b.Items, cartItem{})
			return b.Items[len(b.Items)-1].read(p)
		})
	}
	return ok
}

// complete reports whether nothing is missing.
func (b *CartBody) complete() bool { return b.UserID != "" && len(b.Items) > 0 }

func (it *cartItem) read(p *rest.Plain) bool {
	ok := p.Object(func(name string) (ok bool) {
		switch name {
		case "sku":
			it.Sku, ok = p.String(maxID)
		case "quantity":
			it.Quantity, ok = p.Number()
			ok = ok && it.Quantity <= pricing.MaxQuantity
		}
		return ok
	})
	return ok && it.Sku != "" && it.Quantity > 0
}

// readCodes reads a plain list of coupon codes.
func readCodes(p *rest.Plain) ([]string, bool) {
	codes := []string{}
	ok := p.List(pricing.MaxCoupons, func() bool {
		code, ok := p.String(marketing.MaxCode)
		codes = append(codes, code)
		return ok
	})
	return codes, ok
}

// couponChoice is codes, or "best", which leaves the choice to the server.
type couponChoice struct {
	best  bool
	codes []string
}

const best = "best"

// Schema documents both forms. It has nothing that huma would check:
// huma could only report that neither form fits, not why. UnmarshalJSON does.
func (couponChoice) Schema(huma.Registry) *huma.Schema {
	most, long := pricing.MaxCoupons, marketing.MaxCode
	return &huma.Schema{
		Description: "Codes, or \"best\": the server then chooses from the coupons that the user holds",
		Extensions: map[string]any{"oneOf": []*huma.Schema{
			{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, MaxLength: &long}, MaxItems: &most},
			{Type: huma.TypeString, Enum: []any{best}},
		}},
	}
}

// UnmarshalJSON takes either form; its errors are rest.FieldErrors.
func (c *couponChoice) UnmarshalJSON(data []byte) error {
	const pointer = "/couponCodes"
	*c = couponChoice{}
	if len(data) > 0 && data[0] == '"' {
		var choice string
		if err := json.Unmarshal(data, &choice); err != nil || choice != best {
			return rest.FieldError{Pointer: pointer, Message: `must be a list of codes, or "best"`}
		}
		c.best = true
		return nil
	}
	var codes []json.RawMessage
	if json.Unmarshal(data, &codes) != nil || codes == nil {
		return rest.FieldError{Pointer: pointer, Message: `must be a list of codes, or "best"`}
	}
	if len(codes) > pricing.MaxCoupons {
		return rest.FieldError{Pointer: pointer, Message: fmt.Sprintf("at most %d codes, not %d", pricing.MaxCoupons, len(codes))}
	}
	c.codes = make([]string, len(codes))
	for i, code := range codes {
		if code[0] != '"' || json.Unmarshal(code, &c.codes[i]) != nil || utf8.RuneCountInString(c.codes[i]) > marketing.MaxCode {
			return rest.FieldError{
				Pointer: fmt.Sprintf("%s/%d", pointer, i),
				Message: fmt.Sprintf("must be a code of at most %d characters", marketing.MaxCode),
			}
		}
	}
	return nil
}

// read reads either form when it is plain.
func (c *couponChoice) read(p *rest.Plain) (ok bool) {
	if p.Next() == '[' {
		c.codes, ok = readCodes(p)
		return ok
	}
	choice, ok := p.String(len(best))
	c.best = choice == best
	return ok && c.best
}
