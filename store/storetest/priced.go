package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// testPriced: orders come in the order of their numbers, with their snapshots;
// the borders of the period keep others out, and so does never having been
// placed. One that was a draft counts from when it was submitted.
func testPriced(e *env) {
	day := 24 * time.Hour
	from := now.Truncate(day)
	to := from.Add(day)
	var c changes
	want := []app.PricedOrder{}
	for i, test := range []struct {
		at     time.Time
		change func(o *order.Data)
		in     bool
	}{
		{from.Add(-order.DraftExpiry), func(o *order.Data) { o.SubmittedAt = to.Add(-time.Microsecond) }, true},
		{from.Add(-order.DraftExpiry - time.Millisecond), func(o *order.Data) { o.SubmittedAt = from }, false}, // so old that it is not read
		{from.Add(-2 * day), func(o *order.Data) { o.SubmittedAt = from }, true},
		{from.Add(-2 * day), func(o *order.Data) { o.SubmittedAt = from.Add(-time.Microsecond) }, false},
		{from.Add(-day), func(o *order.Data) { o.Plan = []order.Instalment{{Amount: 100, DueAt: now}} }, false},
		{from.Add(-day), func(o *order.Data) { *o = draftNamed(o.No); o.CreatedAt = from.Add(-day) }, false},
		{from.Add(-time.Microsecond), func(*order.Data) {}, false},
		{from, func(*order.Data) {}, true},
		{from.Add(time.Hour), func(o *order.Data) {
			o.Status, o.ClosedAt, o.GoodsAt, o.GoodsGone = order.Closed, now, order.FirstPart, true
		}, true},
		{from.Add(time.Hour), func(o *order.Data) { *o = draftNamed(o.No); o.CreatedAt = now }, false},
		{from.Add(time.Hour), func(o *order.Data) { *o = draftNamed(o.No); o.CreatedAt, o.Status, o.ClosedAt = now, order.Closed, now }, false},
		{from.Add(2 * time.Hour), func(o *order.Data) { o.SubmittedAt = to }, false},
		{to.Add(-time.Millisecond), func(*order.Data) {}, true},
		{to, func(*order.Data) {}, false},
	} {
		o := plainOrder(fmt.Sprintf("%s%011d", app.FirstOrderNumber(test.at), i))
		o.User, o.Currency, o.CreatedAt = fmt.Sprint("u", i), "CNY", test.at
		full := fullOrder("")
		o.Items, o.Applied, o.Basis, o.Coupons = full.Items, full.Applied, full.Basis, full.Coupons
		test.change(&o)
		c.Orders = append(c.Orders, added(o)...)
		if test.in {
			want = append(want, app.PricedOrder{
				No: o.No, User: o.User, Status: o.Status, Currency: "CNY", Payable: o.Payable, PlacedAt: o.Placed(), Submitted: !o.SubmittedAt.IsZero(),
				ClosedAt: o.ClosedAt, GoodsGone: o.GoodsGone,
			})
		}
	}
	e.write(c)
	other := *e
	other.shop = e.newShop()
	other.write(c)

	type snapshot struct {
		Items   []pricing.QuoteLine
		Applied []pricing.Applied
		Basis   *pricing.Basis
		Coupons []string
	}
	full := fullOrder("")
	got := []app.PricedOrder{}
	e.must(e.EachPriced(e.Context(), e.shop, from, to, func(p *app.PricedOrder) error {
		var s snapshot
		if err := json.Unmarshal(p.Snapshot, &s); err != nil {
			return err
		}
		e.same("the snapshot of "+p.No, snapshot{full.Items, full.Applied, full.Basis, full.Coupons}, s)
		p.Snapshot = nil
		got = append(got, *p)
		return nil
	}))
	e.same("placed in the period", want, got)

	// Earlier buyers: not those of drafts, of what was closed, or of what was
	// submitted later.
	var buyers []string
	e.must(e.EachBuyer(e.Context(), e.shop, from, func(user string) error {
		buyers = append(buyers, user)
		return nil
	}))
	slices.Sort(buyers)
	e.same("earlier buyers", []string{"u3", "u4", "u6"}, buyers)
	buyers = nil
	e.must(e.EachBuyer(e.Context(), e.shop, to, func(user string) error {
		buyers = append(buyers, user)
		return nil
	}))
	slices.Sort(buyers)
	e.same("buyers until the end", []string{"u0", "u1", "u12", "u2", "u3", "u4", "u6", "u7"}, buyers)

	// More often than there are connections.
	stop := errors.New("enough")
	for range 20 {
		if err := e.EachPriced(e.Context(), e.shop, from, to, func(*app.PricedOrder) error { return stop }); !errors.Is(err, stop) {
			e.Fatalf("a stream that is ended says %v", err)
		}
		if err := e.EachBuyer(e.Context(), e.shop, to, func(string) error { return stop }); !errors.Is(err, stop) {
			e.Fatalf("a stream that is ended says %v", err)
		}
	}
}

func draftNamed(no string) order.Data {
	o := fullDraft(no)
	o.Draft.Items = []event.Units{{Sku: "a", Quantity: 1}}
	return o
}
