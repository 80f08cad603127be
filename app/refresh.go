package app

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// refreshLook is how often the channels are looked at for keys that age.
const refreshLook = 10 * time.Second

// RefreshChannels has channels fetch the keys by which they verify what the
// platform says, when theirs age or a callback named one that they lack.
func (a *App) RefreshChannels(ctx context.Context, shopID string) (int, error) {
	now := a.Clock.Now().UTC()
	if !a.looks.due("refresh/"+shopID, now, refreshLook) {
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

// looks remembers when something was last looked for, so that it is not every
// second.
type looks struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (l *looks) due(what string, now time.Time, every time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.last[what]) < every {
		return false
	}
	if l.last == nil {
		l.last = map[string]time.Time{}
	}
	l.last[what] = now
	return true
}
