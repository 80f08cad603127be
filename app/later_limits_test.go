package app_test

import (
	"testing"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// TestLaterLimits: a limit that comes later than orders is refused, also one
// that was taken off, and one of a promotion that was deleted.
func TestLaterLimits(t *testing.T) {
	limits := map[string]func(*pricing.Promotion){
		"usage":    func(p *pricing.Promotion) { p.UsageLimit = 3 },
		"per user": func(p *pricing.Promotion) { p.PerUserLimit = 3 },
		"budget":   func(p *pricing.Promotion) { p.Budget = 3000 },
	}
	none := func(*pricing.Promotion) {}
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		put := func(name string, create, refused bool, id string, limit func(*pricing.Promotion)) {
			t.Helper()
			p := tenOff(limit)
			p.ID = id
			_, _, err := r.PutPromotion(ctx, shop.Default, "", p, create)
			if refused != fault.Is(err, fault.ValidationFailed) || !refused && err != nil {
				t.Errorf("%s of %s: %v", name, id, err)
			}
		}
		for name, limit := range limits {
			id := "p" + name[:2]
			put("none", true, false, id, none)
			put("then "+name, false, true, id, limit)
			put("none again", false, false, id, none)
			id += "2"
			put(name, true, false, id, limit)
			put("higher", false, false, id, func(p *pricing.Promotion) { limit(p); p.Priority = 2 })
			put("taken off", false, false, id, none)
			put("put back", false, true, id, limit)
			must(t)(nil, r.DeletePromotion(ctx, shop.Default, id))
			put("made again", true, true, id, limit)
			put("made again without", true, false, id, none)
		}
		starts := r.Clock.Now().Add(time.Hour)
		put("announced", true, false, "soon", func(p *pricing.Promotion) { p.StartsAt = &starts })
		put("limited before it began", false, false, "soon", func(p *pricing.Promotion) { p.StartsAt, p.UsageLimit = &starts, 1 })

		sku := func(name string, limit int64, refused bool) {
			t.Helper()
			_, err := r.PutSku(ctx, shop.Default, "A", inventory.Definition{Name: "A", Price: 1000, MaxPerUser: limit})
			if refused != fault.Is(err, fault.ValidationFailed) || !refused && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		sku("limited before any order", 3, false)
		place(t, r, harness.Cart("u", "A"))
		sku("higher", 4, false)
		sku("taken off", 0, false)
		sku("put back, all were counted", 4, false)
		sku("taken off again", 0, false)
		no := place(t, r, harness.Cart("u", "A")).No
		sku("put back", 4, true)
		must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		sku("put back after the order closed", 4, false)
		r.Audit()
	})
}
