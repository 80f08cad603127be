package app_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
)

// TestManyLimits: however many limited skus a cart has, their counters are
// there when they are requested.
func TestManyLimits(t *testing.T) {
	r := scene(t, harness.Postgres(t))
	in := app.PlaceOrder{Cart: app.Cart{User: "u"}}
	for i := range 12 {
		sku, ten := fmt.Sprint("L", i), int64(10)
		must(t)(r.PutSku(ctx, shop.Default, sku, inventory.Definition{Name: sku, Price: 1, Stock: &ten, MaxPerUser: 2}))
		in.Items = append(in.Items, app.Item{Sku: sku, Quantity: 1})
	}
	place(t, r, in)
	_, err := submit(r, drafted(t, r, in).No)
	must(t)(nil, err)
	r.Audit()
}

// TestDuplicatesOfTheLastUnit: twenty at once with one key, at one instance and at
// two, have the last unit: none of them is refused.
func TestDuplicatesOfTheLastUnit(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		for round := range 5 {
			sku := fmt.Sprint("last-", round)
			r.Sku(sku, 100, 1)
			if err := errors.Join(harness.Together(20, func(i int) error {
				_, _, err := instances[i%len(instances)].PlaceOrder(ctx, shop.Default, sku, harness.Cart("u", sku))
				return err
			})...); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		r.Audit()
	})
}
