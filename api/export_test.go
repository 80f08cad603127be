package api

import (
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/app"
)

// Published is the document that a server with these options publishes, with
// the schemas that it checks requests against.
func Published(o Options) *huma.OpenAPI { return newServer(o).api.OpenAPI() }

// SetBodyTime sets how long bodies may take to arrive, for servers made from
// now on.
func SetBodyTime(d time.Duration) (restore func()) {
	old := bodyTime
	bodyTime = d
	return func() { bodyTime = old }
}

// Titles are what each code means.
var Titles = titles

// ReadQuote reads the body of a quote by hand (plainly says whether it could),
// and the long way; both as JSON.
func ReadQuote(data []byte) (byHand any, plainly bool, whole any, err error) {
	type read struct {
		Cart  CartBody
		Best  bool
		Codes []string
	}
	of := func(b *quoteBody) read { return read{b.CartBody, b.CouponCodes.best, b.CouponCodes.codes} }
	var hand quoteBody
	hand.readPlain(data)
	long := quoteBody{whole: data}
	err = documented().readWhole(&long)
	return of(&hand), hand.whole == nil, of(&long), err
}

var documented = sync.OnceValue(func() *server { return newServer(Options{App: &app.App{}, Version: "test"}) })
