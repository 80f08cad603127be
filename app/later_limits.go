package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// Only what has a limit is counted, so that a limit that comes later would
// begin at 0 and forget what happened before. It is refused, with what to do.

// laterLimits refuses limits that a promotion of orders did not have. old is nil
// for one that was deleted, last its version, 0 if there never was one.
func laterLimits(old, next *pricing.Promotion, last int64, now time.Time) error {
	unused := last == 1 && old != nil && (old.Active != nil && !*old.Active || old.StartsAt != nil && now.Before(*old.StartsAt))
	if last == 0 || unused {
		return nil
	}
	var had pricing.Promotion
	if old != nil {
		had = *old
	}
	for _, l := range []struct {
		pointer   string
		was, will int64
	}{
		{"/usageLimit", had.UsageLimit, next.UsageLimit}, {"/perUserLimit", had.PerUserLimit, next.PerUserLimit},
		{"/budget", had.Budget, next.Budget},
	} {
		switch {
		case l.was > 0 || l.will == 0:
		case old == nil:
			return fault.Invalidf(
				l.pointer, "there was a promotion %s, which was deleted: what it counted would be counted again; take another id",
				next.ID,
			)
		default:
			return fault.Invalidf(
				l.pointer,
				"promotion %s has been without this limit, and its orders are not counted; make another promotion with it, and end this one",
				next.ID,
			)
		}
	}
	return nil
}

// uncounted finds an order, that was not closed, with units of a sku that it
// does not count against a limit of the sku. It reads the orders of the shop:
// some 100,000 a second. "" if there is none.
func (a *App) uncounted(ctx context.Context, shopID, sku string) (no string, err error) {
	from, to := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), a.Clock.Now().UTC().Add(24*time.Hour)
	err = a.Store.EachPriced(ctx, shopID, from, to, func(p *PricedOrder) error {
		if no != "" || p.Status == order.Closed {
			return nil
		}
		var s struct {
			Items []struct {
				Sku  string
				Gift bool
			}
			Counts []struct{ Name string }
		}
		if err := json.Unmarshal(p.Snapshot, &s); err != nil {
			return err
		}
		for _, c := range s.Counts {
			if c.Name == boughtCounter(sku, p.User) {
				return nil
			}
		}
		for _, l := range s.Items {
			if l.Sku == sku && !l.Gift {
				no = p.No
			}
		}
		return nil
	})
	return no, err
}

// laterPurchaseLimit refuses a limit on a sku that buyers have without it, and
// says at which version of the sku (0: any) there were none.
func (a *App) laterPurchaseLimit(ctx context.Context, shopID, id string, in *inventory.Definition) (at int64, err error) {
	if in.MaxPerUser == 0 {
		return 0, nil
	}
	s, err := a.Store.Sku(ctx, shopID, id)
	switch {
	case fault.Is(err, fault.SkuNotFound), fault.Is(err, fault.NotFound):
		return 0, nil
	case err != nil:
		return 0, err
	case s.MaxPerUser > 0:
		return 0, nil
	}
	no, err := a.uncounted(ctx, shopID, id)
	if err != nil {
		return 0, err
	}
	if no != "" {
		return 0, fault.Invalidf(
			"/maxPerUser",
			"order %s, and perhaps others, has %s without this limit and is not counted; sell it as another sku with the limit",
			no,
			id,
		)
	}
	return s.Version, nil
}
