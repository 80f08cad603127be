package api

import (
	"bytes"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// Quotes are asked for more often than anything else, and most of what one
// costs would be to decode its body: into an any, which the schema is held
// against, and then into its type, both by reflection. So a body that is
// plainly right is read by hand here (3 µs instead of 40 for 20 lines), and
// every other is left to the long way, which says what is wrong with it.

// quoteBody is what a quote is asked with. A body that is not plain is kept
// whole: see readWhole.
type quoteBody struct {
	CartBody
	CouponCodes couponChoice `json:"couponCodes,omitempty"`

	whole []byte
}

// plainReader is a body that decode need not read.
type plainReader interface{ readPlain(data []byte) }

func (b *quoteBody) readPlain(data []byte) {
	p := plain{text: string(data)}
	if !p.cart(b) {
		*b = quoteBody{whole: bytes.Clone(data)} // huma uses the buffer again
	}
}

// readWhole reads a body that was not plain as huma does: the schema first,
// then the type.
func (s *server) readWhole(b *quoteBody) error {
	data := b.whole
	fail := func(errs ...error) error { return invalid("validation failed", errs) }
	blamed := func(err error) error { return fail(&huma.ErrorDetail{Location: "body", Message: err.Error()}) }
	var parsed any
	if err := decode(data, &parsed); err != nil {
		return blamed(err)
	}
	schemas := s.api.OpenAPI().Components.Schemas
	at, res := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
	at.Push("body")
	huma.Validate(schemas, schemas.Schema(typeOf[quoteBody](), true, ""), at, huma.ModeWriteToServer, parsed, res)
	if len(res.Errors) > 0 {
		return fail(res.Errors...)
	}
	var typed struct { // like quoteBody, but for decode to read
		CartBody
		CouponCodes couponChoice `json:"couponCodes,omitempty"`
	}
	if err := decode(data, &typed); err != nil {
		return blamed(err)
	}
	*b = quoteBody{CartBody: typed.CartBody, CouponCodes: typed.CouponCodes}
	return nil
}

// plain reads JSON in the form in which nearly everybody writes it: names as
// documented, each once; texts without escapes, of printable ASCII; whole
// numbers. Whatever else JSON allows, or the limits do not, is not plain.
type plain struct {
	text string
	at   int
}

func (p *plain) cart(b *quoteBody) bool {
	ok := p.object(func(name string) (ok bool) {
		switch name {
		case "userId":
			b.UserID, ok = p.string(64)
		case "items":
			b.Items = make([]cartItem, 0, min(strings.Count(p.text, "{"), pricing.MaxLines))
			ok = p.list(pricing.MaxLines, func() bool {
				b.Items = append(b.Items, cartItem{})
				return p.item(&b.Items[len(b.Items)-1])
			})
		case "couponCodes":
			if p.next() != '[' {
				var word string
				word, ok = p.string(len(best))
				b.CouponCodes.best = word == best
				return ok && b.CouponCodes.best
			}
			b.CouponCodes.codes = []string{}
			ok = p.list(pricing.MaxCoupons, func() bool {
				code, ok := p.string(marketing.MaxCode)
				b.CouponCodes.codes = append(b.CouponCodes.codes, code)
				return ok
			})
		}
		return ok
	})
	return ok && p.next() == 0 && p.at == len(p.text) && b.UserID != "" && len(b.Items) > 0
}

func (p *plain) item(it *cartItem) bool {
	ok := p.object(func(name string) (ok bool) {
		switch name {
		case "sku":
			it.Sku, ok = p.string(64)
		case "quantity":
			it.Quantity, ok = p.number()
			ok = ok && it.Quantity <= pricing.MaxQuantity
		}
		return ok
	})
	return ok && it.Sku != "" && it.Quantity > 0
}

// next skips blanks and peeks; 0 is the end.
func (p *plain) next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *plain) is(c byte) bool {
	if p.next() != c {
		return false
	}
	p.at++
	return true
}

// object reads members; member is told of each name once.
func (p *plain) object(member func(name string) bool) bool {
	var seen [4]string
	if !p.is('{') {
		return false
	}
	for n := range seen {
		name, ok := p.string(16)
		if !ok || !p.is(':') {
			return false
		}
		for _, s := range seen[:n] {
			if s == name {
				return false
			}
		}
		seen[n] = name
		if !member(name) {
			return false
		}
		if p.is('}') {
			return true
		}
		if !p.is(',') {
			return false
		}
	}
	return false
}

// list reads at most so many elements.
func (p *plain) list(most int, element func() bool) bool {
	if !p.is('[') {
		return false
	}
	if p.is(']') {
		return true
	}
	for range most {
		if !element() {
			return false
		}
		if p.is(']') {
			return true
		}
		if !p.is(',') {
			return false
		}
	}
	return false
}

// string reads a text of 1 to most characters.
func (p *plain) string(most int) (string, bool) {
	if !p.is('"') {
		return "", false
	}
	for from := p.at; p.at < len(p.text) && p.at-from <= most; p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			s := p.text[from:p.at]
			p.at++
			return s, s != ""
		case c < ' ' || c > '~' || c == '\\':
			return "", false
		}
	}
	return "", false
}

// number reads 0 to 99999999.
func (p *plain) number() (n int64, ok bool) {
	p.next()
	from := p.at
	for ; p.at < len(p.text) && p.at-from < 8; p.at++ {
		c := p.text[p.at]
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int64(c-'0')
	}
	digits := p.at - from
	more := p.at < len(p.text) && strings.IndexByte("0123456789.eE", p.text[p.at]) >= 0
	return n, digits > 0 && !more && (digits == 1 || p.text[from] != '0')
}
