package app

import (
	"context"
	"encoding/json"
	"fmt"
)

// do sends a command and gives its answer its type back; replayed says that
// it is the first answer again.
func do[R any](ctx context.Context, a *App, c *Command) (r R, replayed bool, err error) {
	res, err := a.Engine.Do(ctx, c)
	switch {
	case err != nil:
		return r, false, err
	case res.Replayed:
		if err := json.Unmarshal(res.Answer, &r); err != nil {
			return r, true, fmt.Errorf("stored answer of %s: %w", c.Name, err)
		}
		return r, true, nil
	}
	r, _ = res.Value.(R)
	return r, false, nil
}
