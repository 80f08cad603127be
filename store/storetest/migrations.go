package storetest

import (
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// testMigrateRows: the step from the first version, back and forth, keeps
// what that version knew, and everything else is as if it had never been put.
func testMigrateRows(e *env) {
	o, p := fullOrder("1001"), fullPayment("2001", "1001")
	e.write(changes{
		Orders: added(o), Payments: added(p), Refunds: added(fullRefund("3001", "1001")), Policies: &shop.Policies{LatePayment: shop.Revive},
		ChannelMessages: []app.ChannelMessage{{Order: "1001", Payment: "2001", Verdict: string(payment.Orphan)}},
	})
	e.must(e.MigrateDownTo(e.Context(), 1))
	e.must(e.Migrate(e.Context()))
	l := e.load(needs{Orders: []string{"1001"}, Refunds: []string{"3001"}})
	o.Refunding, o.Returns, o.Plan, o.RemindAt, o.GoodsAt, o.GoodsGone, p.Refunding = 0, nil, nil, time.Time{}, order.AllParts, false, 0
	e.same("the order", []order.Data{o}, l.Orders)
	e.same("its payment", []payment.Data{p}, l.Payments)
	e.same("refunds", 0, len(l.Refunds))
	e.same("policies", shop.Policies{}, l.Shop.Policies)
	orphans, err := e.OrphanNos(e.Context(), e.shop, []string{"2001"})
	e.must(err)
	e.same("the new index knows the old rows", []string{"2001"}, orphans)
	e.must(e.EachSettled(e.Context(), e.shop, "wx", now.Add(-time.Hour), now, func(app.BookEntry) error {
		return e.try(changes{Refunds: added(fullRefund("3001", "1001"))})
	}))
	e.same("a refund since", 1, len(e.load(needs{Refunds: []string{"3001"}}).Refunds))
}

func testMigrations(e *env) {
	for _, c := range e.inserts() {
		e.write(c)
	}
	e.must(e.Migrate(e.Context())) // again, which changes nothing
	e.same("after a second migration", 1, len(e.load(needs{Skus: []string{"a"}}).Skus))
	e.must(e.MigrateDown(e.Context()))
	if _, _, err := e.Begin(e.Context(), e.shop, unit.Needs{}); err == nil || fault.Is(err, fault.NotFound) {
		e.Errorf("begin without tables: %v", err)
	}
	e.must(e.MigrateDown(e.Context()))
	// Several instances that start at once.
	errs := make(chan error)
	for range 3 {
		go func() { errs <- e.Migrate(e.Context()) }()
	}
	for range 3 {
		e.must(<-errs)
	}
	e.shop = e.newShop()
	for _, c := range e.inserts() {
		e.write(c)
	}
}

// testMigrateLog: the step to dense positions, back and forth, keeps the log
// and where its followers stand.
func testMigrateLog(e *env) {
	other := e.newShop()
	for i, r := range []event.Record{
		record("1001", numbered(event.OrderPlaced, "1001", 1), event.Event{Type: event.StockReserved, Order: "1001"}),
		record("1001", numbered(event.OrderPaid, "1001", 2)), record("", event.Event{Type: event.RulesChanged}),
		record("1002", numbered(event.OrderClosed, "1002", 1)),
	} {
		e.write(changes{Records: []event.Record{r}})
		if i == 1 { // the shops' records are mixed
			u, _, err := e.Begin(e.Context(), other, unit.Needs{})
			e.must(err)
			e.must(e.commit(u, changes{Records: []event.Record{record("2001", numbered(event.OrderPlaced, "2001", 1))}}))
		}
	}
	e.write(changes{Cursors: []unit.Pair[rows.Cursor]{moved("stock", nil, 3), moved("coupons", nil, 4), moved("new", nil, 0)}})
	before := e.events(app.EventQuery{})
	for range 2 {
		e.must(e.MigrateDownTo(e.Context(), 5))
		e.must(e.Migrate(e.Context()))
		e.same("the log", before, e.events(app.EventQuery{}))
		e.same("by type", before[1:2], e.events(app.EventQuery{Types: []event.Type{event.OrderPaid}}))
		for follower, want := range map[string]event.Position{"stock": 3, "coupons": 4, "new": 0} {
			p, began, err := e.Cursor(e.Context(), e.shop, follower)
			e.must(err)
			e.same(follower, want, p)
			e.same(follower+" began", want > 0, began)
		}
	}
	e.write(changes{Records: []event.Record{record("1003", numbered(event.OrderPlaced, "1003", 1))}})
	e.same("what comes next", "1003", e.events(app.EventQuery{After: 4})[0].Order)
	order, err := e.OrderEvents(e.Context(), e.shop, "1001", 0)
	e.must(err)
	e.same("an order's records", before[:2], order)
	end, err := e.EndOfLog(e.Context(), other)
	e.must(err)
	e.same("the other shop's end", event.Position(1), end)
}

// testNewerSchema: tables that a newer release made are refused, unless they say
// that this program may use them. Nothing in them is changed.
func testNewerSchema(e *env) {
	for _, c := range e.inserts() {
		e.write(c)
	}
	e.must(e.CheckSchema(e.Context()))
	e.must(e.Exec(e.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)"))
	e.must(e.CheckSchema(e.Context())) // it only added what this program can ignore
	e.must(e.Migrate(e.Context()))
	e.same("the rows", 1, len(e.load(needs{Skus: []string{"a"}}).Skus))
	e.must(e.Exec(e.Context(), "INSERT INTO schema_requires VALUES (9999)"))
	if err := e.CheckSchema(e.Context()); err == nil || !strings.Contains(err.Error(), "newer release") {
		e.Errorf("tables of a newer release: %v", err)
	}
	e.must(e.Exec(e.Context(), "DELETE FROM schema_requires WHERE version = 9999"))
	e.must(e.CheckSchema(e.Context()))
}
