package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

func testRules(e *env) {
	rules, err := e.LoadRules(e.Context(), e.shop)
	e.must(err)
	e.same("rules of a new shop", []int64{0, 0}, []int64{rules.Version, int64(len(rules.Templates))})

	fixed := pricing.Promotion{ID: "p1", Name: "限时价", Kind: "fixed_price", Price: 1}
	e.write(changes{BumpRules: true, Promotions: added(fixed), Templates: added(fullTemplate("t1"))})
	u, l := e.begin(needs{Shop: true, Promotions: []string{"p1"}, Templates: []string{"t1"}})
	e.same("the version that a unit sees", int64(1), l.Shop.RulesVersion)
	template := l.Templates[0]
	template.Name, template.PercentOff = "改", nil
	e.must(e.commit(u, changes{BumpRules: true, Promotions: removed(l.Promotions[0]), Templates: changed(l.Templates[0], template)}))

	rules, err = e.LoadRules(e.Context(), e.shop)
	e.must(err)
	template.Version = 2
	e.same("version", int64(2), rules.Version)
	e.same("templates", map[string]*marketing.Template{"t1": &template}, rules.Templates)
	quote, err := pricing.Price(pricing.Input{Currency: "CNY", Now: now, Rules: rules.Promotions, Lines: []pricing.Line{{Sku: "a", UnitPrice: 100, Quantity: 1}}})
	e.must(err)
	e.same("the promotion is gone", int64(100), quote.Payable)
	facts, err := e.ReadPriceInputs(e.Context(), e.shop, &app.PriceInputNeeds{})
	e.must(err)
	e.same("the version alone", int64(2), facts.Shop.RulesVersion)

	e.must(e.try(changes{Promotions: added(fixed)}))
	facts, err = e.ReadPriceInputs(e.Context(), e.shop, &app.PriceInputNeeds{})
	e.must(err)
	e.same("the version without a bump", int64(2), facts.Shop.RulesVersion)
}

// testIssued: a template of which coupons are issued is the same rule still.
func testIssued(e *env) {
	e.write(changes{Templates: added(fullTemplate("t1"))})
	u, l := e.begin(needs{Templates: []string{"t1"}})
	issued := l.Templates[0]
	issued.Issued += 3
	e.must(e.commit(u, changes{Templates: changed(l.Templates[0], issued)}))
	e.same("after issuing", []marketing.Template{issued}, e.load(needs{Templates: []string{"t1"}}).Templates)
}

func testKeys(e *env) {
	has := func(key string) bool {
		e.Helper()
		has, err := e.HasKey(e.Context(), e.shop, key)
		e.must(err)
		return has
	}
	e.write(changes{Marker: "marker", Counters: []unit.Pair[rows.Counter]{counter("limit")}})
	e.same("the marker", []bool{true, false}, []bool{has("marker"), has("another")})
	e.same("a marker is a key without an answer", 1, len(e.load(needs{Keys: []string{"marker"}}).Keys))

	// A marker that is one of the keys is that key.
	e.write(changes{Marker: "key", Keys: []unit.SavedKey{{Key: "a"}, fullKey("key")}})
	e.same("the key", []unit.SavedKey{fullKey("key")}, e.load(needs{Keys: []string{"key"}}).Keys)
	e.conflicts("the same marker", e.try(changes{Marker: "key"}))
}

// pages reads a list page by page, a few at a time, and demands that each
// but the last is full.
func pages[D any](e *env, read func(app.Page) ([]D, string, error)) []D {
	e.Helper()
	var all []D
	for p := (app.Page{Limit: 3}); ; {
		items, next, err := read(p)
		e.must(err)
		if next != "" && len(items) != p.Limit || len(items) > p.Limit {
			e.Fatalf("a page of %d", len(items))
		}
		all = append(all, items...)
		if next == "" {
			return all
		}
		p.Cursor = next
	}
}

func testCatalogue(e *env) {
	var skus []inventory.Data
	var coupons []marketing.CouponData
	var promotions []pricing.Promotion
	var templates []marketing.Template
	// Byte order: upper case before lower, which a locale would mix.
	for i, id := range []string{"A-1", "B", "a", "a-2", "b", "c"} {
		skus = append(skus, fullSku(id))
		c := fullCoupon("C" + id)
		if i%2 == 1 {
			c.Status, c.Order = marketing.Available, ""
		}
		coupons = append(coupons, c)
		promotions, templates = append(promotions, fullPromotion(id)), append(templates, fullTemplate(id))
	}
	others := fullCoupon("Cx")
	others.User = "u2"
	nobodys := fullCoupon("Cy")
	nobodys.User = ""
	e.write(changes{
		Skus: added(skus...), Coupons: added(append(slices.Clone(coupons), others, nobodys)...), Promotions: added(promotions...), Templates: added(templates...),
		Users: added(fullUser("u1")),
	})
	ctx := e.Context()

	e.same("skus", skus, pages(e, func(p app.Page) ([]inventory.Data, string, error) { return e.ListSkus(ctx, e.shop, p) }))
	e.same("promotions", promotions, pages(e, func(p app.Page) ([]pricing.Promotion, string, error) { return e.ListPromotions(ctx, e.shop, p) }))
	e.same("templates", templates, pages(e, func(p app.Page) ([]marketing.Template, string, error) { return e.ListTemplates(ctx, e.shop, p) }))
	e.same("a user's coupons", coupons, pages(e, func(p app.Page) ([]marketing.CouponData, string, error) {
		return e.ListCoupons(ctx, e.shop, app.CouponFilter{User: "u1"}, p)
	}))
	e.same("those that are locked", []marketing.CouponData{coupons[0], coupons[2], coupons[4]},
		pages(e, func(p app.Page) ([]marketing.CouponData, string, error) {
			return e.ListCoupons(ctx, e.shop, app.CouponFilter{User: "u1", Status: marketing.Locked, Now: now}, p)
		}))

	sku, err := e.Sku(ctx, e.shop, "a")
	e.must(err)
	e.same("sku", fullSku("a"), sku)
	some, err := e.SkusByID(ctx, e.shop, []string{"c", "none", "B"})
	e.must(err)
	e.same("skus by id", []string{"B", "c"}, sorted(some, func(d inventory.Data) string { return d.Sku }))
	coupon, err := e.Coupon(ctx, e.shop, "Cx")
	e.must(err)
	e.same("coupon", others, coupon)
	promotion, err := e.Promotion(ctx, e.shop, "b")
	e.must(err)
	e.same("promotion", fullPromotion("b"), promotion)
	template, err := e.Template(ctx, e.shop, "b")
	e.must(err)
	e.same("template", fullTemplate("b"), template)
	user, err := e.UserByID(ctx, e.shop, "u1")
	e.must(err)
	e.same("user", fullUser("u1"), user)
	user, err = e.UserByID(ctx, e.shop, "u9")
	e.must(err)
	e.same("a user that was never put", shop.User{ID: "u9"}, user)
	empty, err := e.SkusByID(ctx, e.shop, nil)
	e.must(err)
	e.same("no skus", 0, len(empty))

	for what, err := range map[string]error{
		"sku": second(e.Sku(ctx, e.shop, "none")), "coupon": second(e.Coupon(ctx, e.shop, "none")), "promotion": second(e.Promotion(ctx, e.shop, "none")),
		"template": second(e.Template(ctx, e.shop, "none")), "order": second(e.Order(ctx, e.shop, "none")), "payment": second(e.Payment(ctx, e.shop, "none")),
		"refund": second(e.Refund(ctx, e.shop, "none")), "reconciliation": second(e.Reconciliation(ctx, e.shop, "none")),
		"discrepancy": second(e.Discrepancy(ctx, e.shop, "none")),
		"channel":     second(e.ChannelRow(ctx, e.shop, "none")), "key": second(e.KeyByHash(ctx, []byte("none"))),
	} {
		if !fault.Is(err, fault.NotFound) {
			e.Errorf("a missing %s: %v", what, err)
		}
	}
}

func testOrders(e *env) {
	var want []app.OrderView
	var c changes
	for i := range 8 {
		no := fmt.Sprintf("10%02d", i)
		o := plainOrder(no)
		o.User = []string{"u1", "u2"}[i%2]
		o.CreatedAt = now.Add(time.Duration(i) * time.Minute)
		if i%4 == 0 {
			o.Status, o.Paid = order.Paid, o.Payable
		}
		if i == 5 {
			o.Status = order.Draft
		}
		v := app.OrderView{Order: o}
		for j := range i % 3 {
			v.Payments = append(v.Payments, plainPayment(fmt.Sprintf("2%d%02d", j, i), no))
		}
		want = append([]app.OrderView{v}, want...)
		c.Orders = append(c.Orders, added(o)...)
		c.Payments = append(c.Payments, added(v.Payments...)...)
	}
	e.write(c)
	list := func(what string, f app.OrderFilter, keep func(*order.Data) bool) {
		e.Helper()
		var wanted []app.OrderView
		for _, v := range want {
			if keep(&v.Order) {
				wanted = append(wanted, v)
			}
		}
		if len(wanted) == 0 {
			e.Fatalf("%s: nothing to find", what)
		}
		e.same(what, wanted, pages(e, func(p app.Page) ([]app.OrderView, string, error) { return e.ListOrders(e.Context(), e.shop, f, p) }))
	}
	list("all", app.OrderFilter{}, func(*order.Data) bool { return true })
	list("a user's", app.OrderFilter{User: "u2"}, func(o *order.Data) bool { return o.User == "u2" })
	list("drafts", app.OrderFilter{Status: order.Draft}, func(o *order.Data) bool { return o.Status == order.Draft })
	list("of a status", app.OrderFilter{Status: order.Paid}, func(o *order.Data) bool { return o.Status == order.Paid })
	from, to := now.Add(2*time.Minute), now.Add(6*time.Minute)
	list("of a time", app.OrderFilter{CreatedFrom: from, CreatedTo: to}, func(o *order.Data) bool { return !o.CreatedAt.Before(from) && o.CreatedAt.Before(to) })
	list("of a user, status and time", app.OrderFilter{User: "u1", Status: order.PendingPayment, CreatedFrom: from},
		func(o *order.Data) bool {
			return o.User == "u1" && o.Status == order.PendingPayment && !o.CreatedAt.Before(from)
		})
	everything, next, err := e.ListOrders(e.Context(), e.shop, app.OrderFilter{}, app.Page{Limit: 8})
	e.must(err)
	e.same("a page that is just full", []any{8, ""}, []any{len(everything), next})

	v, err := e.Order(e.Context(), e.shop, want[0].Order.No)
	e.must(err)
	e.same("one order", want[0], v)
	p, err := e.Payment(e.Context(), e.shop, want[0].Payments[0].No)
	e.must(err)
	e.same("one payment", want[0].Payments[0], p)
}

func testSettings(e *env) {
	ctx := e.Context()
	working, revoked := e.fullAPIKey("k1"), e.fullAPIKey("k2")
	working.RevokedAt, working.CreatedAt = time.Time{}, now.Add(-time.Hour)
	wx, ali := fullChannel("wx"), fullChannel("ali")
	e.write(changes{APIKeys: added(working, revoked), Channels: added(wx, ali)})
	key, err := e.KeyByHash(ctx, bytes.Clone(working.Hash))
	e.must(err)
	e.same("the key of a hash", working, key)
	if _, err := e.KeyByHash(ctx, revoked.Hash); !fault.Is(err, fault.NotFound) {
		e.Errorf("a revoked key is found: %v", err)
	}
	keys, err := e.ListKeys(ctx, e.shop)
	e.must(err)
	e.same("keys, newest first", []shop.Key{revoked, working}, keys)
	channel, err := e.ChannelRow(ctx, e.shop, "wx")
	e.must(err)
	e.same("channel", wx, channel)
	channels, err := e.ListChannels(ctx, e.shop)
	e.must(err)
	slices.SortFunc(channels, func(a, b rows.Channel) int { return strings.Compare(a.Name, b.Name) })
	e.same("channels", []rows.Channel{ali, wx}, channels)
}

func testWork(e *env) {
	var c changes
	for i, change := range []func(*order.Data){
		func(o *order.Data) { o.ExpiresAt = now },
		func(o *order.Data) { o.ExpiresAt = now.Add(-time.Minute) },
		func(o *order.Data) { o.ExpiresAt = now.Add(time.Microsecond) },
		func(o *order.Data) { o.ExpiresAt, o.Closing = now, "expired" },
		func(o *order.Data) { o.ExpiresAt, o.Status, o.Paid = now, order.Paid, o.Payable },
		func(o *order.Data) { o.ExpiresAt, o.Status = now, order.Closed },
		func(o *order.Data) { o.ExpiresAt, o.Status = now.Add(-2*time.Minute), order.PaymentFailed },
		func(o *order.Data) { o.ExpiresAt, o.Status = now.Add(-3*time.Minute), order.PartiallyPaid },
		func(o *order.Data) { o.ExpiresAt, o.Status = now.Add(-4*time.Minute), order.Draft },
	} {
		o := plainOrder(fmt.Sprint(1000 + i))
		change(&o)
		c.Orders = append(c.Orders, added(o)...)
	}
	for i, change := range []func(*payment.Data){
		func(p *payment.Data) { p.NextQueryAt, p.CreatedAt, p.Channel = now, now.Add(-time.Hour), "wx" },
		func(p *payment.Data) { p.NextQueryAt, p.Status = now.Add(-time.Second), payment.StatusPending },
		func(p *payment.Data) { p.NextQueryAt = now.Add(time.Microsecond) },
		func(p *payment.Data) { p.Status = payment.StatusClosed },
	} {
		p := plainPayment(fmt.Sprint(2000+i), "1000")
		change(&p)
		c.Payments = append(c.Payments, added(p)...)
	}
	e.write(c)
	orders, err := e.DueOrders(e.Context(), e.shop, now, 100)
	e.must(err)
	e.same("due orders, oldest first", []string{"1008", "1007", "1006", "1001", "1000"}, orders)
	orders, err = e.DueOrders(e.Context(), e.shop, now, 2)
	e.must(err)
	e.same("two of them", []string{"1008", "1007"}, orders)
	duePayments, err := e.DuePayments(e.Context(), e.shop, now, 100)
	e.must(err)
	e.same("due payments, oldest first", []app.DuePayment{{No: "2001"}, {No: "2000", Channel: "wx"}}, duePayments)
	c = changes{}
	for i, change := range []func(*order.Data){
		func(o *order.Data) { o.RemindAt = now },
		func(o *order.Data) { o.RemindAt, o.Status = now.Add(-time.Minute), order.PartiallyPaid },
		func(o *order.Data) { o.RemindAt = now.Add(time.Microsecond) },
		func(o *order.Data) { o.RemindAt, o.Status = now, order.Closed },
		func(o *order.Data) { o.RemindAt, o.Status, o.Paid = now, order.Paid, o.Payable },
	} {
		o := plainOrder(fmt.Sprint(1100 + i))
		change(&o)
		c.Orders = append(c.Orders, added(o)...)
	}
	for i, change := range []func(*payment.RefundData){
		func(r *payment.RefundData) { r.NextTryAt = now },
		func(r *payment.RefundData) { r.NextTryAt = now.Add(-time.Minute) },
		func(r *payment.RefundData) { r.NextTryAt = now.Add(time.Microsecond) },
		func(r *payment.RefundData) {
			r.NextTryAt, r.Status, r.DoneAt = time.Time{}, payment.RefundSucceeded, now
		},
	} {
		r := plainRefund(fmt.Sprint(3000+i), "1000")
		change(&r)
		c.Refunds = append(c.Refunds, added(r)...)
	}
	e.write(c)
	reminders, err := e.DueReminders(e.Context(), e.shop, now, 100)
	e.must(err)
	e.same("due reminders, oldest first", []string{"1101", "1100"}, reminders)
	reminders, err = e.DueReminders(e.Context(), e.shop, now, 1)
	e.must(err)
	e.same("one of them", []string{"1101"}, reminders)
	refunds, err := e.DueRefunds(e.Context(), e.shop, now, 100)
	e.must(err)
	e.same("due refunds, oldest first", []string{"3001", "3000"}, refunds)
	refunds, err = e.DueRefunds(e.Context(), e.shop, now, 1)
	e.must(err)
	e.same("one of those", []string{"3001"}, refunds)
	ages, err := e.PaymentAges(e.Context(), e.shop, now.Add(time.Minute))
	e.must(err)
	e.same("ages", map[payment.Status]app.Age{
		payment.StatusCreated: {Count: 2, Oldest: 61 * time.Minute}, payment.StatusPending: {Count: 1, Oldest: time.Minute},
	}, ages)
}

// testScan reads a shop while it changes: it sees none of it.
func testScan(e *env) {
	var want, got []string
	c := changes{Keys: []unit.SavedKey{fullKey("key")}, Cursors: []unit.Pair[rows.Cursor]{moved("stock", nil, 4)}}
	for i := range 3 {
		c.Skus = append(c.Skus, added(fullSku(fmt.Sprint("s", i)))...)
		c.Coupons = append(c.Coupons, added(fullCoupon(fmt.Sprint("C", i)))...)
		c.Templates = append(c.Templates, added(fullTemplate(fmt.Sprint("t", i)))...)
		c.Counters = append(c.Counters, counter(fmt.Sprint("limit", i)))
	}
	for i := range 1200 { // more than a store reads at a time
		no := fmt.Sprint(10000 + i)
		c.Orders = append(c.Orders, added(plainOrder(no))...)
		c.Payments = append(c.Payments, added(plainPayment("2"+no, no))...)
		c.Records = append(c.Records, record(no, numbered(event.OrderPlaced, no, 1)))
		c.Refunds = append(c.Refunds, added(plainRefund("3"+no, no))...)
	}
	e.write(c)
	for i := range 3 {
		want = append(want, fmt.Sprint("sku s", i))
	}
	for i := range 3 {
		want = append(want, fmt.Sprint("template t", i))
	}
	for i := range 3 {
		want = append(want, fmt.Sprint("coupon C", i))
	}
	for i := range 3 {
		want = append(want, fmt.Sprint("counter limit", i, " 1"))
	}
	want = append(want, "cursor stock 4")
	for i := range 1200 {
		want = append(want, fmt.Sprintf("order %d with 2%d", 10000+i, 10000+i))
	}
	for i := range 1200 {
		want = append(want, fmt.Sprint("refund 3", 10000+i))
	}
	want = append(want, "key key 1001 without answer")
	for i := range 1200 {
		want = append(want, fmt.Sprint("record ", 10000+i))
	}

	see := func(format string, args ...any) error {
		if len(got) == 0 {
			// From another goroutine, as another instance would.
			done := make(chan error)
			go func() {
				moved := fullSku("s0")
				moved.Reserved = 9
				done <- e.try(changes{
					Skus: append(changed(fullSku("s0"), moved), added(fullSku("s9"))...), Orders: added(plainOrder("10000-b"), plainOrder("99999")),
					Refunds:  added(plainRefund("30000", "10000")),
					Counters: []unit.Pair[rows.Counter]{counter("limit9")}, Records: []event.Record{record("99999", numbered(event.OrderPlaced, "99999", 1))},
					Keys: []unit.SavedKey{fullKey("key2")},
				})
			}()
			if err := <-done; err != nil {
				return err
			}
		}
		got = append(got, fmt.Sprintf(format, args...))
		return nil
	}
	e.must(e.Scan(e.Context(), e.shop, unit.Scan{
		Visits: []unit.Visit{
			unit.Each(rows.Skus, func(d inventory.Data) error { return see("sku %s", d.Sku) }),
			unit.Each(rows.Templates, func(d marketing.Template) error { return see("template %s", d.ID) }),
			unit.Each(rows.Coupons, func(d marketing.CouponData) error { return see("coupon %s", d.Code) }),
			unit.Each(rows.Counters, func(c rows.Counter) error { return see("counter %s %d", c.Name, c.Value) }),
			unit.Each(rows.Cursors, func(c rows.Cursor) error { return see("cursor %s %d", c.Follower, c.Position) }),
			unit.EachFamily(rows.Orders, rows.Payments, func(o order.Data, p []payment.Data) error {
				return see("order %s with %s", o.No, strings.Join(sorted(p, func(d payment.Data) string { return d.No }), " "))
			}),
			unit.Each(rows.Refunds, func(r payment.RefundData) error { return see("refund %s", r.No) }),
			unit.Each(rows.Keys, func(k unit.SavedKey) error {
				if len(k.Answer) > 0 || !bytes.Equal(k.Hash, fullKey("key").Hash) {
					return fmt.Errorf("key with answer %q and hash %x", k.Answer, k.Hash)
				}
				return see("key %s %s without answer", k.Key, k.Order)
			}),
		},
		Record: func(r event.Record) error { return see("record %s", r.Order) },
	}))
	e.same("scan", want, got)

	stop := fmt.Errorf("enough")
	if err := e.Scan(e.Context(), e.shop, unit.Scan{Visits: []unit.Visit{unit.Each(rows.Orders, func(order.Data) error { return stop })}}); !errors.Is(err, stop) {
		e.Errorf("a scan that is ended says %v", err)
	}
	e.must(e.Scan(e.Context(), e.shop, unit.Scan{}))
	e.same("after a scan that was ended", "key", e.load(needs{Keys: []string{"key"}}).Keys[0].Key)
}
