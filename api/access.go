package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

const (
	secretScheme = "secretKey"
	clientScheme = "clientToken"
)

var securitySchemes = map[string]*huma.SecurityScheme{
	secretScheme: {Type: "http", Scheme: "bearer", BearerFormat: "sk_…", Description: "A secret key of the shop"},
	clientScheme: {Type: "http", Scheme: "bearer", BearerFormat: "ct_…", Description: "The clientToken of one order"},
}

// bySecret is the access of the shop, with a secret key.
var bySecret = &rest.Access{Schemes: []string{secretScheme}, Allow: func(caller any) error {
	if !caller.(app.Identity).Secret() {
		return fault.New(fault.Forbidden, "this takes a secret key; a client token can read, pay and cancel its one order")
	}
	return nil
}}

// byToken is also the access of a browser, with the client token of an order.
// The operation checks that the order is the token's.
var byToken = &rest.Access{Schemes: []string{secretScheme, clientScheme}, CrossOrigin: true}

func (s *server) authenticate(ctx context.Context, c *rest.Call, token string) error {
	id, err := s.Auth.Authenticate(ctx, token)
	if err != nil {
		return err
	}
	c.Caller = id
	c.Note("shop", id.Shop)
	return nil
}

// caller is the identity that called an operation.
func caller(ctx context.Context) app.Identity {
	id, _ := rest.CallOf(ctx).Caller.(app.Identity)
	return id
}

// tracer makes the spans of requests with the app's tracer.
type tracer struct{ app *app.App }

func (t tracer) Start(ctx context.Context, name, traceparent string) (context.Context, func(error)) {
	return t.app.Tracer.Start(ctx, name, traceparent)
}

func (t tracer) TraceID(ctx context.Context) string { return app.TraceID(t.app.Tracer.Parent(ctx)) }
