package api_test

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
)

// bareApp is enough of an app to publish it and to refuse.
func bareApp() *app.App { return &app.App{Tracer: noTrace{}, Tokens: app.NewTokens(make([]byte, 32))} }

type noTrace struct{}

func (noTrace) Start(ctx context.Context, _, _ string) (context.Context, func(error)) {
	return ctx, func(error) {}
}
func (noTrace) Parent(context.Context) string { return "" }

func noClock(context.Context, time.Duration) (time.Time, error) { return time.Time{}, nil }
