package outbox

import (
	"context"
	"errors"
	"slices"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// Parked lists what is parked of a shop, in the order of the ids. follower ""
// is any.
func (b *Outbox) Parked(ctx context.Context, shop, follower string, p app.Page) ([]app.ParkedRecord, string, error) {
	return b.o.Store.ParkedRecords(ctx, shop, follower, p)
}

// Retry processes a parked record now, and with it what is parked of its
// order, in the order of the log, where one waits for the other. A conflict
// fault says why one of them fails still; those before it are done.
func (b *Outbox) Retry(ctx context.Context, shop, id string) error {
	r, err := b.o.Store.ParkedRecord(ctx, shop, id)
	if err != nil {
		return err
	}
	return b.retry(ctx, shop, &r)
}

// Dismiss has a parked record count as processed, for a person has seen to it.
// What waited for it is retried; whatever fails of that stays parked.
func (b *Outbox) Dismiss(ctx context.Context, shop, id string) error {
	r, err := b.o.Store.ParkedRecord(ctx, shop, id)
	if err != nil {
		return err
	}
	l, err := b.loopOf(r.Follower)
	if err != nil {
		return err
	}
	if err := l.unpark(ctx, shop, &r, func(*app.Tx) error { return nil }); err != nil {
		return err
	}
	b.o.Log.WarnContext(
		ctx, "a parked record is dismissed", "follower", r.Follower, "shop", shop, "id", r.ID, "order", r.Order, "error", r.Error,
	)
	if fails := b.retry(ctx, shop, &r); fault.Is(fails, fault.Conflict) {
		return nil
	} else if fails != nil {
		return fails
	}
	return nil
}

func (b *Outbox) loopOf(follower string) (*loop, error) {
	i := slices.IndexFunc(b.loops, func(l *loop) bool { return l.f.Name == follower })
	if i < 0 {
		return nil, fault.New(fault.Conflict, "this release has no follower %s; it can be retried by one that has", follower)
	}
	return b.loops[i], nil
}

// retry does a parked record, or all that wait for each other with it.
func (b *Outbox) retry(ctx context.Context, shop string, r *app.ParkedRecord) error {
	l, err := b.loopOf(r.Follower)
	if err != nil {
		return err
	}
	chain := []app.ParkedRecord{*r}
	if l.f.OrderWaits && r.Order != "" {
		if chain, err = b.o.Store.ParkedOf(ctx, shop, r.Follower, []string{r.Order}); err != nil {
			return err
		}
	}
	for i := range chain {
		if err := l.again(ctx, shop, &chain[i]); err != nil {
			return err
		}
	}
	return nil
}

// again processes one parked record.
func (l *loop) again(ctx context.Context, shop string, r *app.ParkedRecord) error {
	found, err := l.b.o.Store.Events(ctx, shop, app.EventQuery{After: r.Position - 1, UpTo: r.Position, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fault.New(fault.Conflict, "the log has no record at %d any more; dismiss it", r.Position)
	}
	if unknown(found[0]) {
		return fault.New(
			fault.Conflict, "the record at %d has an event of a type that this release does not know: %v", r.Position,
			event.Types(found[0].Events),
		)
	}
	var fails error
	if l.f.Deliver != nil {
		fails = l.deliver(ctx, &found[0])
	}
	if fails == nil {
		err = l.unpark(ctx, shop, r, func(tx *app.Tx) error {
			if err := l.f.apply(tx, &found[0]); err != nil {
				if _, more := unit.IsMissing(err); more {
					return err
				}
				return &recordError{0, err}
			}
			return nil
		})
		var bad *recordError
		if !errors.As(err, &bad) {
			return err
		}
		fails = bad.err
	}
	if err := l.stays(ctx, shop, r.ID, text(fails)); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "%s fails still: %s", r.ID, text(fails)).Because(fails)
}

// unpark forgets a parked record with what do does, unless it is gone.
func (l *loop) unpark(ctx context.Context, shop string, r *app.ParkedRecord, do func(tx *app.Tx) error) error {
	_, err := l.command(ctx, shop, app.Needs{rows.Parked.Keys(r.ID)}, func(tx *app.Tx) (bool, error) {
		p, err := tx.ParkedRecord(r.ID)
		if p == nil || err != nil {
			return false, err
		}
		if err := do(tx); err != nil {
			return false, err
		}
		tx.Unpark(r.ID)
		return true, nil
	})
	return err
}

// stays notes that a parked record failed again.
func (l *loop) stays(ctx context.Context, shop, id, why string) error {
	_, err := l.command(ctx, shop, app.Needs{rows.Parked.Keys(id)}, func(tx *app.Tx) (bool, error) {
		p, err := tx.ParkedRecord(id)
		if p == nil || err != nil {
			return false, err
		}
		p.Attempts++
		p.Error, p.FailedAt = why, tx.Now()
		tx.Park(*p)
		return true, nil
	})
	return err
}
