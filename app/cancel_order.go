package app

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
)

// cancelWait bounds how long a caller who cancels waits for the channel; the
// order closes by itself when the channel answers later.
const cancelWait = 4 * time.Second

// CancelOrder closes an order that is not paid. If a payment of it is open, the
// channel is queried first: if the payment was paid meanwhile, so is the order.
// The order as it is afterwards is returned; one whose channel did not answer is
// still live and has Closing set.
func (a *App) CancelOrder(ctx context.Context, shop, no, key, reason string) (OrderView, bool, error) {
	if reason == "" {
		reason = order.Cancelled
	}
	if utf8.RuneCountInString(reason) > 256 {
		return OrderView{}, false, fault.Invalidf("/reason", "at most 256 characters")
	}
	c := &Command{
		Shop: shop, Name: "cancel order", Key: key, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Orders.Keys(no)},
	}
	if key != "" {
		c.Hash = Hash("cancel order "+no, reason)
	}
	replayed, err := Run(ctx, a, c, func(tx *Tx) error { return closeOrder(tx, no, reason) })
	if err != nil {
		return OrderView{}, false, err
	}
	view, err := a.Store.Order(ctx, shop, no)
	if err != nil || view.Order.Closing == "" {
		return view, replayed, err
	}
	ctx, cancel := context.WithTimeout(ctx, cancelWait)
	defer cancel()
	for _, p := range view.Payments {
		if !p.Open() {
			continue
		}
		if _, err := a.ClosePayment(ctx, shop, p.No); err != nil {
			// The job that order.closing enqueues tries again; until then
			// the order has Closing set.
			a.Log.WarnContext(ctx, "cancelling waits for the channel", "shop", shop, "orderNo", no, "paymentNo", p.No, "error", err)
		}
	}
	view, err = a.Store.Order(context.WithoutCancel(ctx), shop, no)
	return view, replayed, err
}

// closeOrder closes the order at once if no payment of it is open. Otherwise the
// order begins to close, and its open payments are queried and closed first.
func closeOrder(tx *Tx, no, reason string) error {
	o, err := tx.Order(no)
	if err != nil {
		return err
	}
	if o == nil {
		return fault.New(fault.NotFound, "there is no order %s", no)
	}
	tx.Join(o.Data().Trace)
	for _, p := range tx.PaymentsOf(no) {
		if p.Data().Open() {
			if err := o.BeginToClose(reason); err != nil {
				return err
			}
			tx.PutOrder(o)
			return nil
		}
	}
	if err := o.Close(reason, tx.Now()); err != nil {
		return err
	}
	tx.PutOrder(o)
	return nil
}
