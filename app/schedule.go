package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// overdue is how long after its expiry a payment that its channel does not know
// is closed: clocks differ, and a channel's own data may lag.
const overdue = 2 * time.Minute

// Bounds on one round of scheduled work.
const (
	expiryBatch = 200
	queryBatch  = 100
	queryAtOnce = 8 // for each channel
	// A whole batch of refunds runs at once: those of a channel that hangs must
	// not take the slots of the others. The channel's guard bounds the requests
	// to it at a time.
	refundsAtOnce = queryBatch
)

// ExpireOrders closes expired orders and drafts, a batch at a time, and returns
// how many it found. An order with an open payment begins to close: its payment
// is queried at the channel first.
func (a *App) ExpireOrders(ctx context.Context, shopID string) (int, error) {
	due, err := a.Store.DueOrders(ctx, shopID, a.Clock.Now().UTC(), expiryBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	_, err = Run(ctx, a, &Command{
		Shop: shopID, Name: "expire orders", Needs: Needs{rows.Orders.Keys(due...)},
	}, func(tx *Tx) error {
		for _, no := range due {
			o, err := tx.Order(no)
			if err != nil {
				return err
			}
			// It may have changed since it was found due.
			if d := o.Data(); !d.Status.Expires() || d.Closing != "" || tx.Now().Before(d.ExpiresAt) {
				continue
			}
			if o.Data().Status.Live() && len(o.Data().Plan) > 0 && tx.Shop().Policies.UnpaidInstalment == shop.Wait {
				o.WaitOn(tx.Now())
				tx.PutOrder(o)
				continue
			}
			if err := closeOrder(tx, no, order.Ending{By: order.ByTime, Reason: order.Expired}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(due), nil
}

// RemindInstalments announces instalments that fall due soon, and returns how
// many orders it examined.
func (a *App) RemindInstalments(ctx context.Context, shopID string) (int, error) {
	due, err := a.Store.DueReminders(ctx, shopID, a.Clock.Now().UTC(), expiryBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	_, err = Run(ctx, a, &Command{
		Shop: shopID, Name: "remind of instalments", Needs: Needs{rows.Orders.Keys(due...)},
	}, func(tx *Tx) error {
		for _, no := range due {
			o, err := tx.Order(no)
			if err != nil {
				return err
			}
			tx.Join(o.Data().Trace)
			o.Remind(tx.Now())
			tx.PutOrder(o)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(due), nil
}

// QueryPayments queries the payments whose next query is due, and returns how
// many there were. One whose channel does not answer is queried again on the
// payment's schedule. Each channel has its own slots, so that a slow one does
// not delay the others.
func (a *App) QueryPayments(ctx context.Context, shopID string) (int, error) {
	due, err := a.Store.DuePayments(ctx, shopID, a.Clock.Now().UTC(), queryBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var wg sync.WaitGroup
	slots := map[string]chan struct{}{}
	for _, p := range due {
		if slots[p.Channel] == nil {
			slots[p.Channel] = make(chan struct{}, queryAtOnce)
		}
		slot := slots[p.Channel]
		wg.Go(func() {
			slot <- struct{}{}
			defer func() { <-slot }()
			a.queryPayment(ctx, shopID, p.No)
		})
	}
	wg.Wait()
	return len(due), nil
}

// RunRefunds makes the channel calls of refunds that are due, and returns how
// many refunds there were.
func (a *App) RunRefunds(ctx context.Context, shopID string) (int, error) {
	due, err := a.Store.DueRefunds(ctx, shopID, a.Clock.Now().UTC(), queryBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, refundsAtOnce)
	for _, no := range due {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := a.advanceRefund(ctx, shopID, no); err != nil {
				a.Log.WarnContext(ctx, "a refund could not be advanced", "shop", shopID, "refundNo", no, "error", err)
			}
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
			err = a.queryAndSettle(ctx, shop, &ch, p)
			if errors.Is(err, payment.ErrNotExist) && p.Open() && a.Clock.Now().After(p.ExpiresAt.Add(overdue)) {
				// It has expired, and the channel does not know it: nobody opened it,
				// or the prepay never arrived.
				_, err = a.settleClosed(ctx, shop, p, "expired unpaid", ChannelMessage{})
			}
		} else if fault.Is(err, fault.ChannelNotConfigured) {
			err = errors.Join(err, a.queryUnanswered(ctx, shop, p, ChannelMessage{
				Order: p.Order, Payment: p.No, Channel: p.Channel, Kind: MessageQuery,
				At: a.Clock.Now().UTC(), Verdict: string(fault.ChannelNotConfigured),
			}))
		}
	}
	if err != nil && !errors.Is(err, payment.ErrNotExist) {
		a.Log.WarnContext(ctx, "a payment's query got no answer", "shop", shop, "paymentNo", no, "error", err)
	}
}
