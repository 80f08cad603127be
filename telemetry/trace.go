// Package telemetry has Tandem's traces, which span an order from the first
// call to the message on the buyer's screen, Prometheus metrics, and
// structured logs with the trace id. Nothing that it writes has a secret or a
// body.
package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer is an app.Tracer over OpenTelemetry.
type Tracer struct {
	tracer trace.Tracer
	idle   bool // nobody reads the spans
}

// NewTracer makes a tracer. Without a processor spans are still made, so
// that logs and timelines have their trace ids; they are not exported.
func NewTracer(processors ...sdk.SpanProcessor) (*Tracer, *sdk.TracerProvider) {
	opts := []sdk.TracerProviderOption{sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample()))}
	if len(processors) == 0 {
		// Ids without recording: a span that nobody reads costs next to nothing.
		opts = []sdk.TracerProviderOption{sdk.WithSampler(sdk.NeverSample())}
	}
	for _, p := range processors {
		opts = append(opts, sdk.WithSpanProcessor(p))
	}
	provider := sdk.NewTracerProvider(opts...)
	return &Tracer{provider.Tracer("github.com/tandem-pay/tandem"), len(processors) == 0}, provider
}

var w3c propagation.TraceContext

// Start begins a span: the child of traceparent if it is one, of ctx's span
// otherwise. A call that joins another trace keeps a link to the one that it
// came in.
func (t *Tracer) Start(ctx context.Context, name, traceparent string) (context.Context, func(error)) {
	if t.idle && traceparent == "" && trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, func(error) {} // it has its ids
	}
	ctx, opts := under(ctx, traceparent)
	ctx, span := t.tracer.Start(ctx, name, opts...)
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// under moves ctx into the trace of traceparent, with a link back to where it
// came from.
func under(ctx context.Context, traceparent string) (context.Context, []trace.SpanStartOption) {
	if traceparent == "" {
		return ctx, nil
	}
	came := trace.SpanContextFromContext(ctx)
	remote := w3c.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
	if sc := trace.SpanContextFromContext(remote); !sc.IsValid() || sc.TraceID() == came.TraceID() {
		return ctx, nil
	}
	if !came.IsValid() {
		return remote, nil
	}
	return remote, []trace.SpanStartOption{trace.WithLinks(trace.Link{SpanContext: came})}
}

// AddSpan adds a span that began at start and ends now, linked to ctx's.
func (t *Tracer) AddSpan(ctx context.Context, name, traceparent string, start time.Time) {
	if t.idle {
		return
	}
	ctx, opts := under(ctx, traceparent)
	_, span := t.tracer.Start(ctx, name, append(opts, trace.WithTimestamp(start))...)
	span.End()
}

// Parent is the W3C traceparent of ctx, "" without a span.
func (t *Tracer) Parent(ctx context.Context) string {
	var parent carrier
	w3c.Inject(ctx, &parent)
	return string(parent)
}

// carrier takes a traceparent, without a map.
type carrier string

func (c *carrier) Get(string) string { return string(*c) }

func (c *carrier) Set(key, value string) {
	if key == "traceparent" {
		*c = carrier(value)
	}
}

func (*carrier) Keys() []string { return nil }

// NewLog makes the structured log: h's, with the trace id of the context.
func NewLog(h slog.Handler) *slog.Logger { return slog.New(traced{h}) }

type traced struct{ slog.Handler }

func (t traced) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("traceId", sc.TraceID().String()))
	}
	return t.Handler.Handle(ctx, r)
}

func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
