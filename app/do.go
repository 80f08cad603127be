package app

import (
	"context"
	"fmt"

	"github.com/tandem-pay/tandem/unit"
)

// Do runs a command and returns what decide returned when it was accepted.
// Decide may run several times: it changes tx, returns its answer, and assigns
// to nothing that is declared outside of it. replayed says that the command's
// key had been used before: r is the first answer then, read from what is
// stored of it. Answers under a key are of the types that have a format.
func Do[R any](ctx context.Context, a *App, c *Command, decide func(tx *Tx) (R, error)) (r R, replayed bool, err error) {
	c.Decide = func(u *unit.Tx) (any, error) { return decide(&Tx{Tx: u}) }
	stored := answerOf[R]()
	if c.Key != "" {
		if stored == nil {
			return r, false, fmt.Errorf("%s: answers of type %T have no format", c.Name, r)
		}
		c.Encode = func(answer any) ([]byte, error) {
			r, _ := answer.(R)
			return stored.Encode(&r)
		}
	}
	res, err := a.Engine.Do(ctx, c)
	switch {
	case err != nil:
		return r, false, err
	case res.Replayed:
		if err := stored.Decode(res.Answer, &r); err != nil {
			return r, true, fmt.Errorf("stored answer of %s: %w", c.Name, err)
		}
		return r, true, nil
	}
	r, _ = res.Value.(R) // fails only for a nil of an interface type, which is the zero R
	return r, false, nil
}

// Run is Do for a command that has no answer beside its success.
func Run(ctx context.Context, a *App, c *Command, decide func(tx *Tx) error) (replayed bool, err error) {
	c.Decide = func(u *unit.Tx) (any, error) { return nil, decide(&Tx{Tx: u}) }
	res, err := a.Engine.Do(ctx, c)
	return res.Replayed, err
}
