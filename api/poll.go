package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
)

// Waiter waits until an order changes.
type Waiter interface {
	// Wait returns nil when the order has an event with a Seq greater than
	// seq, and ctx's error when ctx ends before.
	Wait(ctx context.Context, shop, orderNo string, seq int64) error
}

// poll is the Waiter of a server without one.
type poll struct{ store app.Orders }

const pollEvery = 250 * time.Millisecond

func (p poll) Wait(ctx context.Context, shop, orderNo string, seq int64) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		v, err := p.store.Order(ctx, shop, orderNo)
		if err != nil || v.Order.Seq > seq {
			return err
		}
	}
}
