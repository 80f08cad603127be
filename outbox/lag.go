package outbox

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
)

// Lag is how far a follower is behind the logs, over all shops.
type Lag struct {
	Follower string
	Records  int64         // up to the ends, from the oldest that it has not processed
	Age      time.Duration // of that record; the oldest of all shops
	Shop     string        // where that is
	Parked   int64         // records that wait for a person
}

// Lags is what was measured last, the followers and the tails in the order of
// Options; nil before the first time.
func (b *Outbox) Lags() []Lag {
	if l := b.lags.Load(); l != nil {
		return *l
	}
	return nil
}

// Late are the followers that have left a record unprocessed for longer than
// Late, whatever the reason.
func (b *Outbox) Late() []Lag {
	return slices.DeleteFunc(slices.Clone(b.Lags()), func(l Lag) bool { return l.Age < Late })
}

// looks bounds the queries of one measurement: where more shops are behind,
// the age of some is not known.
const looks = 200

// Measure measures the lag of every follower from what is stored: it knows
// nothing of what runs, here or elsewhere. The positions of tails are this
// instance's.
func (b *Outbox) Measure(ctx context.Context) ([]Lag, error) {
	ends, err := b.o.Store.LogEnds(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := b.o.Store.Cursors(ctx)
	if err != nil {
		return nil, err
	}
	parked, err := b.o.Store.ParkedCounts(ctx)
	if err != nil {
		return nil, err
	}
	type place struct{ shop, follower string }
	cursors := make(map[place]event.Position, len(stored))
	for _, c := range stored {
		cursors[place{c.Shop, c.Follower}] = c.Position
	}
	out := make([]Lag, 0, len(b.loops)+len(b.o.Tails))
	for _, l := range b.loops {
		late := map[string]event.Position{}
		for shop, end := range ends {
			if at, began := cursors[place{shop, l.f.Name}]; at < end && (began || l.f.Begin == Beginning) {
				late[shop] = at
			}
		}
		lag, err := b.lag(ctx, l.f.Name, late, ends, l.f.query)
		if err != nil {
			return nil, err
		}
		for _, p := range parked {
			if p.Follower == l.f.Name {
				lag.Parked = p.Count
			}
		}
		out = append(out, lag)
	}
	for _, t := range b.o.Tails {
		late := t.positions()
		maps.DeleteFunc(late, func(shop string, at event.Position) bool { return at >= ends[shop] })
		lag, err := b.lag(ctx, t.o.Name, late, ends, (&Follower{}).query)
		if err != nil {
			return nil, err
		}
		out = append(out, lag)
	}
	return out, nil
}

// lag is how far a follower is behind in the shops where its position is
// before the end. query are the records that it wants.
func (b *Outbox) lag(
	ctx context.Context, name string, late, ends map[string]event.Position,
	query func(after, upTo event.Position, limit int) app.EventQuery,
) (Lag, error) {
	lag := Lag{Follower: name}
	shops := slices.SortedFunc(maps.Keys(late), func(x, y string) int {
		return cmp.Or(cmp.Compare(ends[y]-late[y], ends[x]-late[x]), cmp.Compare(x, y))
	})
	now := b.o.Clock.Now()
	for _, shop := range shops[:min(len(shops), looks)] {
		oldest, err := b.o.Store.Events(ctx, shop, query(late[shop], ends[shop], 1))
		if err != nil {
			return lag, err
		}
		if len(oldest) == 0 {
			continue // nothing that it wants
		}
		lag.Records += int64(ends[shop]-oldest[0].Position) + 1
		if age := now.Sub(oldest[0].At); lag.Shop == "" || age > lag.Age {
			lag.Age, lag.Shop = max(age, 0), shop
		}
	}
	return lag, nil
}

// measure keeps Lags up to date, and says in the log who is late.
func (b *Outbox) measure(ctx context.Context) {
	for {
		lags, err := b.Measure(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			b.o.Log.WarnContext(ctx, "the lag of the log's followers cannot be measured", "error", err)
		default:
			b.lags.Store(&lags)
			for _, l := range b.Late() {
				b.o.Log.WarnContext(ctx, "a follower of the log is late", "follower", l.Follower, "shop", l.Shop, "records", l.Records, "age", l.Age)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-b.o.Clock.After(b.o.MeasureEvery):
		}
	}
}

// Oldest is the position before which no record of a shop is needed by any
// follower any more: what is parked is needed.
func (b *Outbox) Oldest(ctx context.Context, shop string) (event.Position, error) {
	oldest, err := b.o.Store.EndOfLog(ctx, shop)
	if err != nil {
		return 0, err
	}
	oldest++
	for _, l := range b.loops {
		at, _, err := b.o.Store.Cursor(ctx, shop, l.f.Name)
		if err != nil {
			return 0, err
		}
		oldest = min(oldest, at+1)
	}
	for p := (app.Page{Limit: 1000}); ; {
		parked, next, err := b.o.Store.ParkedRecords(ctx, shop, "", p)
		if err != nil {
			return 0, err
		}
		for _, r := range parked {
			oldest = min(oldest, r.Position)
		}
		if p.Cursor = next; next == "" {
			return oldest, nil
		}
	}
}

// Before is the position of the last record of a shop that is older than t, 0
// if there is none: with Oldest, what a retention may take. Records are written
// in the order of their times, as far as the clocks of instances agree.
func Before(ctx context.Context, store Store, shop string, t time.Time) (event.Position, error) {
	end, err := store.EndOfLog(ctx, shop)
	if err != nil {
		return 0, err
	}
	low := event.Position(0)
	for low < end {
		mid := low + (end-low+1)/2
		found, err := store.Events(ctx, shop, app.EventQuery{After: mid - 1, Limit: 1})
		if err != nil {
			return 0, err
		}
		if len(found) > 0 && found[0].At.Before(t) {
			low = mid
		} else {
			end = mid - 1
		}
	}
	return low, nil
}
