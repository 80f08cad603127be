package app_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// withGift is a shop where from 10.00 on a buyer is given a mug, of which there
// are five.
func withGift(t *testing.T, open opener, limit func(*pricing.Promotion)) *harness.Harness {
	t.Helper()
	r := scene(t, open)
	r.Sku("S", 1000, 100)
	r.Sku("mug", 300, 5)
	p := pricing.Promotion{ID: "g", Name: "满10送杯", Kind: "gift", Threshold: 1000, GiftSku: "mug", GiftQuantity: 1}
	limit(&p)
	promote(t, r, p)
	return r
}

func stockOf(t *testing.T, r *harness.Harness, sku string) string {
	t.Helper()
	d, err := r.Store.Sku(ctx, shop.Default, sku)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d of %d", d.Reserved, d.OnHand)
}

// TestGifts: one row is one order with a gift rule, and what becomes of the
// gift's stock.
func TestGifts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		limit   func(*pricing.Promotion)
		items   []app.Item
		price   string // total, discount and payable
		gifts   int64
		after   string // the mugs reserved when it is placed
		payable int64
	}{
		{"given", nil, []app.Item{{Sku: "S", Quantity: 1}}, "1300 300 1000", 1, "1 of 5", 1000},
		{"below the threshold", nil, []app.Item{{Sku: "mug", Quantity: 3}}, "900 0 900", 0, "3 of 5", 900},
		{"beside bought ones of the same", nil, []app.Item{{Sku: "S", Quantity: 1}, {Sku: "mug", Quantity: 2}}, "1900 300 1600", 1, "3 of 5", 1600},
		{"the last ones are bought", nil, []app.Item{{Sku: "S", Quantity: 1}, {Sku: "mug", Quantity: 5}}, "2500 0 2500", 0, "5 of 5", 2500},
		{"more than there are", func(p *pricing.Promotion) { p.GiftQuantity = 6 }, []app.Item{{Sku: "S", Quantity: 1}}, "1000 0 1000", 0, "0 of 5", 1000},
		{"of a sku that is not there", func(p *pricing.Promotion) { p.GiftSku = "cup" }, []app.Item{{Sku: "S", Quantity: 1}}, "1000 0 1000", 0, "0 of 5", 1000},
		{"its value is beyond the budget", func(p *pricing.Promotion) { p.Budget = 299 }, []app.Item{{Sku: "S", Quantity: 1}}, "1000 0 1000", 0, "0 of 5", 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				if tt.limit == nil {
					tt.limit = func(*pricing.Promotion) {}
				}
				r := withGift(t, open, tt.limit)
				in := app.PlaceOrder{Cart: app.Cart{User: "u", Items: tt.items}}
				q, err := r.Quote(ctx, shop.Default, in.Cart)
				must(t)(q, err)
				d := place(t, r, in)
				r.Audit()
				var gifts int64
				for _, l := range d.Items {
					if l.Gift {
						gifts += l.Quantity
					}
				}
				price := fmt.Sprint(d.Total, d.Discount, d.Payable)
				if price != tt.price || gifts != tt.gifts || stockOf(t, r, "mug") != tt.after || q.Payable != d.Payable || q.Total != d.Total {
					t.Errorf("%s with %d gifts, mugs %s; quoted %d", price, gifts, stockOf(t, r, "mug"), q.Payable)
				}
				// Paid, what was reserved is sold; given back in full, it is on hand again.
				p := pay(t, r, d.No, 0)
				callback(t, r, p.No, r.Gate.Pay(p.No))
				r.Audit()
				sold := 5 - gifts
				for _, i := range tt.items {
					if i.Sku == "mug" {
						sold -= i.Quantity
					}
				}
				if s := stockOf(t, r, "mug"); s != fmt.Sprintf("0 of %d", sold) {
					t.Errorf("paid: mugs %s, want 0 of %d", s, sold)
				}
				refund(t, r, d.No, order.RefundRequest{})
				rest(t, r)
				r.Audit()
				if s := stockOf(t, r, "mug"); s != "0 of 5" {
					t.Errorf("refunded: mugs %s", s)
				}
			})
		})
	}
}

// TestGiftRace: twenty orders at once, and five gifts: five have one, and all
// orders go through. Cancelled, they give them back.
func TestGiftRace(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		r.Sku("S", 1000, 100)
		r.Sku("mug", 300, 5)
		promote(t, r, pricing.Promotion{ID: "g", Name: "满10送杯", Kind: "gift", Threshold: 1000, GiftSku: "mug", GiftQuantity: 1, UsageLimit: 100})
		placed := make([]order.Data, 20)
		if err := errors.Join(harness.Together(len(placed), func(i int) (err error) {
			placed[i], _, err = instances[i%len(instances)].PlaceOrder(ctx, shop.Default, harness.Key(i), harness.Cart(fmt.Sprint("u", i), "S"))
			return err
		})...); err != nil {
			t.Fatal(err)
		}
		r.Audit()
		if s, c := stockOf(t, r, "mug"), counters(t, r); s != "5 of 5" || c != "uses/g 5" {
			t.Errorf("mugs %s, counted %s", s, c)
		}
		for _, d := range placed {
			if d.Payable != 1000 {
				t.Errorf("%s costs %d", d.No, d.Payable)
			}
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, d.No, "", "")))
		}
		r.Audit()
		if s, c := stockOf(t, r, "mug"), counters(t, r); s != "0 of 5" || c != "" {
			t.Errorf("after all were cancelled: mugs %s, counted %s", s, c)
		}
	})
}
