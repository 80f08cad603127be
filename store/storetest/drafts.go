package storetest

import (
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// fullDraft has everything that a draft can have.
func fullDraft(no string) order.Data {
	o := plainOrder(no)
	o.User, o.Status, o.Currency, o.Metadata = "u1", order.Draft, "CNY", map[string]string{"备注": "少冰"}
	o.Items = []pricing.QuoteLine{{Sku: "a", Quantity: 1, UnitPrice: 100, Total: 100, Payable: 100}}
	o.Draft = &order.DraftData{
		Items: []event.Units{{Sku: "a", Quantity: 1}}, Coupons: []string{"C1", "C2"}, ExpiresIn: time.Hour,
		Plan:     []order.Instalment{{Amount: 40}, {Amount: 60, DueAt: now.Add(time.Hour)}},
		Skipped:  []pricing.Skipped{{Source: pricing.FromCoupon, ID: "t1", Code: "C2", Reason: pricing.CouponLocked, Detail: "别的订单", Missing: 3}},
		EditedAt: now,
	}
	o.ExpiresAt = now.Add(order.DraftExpiry)
	return o
}

// testDrafts: all of a draft may change but its number, its buyer and when it
// was made; once it is placed its snapshot stays.
func testDrafts(e *env) {
	o, untouched := fullDraft("1001"), fullDraft("1002")
	e.write(changes{Orders: added(o, untouched)})
	needs := needs{Orders: []string{"1001", "1002"}}
	change := func(what string, change func(o *order.Data)) {
		e.Helper()
		u, l := e.begin(needs)
		e.same("before it is "+what, []order.Data{o, untouched}, l.Orders)
		was := o
		change(&o)
		o.Seq++
		e.must(e.commit(u, changes{Orders: changed(was, o)}))
		e.same(what, []order.Data{o, untouched}, e.load(needs).Orders)
	}
	change("edited", func(o *order.Data) {
		o.Total, o.Discount, o.Payable = 500, 150, 350
		o.Items = []pricing.QuoteLine{{Sku: "b", Quantity: 5, UnitPrice: 100, Total: 500, Discount: 150, Payable: 350}}
		o.Applied = []pricing.Applied{{Source: pricing.FromPromotion, ID: "p", Amount: 150, Shares: []pricing.Share{{Amount: 150}}}}
		o.Metadata, o.Draft, o.ExpiresAt = nil, &order.DraftData{EditedAt: now.Add(time.Hour)}, now.Add(time.Hour)
	})
	change("submitted", func(o *order.Data) {
		o.Status, o.Draft, o.SubmittedAt, o.ExpiresAt = order.PendingPayment, nil, now.Add(2*time.Hour), now.Add(3*time.Hour)
		o.Total, o.Discount, o.Payable, o.Applied = 400, 0, 400, nil
		o.Coupons, o.Counts, o.Metadata = []string{"C1"}, []event.Count{{Name: "c", Amount: 5}}, map[string]string{"a": "b"}
		o.Plan, o.GoodsAt, o.RemindAt = []order.Instalment{{Amount: 400, DueAt: now}}, order.FirstPart, now.Add(time.Minute)
	})
	change("paid in part", func(o *order.Data) { o.Status, o.Paid = order.PartiallyPaid, 100 })

	was, frozen := o, o
	frozen.Seq++
	frozen.Total, frozen.Payable, frozen.Items, frozen.Metadata, frozen.Coupons = 1000, 1000, nil, nil, nil
	u, _ := e.begin(needs)
	e.must(e.commit(u, changes{Orders: changed(was, frozen)}))
	o.Seq++
	e.same("the snapshot of one that was placed stays", []order.Data{o, untouched}, e.load(needs).Orders)

	// Another instance edited it first.
	stale := fullDraft("1002")
	stale.Seq = 9
	next := stale
	next.Seq++
	e.conflicts("a draft that moved on", e.try(changes{Orders: changed(stale, next)}))
	e.same("after the conflict", []order.Data{o, untouched}, e.load(needs).Orders)
}

// testMigrateDrafts: on the way down from their version drafts go, with all
// that was about them alone; the rest stays.
func testMigrateDrafts(e *env) {
	draft, discarded, placed := fullDraft("1001"), fullDraft("1002"), plainOrder("1003")
	discarded.Status, discarded.ClosedAt, discarded.CloseReason = order.Closed, now, order.Cancelled
	var keys []unit.SavedKey
	for _, no := range []string{"1001", "1002", "1003"} {
		keys = append(keys, unit.SavedKey{Key: "key of " + no, Order: no})
	}
	e.write(changes{Orders: added(draft, discarded, placed), Keys: keys, Records: []event.Record{
		record("1001", numbered(event.OrderDrafted, "1001", 1)), record("1002", numbered(event.OrderDrafted, "1002", 1)),
		record("1003", numbered(event.OrderPlaced, "1003", 1)), record("", event.Event{Type: event.RulesChanged}),
	}})
	needs := needs{Orders: []string{"1001", "1002", "1003"}, Keys: []string{"key of 1001", "key of 1002", "key of 1003"}}
	e.must(e.MigrateDownTo(e.Context(), 3))
	e.refuses("orders_status", e.try(changes{Orders: added(fullDraft("1004"))}))
	e.must(e.Migrate(e.Context()))
	l := e.load(needs)
	e.same("orders", []order.Data{discarded, placed}, l.Orders)
	e.same("keys", keys[1:], l.Keys)
	for no, want := range map[string]int{"1001": 0, "1002": 1, "1003": 1} {
		records, err := e.OrderEvents(e.Context(), e.shop, no, 0)
		e.must(err)
		e.same("events of "+no, want, len(records))
	}
	e.write(changes{Orders: added(draft)})
	due, err := e.DueOrders(e.Context(), e.shop, draft.ExpiresAt, 10)
	e.must(err)
	e.same("due", []string{"1003", "1001"}, due)
}
