package app_test

import (
	"fmt"
	"strings"
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

// ending is a backend with what an order can have: five units of F at 2.00,
// limited to 5 a buyer and in a promotion of a gift with limits; a coupon BACK
// of 5.00 that a refund gives back, and one FREE of 10.00 that does, too.
func ending(t *testing.T, open opener) *harness.Harness {
	t.Helper()
	r := scene(t, open)
	fifty := int64(50)
	must(t)(r.PutSku(ctx, shop.Default, "F", inventory.Definition{Name: "F", Price: 200, Stock: &fifty, MaxPerUser: 5}))
	r.Sku("G", 100, 50)
	promote(t, r, pricing.Promotion{
		ID: "gift", Name: "gift", Kind: "gift", Threshold: 1, GiftSku: "G", GiftQuantity: 1, Scope: &pricing.Scope{Skus: []string{"F"}},
		UsageLimit: 5, PerUserLimit: 5, Budget: 5000, FirstOrderOnly: true,
	})
	for code, off := range map[string]int64{"BACK": 500, "FREE": 1000} {
		must(t)(nil, second(r.PutTemplate(ctx, shop.Default, "", marketing.Template{
			ID: "t" + code, Name: code, Kind: "amount_off", AmountOff: off, ReturnOnRefund: true,
		}, true)))
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "t" + code, Codes: []string{code}})))
	}
	return r
}

// five is an order of 10.00 for five units of F, with a gift.
func five(t *testing.T, r *harness.Harness, coupon string, plan ...order.Instalment) string {
	t.Helper()
	in := app.PlaceOrder{Cart: app.Cart{User: "u", Items: []app.Item{{Sku: "F", Quantity: 5}}}, Plan: plan}
	if coupon != "" {
		in.Coupons = []string{coupon}
	}
	return place(t, r, in).No
}

// has is what an order of five and the shop have at rest: its state, what was
// paid and has gone back, the units of F and G on hand and reserved, the
// coupon, and whether anything is counted.
func has(t *testing.T, r *harness.Harness, no, coupon string) string {
	t.Helper()
	rest(t, r)
	r.Audit()
	d := view(t, r, no).Order
	s := fmt.Sprintf("%s %d-%d", d.Status, d.Paid, d.Refunded)
	for _, id := range []string{"F", "G"} {
		k, err := r.Store.Sku(ctx, shop.Default, id)
		must(t)(nil, err)
		s += fmt.Sprintf(" %s%d/%d", id, k.OnHand, k.Reserved)
	}
	if coupon != "" {
		c, err := r.Store.Coupon(ctx, shop.Default, coupon)
		must(t)(nil, err)
		s += " " + string(c.Status)
	}
	if strings.Contains(counters(t, r), "/u ") {
		s += " counted"
	}
	return s
}

func ask(t *testing.T, r *harness.Harness, no string, in app.RequestRefund) {
	t.Helper()
	must(t)(nil, second(r.RequestRefund(ctx, shop.Default, no, harness.Key(0), in)))
	rest(t, r)
}

// byLine requests units of lines, byAmount money, all the rest.
func byLine(units int64, restock *bool) app.RequestRefund {
	return app.RequestRefund{RefundRequest: order.RefundRequest{Items: []order.RefundItem{{Line: 0, Quantity: units}}}, Restock: restock}
}

func byAmount(n int64) app.RequestRefund {
	return app.RequestRefund{RefundRequest: order.RefundRequest{Amount: n}}
}

// TestEnds: what goes back when an order ends: money, units, coupons and what
// it counted, by the shop's policies, on both databases.
func TestEnds(t *testing.T) {
	yes, no := true, false
	const day = 24 * time.Hour
	keepOut, keep := shop.Policies{RefundedStock: shop.KeepOut}, shop.Policies{RefundedLimits: shop.KeepLimits}
	forfeit := shop.Policies{UnpaidInstalment: shop.Forfeit}
	first := shop.Policies{InstalmentGoods: shop.FirstPart}
	firstOut := shop.Policies{InstalmentGoods: shop.FirstPart, RefundedStock: shop.KeepOut, RefundedLimits: shop.KeepLimits}
	parts := func(r *harness.Harness, amounts ...int64) (plan []order.Instalment) {
		for i, a := range amounts {
			plan = append(plan, order.Instalment{Amount: a})
			if i > 0 {
				plan[i].DueAt = r.Clock.Now().Add(time.Duration(2*i) * day)
			}
		}
		return plan
	}
	type life = func(t *testing.T, r *harness.Harness) (orderNo, coupon string)
	paid := func(then func(t *testing.T, r *harness.Harness, no string)) life {
		return func(t *testing.T, r *harness.Harness) (string, string) {
			no := five(t, r, "BACK")
			paidPart(t, r, no, 500)
			rest(t, r)
			then(t, r, no)
			return no, "BACK"
		}
	}
	plan := func(then func(t *testing.T, r *harness.Harness, no string), amounts ...int64) life {
		return func(t *testing.T, r *harness.Harness) (string, string) {
			no := five(t, r, "BACK", parts(r, amounts...)...)
			then(t, r, no)
			return no, "BACK"
		}
	}
	free := func(then func(t *testing.T, r *harness.Harness, no string)) life {
		return func(t *testing.T, r *harness.Harness) (string, string) {
			no := five(t, r, "FREE")
			rest(t, r)
			then(t, r, no)
			return no, "FREE"
		}
	}
	cancel := func(in app.Cancellation) func(*testing.T, *harness.Harness, string) {
		return func(t *testing.T, r *harness.Harness, no string) {
			must(t)(nil, second(r.Cancel(ctx, shop.Default, no, "", in)))
		}
	}
	all := func(restock *bool) func(*testing.T, *harness.Harness, string) {
		return func(t *testing.T, r *harness.Harness, no string) { ask(t, r, no, app.RequestRefund{Restock: restock}) }
	}
	asked := func(all ...app.RequestRefund) func(*testing.T, *harness.Harness, string) {
		return func(t *testing.T, r *harness.Harness, no string) {
			for _, in := range all {
				ask(t, r, no, in)
			}
		}
	}
	// pays pays parts, then does the rest.
	pays := func(then func(*testing.T, *harness.Harness, string), amounts ...int64) func(*testing.T, *harness.Harness, string) {
		return func(t *testing.T, r *harness.Harness, no string) {
			for _, a := range amounts {
				paidPart(t, r, no, a)
				r.React()
			}
			then(t, r, no)
		}
	}
	late := func(t *testing.T, r *harness.Harness, _ string) { after(t, r, 10*day) }
	refused := func(in app.Cancellation, code fault.Code) func(*testing.T, *harness.Harness, string) {
		return func(t *testing.T, r *harness.Harness, no string) {
			if _, _, err := r.Cancel(ctx, shop.Default, no, "", in); !fault.Is(err, code) {
				t.Errorf("cancelled: %v, want %s", err, code)
			}
		}
	}
	for _, tt := range []struct {
		name     string
		policies shop.Policies
		life     life
		want     string
	}{
		{"paid", shop.Policies{}, paid(asked()), "paid 500-0 F45/0 G49/0 used counted"},
		{"refunded", shop.Policies{}, paid(all(nil)), "refunded 500-500 F50/0 G50/0 available"},
		{"refunded, limits kept", keep, paid(all(nil)), "refunded 500-500 F50/0 G50/0 available counted"},
		{"refunded, units kept out", keepOut, paid(all(nil)), "refunded 500-500 F45/0 G49/0 available"},
		{"refunded, to be restocked though", keepOut, paid(all(&yes)), "refunded 500-500 F50/0 G50/0 available"},
		{"refunded, not to be restocked", shop.Policies{}, paid(all(&no)), "refunded 500-500 F45/0 G49/0 available"},
		{"two units", shop.Policies{}, paid(asked(byLine(2, nil))), "paid 500-200 F47/0 G49/0 used counted"},
		{"two units, whatever the policy", keepOut, paid(asked(byLine(2, nil))), "paid 500-200 F47/0 G49/0 used counted"},
		{"two units that stay out", shop.Policies{}, paid(asked(byLine(2, &no))), "paid 500-200 F45/0 G49/0 used counted"},
		{"two units, then the rest", shop.Policies{}, paid(asked(byLine(2, nil), app.RequestRefund{})), "refunded 500-500 F50/0 G50/0 available"},
		{"two stay out, then the rest", shop.Policies{}, paid(asked(byLine(2, &no), app.RequestRefund{})), "refunded 500-500 F48/0 G50/0 available"},
		{"by units to the end", shop.Policies{}, paid(asked(byLine(2, nil), byLine(3, nil))), "refunded 500-500 F50/0 G50/0 available"},
		{"by units to the end, the gift by policy", keepOut, paid(asked(byLine(2, nil), byLine(3, nil))), "refunded 500-500 F50/0 G49/0 available"},
		{"by amount", shop.Policies{}, paid(asked(byAmount(200))), "paid 500-200 F45/0 G49/0 used counted"},
		{"by amount to the end", shop.Policies{}, paid(asked(byAmount(200), byAmount(300))), "refunded 500-500 F50/0 G50/0 available"},
		{"by amount to the end, kept out", keepOut, paid(asked(byAmount(200), byAmount(300))), "refunded 500-500 F45/0 G49/0 available"},
		{"by amount and units", shop.Policies{}, paid(asked(byAmount(100), byLine(1, nil), app.RequestRefund{})), "refunded 500-500 F50/0 G50/0 available"},
		{"corrected by hand between", shop.Policies{}, paid(func(t *testing.T, r *harness.Harness, no string) {
			ask(t, r, no, byLine(2, &yes))
			must(t)(nil, second(r.AdjustStock(ctx, shop.Default, "F", "", -1)))
			ask(t, r, no, app.RequestRefund{})
		}), "refunded 500-500 F49/0 G50/0 available"},
		{"units whose money went by amount", shop.Policies{}, paid(asked(byAmount(499), byLine(5, nil))), "refunded 500-500 F50/0 G50/0 available"},

		{"goods with the first part, cancelled", first, plan(pays(cancel(app.Cancellation{}), 200), 200, 300), "closed 200-200 F50/0 G50/0 available"},
		{"goods with the first part, expired", first, plan(pays(late, 200), 200, 300), "closed 200-200 F50/0 G50/0 available"},
		{"goods with the first part, cancelled at once", first, plan(func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			cancel(app.Cancellation{})(t, r, no)
		}, 200, 300), "closed 200-200 F50/0 G50/0 available"},
		{"goods with the first part, kept by policy", firstOut, plan(pays(late, 200), 200, 300), "closed 200-200 F45/0 G49/0 available counted"},

		{"the first part is forfeit", forfeit, plan(pays(late, 200), 200, 300), "closed 200-0 F50/0 G50/0 available"},
		{"the first part alone is forfeit", forfeit, plan(pays(late, 100, 150), 100, 150, 250), "closed 250-150 F50/0 G50/0 available"},
		{"the first part was not the one that was paid", forfeit, plan(pays(late, 300), 200, 300), "closed 300-300 F50/0 G50/0 available"},
		{"no plan, nothing is forfeit", forfeit, func(t *testing.T, r *harness.Harness) (string, string) {
			no := five(t, r, "BACK")
			paidPart(t, r, no, 200)
			late(t, r, no)
			return no, "BACK"
		}, "closed 200-200 F50/0 G50/0 available"},
		{"a text decides nothing", forfeit, plan(pays(cancel(app.Cancellation{Reason: order.Expired}), 200), 200, 300), "closed 200-200 F50/0 G50/0 available"},
		{"the shop keeps what was paid", shop.Policies{}, plan(pays(cancel(app.Cancellation{KeepPaid: true}), 200), 200, 300), "closed 200-0 F50/0 G50/0 available"},
		{"a buyer cannot keep it", shop.Policies{}, plan(pays(refused(app.Cancellation{KeepPaid: true, ByBuyer: true}, fault.Forbidden), 200), 200, 300), "partially_paid 200-0 F50/5 G50/1 locked counted"},
		{"a buyer cancels", shop.Policies{}, plan(pays(cancel(app.Cancellation{ByBuyer: true, Reason: "expired"}), 200), 200, 300), "closed 200-200 F50/0 G50/0 available"},
		{"a buyer cannot save a forfeit part", forfeit, plan(pays(refused(app.Cancellation{ByBuyer: true}, fault.OrderNotCancellable), 200), 200, 300), "partially_paid 200-0 F50/5 G50/1 locked counted"},
		{"a buyer cancels before the forfeit part", forfeit, plan(cancel(app.Cancellation{ByBuyer: true}), 200, 300), "closed 0-0 F50/0 G50/0 available"},

		{"of 0", shop.Policies{}, free(asked()), "paid 0-0 F45/0 G49/0 used counted"},
		{"of 0, cancelled", shop.Policies{}, free(cancel(app.Cancellation{})), "closed 0-0 F50/0 G50/0 available"},
		{"of 0, cancelled before any reaction", shop.Policies{}, func(t *testing.T, r *harness.Harness) (string, string) {
			no := five(t, r, "FREE")
			cancel(app.Cancellation{ByBuyer: true})(t, r, no)
			return no, "FREE"
		}, "closed 0-0 F50/0 G50/0 available"},
		{"of 0, refunded", shop.Policies{}, free(all(nil)), "refunded 0-0 F50/0 G50/0 available"},
		{"of 0, refunded, all kept", shop.Policies{RefundedStock: shop.KeepOut, RefundedLimits: shop.KeepLimits}, free(all(nil)), "refunded 0-0 F45/0 G49/0 available counted"},
		{"of 0, two units", shop.Policies{}, free(asked(byLine(2, nil))), "paid 0-0 F47/0 G49/0 used counted"},
		{"of 0, two units stay out, then the rest", shop.Policies{}, free(asked(byLine(2, &no), app.RequestRefund{})), "refunded 0-0 F48/0 G50/0 available"},
		{"of 0, by units to the end", shop.Policies{}, free(asked(byLine(2, nil), byLine(3, nil))), "refunded 0-0 F50/0 G50/0 available"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := ending(t, open)
				policies(t, r, tt.policies)
				no, coupon := tt.life(t, r)
				if got := has(t, r, no, coupon); got != tt.want {
					t.Errorf("%s\nwant %s", got, tt.want)
				}
				d := view(t, r, no).Order
				if d.Status == order.Refunded || d.Status == order.Closed {
					for what, err := range map[string]error{
						"refunded":  second(r.RequestRefund(ctx, shop.Default, no, harness.Key(1), byAmount(d.Refundable()+1))),
						"cancelled": second(r.CancelOrder(ctx, shop.Default, no, "", "")),
					} {
						if err == nil {
							t.Errorf("%s again", what)
						}
					}
				}
			})
		})
	}
}
