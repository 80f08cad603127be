package app_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// tenOff is a promotion of 1.00 off every order, before limits.
func tenOff(limit func(*pricing.Promotion)) pricing.Promotion {
	ten := money.Percent(1000)
	p := pricing.Promotion{ID: "ten", Name: "全场九折", Kind: "percent_off", PercentOff: &ten}
	limit(&p)
	return p
}

func promote(t *testing.T, r *harness.Harness, p pricing.Promotion) {
	t.Helper()
	must(t)(nil, second(r.PutPromotion(ctx, shop.Default, "", p, true)))
}

// counters reads what is counted, as "name value", without what is 0.
func counters(t *testing.T, r *harness.Harness) string {
	t.Helper()
	var all []string
	if err := r.Store.Scan(ctx, shop.Default, unit.Scan{Visits: []unit.Visit{unit.Each(rows.Counters, func(c rows.Counter) error {
		if c.Value != 0 {
			all = append(all, fmt.Sprint(c.Name, " ", c.Value))
		}
		return nil
	})}}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

// TestLimitRaces: many orders at once compete for what is there for a few. Exactly
// so many have it, the others pay the full price, and when all are cancelled
// nothing is counted any more.
func TestLimitRaces(t *testing.T) {
	const orders = 40
	for _, tt := range []struct {
		name    string
		limit   func(*pricing.Promotion)
		user    func(i int) string
		granted int
		counted string
	}{
		{"a usage limit", func(p *pricing.Promotion) { p.UsageLimit = 12 }, func(i int) string { return fmt.Sprint("u", i) }, 12, "uses/ten 12"},
		{"a budget", func(p *pricing.Promotion) { p.Budget = 799 }, func(i int) string { return fmt.Sprint("u", i) }, 7, "spent/ten 700"},
		{"a limit per user", func(p *pricing.Promotion) { p.PerUserLimit = 3 }, func(i int) string { return fmt.Sprint("u", i%2) }, 6, "used/ten/u0 3, used/ten/u1 3"},
		{"first orders only", func(p *pricing.Promotion) { p.FirstOrderOnly = true }, func(i int) string { return fmt.Sprint("u", i%2) }, 2, "first/u0 1, first/u1 1"},
		{
			"all at once", func(p *pricing.Promotion) { p.UsageLimit, p.Budget, p.PerUserLimit = 9, 650, 4 }, func(i int) string { return fmt.Sprint("u", i%4) }, 6,
			"spent/ten 600, uses/ten 6",
		},
		{"no limit", func(*pricing.Promotion) {}, func(i int) string { return fmt.Sprint("u", i) }, orders, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			races(t, func(t *testing.T, instances ...*harness.Harness) {
				r := instances[0]
				r.Sku("S", 1000, orders)
				promote(t, r, tenOff(tt.limit))
				placed := make([]order.Data, orders)
				if err := errors.Join(harness.Together(orders, func(i int) (err error) {
					placed[i], _, err = instances[i%len(instances)].PlaceOrder(ctx, shop.Default, harness.Key(i), harness.Cart(tt.user(i), "S"))
					return err
				})...); err != nil {
					t.Fatal(err)
				}
				granted := 0
				for _, d := range placed {
					switch d.Discount {
					case 100:
						granted++
					case 0:
					default:
						t.Errorf("%d off", d.Discount)
					}
				}
				r.Audit()
				counted := counters(t, r)
				if tt.name == "all at once" { // who had it is the machine's choice
					counted = strings.Join(slices.DeleteFunc(strings.Split(counted, ", "), func(c string) bool { return strings.HasPrefix(c, "used/") }), ", ")
				}
				if granted != tt.granted || counted != tt.counted {
					t.Errorf("%d had it, want %d; counted %q, want %q", granted, tt.granted, counted, tt.counted)
				}
				for _, d := range placed {
					must(t)(nil, second(r.CancelOrder(ctx, shop.Default, d.No, "", "")))
				}
				r.Audit()
				if left := counters(t, r); left != "" {
					t.Errorf("after all were cancelled: %s", left)
				}
			})
		})
	}
}

// TestLimits: what a limit does to one order after the other.
func TestLimits(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		promote(t, r, tenOff(func(p *pricing.Promotion) { p.UsageLimit = 1 }))
		quoted := func(user string) int64 {
			t.Helper()
			q, err := r.Quote(ctx, shop.Default, harness.Cart(user, "A").Cart)
			if err != nil {
				t.Fatal(err)
			}
			return q.Payable
		}
		if quoted("u") != 900 {
			t.Fatal("the quote knows no promotion")
		}
		first := place(t, r, harness.Cart("u", "A"))
		if quoted("v") != 1000 {
			t.Error("a quote gives what is used up")
		}
		expected := int64(900)
		late := harness.Cart("v", "A")
		late.Expected = &expected
		if _, _, err := r.PlaceOrder(ctx, shop.Default, "", late); !fault.Is(err, fault.PromotionExhausted) || !strings.Contains(err.Error(), "ten") {
			t.Errorf("a buyer who was shown the promotion: %v", err)
		}
		expected = 950
		if _, _, err := r.PlaceOrder(ctx, shop.Default, "", late); !fault.Is(err, fault.PriceChanged) {
			t.Errorf("and a price that never was: %v", err)
		}
		must(t)(nil, second(r.CancelOrder(ctx, shop.Default, first.No, "", "")))
		r.React()
		again := place(t, r, harness.Cart("v", "A"))
		if again.Payable != 900 || quoted("u") != 1000 {
			t.Errorf("what was given back costs %d", again.Payable)
		}
		// A rule that is edited is another version; the order keeps its own.
		must(t)(nil, second(r.PutPromotion(ctx, shop.Default, "", tenOff(func(p *pricing.Promotion) { p.UsageLimit = 2 }), false)))
		third := place(t, r, harness.Cart("u", "A"))
		if third.Payable != 900 || third.Applied[0].Version != 2 || view(t, r, again.No).Order.Applied[0].Version != 1 {
			t.Errorf("after the limit was raised: %d by version %d", third.Payable, third.Applied[0].Version)
		}
		// Lowered below what is used: nobody else has it, and nothing is broken.
		must(t)(nil, second(r.PutPromotion(ctx, shop.Default, "", tenOff(func(p *pricing.Promotion) { p.UsageLimit = 1 }), false)))
		if quoted("w") != 1000 {
			t.Error("a limit that was lowered is passed")
		}
		r.Audit()
		// Deleted and made again, it is a version of its own.
		must(t)(nil, r.DeletePromotion(ctx, shop.Default, "ten"))
		p, _, err := r.PutPromotion(ctx, shop.Default, "", tenOff(func(*pricing.Promotion) {}), true)
		if err != nil || p.Version != 4 {
			t.Errorf("version %d, %v", p.Version, err)
		}
		if got := place(t, r, harness.Cart("w", "A")); got.Applied[0].Version != 4 || counters(t, r) != "uses/ten 2" {
			t.Errorf("by version %d, counted %s", got.Applied[0].Version, counters(t, r))
		}
		r.Audit()
	})
}

// TestFirstOrder: who has ordered before has no first order any more, but for
// orders that were closed.
func TestFirstOrder(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		early := place(t, r, harness.Cart("old", "A"))
		promote(t, r, tenOff(func(p *pricing.Promotion) { p.FirstOrderOnly = true }))
		for _, tt := range []struct {
			user string
			want int64
		}{{"old", 1000}, {"new", 900}, {"new", 1000}} {
			if d := place(t, r, harness.Cart(tt.user, "A")); d.Payable != tt.want {
				t.Errorf("%s pays %d, want %d", tt.user, d.Payable, tt.want)
			}
		}
		other := place(t, r, harness.Cart("third", "A"))
		for _, no := range []string{early.No, other.No} {
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		}
		r.React()
		if d := place(t, r, harness.Cart("third", "A")); d.Payable != 900 {
			t.Errorf("after the first was closed: %d", d.Payable)
		}
		if d := place(t, r, harness.Cart("old", "A")); d.Payable != 1000 {
			t.Errorf("the other order of old's is still there: %d", d.Payable)
		}
		r.Audit()
	})
}
