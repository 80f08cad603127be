package app

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// refreshEvery is how often the channels are checked for keys that age.
const refreshEvery = 10 * time.Second

// RefreshChannels has channels fetch the keys by which they verify what the
// platform says, when theirs age or a callback named one that they lack.
func (a *App) RefreshChannels(ctx context.Context, shopID string) (int, error) {
	now := a.Clock.Now().UTC()
	if !a.pacer.due("refresh/"+shopID, now, refreshEvery) {
		return 0, nil
	}
	rows, err := a.Store.ListChannels(ctx, shopID)
	if err != nil {
		return 0, err
	}
	for i := range rows {
		ch, err := a.Channels.Channel(ctx, shopID, rows[i].Name)
		if err != nil {
			continue // its calls report that
		}
		r, can := payment.As[payment.Refresher](ch.Channel)
		if !can || !r.RefreshDue(now) {
			continue
		}
		call, cancel := context.WithTimeout(ctx, callTime)
		if err := r.Refresh(call); err != nil {
			a.Log.WarnContext(ctx, "a channel's keys could not be refreshed", "shop", shopID, "channel", rows[i].Name, "error", err)
		}
		cancel()
	}
	return 0, nil
}

// pacer records when something was last done, so that it is not done every
// second.
type pacer struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (p *pacer) due(what string, now time.Time, every time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.last[what]) < every {
		return false
	}
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	p.last[what] = now
	return true
}
