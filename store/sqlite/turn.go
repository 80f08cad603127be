package sqlite

import (
	"context"
)

// turn is whose turn it is to write. SQLite has one writer at a time and lets
// the others poll, with pauses of up to a tenth of a second, so that under
// load a loser may wait for ever. Within this process everyone waits here
// instead: first come, first served, and nobody meets SQLITE_BUSY.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }
