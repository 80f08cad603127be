package app_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// TestQuoteIsOrder: whatever is in the cart, and whatever others have used up,
// an order costs what the quote a moment before said, line by line and
// discount by discount; a coupon that the quote skips is one that the order is
// refused for. Every order is priced again from its own snapshot at the end.
func TestQuoteIsOrder(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		for i := range 5 {
			r.Sku(fmt.Sprint("s", i), int64(199+i*531), 100_000)
		}
		pct := func(p money.Percent) *money.Percent { return &p }
		for _, p := range []pricing.Promotion{
			{ID: "fixed", Kind: "fixed_price", Price: 450, Scope: &pricing.Scope{Skus: []string{"s1"}}},
			{ID: "set", Kind: "bundle", Items: []pricing.BundleItem{{Sku: "s0", Quantity: 1}, {Sku: "s2", Quantity: 1}}, Price: 1000, UsageLimit: 10},
			{ID: "three", Kind: "buy_x_get_y", Buy: 2, Get: 1, PerUserLimit: 3},
			{ID: "second", Kind: "nth_item", N: 2, PercentOff: pct(5000), Scope: &pricing.Scope{Skus: []string{"s3", "s4"}}},
			{ID: "any", Kind: "n_for_price", N: 3, Price: 2000, Priority: -1},
			{ID: "first", Kind: "percent_off", PercentOff: pct(1000), FirstOrderOnly: true, ExclusiveGroup: "g"},
			{ID: "off", Kind: "amount_off", Threshold: 3000, AmountOff: 250, Repeat: true, ExclusiveGroup: "g", Budget: 9_000},
			{ID: "tiers", Kind: "tiered", Tiers: []pricing.Tier{{Threshold: 4000, AmountOff: 100}, {Threshold: 9000, PercentOff: pct(333)}}},
			{ID: "mug", Kind: "gift", Threshold: 5000, GiftSku: "A", GiftQuantity: 2},
		} {
			p.Name = p.ID
			promote(t, r, p)
		}
		for _, m := range []marketing.Template{
			{ID: "tenth", Name: "tenth", Kind: "percent_off", PercentOff: pct(1000), Stackable: true},
			{ID: "much", Name: "much", Kind: "amount_off", AmountOff: 700, Threshold: 6000},
		} {
			must(t)(nil, second(r.PutTemplate(ctx, shop.Default, "", m, true)))
		}
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			in := app.PlaceOrder{Cart: app.Cart{User: fmt.Sprint("u", rapid.IntRange(0, 9).Draw(t, "user"))}}
			in.Items = append(in.Items, app.Item{Sku: fmt.Sprint("s", rapid.IntRange(0, 4).Draw(t, "sku")), Quantity: 1})
			for i := range 5 {
				if q := rapid.Int64Range(0, 4).Draw(t, "quantity"); q > 0 {
					in.Items = append(in.Items, app.Item{Sku: fmt.Sprint("s", i), Quantity: q})
				}
			}
			for _, template := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"tenth", "much", "five"}), 0, 3, rapid.ID).Draw(t, "coupons") {
				issued, _, err := r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: template, User: in.User})
				if err != nil {
					t.Fatal(err)
				}
				in.Coupons = append(in.Coupons, issued[0].Code)
			}
			q, err := r.Quote(ctx, shop.Default, in.Cart)
			if err != nil {
				t.Fatal(err)
			}
			in.Expected = &q.Payable
			n++
			d, _, err := r.PlaceOrder(ctx, shop.Default, harness.Key(n), in)
			if skipped := slices.ContainsFunc(q.Skipped, func(s pricing.Skipped) bool { return s.Source == pricing.FromCoupon }); skipped {
				if !fault.Is(err, fault.CouponNotApplicable) {
					t.Fatalf("a coupon that does not apply: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same := func(a, b pricing.Applied) bool {
				return a.ID == b.ID && a.Code == b.Code && a.Version == b.Version && a.Amount == b.Amount && slices.Equal(a.Shares, b.Shares)
			}
			if q.Total != d.Total || q.Payable != d.Payable || !slices.Equal(q.Lines, d.Items) || !slices.EqualFunc(q.Applied, d.Applied, same) {
				t.Fatalf("quoted %+v\nplaced %+v", q, d)
			}
		})
		r.Audit()
	})
}
