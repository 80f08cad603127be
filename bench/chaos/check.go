package chaos

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// check compares, order by order, what the buyers' wallets gave and got by the
// gateway's trades with what the orders say; and looks at what is left over.
func (r *run) check(ctx context.Context) error {
	var suspense struct {
		Items []struct{ Amount int64 }
	}
	if err := r.c.must(ctx, "GET", "/v1/suspense", "", nil, &suspense); err != nil {
		return err
	}
	for _, s := range suspense.Items {
		r.report.Suspense += s.Amount
	}
	if r.report.Suspense != 0 {
		r.report.wrong("%d minor units in suspense", r.report.Suspense)
	}
	if err := r.eachRefund(ctx, "", func(d *refundView) error {
		r.report.Refunds[d.Cause+" "+d.Status]++
		if d.Status != "succeeded" {
			r.report.wrong("refund %s of order %s (%s) is %s", d.RefundNo, d.OrderNo, d.Cause, d.Status)
		}
		return nil
	}); err != nil {
		return err
	}
	var mu sync.Mutex
	var next, done atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, r.o.Clients)
	for range r.o.Clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(r.orders)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := r.checkOrder(ctx, r.orders[i], &mu); err != nil {
					errs <- err
					return
				}
				r.progress("check", done.Add(1), int64(len(r.orders)))
			}
		})
	}
	wg.Wait()
	close(errs)
	if err := ctx.Err(); err != nil {
		return err
	}
	return <-errs
}

func (r *run) checkOrder(ctx context.Context, no string, mu *sync.Mutex) error {
	if no == "" {
		return nil
	}
	var o struct {
		Status                                                     string
		PayableAmount, PaidAmount, RefundedAmount, RefundingAmount int64
		Payments                                                   []struct{ PaymentNo string }
	}
	if err := r.c.must(ctx, "GET", "/v1/orders/"+no, "", nil, &o); err != nil {
		return err
	}
	var paid, back int64
	for _, p := range o.Payments {
		var t struct {
			Amount         int64
			TransactionIDs []string
			Refunds        []struct {
				Amount int64
				State  string
			}
		}
		err := r.c.do(ctx, "GET", "/sandbox/trades/"+p.PaymentNo, "", nil, &t)
		var unknown *refusal
		if errors.As(err, &unknown) && unknown.status == 404 {
			continue // it never reached the gateway, or is a second transaction of another
		}
		if err != nil {
			return err
		}
		paid += t.Amount * int64(len(t.TransactionIDs))
		for _, f := range t.Refunds {
			if f.State == "succeeded" {
				back += f.Amount
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	r.report.Ends[o.Status]++
	r.report.Paid += paid
	r.report.Returned += back
	has := paid - back - r.byHand[no]
	switch {
	case has != o.PaidAmount-o.RefundedAmount:
		r.report.wrong(
			"order %s is %s with %d paid and %d refunded; its buyer paid %d, got back %d and %d by hand", no, o.Status,
			o.PaidAmount, o.RefundedAmount, paid, back, r.byHand[no],
		)
	case o.Status == "paid" && o.PaidAmount != o.PayableAmount, o.Status != "paid" && has != 0:
		r.report.wrong("order %s is %s, and %d of its buyer's money is kept", no, o.Status, has)
	case o.RefundingAmount != 0:
		r.report.wrong("order %s still promises %d", no, o.RefundingAmount)
	case o.Status != "paid" && o.Status != "closed" && o.Status != "refunded":
		r.report.wrong("order %s is %s", no, o.Status)
	}
	return nil
}
