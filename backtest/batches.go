package backtest

import (
	"context"
	"runtime"

	"github.com/tandem-pay/tandem/app"
)

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
func priceBatches(ctx context.Context, cancel context.CancelCauseFunc, store Store, b *Request, w *whatIfs) <-chan *pricedBatch {
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
		err := store.EachPriced(ctx, b.Shop, b.From, b.To, func(p *app.PricedOrder) error {
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
