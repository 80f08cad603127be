// Package app holds the use cases, one file each, and the ports through
// which they reach the database and the channels. Every change of state is a Command: what it
// needs, and a pure step over what was loaded. The Engine gathers commands,
// loads, decides and saves; this package never sees a transaction.
//
// It promises that no call to the outside happens inside a command, that
// what is refused leaves no trace, and that all reactions to events are in one
// file, reactions.go.
package app

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/payment"
)

// Engine runs commands. Do returns when the command has been committed or
// refused, never before.
type Engine interface {
	Do(ctx context.Context, c *Command) (unit.Result, error)
}

// Clock gives the time. When it is moved, whoever waits by it moves along.
type Clock interface {
	Now() time.Time
	// After fires once the clock has passed d from now.
	After(d time.Duration) <-chan time.Time
}

// Channels finds the configured channel of a shop by its name, or a
// channel_not_configured fault.
type Channels interface {
	Channel(ctx context.Context, shop, name string) (Configured, error)
}

// Configured is a channel with the identity that money must be paid to.
type Configured struct {
	payment.Channel
	Merchant string
	App      string
}

// App is every use case with what they share. The zero value is not useful:
// set the exported fields, all of them.
type App struct {
	Engine      Engine
	Store       Reader
	PriceInputs func(ctx context.Context, shop string, n *PriceInputNeeds) (*PriceInputs, *marketing.Rules, error) // for a quote
	Channels    Channels
	Clock       Clock
	Rand        io.Reader // of numbers and codes
	Tokens      *Tokens
	Log         *slog.Logger
	Tracer      Tracer

	// PublicURL is how channels and browsers reach this server, without a
	// slash at its end.
	PublicURL string

	refused share // of refused callbacks that are stored
	synced  paced // queries of payments that callers asked for
	pacer   pacer // of what is due only now and then
}

// Tracer adds spans to the trace of the order that they are about.
type Tracer interface {
	// Start begins a span under ctx, or under the W3C traceparent when that
	// is not "". The returned function ends it; err may be nil.
	Start(ctx context.Context, name, traceparent string) (context.Context, func(err error))
	// AddSpan adds a span that began at start (wall clock) and ends now, under
	// the traceparent of a trace that was not known when it began.
	AddSpan(ctx context.Context, name, traceparent string, start time.Time)
	// Parent is the traceparent of ctx, "" without a span.
	Parent(ctx context.Context) string
}

// Wake is called with the records of a commit after it, on the committing
// goroutine: it must not block. What it misses is found in the log.
type Wake func(shop string, records []event.Record)
