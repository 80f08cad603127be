// Package backtest computes what a period's orders would have come to if a
// promotion had been live. Every order is priced by the rules of its time
// together with the promotion (which replaces the one that has its id), from
// the stored inputs of its price: the buyer's attributes, what was left of
// the live rules' limits, and the gifts in stock at that time. The promotion's own limits are counted
// as orders would have counted them, in order of time. Buyers are assumed to
// behave as they did: nobody buys more, or waits, because of the promotion.
//
// One goroutine reads the orders, as many as there are processors price them,
// and one takes the prices together in order of time.
package backtest

import (
	"cmp"
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/repricing"
)

// Request is a promotion and the period that it is tested on.
type Request struct {
	Shop      string
	Promotion pricing.Promotion // valid; Active is ignored
	From, To  time.Time         // [From, To): days of Zone
	Zone      *time.Location    // of the days that are reported; nil is UTC

	// Progress, if not nil, is called now and then with the orders done and
	// the time that the last of them was placed at.
	Progress func(done int64, at time.Time)
}

// Store is what Run needs of a store.
type Store interface {
	repricing.Store
	EachPriced(ctx context.Context, shop string, from, to time.Time, f func(*app.PricedOrder) error) error
	EachBuyer(ctx context.Context, shop string, before time.Time, f func(user string) error) error
	Sku(ctx context.Context, shop, id string) (inventory.Data, error)
}

// DraftID is the id of a promotion that is tested without one.
const DraftID = "promo_draft"

// Run prices a period's orders again, and changes nothing. Memory grows with the buyers (some 100 bytes each, of all
// orders before the period too) and the orders touched (8 bytes each).
func Run(ctx context.Context, store Store, b Request) (*Report, error) {
	if b.Zone == nil {
		b.Zone = time.UTC
	}
	b.Promotion.ID, b.Promotion.Active = cmp.Or(b.Promotion.ID, DraftID), nil
	if err := b.Promotion.Validate(); err != nil {
		return nil, err
	}
	if !b.From.Before(b.To) {
		return nil, fault.Invalidf("/to", "must be after from")
	}
	if p := &b.Promotion; p.StartsAt != nil && !p.StartsAt.Before(b.To) || p.EndsAt != nil && !p.EndsAt.After(b.From) {
		return nil, fault.Invalidf("/startsAt", "the promotion's dates (startsAt, endsAt) are outside of the period: it would never apply")
	}
	sh, err := store.ShopByID(ctx, b.Shop)
	if err != nil {
		return nil, err
	}
	w := &whatIfs{
		past:     repricing.New(store, b.Shop),
		draft:    &b.Promotion,
		alone:    pricing.Compile([]pricing.Promotion{b.Promotion}),
		currency: sh.Currency,
	}
	if id := b.Promotion.GiftSku; id != "" {
		s, err := store.Sku(ctx, b.Shop, id)
		if err != nil {
			return nil, err
		}
		w.gift = &pricing.Gift{Sku: s.Sku, Name: s.Name, UnitPrice: s.Price, Available: pricing.MaxQuantity * pricing.MaxGiftQuantity}
	}
	t := newTally(&b, sh.Currency)
	sim := newSimulation(&b, t)
	if err := store.EachBuyer(ctx, b.Shop, b.From, sim.before); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for batch := range priceBatches(ctx, cancel, store, &b, w) {
		if <-batch.priced; batch.err != nil {
			cancel(batch.err)
		}
		if ctx.Err() != nil {
			continue // until the reader has noticed
		}
		for i := range batch.orders {
			sim.next(&batch.orders[i])
		}
		if b.Progress != nil {
			b.Progress(t.seen(), batch.orders[len(batch.orders)-1].PlacedAt)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	sim.end()
	return t.report(w), nil
}
