package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

func (f *Follower) wantsType(t event.Type) bool { return f.Types == nil || slices.Contains(f.Types, t) }

func (f *Follower) wants(r event.Record) bool {
	return slices.ContainsFunc(r.Events, func(e event.Event) bool { return f.wantsType(e.Type) })
}

// query are the records that must not be passed by: those that the follower
// wants, and those with an event that this release does not know.
func (f *Follower) query(after, upTo event.Position, limit int) app.EventQuery {
	q := app.EventQuery{After: after, UpTo: upTo, Types: f.Types, Limit: limit}
	if f.Types != nil {
		q.Known = event.Known
	}
	return q
}

// step processes the next records of a shop and says how many there were. 0
// means that the follower has caught up.
func (l *loop) step(ctx context.Context, p *progress) (int, error) {
	if err := l.lookUp(ctx, p); err != nil {
		return 0, err
	}
	end, err := l.b.o.Store.EndOfLog(ctx, p.shop)
	if err != nil {
		return 0, err
	}
	if p.cursor == nil && l.f.Begin == Now {
		return 0, l.move(ctx, p, end)
	}
	if p.seen >= end {
		return 0, nil
	}
	records, err := l.b.o.Store.Events(ctx, p.shop, l.f.query(p.seen, end, l.f.Batch))
	if err != nil {
		return 0, err
	}
	if len(records) == 0 {
		if end-p.stored() < StoreEvery {
			l.sawUpTo(p, end)
			return 0, nil
		}
		return 0, l.move(ctx, p, end)
	}
	if i := slices.IndexFunc(records, unknown); i == 0 {
		return 0, fmt.Errorf("the record at %d has an event of a type that this release does not know: %v; it waits for one that does",
			records[0].Position, event.Types(records[0].Events))
	} else if i > 0 {
		records = records[:i]
	}
	return len(records), l.process(ctx, p, records)
}

func unknown(r event.Record) bool {
	return slices.ContainsFunc(r.Events, func(e event.Event) bool { return !slices.Contains(event.Known, e.Type) })
}

// lookUp reads the cursor. If another instance has moved it, what was seen
// from the old one says nothing.
func (l *loop) lookUp(ctx context.Context, p *progress) error {
	at, began, err := l.b.o.Store.Cursor(ctx, p.shop, l.f.Name)
	if err != nil {
		return err
	}
	if began && (p.cursor == nil || *p.cursor != at) {
		l.setCursor(p, at)
	}
	return nil
}

func (l *loop) setCursor(p *progress, at event.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.cursor, p.seen = &at, at
}

func (l *loop) sawUpTo(p *progress, at event.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.seen = at
}

func (p *progress) stored() event.Position {
	if p.cursor == nil {
		return 0
	}
	return *p.cursor
}

// process does the records, or as many as come before one that fails, and
// moves the cursor behind them.
func (l *loop) process(ctx context.Context, p *progress, records []event.Record) error {
	behind, err := l.waiting(ctx, p.shop, records)
	if err != nil {
		return err
	}
	if l.f.Deliver != nil {
		for i := range records {
			r := &records[i]
			if behind[r.Order] != "" {
				continue
			}
			if err := l.deliver(ctx, r); err != nil {
				return l.failed(ctx, p, records, behind, &recordError{i, err})
			}
		}
	}
	err = l.commit(ctx, p, records, behind)
	var bad *recordError
	if errors.As(err, &bad) {
		return l.failed(ctx, p, records, behind, bad)
	}
	return err
}

func (l *loop) deliver(ctx context.Context, r *event.Record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return l.f.Deliver(ctx, r)
}

// failed does the records before the one that failed, or counts its failures,
// and parks it when there were enough.
func (l *loop) failed(ctx context.Context, p *progress, records []event.Record, behind map[string]string, bad *recordError) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if bad.place > 0 {
		// Delivered ones were delivered; of a command, nothing was done.
		return l.commit(ctx, p, records[:bad.place], behind)
	}
	r := &records[0]
	if now := l.b.o.Clock.Now().UTC(); p.bad != r.Position {
		p.bad, p.tries, p.since = r.Position, 0, now
	}
	if p.tries++; p.tries < Attempts {
		return fmt.Errorf("the record at %d, attempt %d: %w", r.Position, p.tries, bad.err)
	}
	err := l.run1(ctx, p, app.Needs{}, r.Position, func(tx *app.Tx) error {
		tx.Park(app.ParkedRecord{
			Follower: l.f.Name, Position: r.Position, Order: r.Order, Error: text(bad.err),
			Attempts: int64(p.tries), FailedAt: p.since, ParkedAt: tx.Now(),
		})
		return nil
	})
	if err == nil {
		l.b.o.Log.ErrorContext(ctx, "a record is parked: it failed too often", "follower", l.f.Name, "shop", p.shop,
			"id", rows.ParkedID(l.f.Name, r.Position), "order", r.Order, "attempts", p.tries, "error", bad.err)
		p.tries = 0
	}
	return err
}

// text is an error as it is kept: its beginning.
func text(err error) string {
	s := err.Error()
	if len(s) > 2000 {
		s = s[:2000]
	}
	return s
}

// recordError says which record of a batch could not be processed.
type recordError struct {
	place int
	err   error
}

func (e *recordError) Error() string { return e.err.Error() }
func (e *recordError) Unwrap() error { return e.err }

// waiting are the last parked records of the records' orders, by order.
func (l *loop) waiting(ctx context.Context, shop string, records []event.Record) (map[string]string, error) {
	if !l.f.OrderWaits {
		return nil, nil
	}
	var orders []string
	for i := range records {
		if no := records[i].Order; no != "" && !slices.Contains(orders, no) {
			orders = append(orders, no)
		}
	}
	if len(orders) == 0 {
		return nil, nil
	}
	parked, err := l.b.o.Store.ParkedOf(ctx, shop, l.f.Name, orders)
	behind := make(map[string]string, len(parked))
	for _, r := range parked {
		behind[r.Order] = r.ID
	}
	return behind, err
}

// commit does what a command follower does with the records, parks those that
// wait behind others, and moves the cursor.
func (l *loop) commit(ctx context.Context, p *progress, records []event.Record, behind map[string]string) error {
	var needs app.Needs
	for i := range records {
		if id := behind[records[i].Order]; id != "" {
			// Whoever retries it deletes it: then this one need not wait.
			needs.Add(rows.Parked.Keys(id))
		}
		l.f.needs(&records[i], &needs)
	}
	return l.run1(ctx, p, needs, records[len(records)-1].Position, func(tx *app.Tx) error {
		for i := range records {
			r := &records[i]
			wait, err := waits(tx, behind[r.Order])
			if err != nil {
				return err
			}
			if wait != nil {
				tx.Park(app.ParkedRecord{
					Follower: l.f.Name, Position: r.Position, Order: r.Order, Error: "waits for " + wait.ID, FailedAt: tx.Now(), ParkedAt: tx.Now(),
				})
				continue
			}
			if err := l.f.apply(tx, r); err != nil {
				if _, more := unit.IsMissing(err); more {
					return err
				}
				return &recordError{i, err}
			}
		}
		return nil
	})
}

// waits returns the record that holds up its order, nil if none does.
func waits(tx *app.Tx, id string) (*app.ParkedRecord, error) {
	if id == "" {
		return nil, nil
	}
	return tx.ParkedRecord(id)
}

func (f *Follower) needs(r *event.Record, n *app.Needs) {
	if f.Needs == nil {
		return
	}
	for i := range r.Events {
		if e := &r.Events[i]; f.wantsType(e.Type) {
			f.Needs(e, n)
		}
	}
}

// apply does a record within a command.
func (f *Follower) apply(tx *app.Tx, r *event.Record) (err error) {
	if f.Apply == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panicked: %v\n%s", v, debug.Stack())
		}
	}()
	tx.Join(r.Trace)
	for i := range r.Events {
		if e := &r.Events[i]; f.wantsType(e.Type) {
			if err := f.Apply(tx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// move stores the cursor and does nothing else.
func (l *loop) move(ctx context.Context, p *progress, to event.Position) error {
	return l.run1(ctx, p, app.Needs{}, to, func(*app.Tx) error { return nil })
}

// run1 runs one command that moves the cursor from where it was read.
// If another instance was here first, it does nothing.
func (l *loop) run1(ctx context.Context, p *progress, needs app.Needs, to event.Position, do func(tx *app.Tx) error) error {
	needs.Add(rows.Cursors.Keys(l.f.Name))
	was := p.cursor
	moved, err := l.command(ctx, p.shop, needs, func(tx *app.Tx) (bool, error) {
		now, err := tx.Cursor(l.f.Name)
		if err != nil {
			return false, err
		}
		if (now == nil) != (was == nil) || now != nil && *now != *was {
			return false, nil
		}
		if err := do(tx); err != nil {
			return false, err
		}
		tx.PutCursor(l.f.Name, to)
		return true, nil
	})
	if err == nil && moved {
		l.setCursor(p, to)
	}
	return err
}

func (l *loop) command(ctx context.Context, shop string, needs app.Needs, do func(tx *app.Tx) (bool, error)) (bool, error) {
	c := &app.Command{Shop: shop, Name: "follow " + l.f.Name, Needs: needs}
	done, _, err := app.Do(ctx, &app.App{Engine: l.b.o.Engine}, c, do)
	return done, err
}
