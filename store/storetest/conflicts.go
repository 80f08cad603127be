package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// kinds are changes of one row each.
func (e *env) inserts() map[string]changes {
	return map[string]changes{
		"key":       {Keys: []unit.SavedKey{fullKey("key")}},
		"position":  {Cursors: []unit.Pair[rows.Cursor]{moved("stock", nil, 1)}},
		"order":     {Orders: added(plainOrder("1001"))},
		"payment":   {Payments: added(plainPayment("2001", "1001"))},
		"refund":    {Refunds: added(fullRefund("3001", "1001"))},
		"user":      {Users: added(fullUser("u1"))},
		"coupon":    {Coupons: added(fullCoupon("C1"))},
		"sku":       {Skus: added(fullSku("a"))},
		"counter":   {Counters: []unit.Pair[rows.Counter]{counter("limit")}},
		"promotion": {Promotions: added(fullPromotion("p1"))},
		"template":  {Templates: added(fullTemplate("t1"))},
		"channel":   {Channels: added(fullChannel("wx"))},
		"api key":   {APIKeys: added(e.fullAPIKey("k1"))},

		"reconciliation": {Reconciliations: added(fullReconciliation("2026-11-22", "wx"))},
		"discrepancy":    {Discrepancies: added(fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx"))},
	}
}

func testInsertConflict(e *env) {
	for kind, c := range e.inserts() {
		e.write(c)
		before := c
		c.Counters = append([]unit.Pair[rows.Counter]{counter("beside " + kind)}, c.Counters...)
		c.Records = []event.Record{record("beside "+kind, numbered(event.OrderPlaced, "beside "+kind, 1))}
		c.Jobs = added(rows.Job{ID: "beside " + kind, Kind: "none", Payment: "2001", Due: now, CreatedAt: now})
		e.conflicts(kind, e.try(c))
		if e.written("beside " + kind) {
			e.Errorf("%s: the counter beside it was written", kind)
		}
		if r, err := e.OrderEvents(e.Context(), e.shop, "beside "+kind, 0); err != nil || len(r) > 0 {
			e.Errorf("%s: the record beside it was written (%v)", kind, err)
		}
		e.conflicts(kind+" again", e.try(before))
	}
}

func testVersionConflict(e *env) {
	for _, c := range e.inserts() {
		e.write(c)
	}
	e.write(changes{Skus: added(fullSku("b"), fullSku("c"))})
	one, two := int64(1), int64(2)

	// What the store has is at version 1; these hold something else.
	o := plainOrder("1001")
	o.Seq = 7
	p, u, c, s, described, promotion, template, issued, channel := plainPayment("2001", "1001"), fullUser("u1"), fullCoupon("C1"), fullSku("a"), fullSku("a"),
		fullPromotion("p1"), fullTemplate("t1"), fullTemplate("t1"), fullChannel("wx")
	r, day, differs := fullRefund("3001", "1001"), fullReconciliation("2026-11-22", "wx"), fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx")
	described.Name = "another"
	for _, v := range []*int64{&p.Version, &u.Version, &c.Version, &s.Version, &described.Version, &promotion.Version, &template.Version, &channel.Version,
		&r.Version, &day.Version, &differs.Version} {
		*v = 2
	}
	template.Name, issued.Issued = "another", 99
	key := e.fullAPIKey("k1")
	key.RevokedAt = time.Time{}
	stale := map[string]changes{
		"order":                {Orders: changed(o, o)},
		"payment":              {Payments: changed(p, p)},
		"refund":               {Refunds: changed(r, r)},
		"reconciliation":       {Reconciliations: changed(day, day)},
		"discrepancy":          {Discrepancies: changed(differs, differs)},
		"user":                 {Users: changed(u, u)},
		"coupon":               {Coupons: changed(c, c)},
		"stock":                {Skus: changed(s, s)},
		"sku":                  {Skus: changed(fullSku("a"), fullSku("a"))},
		"counter":              {Counters: []unit.Pair[rows.Counter]{counted("limit", &two, 3)}},
		"position":             {Cursors: []unit.Pair[rows.Cursor]{moved("stock", at(2), 3)}},
		"promotion":            {Promotions: changed(promotion, promotion)},
		"promotion to delete":  {Promotions: removed(promotion)},
		"template":             {Templates: changed(fullTemplate("t1"), template)},
		"issued of a template": {Templates: changed(issued, fullTemplate("t1"))},
		"channel":              {Channels: changed(channel, channel)},
		"api key":              {APIKeys: changed(key, key)},

		"an order that is not there":   {Orders: changed(plainOrder("1009"), plainOrder("1009"))},
		"a payment that is not there":  {Payments: changed(plainPayment("2009", "1001"), plainPayment("2009", "1001"))},
		"a refund that is not there":   {Refunds: changed(fullRefund("3009", "1001"), fullRefund("3009", "1001"))},
		"a user that is not there":     {Users: changed(fullUser("u9"), fullUser("u9"))},
		"a coupon that is not there":   {Coupons: changed(fullCoupon("C9"), fullCoupon("C9"))},
		"a counter that is not there":  {Counters: []unit.Pair[rows.Counter]{counted("no limit", &one, 3)}},
		"a position that is not there": {Cursors: []unit.Pair[rows.Cursor]{moved("none", at(2), 3)}},
	}
	sku := stale["sku"]
	sku.Skus[0].Old.Version, sku.Skus[0].New = 2, &described
	template.Version = 1
	stale["template"].Templates[0].Old.Version = 2
	for what, c := range stale {
		c.Counters = append([]unit.Pair[rows.Counter]{counter("beside " + what)}, c.Counters...)
		e.conflicts(what, e.try(c))
		if e.written("beside " + what) {
			e.Errorf("%s: the counter beside it was written", what)
		}
	}

	// One stale row of several spoils the commit.
	moved, stuck := fullSku("b"), fullSku("c")
	moved.Reserved, stuck.Version = 8, 5
	both := append(changed(fullSku("b"), moved), changed(stuck, stuck)...)
	e.conflicts("one of two skus", e.try(changes{Skus: both}))
	e.same("the other", []inventory.Data{fullSku("b")}, e.load(needs{Skus: []string{"b"}}).Skus)
}

func testChecks(e *env) {
	oversold, negative, price := fullSku("a"), fullSku("a"), fullSku("a")
	oversold.OnHand, oversold.Reserved = 5, 6
	negative.Reserved = -1
	price.Price = -1
	held, free, status := fullCoupon("C1"), fullCoupon("C1"), fullCoupon("C1")
	held.Order = ""
	free.Status = marketing.Available
	status.Status, status.Order = "lost", ""
	order := func(change func(o *order.Data)) changes {
		o := plainOrder("1001")
		change(&o)
		return changes{Orders: added(o)}
	}
	paid := func(change func(p *payment.Data)) changes {
		p := plainPayment("2001", "1001")
		change(&p)
		return changes{Payments: added(p)}
	}
	refund := func(change func(r *payment.RefundData)) changes {
		r := plainRefund("3001", "1001")
		change(&r)
		return changes{Refunds: added(r)}
	}
	template, day, differs := fullTemplate("t1"), fullReconciliation("2026-11-22", "wx"), fullDiscrepancy("1", "2026-11-22", "wx")
	template.Issued, day.Status, differs.Status = -1, "lost", "lost"
	for _, test := range []struct {
		constraint string
		changes    changes
	}{
		{"skus_no_oversell", changes{Skus: added(oversold)}},
		{"skus_reserved", changes{Skus: added(negative)}},
		{"skus_price", changes{Skus: added(price)}},
		{"coupons_holder", changes{Coupons: added(held)}},
		{"coupons_holder", changes{Coupons: added(free)}},
		{"coupons_status", changes{Coupons: added(status)}},
		{"coupon_templates_issued", changes{Templates: added(template)}},
		{"counters_value", changes{Counters: []unit.Pair[rows.Counter]{counted("limit", nil, -1)}}},
		{"orders_status", order(func(o *orderData) { o.Status = "lost" })},
		{"orders_payable", order(func(o *orderData) { o.Total++ })},
		{"orders_pa", order(func(o *orderData) { o.Total, o.Discount, o.Payable = 10, 20, -10 })}, // two of them refuse it
		{"orders_payable", order(func(o *orderData) { o.Discount, o.Payable = -1, 101 })},
		{"orders_paid_within", order(func(o *orderData) { o.Paid = 101 })},
		{"orders_paid_within", order(func(o *orderData) { o.Paid = -1 })},
		{"orders_paid_is_paid", order(func(o *orderData) { o.Status, o.Paid = "paid", 99 })},
		{"orders_refunded_within", order(func(o *orderData) { o.Refunded = 1 })},
		{"payments_amount", paid(func(p *payment.Data) { p.Amount = 0 })},
		{"payments_status", paid(func(p *payment.Data) { p.Status = "lost" })},
		{"payments_applied", paid(func(p *payment.Data) { p.Applied = -1 })},
		{"payments_refunded", paid(func(p *payment.Data) { p.Refunded = -1 })},
		{"orders_refunding", order(func(o *orderData) { o.Refunding = -1 })},
		{"payments_refunding", paid(func(p *payment.Data) { p.Refunding = -1 })},
		{"refunds_status", refund(func(r *payment.RefundData) { r.Status, r.DoneAt, r.NextTryAt = "lost", now, time.Time{} })},
		{"refunds_amount", refund(func(r *payment.RefundData) { r.Amount = -1 })},
		{"refunds_done", refund(func(r *payment.RefundData) { r.DoneAt = now })},
		{"refunds_done", refund(func(r *payment.RefundData) { r.Status, r.DoneAt = payment.RefundSucceeded, now })}, // and is to be tried again
		{"refunds_done", refund(func(r *payment.RefundData) { r.Status = payment.RefundGivenUp })},
		{"reconciliations_status", changes{Reconciliations: added(day)}},
		{"discrepancies_status", changes{Discrepancies: added(differs)}},
		{"payments_within", paid(func(p *payment.Data) { p.Applied, p.Refunded = 60, 41 })},
	} {
		beside := "beside " + test.constraint
		test.changes.Counters = append(test.changes.Counters, counter(beside))
		e.refuses(test.constraint, e.try(test.changes))
		if e.written(beside) {
			e.Errorf("%s: the counter beside it was written", test.constraint)
		}
	}

	// An update is checked like an insert, the narrow one of the stock too.
	e.write(changes{Skus: added(fullSku("a"))})
	moved := fullSku("a")
	moved.Reserved = moved.OnHand + 1
	e.refuses("skus_no_oversell", e.try(changes{Skus: changed(fullSku("a"), moved)}))
}

type orderData = order.Data // where order is another

func testRollback(e *env) {
	e.write(changes{Skus: added(fullSku("a"))})
	u, _ := e.begin(needs{Skus: []string{"a"}, Counters: []string{"limit"}})
	u.Rollback()
	u.Rollback()
	if err := e.commit(u, changes{Counters: []unit.Pair[rows.Counter]{counter("limit")}}); err == nil {
		e.Error("a unit that was rolled back commits")
	}
	if e.written("limit") {
		e.Error("it wrote")
	}

	u, _ = e.begin(needs{})
	e.must(e.commit(u, changes{Counters: []unit.Pair[rows.Counter]{counter("limit")}}))
	u.Rollback()
	if !e.written("limit") {
		e.Error("a rollback after the commit undid it")
	}
	if err := e.commit(u, changes{}); err == nil {
		e.Error("a unit commits twice")
	}
	u, _ = e.begin(needs{})
	e.must(e.commit(u, changes{})) // nothing to write is no error
}

// testShopsApart writes the same keys to two shops, and changes one of them.
func testShopsApart(e *env) {
	for _, c := range e.inserts() {
		e.write(c)
	}
	other := *e
	other.shop = e.newShop()
	for _, c := range other.inserts() {
		other.write(c)
	}
	needs := needs{
		Keys: []string{"key"}, Cursors: []string{"stock"}, Orders: []string{"1001"}, Users: []string{"u1"}, Coupons: []string{"C1"},
		Skus: []string{"a"}, Counters: []string{"limit"}, Promotions: []string{"p1"}, Templates: []string{"t1"}, Channels: []string{"wx"}, APIKeys: []string{"k1"},
		Refunds: []string{"3001"}, Reconciliations: []string{"2026-11-22/wx"}, Discrepancies: []string{"2026-11-22/1"},
	}
	before := other.load(needs)
	o, stock, held, one := plainOrder("1001"), fullSku("a"), fullCoupon("C1"), int64(1)
	o.Closing, o.Seq = "expired", 2
	stock.Reserved, stock.Name = 0, "mine"
	held.Order = "1002"
	r, day, differs := fullRefund("3001", "1001"), fullReconciliation("2026-11-22", "wx"), fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx")
	r.Tries, day.Runs, differs.Detail = 9, 9, "mine"
	e.write(changes{
		BumpRules: true, Orders: changed(plainOrder("1001"), o), Skus: changed(fullSku("a"), stock), Coupons: changed(fullCoupon("C1"), held),
		Users: changed(fullUser("u1"), shop.User{ID: "u1"}), Counters: []unit.Pair[rows.Counter]{counted("limit", &one, 5)},
		Cursors:    []unit.Pair[rows.Cursor]{moved("stock", at(1), 2)},
		Promotions: removed(fullPromotion("p1")), Policies: &shop.Policies{LatePayment: shop.Revive},
		Refunds: changed(fullRefund("3001", "1001"), r), Reconciliations: changed(fullReconciliation("2026-11-22", "wx"), day),
		Discrepancies:   changed(fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx"), differs),
		Records:         []event.Record{record("1001", numbered(event.OrderPaid, "1001", 2))},
		ChannelMessages: []app.ChannelMessage{{Order: "1001"}},
	})
	e.same("the other shop", before, other.load(needs))
	records, err := e.OrderEvents(e.Context(), other.shop, "1001", 0)
	e.must(err)
	messages, err := e.ChannelMessages(e.Context(), other.shop, "1001")
	e.must(err)
	if len(records)+len(messages) > 0 {
		e.Errorf("the other shop has %v and %v", records, messages)
	}
}

// testContextOver: a caller that goes away harms nobody.
func testContextOver(e *env) {
	over, cancel := context.WithCancel(e.Context())
	cancel()
	if _, _, err := e.Begin(over, e.shop, unit.Needs{}); !errors.Is(err, context.Canceled) {
		e.Errorf("begin: %v", err)
	}
	for i := range 20 {
		name := fmt.Sprintf("limit %d", i)
		u, _ := e.begin(needs{Counters: []string{name}})
		ctx, cancel := context.WithCancel(e.Context())
		if i == 0 {
			cancel()
		} else {
			time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
		}
		c := changes{Now: now, Marker: "marker " + name, Counters: []unit.Pair[rows.Counter]{counter(name)}}
		err := u.Commit(ctx, c.Unit(shop.Shop{ID: e.shop}))
		has := errors.New("not asked")
		var committed bool
		for has != nil {
			committed, has = e.HasKey(e.Context(), e.shop, "marker "+name)
		}
		u.Rollback()
		cancel()
		switch {
		case errors.Is(err, unit.ErrConflict):
			e.Errorf("commit: %v", err)
		case err == nil && !committed, err != nil && committed && !errors.Is(err, unit.ErrCommitUnknown):
			e.Errorf("commit said %v, and the marker is there: %v", err, committed)
		}
		if e.written(name) != committed {
			e.Errorf("the marker is there: %v, the counter is not so", committed)
		}
	}
}
