package api

import (
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
)

// Published is the document that a server with these options publishes, with
// the schemas that it checks requests against.
func Published(o Options) *huma.OpenAPI { return newServer(o).rest.OpenAPI() }

// Title explains a code.
var Title = problems.Title

// A Reading is a body of a kind as it is read when it is plain, and as it is
// decoded the general way.
type Reading struct {
	Plain         bool
	Read, Decoded any
	Err           error // of decoding it
}

// ReadQuote reads the body of a quote both ways.
func ReadQuote(data []byte) Reading {
	type read struct {
		Cart  CartBody
		Best  bool
		Codes []string
	}
	return both(data, new(quoteBody), new(quoteBody), func(b *quoteBody) any {
		return read{b.CartBody, b.CouponCodes.best, b.CouponCodes.codes}
	})
}

// ReadOrder reads the body of an order both ways.
func ReadOrder(data []byte) Reading {
	type read struct {
		Cart     CartBody
		Codes    []string
		Expected *int64
		Terms    TermsBody
		Draft    bool
	}
	return both(data, new(placementBody), new(placementBody), func(b *placementBody) any {
		return read{b.CartBody, b.CouponCodes, b.ExpectedPayableAmount, b.TermsBody, b.Draft}
	})
}

func both[B rest.PlainBody](data []byte, a, b B, of func(B) any) Reading {
	plain := rest.DecodePlain(data, a)
	err := documented().rest.Decode(data, b)
	return Reading{plain, of(a), of(b), err}
}

var documented = sync.OnceValue(func() *server { return newServer(Options{App: &app.App{}, Version: "test"}) })
