package app_test

import (
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// TestRepeatLate: a repeat is answered as the call was, though a due date of
// its plan has passed since; another call is refused.
func TestRepeatLate(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		for name, do := range map[string]func(key string, in app.PlaceOrder) (order.Data, bool, error){
			"place": func(key string, in app.PlaceOrder) (order.Data, bool, error) {
				return r.PlaceOrder(ctx, shop.Default, key, in)
			},
			"draft": func(key string, in app.PlaceOrder) (order.Data, bool, error) {
				return r.DraftOrder(ctx, shop.Default, key, in)
			},
		} {
			in := harness.Cart("u", "A")
			in.Plan = []order.Instalment{{Amount: 400}, {Amount: 600, DueAt: r.Clock.Now().Add(time.Hour)}}
			first, _, err := do(name, in)
			must(t)(nil, err)
			r.Clock.Advance(2 * time.Hour)
			again, replayed, err := do(name, in)
			if err != nil || !replayed || again.No != first.No {
				t.Errorf("%s: %s again: %v %v, want %s", name, again.No, replayed, err, first.No)
			}
			if _, _, err := do(name+" 2", in); !fault.Is(err, fault.ValidationFailed) {
				t.Errorf("%s with another key: %v", name, err)
			}
		}
		r.Audit()
	})
}

// TestRefusedPrepay: the repeat of a payment that the channel refused has the
// same refusal.
func TestRefusedPrepay(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		no := place(t, r, harness.Cart("u", "A")).No
		r.Gate.Fail = func(string, string) (error, bool) {
			return &payment.RejectedError{Code: "NO_AUTH", Message: "the merchant may not"}, false
		}
		in := app.OpenPayment{Channel: "gate", Method: payment.Native}
		_, _, first := r.OpenPayment(ctx, shop.Default, no, "p", in)
		r.Gate.Fail = nil
		_, _, again := r.OpenPayment(ctx, shop.Default, no, "p", in)
		if !fault.Is(first, fault.ChannelRejected) || again == nil || again.Error() != first.Error() {
			t.Errorf("%v, then %v", first, again)
		}
		r.Audit()
	})
}

// TestCouponOfClosedOrder: a coupon can be used as soon as the order that held
// it is closed, before any reaction.
func TestCouponOfClosedOrder(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		no := place(t, r, harness.Cart("u", "A", "C5")).No
		if _, _, err := r.PlaceOrder(ctx, shop.Default, "", harness.Cart("u", "A", "C5")); !fault.Is(err, fault.CouponUnavailable) {
			t.Errorf("two orders with a coupon: %v", err)
		}
		must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		next := place(t, r, harness.Cart("u", "A", "C5")).No
		r.Audit()
		if c, err := r.Store.Coupon(ctx, shop.Default, "C5"); err != nil || c.Status != marketing.Locked || c.Order != next {
			t.Errorf("%s by %s (%v), want %s", c.Status, c.Order, err, next)
		}
	})
}

// TestExhausted: a promotion is named as used up only if that made the price
// another.
func TestExhausted(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		promote(t, r, tenOff(func(p *pricing.Promotion) { p.UsageLimit = 1 }))
		place(t, r, harness.Cart("first", "A"))
		for _, draft := range []bool{false, true} {
			for expected, want := range map[int64]fault.Code{900: fault.PromotionExhausted, 800: fault.PriceChanged} {
				in := harness.Cart("u", "A")
				in.Expected = &expected
				do := r.PlaceOrder
				if draft {
					do = r.DraftOrder
				}
				if _, _, err := do(ctx, shop.Default, harness.Key(0), in); !fault.Is(err, want) {
					t.Errorf("expected %d (draft: %v): %v, want %s", expected, draft, err, want)
				}
			}
		}
		r.Audit()
	})
}
