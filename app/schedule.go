package app

import (
	"context"
	"errors"
	"sync"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// Bounds on one round of what the clock asks for.
const (
	expiryBatch = 200
	queryBatch  = 100
	queryAtOnce = 8
)

// ExpireOrders closes orders whose time is over, a batch at a time, and says
// how many. An order with an open payment begins to close: the channel is
// asked first.
func (a *App) ExpireOrders(ctx context.Context, shop string) (int, error) {
	due, err := a.Store.DueOrders(ctx, shop, a.Clock.Now().UTC(), expiryBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	c := &Command{
		Shop: shop, Name: "expire orders", Needs: Needs{Orders: due},
		Decide: func(tx *Tx) (any, error) {
			for _, no := range due {
				o, err := tx.Order(no)
				if err != nil {
					return nil, err
				}
				// Things may have moved on since it was found due.
				if d := o.Data(); !d.Status.Live() || d.Closing != "" || tx.Now().Before(d.ExpiresAt) {
					continue
				}
				if err := closeOrder(tx, no, order.Expired); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
	if _, err := a.Road.Do(ctx, c); err != nil {
		return 0, err
	}
	return len(due), nil
}

// QueryPayments asks the channels about open payments whose next query is
// due, and says how many. A channel that does not answer is asked again on
// the payment's schedule.
func (a *App) QueryPayments(ctx context.Context, shop string) (int, error) {
	due, err := a.Store.DuePayments(ctx, shop, a.Clock.Now().UTC(), queryBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, queryAtOnce)
	for _, no := range due {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			a.queryPayment(ctx, shop, no)
		})
	}
	wg.Wait()
	return len(due), nil
}

func (a *App) queryPayment(ctx context.Context, shop, no string) {
	p, err := a.Store.Payment(ctx, shop, no)
	if err == nil {
		var ch Configured
		if ch, err = a.Channels.Channel(ctx, shop, p.Channel); err == nil {
			err = a.ask(ctx, shop, &ch, p)
		} else if fault.Is(err, fault.ChannelNotConfigured) {
			err = errors.Join(err, a.asked(ctx, shop, p, Exchange{
				Order: p.Order, Payment: p.No, Channel: p.Channel, Kind: ExchangeQuery,
				At: a.Clock.Now().UTC(), Verdict: string(fault.ChannelNotConfigured),
			}))
		}
	}
	if err != nil && !errors.Is(err, payment.ErrNotExist) {
		a.Log.WarnContext(ctx, "a payment's query got no answer", "shop", shop, "paymentNo", no, "error", err)
	}
}
