package app_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// refused demands that a submit is refused, and that the draft is as it was.
func refused(t *testing.T, r *harness.Harness, no string, code fault.Code, expected ...int64) {
	t.Helper()
	before, log := view(t, r, no), len(events(t, r))
	if _, err := submit(r, no, expected...); !fault.Is(err, code) {
		t.Errorf("submitted: %v, want %s", err, code)
	}
	if after := view(t, r, no); !reflect.DeepEqual(before, after) || len(events(t, r)) != log {
		t.Errorf("a refusal changed it:\n%+v\n%+v", before, after)
	}
}

// skips are the reasons for which the draft's coupons do not apply.
func skips(t *testing.T, r *harness.Harness, no string) (out []pricing.Reason) {
	t.Helper()
	for _, s := range view(t, r, no).Order.Draft.Skipped {
		if s.Source == pricing.FromCoupon {
			out = append(out, s.Reason)
		}
	}
	return out
}

// TestDrafts: lives of a draft of one A with the coupon (10.00 less 5.00), on
// both databases. What it comes to holds what any order in that state does.
func TestDrafts(t *testing.T) {
	edit := func(t *testing.T, r *harness.Harness, no string, in app.PlaceOrder) order.Data {
		t.Helper()
		d, err := r.EditDraft(ctx, shop.Default, no, nil, in)
		must(t)(nil, err)
		return d
	}
	submitted := func(t *testing.T, r *harness.Harness, no string, expected ...int64) order.Data {
		t.Helper()
		d, err := submit(r, no, expected...)
		must(t)(nil, err)
		return d
	}
	reprice := func(t *testing.T, r *harness.Harness, no string) order.Data {
		t.Helper()
		d, _, err := r.PriceDraft(ctx, shop.Default, no, "", nil)
		must(t)(nil, err)
		return d
	}
	price := func(t *testing.T, r *harness.Harness, price int64) {
		t.Helper()
		must(t)(r.PutSku(ctx, shop.Default, "A", inventory.Definition{Name: "A", Price: price}))
	}
	for _, tt := range []struct {
		name     string
		life     func(t *testing.T, r *harness.Harness, no string)
		os       order.Status
		payable  int64
		events   string
		reserved int64
		hand     int64
		cs       marketing.Status
	}{
		{"drafted", func(*testing.T, *harness.Harness, string) {}, order.Draft, 500, "drafted", 0, 25, marketing.Available},
		{"submitted", func(t *testing.T, r *harness.Harness, no string) {
			submitted(t, r, no, 500)
			c, err := r.Store.Coupon(ctx, shop.Default, "C5")
			if d := view(t, r, no).Order; err != nil || c.Order != no || !c.LockedUntil.Equal(d.ExpiresAt) || !d.ExpiresAt.Equal(d.SubmittedAt.Add(order.DefaultExpiry)) {
				t.Errorf("the coupon is held until %s by %s, the order expires at %s (%v)", c.LockedUntil, c.Order, d.ExpiresAt, err)
			}
		}, order.PendingPayment, 500, "drafted placed", 1, 25, marketing.Locked},
		{"submitted and paid", func(t *testing.T, r *harness.Harness, no string) {
			submitted(t, r, no)
			paidPart(t, r, no, 500)
		}, order.Paid, 500, "drafted placed paid", 0, 24, marketing.Used},
		{"submitted and cancelled", func(t *testing.T, r *harness.Harness, no string) {
			submitted(t, r, no)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		}, order.Closed, 500, "drafted placed closed", 0, 25, marketing.Available},
		{"edited, dearer meanwhile, submitted", func(t *testing.T, r *harness.Harness, no string) {
			in := harness.Cart("u", "A", "C5")
			in.Items[0].Quantity = 2
			if d := edit(t, r, no, in); d.Payable != 1500 {
				t.Errorf("edited: %d", d.Payable)
			}
			price(t, r, 1100)
			refused(t, r, no, fault.PriceChanged, 1500)
			if d := view(t, r, no).Order; d.Payable != 1500 || d.Seq != 2 {
				t.Errorf("it shows %d at %d", d.Payable, d.Seq)
			}
			if d := reprice(t, r, no); d.Payable != 1700 || d.Seq != 3 {
				t.Errorf("priced again: %d at %d", d.Payable, d.Seq)
			}
			submitted(t, r, no, 1700)
		}, order.PendingPayment, 1700, "drafted edited edited placed", 2, 25, marketing.Locked},
		{"dearer meanwhile, submitted at any price", func(t *testing.T, r *harness.Harness, no string) {
			price(t, r, 1200)
			submitted(t, r, no)
		}, order.PendingPayment, 700, "drafted placed", 1, 25, marketing.Locked},
		{"priced again at the same price", func(t *testing.T, r *harness.Harness, no string) {
			reprice(t, r, no)
			edit(t, r, no, harness.Cart("", "A", "C5"))
		}, order.Draft, 500, "drafted", 0, 25, marketing.Available},
		{"a promotion begins, submitted", func(t *testing.T, r *harness.Harness, no string) {
			must(t)(nil, second(r.PutPromotion(ctx, shop.Default, "", pricing.Promotion{ID: "p", Name: "2 off", Kind: "amount_off", Threshold: 1000, AmountOff: 200}, true)))
			submitted(t, r, no, 300)
		}, order.PendingPayment, 300, "drafted placed", 1, 25, marketing.Locked},
		{"the coupon serves another order meanwhile", func(t *testing.T, r *harness.Harness, no string) {
			other := place(t, r, harness.Cart("other", "A", "C5"))
			refused(t, r, no, fault.CouponUnavailable)
			if d := reprice(t, r, no); d.Payable != 1000 || !reflect.DeepEqual(skips(t, r, no), []pricing.Reason{pricing.CouponLocked}) {
				t.Errorf("priced again: %d, %v", d.Payable, skips(t, r, no))
			}
			refused(t, r, no, fault.CouponUnavailable)
			edit(t, r, no, harness.Cart("u", "A"))
			submitted(t, r, no, 1000)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, other.No, "", "")))
		}, order.PendingPayment, 1000, "drafted edited edited placed", 1, 25, marketing.Available},
		{"the stock goes meanwhile", func(t *testing.T, r *harness.Harness, no string) {
			in := harness.Cart("other", "A")
			in.Items[0].Quantity = 25
			other := place(t, r, in)
			refused(t, r, no, fault.OutOfStock)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, other.No, "", "")))
			r.React()
			submitted(t, r, no)
		}, order.PendingPayment, 500, "drafted placed", 1, 25, marketing.Locked},
		{"the user is blocked meanwhile", func(t *testing.T, r *harness.Harness, no string) {
			must(t)(r.PutUser(ctx, shop.Default, shop.User{ID: "u", Blocked: true}))
			refused(t, r, no, fault.UserBlocked)
		}, order.Draft, 500, "drafted", 0, 25, marketing.Available},
		{"limits count when it is submitted", func(t *testing.T, r *harness.Harness, no string) {
			in := harness.Cart("u", "B")
			in.Items[0].Quantity = 2
			first, other := drafted(t, r, in), drafted(t, r, in)
			submitted(t, r, first.No)
			refused(t, r, other.No, fault.PurchaseLimitExceeded)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, first.No, "", "")))
			r.React()
			submitted(t, r, other.No)
		}, order.Draft, 500, "drafted", 0, 25, marketing.Available},
		{"nothing to pay", func(t *testing.T, r *harness.Harness, no string) {
			price(t, r, 500)
			if d := submitted(t, r, no); d.PaidAt.IsZero() {
				t.Error("not paid")
			}
		}, order.Paid, 0, "drafted placed paid", 0, 24, marketing.Used},
		{"in parts", func(t *testing.T, r *harness.Harness, no string) {
			in := harness.Cart("u", "A", "C5")
			in.Plan = []order.Instalment{{Amount: 200}, {Amount: 301, DueAt: r.Clock.Now().Add(48 * time.Hour)}}
			edit(t, r, no, in)
			refused(t, r, no, fault.PriceChanged)
			in.Plan[1].Amount = 300
			edit(t, r, no, in)
			r.Clock.Advance(48 * time.Hour)
			refused(t, r, no, fault.ValidationFailed) // its date has come
			in.Plan[1].DueAt = r.Clock.Now().Add(48 * time.Hour)
			edit(t, r, no, in)
			if d := submitted(t, r, no); !d.ExpiresAt.Equal(d.SubmittedAt.Add(order.DefaultExpiry)) {
				t.Errorf("the deposit is due %s after the submit", d.ExpiresAt.Sub(d.SubmittedAt))
			}
			paidPart(t, r, no, 200)
		}, order.PartiallyPaid, 500, "drafted edited edited edited placed partially_paid", 1, 25, marketing.Locked},
		{"discarded", func(t *testing.T, r *harness.Harness, no string) {
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
			refused(t, r, no, fault.OrderFrozen)
		}, order.Closed, 500, "drafted closed", 0, 25, marketing.Available},
		{"nobody goes on with it", func(t *testing.T, r *harness.Harness, no string) {
			after(t, r, order.DraftExpiry-time.Second)
			if s := view(t, r, no).Order.Status; s != order.Draft {
				t.Errorf("it is %s before its time", s)
			}
			after(t, r, time.Second)
			if d := view(t, r, no).Order; d.CloseReason != order.Expired {
				t.Errorf("closed for %q", d.CloseReason)
			}
		}, order.Closed, 500, "drafted closed", 0, 25, marketing.Available},
		{"an edit gives it time", func(t *testing.T, r *harness.Harness, no string) {
			after(t, r, order.DraftExpiry-time.Second)
			edit(t, r, no, harness.Cart("u", "A"))
			after(t, r, order.DraftExpiry-time.Second)
			submitted(t, r, no)
		}, order.PendingPayment, 1000, "drafted edited placed", 1, 25, marketing.Available},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := scene(t, open)
				no := drafted(t, r, harness.Cart("u", "A", "C5")).No
				tt.life(t, r, no)
				want(t, r, no, tt.os, "succeeded", tt.reserved, tt.hand, tt.cs)
				if d := view(t, r, no).Order; d.Payable != tt.payable || orderEvents(t, r, no) != tt.events {
					t.Errorf("%d, %s; want %d, %s", d.Payable, orderEvents(t, r, no), tt.payable, tt.events)
				}
			})
		})
	}
}

// TestSubmittedAsPlaced: an order that was a draft is the order that placing
// would have made.
func TestSubmittedAsPlaced(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		must(t)(nil, second(r.PutPromotion(ctx, shop.Default, "", pricing.Promotion{ID: "p", Name: "2 off", Kind: "amount_off", Threshold: 1000, AmountOff: 200}, true)))
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "five", Codes: []string{"C6"}})))
		in := func(code string) app.PlaceOrder {
			return app.PlaceOrder{
				Cart:      app.Cart{User: "u-" + code, Items: []app.Item{{Sku: "B", Quantity: 1}, {Sku: "A", Quantity: 3}, {Sku: "B", Quantity: 1}}, Coupons: []string{code}},
				ExpiresIn: time.Hour, Metadata: map[string]string{"a": "b"},
			}
		}
		placed := place(t, r, in("C5"))
		d := drafted(t, r, in("C6"))
		d, err := submit(r, d.No, placed.Payable)
		must(t)(nil, err)
		if stored := view(t, r, d.No).Order; !reflect.DeepEqual(stored, d) {
			t.Errorf("stored %+v\nanswered %+v", stored, d)
		}
		if d.ExpiresAt.Sub(d.Placed()) != placed.ExpiresAt.Sub(placed.Placed()) || d.Counts[0].Amount != placed.Counts[0].Amount {
			t.Errorf("%+v\n%+v", d, placed)
		}
		// What is bound to differ.
		d.No, d.User, d.CreatedAt, d.SubmittedAt, d.ExpiresAt, d.Seq, d.Trace = placed.No, placed.User, placed.CreatedAt, placed.SubmittedAt, placed.ExpiresAt, placed.Seq, placed.Trace
		d.Counts, d.Coupons, d.Applied[1].Code = placed.Counts, placed.Coupons, placed.Applied[1].Code
		d.Basis.At = placed.Basis.At
		if !reflect.DeepEqual(d, placed) {
			t.Errorf("submitted %+v\nplaced %+v", d, placed)
		}
		r.Audit()
	})
}
