package app

import (
	"cmp"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// Backtest asks what a period's orders would have come to if a promotion had
// been live. Every order is priced by the rules that priced it, with the
// promotion beside them (or in the place of the one that has its id), from
// what its price was computed from: what was true then of the buyer, of the
// live rules' limits and of gifts. The promotion's own limits are counted as
// orders would have counted them, in order of time. Buyers are taken to do
// what they did: nobody buys more for it, or waits for it.
type Backtest struct {
	Shop      string
	Promotion pricing.Promotion // valid; Active is not looked at
	From, To  time.Time         // [From, To): days of Zone
	Zone      *time.Location    // of the days that are reported; nil is UTC

	// Progress, if not nil, is called now and then with the orders done and
	// the time that the last of them was placed at.
	Progress func(done int64, at time.Time)
}

// BacktestStore is what RunBacktest needs of a store. It changes nothing.
type BacktestStore interface {
	ruleStore
	EachPriced(ctx context.Context, shop string, from, to time.Time, f func(*PricedOrder) error) error
	EachBuyer(ctx context.Context, shop string, before time.Time, f func(user string) error) error
	Sku(ctx context.Context, shop, id string) (inventory.Data, error)
}

// DraftID is the id of a promotion that is tested without one.
const DraftID = "promo_draft"

// RunBacktest prices a period's orders again. The orders are read by one,
// priced by as many as there are processors, and taken together by one in
// order of time. Memory grows with the buyers (some 100 bytes each, of all
// orders before the period too) and the orders touched (8 bytes each).
func RunBacktest(ctx context.Context, store BacktestStore, b Backtest) (*BacktestReport, error) {
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
	w := &whatIfs{past: &past{store: store, shop: b.Shop}, draft: &b.Promotion, alone: pricing.Compile([]pricing.Promotion{b.Promotion}), currency: sh.Currency}
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
			continue // until the reader has heard of it
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

// pricedBatch is some orders in the order in which they were read.
type pricedBatch struct {
	orders []pricedAgain
	priced chan struct{} // closed when they are
	err    error
}

// batchOrders is how many orders are handed on at a time.
const batchOrders = 256

// priceBatches reads the orders and has them priced. The batches come in the
// order in which they were read; a few wait at most. When the reader has
// failed, ctx is over.
func priceBatches(ctx context.Context, cancel context.CancelCauseFunc, store BacktestStore, b *Backtest, w *whatIfs) <-chan *pricedBatch {
	workers := runtime.GOMAXPROCS(0)
	todo, out := make(chan *pricedBatch, 2*workers), make(chan *pricedBatch, 4*workers)
	for range workers {
		go func() {
			for batch := range todo {
				for i := range batch.orders {
					if batch.err = w.price(ctx, &batch.orders[i]); batch.err != nil {
						break
					}
				}
				close(batch.priced)
			}
		}()
	}
	go func() {
		defer close(out)
		defer close(todo)
		var batch *pricedBatch
		send := func() error {
			if batch == nil {
				return nil
			}
			todo <- batch
			select {
			case out <- batch:
				batch = nil
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := store.EachPriced(ctx, b.Shop, b.From, b.To, func(p *PricedOrder) error {
			if batch == nil {
				batch = &pricedBatch{orders: make([]pricedAgain, 0, batchOrders), priced: make(chan struct{})}
			}
			batch.orders = append(batch.orders, pricedAgain{PricedOrder: *p, doc: string(p.Snapshot)})
			batch.orders[len(batch.orders)-1].Snapshot = nil
			if len(batch.orders) == batchOrders {
				return send()
			}
			return nil
		})
		if err == nil {
			err = send()
		}
		if err != nil {
			cancel(err)
		}
	}()
	return out
}

// whatIfs prices orders with the draft beside the rules of their time. It is
// safe for use by many at once.
type whatIfs struct {
	draft    *pricing.Promotion
	alone    *pricing.Rules
	gift     *pricing.Gift // that the draft gives; nil is none
	currency string

	mu       sync.Mutex
	past     *past
	versions map[int64]*whatIf
	names    map[ruleID]string // of live rules, the last ones
	replaced map[int64]bool    // versions of the live promotion that has the draft's id
}

// ruleID names a promotion or a coupon template.
type ruleID struct {
	source pricing.Source
	id     string
}

// ended says whether the order gave back what it counted.
func (p *PricedOrder) ended() bool { return p.Status == order.Closed && !p.GoodsGone }
