package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/store/storetest"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// benchOrders is how many orders the benchmark prices again.
const benchOrders = 200_000

// pastOrders writes paid orders of two lines over 30 days from a day on, priced
// by rules of one version: two live promotions of which one applies to half of
// the orders.
func pastOrders(b *testing.B, flags dbFlags, from time.Time, n int) {
	b.Helper()
	ctx := b.Context()
	db, _, err := flags.open(ctx, quiet())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	if err := db.EnsureShop(ctx, shop.Shop{ID: shop.Default, Name: "bench", Currency: "CNY", CreatedAt: from}); err != nil {
		b.Fatal(err)
	}
	five := money.Percent(500)
	live := []pricing.Promotion{
		{ID: "five", Name: "会员95折", Kind: "percent_off", PercentOff: &five, ExclusiveGroup: "g", Version: 1},
		{ID: "full", Name: "满100减10", Kind: "amount_off", Threshold: 10_000, AmountOff: 1000, Version: 1},
	}
	rules := pricing.Compile(live)
	change := storetest.Changes{Now: from, BumpRules: true}
	for i := range live {
		change.Promotions = append(change.Promotions, storetest.Added(live[i])...)
		change.Rules = append(change.Rules, rows.RuleVersion{Kind: rows.OfPromotion, RuleChange: marketing.RuleChange{Since: 1, ID: live[i].ID, Version: 1, At: from, Promotion: &live[i]}})
	}
	commit := func() {
		b.Helper()
		u, _, err := db.Begin(ctx, shop.Default, unit.Needs{rows.Shop.Lock()})
		if err != nil {
			b.Fatal(err)
		}
		if err := u.Commit(ctx, change.Unit(shop.Shop{ID: shop.Default})); err != nil {
			b.Fatal(err)
		}
		change = storetest.Changes{Now: from}
	}
	commit()
	for i := range n {
		at := from.Add(time.Duration(i) * (30 * 24 * time.Hour / time.Duration(n))).Truncate(time.Microsecond)
		user := fmt.Sprintf("buyer-%05d", i*7919%20_000)
		in := pricing.Input{
			Currency: "CNY", Now: at, User: pricing.User{ID: user, Level: []string{"", "silver", "gold"}[i%3]}, Rules: rules,
			Lines: []pricing.Line{
				{Sku: fmt.Sprintf("sku-%04d", i%500), Name: "绿茶 Green tea", Categories: []string{"tea"}, UnitPrice: 1000 + int64(i%97)*100, Quantity: 1},
				{Sku: fmt.Sprintf("sku-%04d", 500+i%300), Name: "杯 Cup", Categories: []string{"ware"}, UnitPrice: 2500, Quantity: 2},
			},
		}
		q, err := pricing.Price(in)
		if err != nil {
			b.Fatal(err)
		}
		change.Orders = append(change.Orders, storetest.Added(order.Data{
			No: fmt.Sprintf("%s%011d", app.FirstOrderNumber(at), i), User: user, Status: order.Paid, Currency: "CNY",
			Total: q.Total, Discount: q.Discount, Payable: q.Payable, Paid: q.Payable, Items: q.Lines, Applied: q.Applied, Basis: pricing.BasisOf(&in, 1),
			CreatedAt: at, ExpiresAt: at.Add(time.Hour), PaidAt: at.Add(time.Minute), Seq: 2, Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		})...)
		if len(change.Orders) == 2000 {
			commit()
		}
	}
	commit()
}

// BenchmarkBacktest is the command itself, over 200,000 orders of two lines:
// a rule that is about every order, one that has a budget for a tenth of them,
// and one that is about one order in 500.
func BenchmarkBacktest(b *testing.B) {
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, database := range []string{"postgres", "sqlite"} {
		b.Run(database, func(b *testing.B) {
			flags, where := dbFlags{Data: b.TempDir()}, []string(nil)
			if database == "postgres" {
				flags.DB = pg.NewEmptyDatabase(b)
				where = []string{"--db", flags.DB}
			}
			where = append(where, "--data", flags.Data)
			pastOrders(b, flags, from, benchOrders)
			for name, promotion := range map[string]string{
				"every order": `{"name":"全场九折","kind":"percent_off","percentOff":10,"exclusiveGroup":"g"}`,
				"a budget":    `{"name":"全场九折","kind":"percent_off","percentOff":10,"budget":15000000}`,
				"one sku":     `{"name":"一件","kind":"fixed_price","price":500,"scope":{"skus":["sku-0001"]}}`,
			} {
				file := filepath.Join(b.TempDir(), "promotion.json")
				if err := os.WriteFile(file, []byte(promotion), 0o600); err != nil {
					b.Fatal(err)
				}
				b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
					var best int64
					for b.Loop() {
						var out, fails bytes.Buffer
						args := append([]string{"backtest", "--promotion", file, "--from", "2026-06-01", "--to", "2026-06-30", "--json"}, where...)
						if code := run(b.Context(), args, streams{&out, &fails}); code != 0 {
							b.Fatal(fails.String())
						}
						var r backtested
						if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Orders.All != benchOrders || r.Touched.All == 0 {
							b.Fatalf("%v: %d orders, %d touched", err, r.Orders.All, r.Touched.All)
						}
						best = max(best, r.OrdersPerSecond)
					}
					b.ReportMetric(float64(best), "orders/s")
					b.ReportMetric(0, "ns/op")
				})
			}
		})
	}
}
