// Package rest is a toolkit for JSON APIs over huma: what the endpoints of a
// service have in common, and nothing that is specific to one. It serves
// Tandem's API, and could serve another service.
//
// It promises that
//   - the published OpenAPI 3.1 document is what is enforced: parameters and
//     bodies are checked against the schemas that are published;
//   - every refusal is an RFC 9457 problem with one of package fault's codes
//     (or one of HTTP's own: see titles.go), and the cause of an error never
//     leaves the process: it is logged under the trace id that the problem has;
//   - nothing that a client sends makes a 5xx: no depth, size, number or
//     character (U+0000 and broken UTF-8, which databases refuse, are refused
//     here);
//   - a request is one line of the log and one observation, without bodies,
//     keys or tokens.
//
// An Operation is an endpoint as data. Add mounts it with a function from its
// input to its output, which are types of the service and may embed the types
// of this package: KeyRequired, Replay, PageParams, IfMatch and so on.
package rest

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tandem-pay/tandem/fault"
)

// MaxBody is the most bytes that a body may have: 1 MiB.
const MaxBody = 1 << 20

// Tracer makes the spans of requests.
type Tracer interface {
	// Start begins a span under ctx, or under the W3C traceparent when that
	// is not "". The returned function ends it; err may be nil.
	Start(ctx context.Context, name, traceparent string) (context.Context, func(err error))
	// TraceID is the id of ctx's trace, "" without one.
	TraceID(ctx context.Context) string
}

// Options of New. All are optional but Access and Authenticate.
type Options struct {
	Title, Version string
	Description    string // Markdown
	Tags           []*huma.Tag
	// Security are the document's security schemes, by the names that an
	// Access uses.
	Security map[string]*huma.SecurityScheme
	// Access is the access of operations that name none.
	Access *Access
	// Authenticate finds out who calls, sets Call.Caller, and refuses a token
	// that it does not know. The token is "" when the request has none.
	Authenticate func(ctx context.Context, c *Call, token string) error
	// Realm is the realm of the challenge that comes with status 401.
	Realm string

	// Titles explain the service's own codes: see Problems.
	Titles map[fault.Code]string
	// SchemaNames replaces names of schemas that would say too little by
	// themselves.
	SchemaNames map[string]string
	// Aliases are types that are documented and checked as other types.
	Aliases map[reflect.Type]reflect.Type

	// Tracer is nil without tracing.
	Tracer Tracer
	// Log takes a line for each request; slog.Default() when nil. It is to add
	// the trace id of the line's context.
	Log *slog.Logger
	// LogPath are path parameters that lines of the log show.
	LogPath []string
	// Observe receives the route, status and duration of each request. The
	// route is an operation's, or "unmatched": clients cannot make up more.
	Observe func(route string, status int, took time.Duration)
	// TrustProxy takes the client's address from the last X-Forwarded-For
	// entry. Only behind a proxy that writes it.
	TrustProxy bool
	// BodyTime is how long a body may take to arrive; 10 seconds when 0.
	BodyTime time.Duration
}

// API is a set of operations on a mux.
type API struct {
	Options
	// Mux serves the operations. Others may mount more on it.
	Mux *http.ServeMux

	api      huma.API
	problems Problems

	preflights map[string]bool // paths that have one
}

// New makes an API without operations. Add them, then call Publish.
func New(o Options) *API {
	setUpHuma()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.BodyTime == 0 {
		o.BodyTime = 10 * time.Second
	}
	a := &API{Options: o, Mux: http.NewServeMux(), problems: Problems{Titles: o.Titles, Realm: o.Realm}, preflights: map[string]bool{}}
	a.api = humago.New(a.Mux, a.config())
	return a
}

// OpenAPI is the document, to be read or, before Publish, added to.
func (a *API) OpenAPI() *huma.OpenAPI { return a.api.OpenAPI() }

// setUpHuma sets what huma keeps in package variables.
var setUpHuma = sync.OnceFunc(func() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return ofHuma(nil, status, msg, errs)
	}
	huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return ofHuma(hc, status, msg, errs)
	}
	// "USERID" is not userId: an unknown field.
	huma.ValidateStrictCasing = true
	// A list is a list, never null.
	huma.DefaultArrayNullable = false
})
