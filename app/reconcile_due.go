package app

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

// The daily job.
const (
	reconcileHour  = 10              // o'clock where the channel is: bills are ready then
	reconcileDays  = 3               // how far back a missed day is made up for
	reconcileAgain = time.Hour       // after a run that failed or found no bill
	reconcileLook  = 5 * time.Minute // how often it is looked for days that are due
)

// ReconcileDue reconciles the days that are due, and says how many.
func (a *App) ReconcileDue(ctx context.Context, shopID string) (int, error) {
	now := a.Clock.Now().UTC()
	if !a.looks.due("reconcile/"+shopID, now, reconcileLook) {
		return 0, nil
	}
	rows, err := a.Store.ListChannels(ctx, shopID)
	if err != nil {
		return 0, err
	}
	for i := range rows {
		ch, err := a.Channels.Channel(ctx, shopID, rows[i].Name)
		if err != nil {
			a.Log.WarnContext(ctx, "a channel cannot be reconciled", "shop", shopID, "channel", rows[i].Name, "error", err)
			continue
		}
		local := now.In(ch.Zone())
		for back := 1; back <= reconcileDays; back++ {
			day := payment.DayOf(local.AddDate(0, 0, -back), ch.Zone())
			if from, _ := day.Span(ch.Zone()); back == 1 && local.Hour() < reconcileHour || from.Before(rows[i].UpdatedAt.AddDate(0, 0, -1)) && back > 1 {
				continue
			}
			have, err := a.Store.Reconciliation(ctx, shopID, day.String()+"/"+rows[i].Name)
			switch {
			case fault.Is(err, fault.NotFound):
			case err != nil:
				return 0, err
			case have.Status == ReconciliationDone || now.Sub(have.FinishedAt) < reconcileAgain:
				continue
			}
			d, err := a.Reconcile(ctx, shopID, rows[i].Name, day, nil)
			if err != nil {
				return 0, err
			}
			a.Log.InfoContext(ctx, "a day was reconciled", "shop", shopID, "channel", rows[i].Name, "day", d.Day, "status", d.Status, "error", d.Error)
		}
	}
	return 0, nil // what is left to do waits for the next look
}
