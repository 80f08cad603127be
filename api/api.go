// Package api is the public API of Tandem: HTTP and OpenAPI 3.1 over the use
// cases of package app. It translates and decides nothing. Each resource has
// a file, and each endpoint is one part of it: the operation as
// data, the types of its input and output, and a method that does not depend on
// HTTP requests and responses.
//
// It promises that
//   - what the published document says is what is enforced: parameters and
//     bodies are checked against the very schemas that are published, and what
//     schemas cannot express the business packages refuse, by JSON pointer;
//   - every refusal is an RFC 9457 problem whose code is one of package
//     fault's (or of HTTP's own, see wireCodes), and no cause ever leaves the
//     process: it is logged beside the trace id that the problem names;
//   - nothing that a client sends makes a 5xx: no depth, size, number or
//     character (U+0000 and broken UTF-8, which databases refuse, are refused
//     here);
//   - a request is one line of the log, without bodies, keys or tokens.
//
// # What it costs
//
// On one core of a small server (BenchmarkPlaceOrder: two lines and a coupon,
// an engine of no cost), POST /v1/orders takes 19 µs, of which 3 µs are the
// use case's. 4.5 µs go into reading the body a first time and checking it
// against its schema, 3 µs into reading it into its type, 3 µs into writing
// the answer, 1 µs into the client token. Skipping huma's validation on the
// hot operations would save those 4.5 µs, about two percent of the cost of an
// order; that is not worth a second way to refuse a body. A
// callback takes 4.5 µs.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bills"
)

// Options of New. What is not marked as optional must be set.
type Options struct {
	App  *app.App
	Auth *app.Auth
	Book *app.ChannelBook
	// Followers are those of the log.
	Followers Followers

	// Waiter is optional: without one, long polls read the store four times a
	// second.
	Waiter Waiter
	// AdvanceClock moves the server's clock. It is nil outside of the
	// sandbox, and then there is no endpoint for it.
	AdvanceClock func(ctx context.Context, d time.Duration) (now time.Time, err error)
	// Ready returns why the server cannot serve requests now. Optional.
	Ready func(ctx context.Context) error
	// Warnings are what /readyz says beside: what a person should look at
	// although the server can serve. Optional.
	Warnings func(ctx context.Context) []string
	// Draining is closed when the server begins to shut down: those who hold
	// a long poll are answered at once. Optional.
	Draining <-chan struct{}
	// TrustProxy takes the client's address from the last X-Forwarded-For
	// entry. Only behind a proxy that writes it.
	TrustProxy bool
	// BodyTime is how long a body may take to arrive; rest's when 0.
	BodyTime time.Duration

	// Observe gets every request, Callback of every channel callback's
	// verdict; both are optional. Their strings come from fixed sets, or name
	// configured channels: a caller cannot create new ones.
	Observe  func(route string, status int, took time.Duration)
	Callback func(channel, verdict string)

	// Document may add to the OpenAPI document what others mount on the mux.
	// Optional.
	Document func(*huma.OpenAPI)

	Version string // of the server, for the document; "dev" when empty
	// Log takes a line for each request. It is to add the trace id of the
	// line's context; slog.Default() when nil.
	Log *slog.Logger
}

type server struct {
	Options

	app      *app.App
	bills    *bills.Reconciler
	rest     *rest.API
	waiter   Waiter
	draining context.Context // ends when the server begins to drain
}

// New makes the mux with everything under /v1 and with /healthz, /readyz,
// /openapi.json, /docs and /problems. Others may mount more on it; whatever
// matches nothing is answered with a problem.
func New(o Options) *http.ServeMux { return newServer(o).rest.Mux }

func newServer(o Options) *server {
	if o.Version == "" {
		o.Version = "dev"
	}
	s := &server{Options: o, app: o.App, bills: bills.New(o.App), waiter: o.Waiter, draining: context.Background()}
	if s.waiter == nil {
		s.waiter = poll{o.App.Store}
	}
	if o.Draining != nil {
		var drain context.CancelFunc
		s.draining, drain = context.WithCancel(context.Background())
		go func() {
			<-o.Draining
			drain()
		}()
	}
	s.rest = rest.New(rest.Options{
		Title: "Tandem", Version: o.Version, Description: introduction, Tags: tags,
		Security: securitySchemes, Access: bySecret, Authenticate: s.authenticate, Realm: problems.Realm,
		Titles: titles, SchemaNames: schemaNames, Aliases: aliases,
		Tracer: tracer{o.App}, Log: o.Log, LogPath: []string{"orderNo"}, Observe: o.Observe, TrustProxy: o.TrustProxy, BodyTime: o.BodyTime,
	})
	for _, mount := range []func(){
		s.mountQuotes, s.mountOrders, s.mountPayments, s.mountRefunds, s.mountTimeline, s.mountEvents,
		s.mountSkus, s.mountUsers, s.mountPromotions, s.mountPromotionKinds, s.mountTemplates, s.mountCoupons,
		s.mountShop, s.mountReconciliations, s.mountDiscrepancies, s.mountSuspense,
		s.mountChannels, s.mountNotify, s.mountJobs, s.mountParkedRecords, s.mountKeys, s.mountClock, s.mountHealth,
	} {
		mount()
	}
	if o.Document != nil {
		o.Document(s.rest.OpenAPI())
	}
	s.rest.Publish()
	return s
}
