package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

func testFacts(e *env) {
	var none *int64
	coupon := func(code, user string, status marketing.Status, from, until time.Time) marketing.CouponData {
		c := marketing.CouponData{Code: code, TemplateID: "t1", User: user, Status: status, ValidFrom: from, ValidUntil: until, IssuedAt: now, Version: 1}
		if status == marketing.Locked || status == marketing.Used {
			c.Order = "1001"
		}
		return c
	}
	hour, zero := now.Add(time.Hour), time.Time{}
	coupons := []marketing.CouponData{
		coupon("B-ends-soon", "u1", marketing.Available, zero, hour),
		coupon("A-ends-soon", "u1", marketing.Available, now, hour),
		coupon("C-ends-now", "u1", marketing.Available, zero, now),
		coupon("D-begins-late", "u1", marketing.Available, now.Add(time.Microsecond), zero),
		coupon("E-never-ends", "u1", marketing.Available, zero, zero),
		coupon("a-ends-first", "u1", marketing.Available, zero, now.Add(time.Microsecond)),
		coupon("F-locked", "u1", marketing.Locked, zero, zero),
		coupon("G-used", "u1", marketing.Used, zero, zero),
		coupon("H-revoked", "u1", marketing.Revoked, zero, zero),
		coupon("I-other's", "u2", marketing.Available, zero, zero),
		coupon("J-nobody's", "", marketing.Available, zero, zero),
	}
	e.write(changes{
		Skus: added(fullSku("a"), fullSku("b"), fullSku("c")), Users: added(fullUser("u1")), Coupons: added(coupons...),
		Counters: []unit.Pair[rows.Counter]{counted(app.CatalogueCounter, none, 3), counted("used/x", none, 5), counted("used/y", none, 6)},
	})
	read := func(n app.PriceInputNeeds) *app.PriceInputs {
		f, err := e.ReadPriceInputs(e.Context(), e.shop, &n)
		e.must(err)
		return f
	}
	code := func(d marketing.CouponData) string { return d.Code }

	f := read(app.PriceInputNeeds{})
	e.same("the shop", e.shop, f.Shop.ID)
	e.same("the catalogue's version", map[string]int64{app.CatalogueCounter: 3}, f.Counters)
	e.same("nothing else", []int{0, 0, 0}, []int{len(f.Skus), len(f.Coupons), len(f.Wallet)})

	f = read(app.PriceInputNeeds{
		Skus: []string{"c", "none", "a"}, User: "u1", Counters: []string{"used/y", "none"}, Coupons: []string{"J-nobody's", "none", "G-used"},
		Wallet: &app.WalletNeeds{User: "u1", Now: now, Limit: 10},
	})
	slices.SortFunc(f.Skus, func(a, b inventory.Data) int { return strings.Compare(a.Sku, b.Sku) })
	e.same("whole skus", []inventory.Data{fullSku("a"), fullSku("c")}, f.Skus)
	e.same("the user", fullUser("u1"), f.User)
	e.same("counters", map[string]int64{app.CatalogueCounter: 3, "used/y": 6}, f.Counters)
	e.same("coupons", []string{"G-used", "J-nobody's"}, sorted(f.Coupons, code))
	var wallet []string
	for _, c := range f.Wallet {
		wallet = append(wallet, c.Code)
	}
	e.same("the wallet, the soonest to expire first", []string{"a-ends-first", "A-ends-soon", "B-ends-soon", "E-never-ends"}, wallet)
	e.same("a whole coupon", coupons[0], f.Wallet[2])

	f = read(app.PriceInputNeeds{User: "nobody", Wallet: &app.WalletNeeds{User: "u1", Now: now, Limit: 2}})
	e.same("a plain user", shop.User{ID: "nobody"}, f.User)
	e.same("a part of the wallet", []string{"A-ends-soon", "a-ends-first"}, sorted(f.Wallet, code))
	e.same("the wallet of nobody", 0, len(read(app.PriceInputNeeds{Wallet: &app.WalletNeeds{User: "", Now: now, Limit: 9}}).Wallet))
}
