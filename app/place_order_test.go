package app_test

import (
	"fmt"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/rig"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
)

// TestManyLimits: however many limited skus a cart has, their counters are
// there when they are asked for.
func TestManyLimits(t *testing.T) {
	r := scene(t, rig.Postgres(t))
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
