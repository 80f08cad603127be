package backtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/backtest"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

var ctx = context.Background()

// tested is a shop with a past: A costs 10.00, B 3.00. Its first day begins
// when it is made.
type tested struct {
	*harness.Harness
	t    *testing.T
	from time.Time
}

func backtested(t *testing.T, open steps.Open) *tested {
	t.Helper()
	r := open(nil)
	lots := int64(1000)
	for sku, price := range map[string]int64{"A": 1000, "B": 300, "GIFT": 50} {
		steps.Must(t)(r.PutSku(ctx, shop.Default, sku, inventory.Definition{Name: sku, Price: price, Stock: &lots}))
	}
	w := &tested{Harness: r, t: t, from: r.Clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)}
	w.at(0, 8)
	return w
}

// at moves to an hour of a day.
func (w *tested) at(day, hour int) {
	w.Clock.Advance(w.from.Add(time.Duration(24*day+hour) * time.Hour).Sub(w.Clock.Now()))
}

// order places an order of "2A 1B" with coupons, and what becomes of it:
// paid, refunded, closed or open.
func (w *tested) order(user, items, end string, coupons ...string) order.Data {
	w.t.Helper()
	o := steps.Place(w.t, w.Harness, request(user, items, coupons...))
	w.become(o.No, end)
	return o
}

func request(user, items string, coupons ...string) app.PlaceOrder {
	in := app.PlaceOrder{Cart: app.Cart{User: user, Coupons: coupons}}
	for _, item := range strings.Fields(items) {
		var it app.Item
		_, _ = fmt.Sscanf(item, "%d%s", &it.Quantity, &it.Sku)
		in.Items = append(in.Items, it)
	}
	return in
}

func (w *tested) become(no, end string) {
	w.t.Helper()
	switch end {
	case "closed":
		steps.Must(w.t)(nil, steps.Err(w.CancelOrder(ctx, shop.Default, no, "", "")))
	case "paid", "refunded":
		p := steps.Pay(w.t, w.Harness, no, 0)
		steps.Callback(w.t, w.Harness, p.No, w.Gate.Pay(p.No))
		if end == "refunded" {
			steps.Refund(w.t, w.Harness, no, order.RefundRequest{})
			steps.Rest(w.t, w.Harness)
		}
	}
	w.React()
}

func (w *tested) promote(p pricing.Promotion) {
	w.t.Helper()
	steps.Must(w.t)(nil, steps.Err(w.PutPromotion(ctx, shop.Default, "", p, true)))
}

// run backtests three days and returns what was found, without empty results.
func (w *tested) run(p pricing.Promotion) string {
	w.t.Helper()
	r, err := backtest.Run(ctx, w.Store, backtest.Request{Shop: shop.Default, Promotion: p, From: w.from, To: w.from.Add(72 * time.Hour)})
	if err != nil {
		w.t.Fatal(err)
	}
	var findings []string
	found := func(is bool, format string, args ...any) {
		if is {
			findings = append(findings, fmt.Sprintf(format, args...))
		}
	}
	split := func(s backtest.Split) string {
		return fmt.Sprintf("%d (%d paid, %d refunded, %d closed, %d open)", s.All, s.Paid, s.Refunded, s.Closed, s.Open)
	}
	effects := func(what string, list []backtest.RuleEffect) {
		for _, e := range list {
			found(true, "%s %s %s: %d orders, %d lost, %d, %v", what, e.Source, e.ID, e.Orders, e.Lost, e.Amount, e.Reasons)
		}
	}
	if r.Orders.All == r.Orders.Paid {
		found(true, "touched %d of %d", r.Touched.All, r.Orders.All)
	} else {
		found(true, "touched %s of %s", split(r.Touched), split(r.Orders))
	}
	for why, n := range r.Skipped {
		found(true, "skipped %s %d", why, n)
	}
	found(true, "cost %d", r.Cost)
	found(r.Exposure != r.Cost, "exposure %d", r.Exposure)
	found(r.Given != r.Cost, "given %d", r.Given)
	found(r.More.Orders > 0, "less %d %d, more %d %d", r.Less.Orders, r.Less.Amount, r.More.Orders, r.More.Amount)
	effects("more by", r.MoreBy)
	effects("conflict", r.Conflicts)
	found(r.Coupons.Orders > 0, "coupons %v", r.Coupons)
	if r.Replaces != nil {
		found(true, "replaces %v: %d orders, %d", r.Replaces.Versions, r.Replaces.Orders, r.Replaces.Amount)
	}
	dayOf := func(day string) int {
		at, _ := time.Parse(time.DateOnly, day)
		return int(at.Sub(w.from) / (24 * time.Hour))
	}
	for _, l := range r.Limits {
		reached := "never"
		if l.Reached != "" {
			reached = fmt.Sprint("on day ", dayOf(l.Reached))
		}
		found(true, "%s: %d of %d, reached %s, %d refused", l.Limit, l.Used, l.Of, reached, l.Refused)
	}
	found(r.GiftAssumed, "gift assumed")
	w.adds(r)
	return strings.Join(findings, "; ")
}

// adds checks what holds for every report, and that nothing was changed.
func (w *tested) adds(r *backtest.Report) {
	w.t.Helper()
	var days, touched, orders, levels int64
	for _, d := range r.Days {
		days, touched, orders = days+d.Cost, touched+d.Touched, orders+d.Orders
	}
	for _, l := range r.Levels {
		levels += l.Amount
	}
	if len(r.Days) != 3 || days != r.Cost || levels != r.Cost || r.First.Amount+r.Returning.Amount != r.Cost || r.Less.Amount-r.More.Amount != r.Cost ||
		touched != r.Touched.Paid || r.First.Orders+r.Returning.Orders != touched || orders != r.Orders.All {
		w.t.Errorf("it does not add up: %+v", r)
	}
	w.Audit()
}

func percentOff(id string, percent money.Percent, change ...func(*pricing.Promotion)) pricing.Promotion {
	p := pricing.Promotion{ID: id, Name: id, Kind: "percent_off", PercentOff: &percent}
	for _, c := range change {
		c(&p)
	}
	return p
}

func amountOff(id string, threshold, off int64, change ...func(*pricing.Promotion)) pricing.Promotion {
	p := pricing.Promotion{ID: id, Name: id, Kind: "amount_off", Threshold: threshold, AmountOff: off}
	for _, c := range change {
		c(&p)
	}
	return p
}

func TestBacktest(t *testing.T) {
	ten := percentOff("", 1000)
	tenWith := func(change func(*pricing.Promotion)) pricing.Promotion { return percentOff("", 1000, change) }
	first := func(p *pricing.Promotion) { p.Priority = 9 }
	ofGroup := func(p *pricing.Promotion) { p.ExclusiveGroup = "g" }
	twice := func(w *tested) { // on two days
		w.order("u", "1A", "paid")
		w.at(1, 8)
		w.order("v", "1A", "paid")
	}
	for _, tt := range []struct {
		name  string
		life  func(w *tested)
		draft pricing.Promotion
		want  string
	}{
		{"no orders", func(*tested) {}, ten, "touched 0 of 0; cost 0"},
		{"ten per cent", twice, ten, "touched 2 of 2; cost 200"},
		{"of another sku", twice, tenWith(func(p *pricing.Promotion) { p.Scope = &pricing.Scope{Skus: []string{"B"}} }), "touched 0 of 2; cost 0"},
		{"for another level", func(w *tested) {
			steps.Must(w.t)(w.PutUser(ctx, shop.Default, shop.User{ID: "u", Level: "gold"}))
			twice(w)
		}, tenWith(func(p *pricing.Promotion) { p.UserLevels = []string{"gold"} }), "touched 1 of 2; cost 100"},
		{"what became of them", func(w *tested) {
			for _, end := range []string{"paid", "refunded", "closed", "open"} {
				w.order("u", "1A", end)
			}
		}, ten, "touched 4 (1 paid, 1 refunded, 1 closed, 1 open) of 4 (1 paid, 1 refunded, 1 closed, 1 open); cost 100; exposure 400"},
		{"in the period only", func(w *tested) {
			w.order("u", "1A", "paid")
			w.at(3, 0)
			w.order("v", "1A", "paid")
		}, ten, "touched 1 of 1; cost 100"},

		{"one use", twice, tenWith(func(p *pricing.Promotion) { p.UsageLimit = 1 }), "touched 1 of 2; cost 100; usageLimit: 1 of 1, reached on day 0, 1 refused"},
		{"a use given back", func(w *tested) {
			w.order("u", "1A", "closed")
			w.at(1, 8)
			w.order("v", "1A", "paid")
		}, tenWith(func(p *pricing.Promotion) { p.UsageLimit = 1 }), "touched 2 (1 paid, 0 refunded, 1 closed, 0 open) of 2 (1 paid, 0 refunded, 1 closed, 0 open); " +
			"cost 100; exposure 200; usageLimit: 1 of 1, reached on day 0, 0 refused"},
		{"a use given back too late", func(w *tested) {
			o := w.order("u", "1A", "open")
			w.order("v", "1A", "paid")
			w.become(o.No, "closed")
		}, tenWith(func(p *pricing.Promotion) { p.UsageLimit = 1 }), "touched 1 (0 paid, 0 refunded, 1 closed, 0 open) of 2 (1 paid, 0 refunded, 1 closed, 0 open); " +
			"cost 0; exposure 100; usageLimit: 0 of 1, reached on day 0, 1 refused"},
		{"a budget that ends on the second day", func(w *tested) {
			twice(w)
			w.order("w", "1B", "paid") // 30 would still be there
		}, tenWith(func(p *pricing.Promotion) { p.Budget = 199 }), "touched 2 of 3; cost 130; budget: 130 of 199, reached on day 1, 1 refused"},
		{"a budget that is met", twice, tenWith(func(p *pricing.Promotion) { p.Budget = 200 }), "touched 2 of 2; cost 200; budget: 200 of 200, reached on day 1, 0 refused"},
		{"once each", func(w *tested) {
			twice(w)
			w.order("u", "1A", "paid")
		}, tenWith(func(p *pricing.Promotion) { p.PerUserLimit = 1 }), "touched 2 of 3; cost 200; perUserLimit: -1 of 1, reached on day 1, 1 refused"},
		{"first orders", func(w *tested) {
			w.order("u", "1A", "closed") // is none
			twice(w)
			w.order("v", "1A", "paid")
		}, tenWith(func(p *pricing.Promotion) { p.FirstOrderOnly = true }), "touched 3 (2 paid, 0 refunded, 1 closed, 0 open) of 4 (3 paid, 0 refunded, 1 closed, 0 open); cost 200; exposure 300"},
		{"first orders of the shop, not of the period", func(w *tested) {
			w.order("u", "1A", "paid")
			w.from = w.from.Add(24 * time.Hour)
			w.at(0, 8)
			twice(w)
		}, tenWith(func(p *pricing.Promotion) { p.FirstOrderOnly = true }), "touched 1 of 2; cost 100"},
		{"a draft has its turn when it is submitted", func(w *tested) {
			d := steps.Draft(w.t, w.Harness, request("u", "1A"))
			steps.Draft(w.t, w.Harness, request("never", "1A"))
			w.from = w.from.Add(24 * time.Hour)
			w.at(0, 8)
			w.order("v", "1A", "paid")
			w.at(0, 9)
			steps.Must(w.t)(steps.Submit(w.Harness, d.No))
			w.become(d.No, "paid")
			w.order("w", "1B", "paid")
		}, tenWith(func(p *pricing.Promotion) { p.UsageLimit = 2 }), "touched 2 of 3; cost 200; usageLimit: 2 of 2, reached on day 0, 1 refused"},

		{"the better of a group", func(w *tested) {
			w.promote(amountOff("live", 100, 60, ofGroup))
			twice(w)
			w.order("w", "1B", "paid") // here live gives more than 30
		}, percentOff("", 1000, ofGroup), "touched 2 of 3; cost 80; given 200; conflict promotion live: 2 orders, 2 lost, 120, map[exclusive_group:2]"},
		{"below a threshold", func(w *tested) {
			w.promote(amountOff("live", 1000, 300))
			w.order("u", "1A", "paid") // 700 really; 900 with the draft
			w.order("u", "2A", "paid") // 1700; 1500
		}, percentOff("", 1000, first), "touched 2 of 2; cost 0; given 300; less 1 200, more 1 200; " +
			"more by promotion live: 1 orders, 1 lost, 300, map[threshold_not_met:1]; conflict promotion live: 1 orders, 1 lost, 300, map[threshold_not_met:1]"},
		{"units taken", func(w *tested) {
			half := money.Percent(5000)
			w.promote(pricing.Promotion{ID: "live", Name: "live", Kind: "nth_item", N: 2, PercentOff: &half})
			w.order("u", "2A", "paid") // 1500 really
		}, pricing.Promotion{Name: "set", Kind: "bundle", Items: []pricing.BundleItem{{Sku: "A", Quantity: 2}}, Price: 1200, Priority: 9},
			"touched 1 of 1; cost 300; given 800; conflict promotion live: 1 orders, 1 lost, 500, map[not_enough_units:1]"},
		{"less of a percentage", func(w *tested) {
			w.promote(percentOff("live", 1000))
			w.order("u", "1A", "paid") // 900 really; 800, then 720
		}, percentOff("", 2000, first), "touched 1 of 1; cost 180; given 200; conflict promotion live: 1 orders, 0 lost, 20, map[]"},
		{"a coupon that would be refused", func(w *tested) {
			steps.Must(w.t)(nil, steps.Err(w.PutTemplate(ctx, shop.Default, "", marketing.Template{ID: "five", Name: "5 off", Kind: "amount_off", AmountOff: 500, Threshold: 1000}, true)))
			steps.Must(w.t)(nil, steps.Err(w.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "five", Codes: []string{"C1", "C2"}})))
			w.order("u", "1A", "paid", "C1") // 500 really; 900 without it
			w.order("v", "2A", "paid", "C2") // 1500; 1300
		}, ten, "touched 2 of 2; cost -200; given 300; less 1 200, more 1 400; more by coupon five: 1 orders, 1 lost, 500, map[threshold_not_met:1]; " +
			"conflict coupon five: 1 orders, 1 lost, 500, map[threshold_not_met:1]; coupons {1 1 500}"},

		{"in the place of a live one", func(w *tested) {
			w.promote(percentOff("ten", 1000))
			twice(w)
			steps.Must(w.t)(nil, w.DeletePromotion(ctx, shop.Default, "ten"))
			w.order("w", "1B", "paid")
		}, percentOff("ten", 2500), "touched 3 of 3; cost 375; given 575; replaces [1]: 2 orders, 200"},
		{"in its place, for less", func(w *tested) {
			w.promote(percentOff("ten", 1000))
			twice(w)
		}, percentOff("ten", 1000, func(p *pricing.Promotion) { p.Scope = &pricing.Scope{Skus: []string{"B"}} }),
			"touched 2 of 2; cost -200; given 0; less 0 0, more 2 200; replaces [1]: 2 orders, 200"},
		{"in the place of one that was limited", func(w *tested) {
			w.promote(percentOff("ten", 1000, func(p *pricing.Promotion) { p.UsageLimit = 2 }))
			w.order("early", "1A", "paid")
			w.from = w.from.Add(24 * time.Hour)
			w.at(0, 8)
			twice(w)                   // one use was left
			w.order("w", "1B", "paid") // none
		}, percentOff("ten", 1000, func(p *pricing.Promotion) { p.UsageLimit = 3 }), "touched 1 of 3; cost 100; given 200; replaces [1]: 1 orders, 100; usageLimit: 2 of 3, reached on day 1, 1 refused"},

		{"a gift", func(w *tested) { twice(w); w.order("w", "1B", "paid") },
			pricing.Promotion{Name: "gift", Kind: "gift", Threshold: 500, GiftSku: "GIFT", GiftQuantity: 2, Budget: 250},
			"touched 2 of 3; cost 0; given 200; budget: 200 of 250, reached never, 0 refused; gift assumed"},
		{"a gift beyond the budget", twice,
			pricing.Promotion{Name: "gift", Kind: "gift", Threshold: 500, GiftSku: "GIFT", GiftQuantity: 2, Budget: 150},
			"touched 1 of 2; cost 0; given 100; budget: 100 of 150, reached on day 1, 1 refused; gift assumed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open steps.Open) {
				w := backtested(t, open)
				tt.life(w)
				tt.draft.Name = "draft"
				if got := w.run(tt.draft); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// TestBacktestRefusals: what cannot be tested is said, whatever the store.
func TestBacktestRefusals(t *testing.T) {
	harness.Each(t, func(t *testing.T, open steps.Open) {
		w := backtested(t, open)
		w.order("u", "1A", "paid")
		ended := w.from.Add(-time.Hour)
		for _, tt := range []struct {
			name   string
			change func(b *backtest.Request)
			code   fault.Code
			words  string
		}{
			{"an unknown shop", func(b *backtest.Request) { b.Shop = "none" }, fault.NotFound, "none"},
			{"a promotion at fault", func(b *backtest.Request) { b.Promotion.PercentOff = nil }, fault.ValidationFailed, "/percentOff"},
			{"no time", func(b *backtest.Request) { b.To = b.From }, fault.ValidationFailed, "after"},
			{"a promotion of another time", func(b *backtest.Request) { b.Promotion.EndsAt = &ended }, fault.ValidationFailed, "period"},
			{"a gift that is not there", func(b *backtest.Request) {
				b.Promotion = pricing.Promotion{Name: "g", Kind: "gift", Threshold: 1, GiftSku: "none", GiftQuantity: 1}
			}, fault.NotFound, "none"},
		} {
			b := backtest.Request{Shop: shop.Default, Promotion: percentOff("", 1000), From: w.from, To: w.from.Add(24 * time.Hour)}
			b.Promotion.Name = "draft"
			tt.change(&b)
			_, err := backtest.Run(ctx, w.Store, b)
			if !fault.Is(err, tt.code) || !strings.Contains(fmt.Sprint(err, fault.From(err).Fields), tt.words) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}
