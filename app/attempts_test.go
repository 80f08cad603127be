package app_test

import (
	"fmt"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// An order has so many payments and no more, and stays as it was afterwards.
func TestPaymentsOfAnOrderEnd(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		o := place(t, r, harness.Cart("u", "A"))
		for range app.MaxPayments {
			pay(t, r, o.No, 0)
		}
		for i := range 3 {
			_, _, err := r.OpenPayment(ctx, shop.Default, o.No, fmt.Sprint("more", i), app.OpenPayment{Channel: "gate", Method: payment.Native})
			if err == nil || fault.From(err).Code != fault.OrderNotPayable {
				t.Errorf("one more: %v", err)
			}
		}
		v, err := r.Store.Order(ctx, shop.Default, o.No)
		if err != nil || len(v.Payments) != app.MaxPayments {
			t.Errorf("%d payments, %v", len(v.Payments), err)
		}
		r.Audit()
	})
}

// However often it is asked, the channel is queried once in a while.
func TestSyncIsPaced(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		o := place(t, r, harness.Cart("u", "A"))
		p := pay(t, r, o.No, 0)
		for range 2 {
			for range 20 {
				if _, err := r.SyncPaymentNow(ctx, shop.Default, p.No); err != nil {
					t.Fatal(err)
				}
			}
			r.Clock.Advance(app.SyncEvery)
		}
		if n := countMessages(t, r, app.MessageQuery, o.No); n != 2 {
			t.Errorf("%d queries, want 2", n)
		}
		r.Audit()
	})
}
