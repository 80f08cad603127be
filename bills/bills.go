// Package bills reconciles days of a channel with the bill that the channel
// makes for them: it reads our books and the bill, lets package reconcile match
// them, corrects what the facts of the bill prove, and records the rest for a
// person.
//
// A day of any size is matched in parts: both sides are written to 64 files
// by a hash of the payment's number, and a part is in memory at a time (of a
// million rows about sixteen thousand). Sorting both sides outside of memory
// with a library (github.com/lanrat/extsort 1.5.0) and joining them took 8
// times as long per row, writing the files with encoding/gob 4 times, and with
// github.com/fxamacker/cbor 2.9.0 8 times: so files and rows are written here.
package bills

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// Reconciler reconciles days. It is safe for concurrent use.
type Reconciler struct {
	App *app.App

	mu     sync.Mutex
	looked map[string]time.Time // when a shop's days were last looked through
}

// New makes a Reconciler. All that it changes goes through the commands of a.
func New(a *app.App) *Reconciler { return &Reconciler{App: a, looked: map[string]time.Time{}} }

// Bounds of a reconciliation.
const (
	// parts is how many parts a day is matched in: of a million rows
	// some sixteen thousand are in memory at a time.
	parts = 64
	// maxDiscrepancies is how many differences one run records; more are
	// counted in its summary only.
	maxDiscrepancies = 100_000
	discrepancyBatch = 100
	lookupBatch      = 1000
	timeLimit        = 2 * time.Hour
	// clocksDiffer is how far a channel's clock and ours may differ: a refund
	// that we made at 00:10 may have been done at 23:40 by the channel.
	clocksDiffer = time.Hour
)

// Progress is called with a stage (books, bill, movements, matched) and how
// many rows are done in it.
type Progress func(stage string, rows int64)

// Reconcile compares one day of one channel with the channel's bill, heals
// what the bill's own facts heal, and records the rest. Running it again
// finds the same differences under the same ids; what has gone meanwhile is
// marked healed. A bill that is not there yet, or not whole, changes nothing
// but the day's own record.
func (b *Reconciler) Reconcile(
	ctx context.Context, shopID, channel string, day payment.Day, progress Progress,
) (rows.Reconciliation, error) {
	if progress == nil {
		progress = func(string, int64) {}
	}
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	ch, err := b.App.Channels.Channel(ctx, shopID, channel)
	if err != nil {
		return rows.Reconciliation{}, err
	}
	started := b.App.Clock.Now().UTC()
	if day == payment.DayOf(started, ch.Zone()) || started.Before(firstMoment(day, ch.Zone())) {
		return rows.Reconciliation{}, fault.Invalidf("/date", "%s is not over yet where the channel is", day)
	}
	r := &run{a: b.App, shop: shopID, name: channel, ch: &ch, day: day, progress: progress, started: started, seen: map[string]bool{}}
	r.span.From, r.span.To = day.Span(ch.Zone())
	r.opt = reconcile.Options{Merchant: ch.Merchant, App: ch.App}
	err = r.do(ctx)
	if err != nil && ctx.Err() != nil {
		return rows.Reconciliation{}, err
	}
	return r.finish(context.WithoutCancel(ctx), err)
}

func firstMoment(day payment.Day, zone *time.Location) time.Time {
	from, _ := day.Span(zone)
	return from
}
