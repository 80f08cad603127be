package app

import (
	"context"
	"errors"

	"github.com/tandem-pay/tandem/fault"
)

// errFirst: a key has no answer yet.
var errFirst = fault.New(fault.NotFound, "the key has no answer yet")

// Idempotent gives a use case that is more than one command (it calls a
// channel in between, say) the guarantee of an idempotency key: a repeat gets
// the first answer again, and the same key for another request is refused.
// Without a key it is act alone; with one it costs two more commands.
//
// A failure is not kept, so that a repeat tries again. Duplicates in flight may
// both act; all of them get the answer of one. act must therefore be harmless
// when it is done twice.
func Idempotent[R any](
	ctx context.Context, a *App, shopID, name, key string, request any, act func() (R, error),
) (r R, replayed bool, err error) {
	if key == "" {
		r, err = act()
		return r, false, err
	}
	c := Command{Shop: shopID, Name: name, Key: key, Hash: Hash(name, request), Trace: a.Tracer.Parent(ctx)}
	seen := c
	if r, replayed, err = Do(ctx, a, &seen, func(*Tx) (none R, err error) { return none, errFirst }); !errors.Is(err, errFirst) {
		return r, replayed, err
	}
	if r, err = act(); err != nil {
		return r, false, err
	}
	return Do(context.WithoutCancel(ctx), a, &c, func(*Tx) (R, error) { return r, nil })
}
