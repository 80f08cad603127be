package bills

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

// The daily job.
const (
	billsReady = 10              // o'clock where the channel is
	daysBack   = 3               // that are made up for if they were missed
	again      = time.Hour       // after a run that failed or found no bill
	lookEvery  = 5 * time.Minute // for days that are due
)

// ReconcileDue reconciles the days that are due, and says how many.
func (b *Reconciler) ReconcileDue(ctx context.Context, shopID string) (int, error) {
	now := b.App.Clock.Now().UTC()
	if !b.look(shopID, now) {
		return 0, nil
	}
	channels, err := b.App.Store.ListChannels(ctx, shopID)
	if err != nil {
		return 0, err
	}
	for i := range channels {
		ch, err := b.App.Channels.Channel(ctx, shopID, channels[i].Name)
		if err != nil {
			b.App.Log.WarnContext(ctx, "a channel cannot be reconciled", "shop", shopID, "channel", channels[i].Name, "error", err)
			continue
		}
		local := now.In(ch.Zone())
		for back := 1; back <= daysBack; back++ {
			day := payment.DayOf(local.AddDate(0, 0, -back), ch.Zone())
			from, _ := day.Span(ch.Zone())
			if back == 1 && local.Hour() < billsReady || back > 1 && from.Before(channels[i].UpdatedAt.AddDate(0, 0, -1)) {
				continue
			}
			have, err := b.App.Store.Reconciliation(ctx, shopID, day.String()+"/"+channels[i].Name)
			switch {
			case fault.Is(err, fault.NotFound):
			case err != nil:
				return 0, err
			case have.Status == rows.ReconciliationDone || now.Sub(have.FinishedAt) < again:
				continue
			}
			d, err := b.Reconcile(ctx, shopID, channels[i].Name, day, nil)
			if err != nil {
				return 0, err
			}
			b.App.Log.InfoContext(
				ctx, "a day was reconciled", "shop", shopID, "channel", channels[i].Name, "day", d.Day, "status", d.Status,
				"error", d.Error,
			)
		}
	}
	return 0, nil // what is left to do waits for the next look
}

// look says whether a shop's days are to be looked through now.
func (b *Reconciler) look(shopID string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.looked[shopID]) < lookEvery {
		return false
	}
	b.looked[shopID] = now
	return true
}
