package app

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/order"
	policy "github.com/tandem-pay/tandem/shop"
)

// cancelWait bounds how long a caller who cancels waits for the channel; the
// order closes by itself when the channel answers later.
const cancelWait = 4 * time.Second

// Cancellation is a request to cancel an order.
type Cancellation struct {
	Reason   string // for people; "" is order.Cancelled
	KeepPaid bool   // the shop keeps what was paid of it
	ByBuyer  bool   // a client token asks for it
}

// CancelOrder is Cancel by the shop, which gives back what was paid.
func (a *App) CancelOrder(ctx context.Context, shop, no, key, reason string) (OrderView, bool, error) {
	return a.Cancel(ctx, shop, no, key, Cancellation{Reason: reason})
}

// Cancel closes an order that is not paid, or has nothing to pay. If a payment
// of it is open, the channel is queried first: if the payment was paid
// meanwhile, so is the order. The order as it is afterwards is returned; one
// whose channel did not answer is still live and has Closing set.
func (a *App) Cancel(ctx context.Context, shop, no, key string, in Cancellation) (OrderView, bool, error) {
	reason := in.Reason
	if reason == "" {
		reason = order.Cancelled
	}
	if utf8.RuneCountInString(reason) > 256 {
		return OrderView{}, false, fault.Invalidf("/reason", "at most 256 characters")
	}
	if in.KeepPaid && in.ByBuyer {
		return OrderView{}, false, fault.New(fault.Forbidden, "only the shop, with a secret key, keeps what was paid")
	}
	c := &Command{
		Shop: shop, Name: "cancel order", Key: key, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Orders.Keys(no)},
	}
	if key != "" {
		c.Hash = Hash("cancel order "+no, reason)
		if in.KeepPaid {
			c.Hash = Hash("cancel order "+no, format.CancelRequest{Reason: reason, KeepPaid: true})
		}
	}
	end := order.Ending{By: order.ByRequest, Reason: reason}
	if in.KeepPaid {
		end.By = order.ByKeeping
	}
	replayed, err := Run(ctx, a, c, func(tx *Tx) error {
		if err := mayCancel(tx, no, in.ByBuyer); err != nil {
			return err
		}
		return closeOrder(tx, no, end)
	})
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

// mayCancel refuses a buyer's cancel of an order whose first part the shop keeps
// when the rest is not paid: with it nobody would lose that part.
func mayCancel(tx *Tx, no string, byBuyer bool) error {
	o, err := tx.Order(no)
	if err != nil || o == nil || !byBuyer || tx.Shop().Policies.UnpaidInstalment != policy.Forfeit {
		return err
	}
	if d := o.Data(); d.Status.Live() && d.Forfeitable() > 0 {
		return fault.New(
			fault.OrderNotCancellable, "the first instalment of order %s (%d) is not given back: only the shop can cancel it", no, d.Forfeitable(),
		)
	}
	return nil
}

// closeOrder closes the order at once if no payment of it is open. Otherwise the
// order begins to close, and its open payments are queried and closed first.
func closeOrder(tx *Tx, no string, end order.Ending) error {
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
			if err := o.BeginToClose(end); err != nil {
				return err
			}
			tx.PutOrder(o)
			return nil
		}
	}
	if err := o.Close(end, tx.Now()); err != nil {
		return err
	}
	tx.PutOrder(o)
	return nil
}
