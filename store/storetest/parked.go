package storetest

import (
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

func parkedAt(follower string, p event.Position, order string) app.ParkedRecord {
	return app.ParkedRecord{
		ID: rows.ParkedID(follower, p), Follower: follower, Position: p, Order: order, Error: "坏", Attempts: 5, FailedAt: now, ParkedAt: now,
	}
}

// testParked: records that are put aside come back as they were written,
// change, and go.
func testParked(e *env) {
	a, b, c := parkedAt("stock", 2, "1001"), parkedAt("stock", 10, "1001"), parkedAt("coupons", 2, "1002")
	e.write(changes{Parked: added(a, b, c)})
	e.conflicts("parking again", e.try(changes{Parked: added(a)}))

	got, next, err := e.ParkedRecords(e.Context(), e.shop, "", app.Page{Limit: 2})
	e.must(err)
	e.same("by id", []app.ParkedRecord{c, b}, got)
	got, next, err = e.ParkedRecords(e.Context(), e.shop, "", app.Page{Limit: 2, Cursor: next})
	e.must(err)
	e.same("the rest", []app.ParkedRecord{a}, got)
	e.same("no more", "", next)
	got, _, err = e.ParkedRecords(e.Context(), e.shop, "stock", app.Page{})
	e.must(err)
	e.same("of one follower", []app.ParkedRecord{b, a}, got)
	got, err = e.ParkedOf(e.Context(), e.shop, "stock", []string{"1001", "1002"})
	e.must(err)
	e.same("of orders, by position", []app.ParkedRecord{a, b}, got)
	one, err := e.ParkedRecord(e.Context(), e.shop, a.ID)
	e.must(err)
	e.same("one", a, one)
	_, err = e.ParkedRecord(e.Context(), e.newShop(), a.ID)
	e.same("another shop's", true, fault.Is(err, fault.NotFound))

	u, l := e.begin(needs{Parked: []string{a.ID, b.ID, "none"}})
	e.same("loaded", []app.ParkedRecord{b, a}, slices.SortedFunc(slices.Values(l.Parked), func(a, b app.ParkedRecord) int { return strings.Compare(a.ID, b.ID) }))
	again := a
	again.Attempts, again.Error, again.FailedAt = 6, "", now.AddDate(0, 0, 1)
	e.must(e.commit(u, changes{Parked: append(changed(a, again), removed(b)...)}))
	got, err = e.ParkedOf(e.Context(), e.shop, "stock", []string{"1001"})
	e.must(err)
	e.same("changed, and gone", []app.ParkedRecord{again}, got)
	e.conflicts("one that failed again meanwhile", e.try(changes{Parked: removed(a)}))
	e.conflicts("one that is gone", e.try(changes{Parked: removed(b)}))

	var seen []app.ParkedRecord
	e.must(e.Scan(e.Context(), e.shop, unit.Scan{Visits: []unit.Visit{unit.Each(rows.Parked, func(r app.ParkedRecord) error {
		seen = append(seen, r)
		return nil
	})}}))
	e.same("scanned", []app.ParkedRecord{c, again}, seen)
	counts, err := e.ParkedCounts(e.Context())
	e.must(err)
	for _, want := range []app.ParkedCount{{Follower: "coupons", Count: 1}, {Follower: "stock", Count: 1}} {
		found := false
		for _, c := range counts {
			found = found || c.Follower == want.Follower && c.Count >= want.Count // other tests' too
		}
		e.same("counted "+want.Follower, true, found)
	}
}

// testEnds: the ends and the cursors of all shops at once.
func testEnds(e *env) {
	empty := e.newShop()
	e.write(changes{
		Records: []event.Record{record("a", numbered(event.OrderPlaced, "a", 1)), record("b", numbered(event.OrderPlaced, "b", 1))},
		Cursors: added(rows.Cursor{Follower: "stock", Position: 1}),
	})
	ends, err := e.LogEnds(e.Context())
	e.must(err)
	e.same("the end", event.Position(2), ends[e.shop])
	if _, there := ends[empty]; there {
		e.Error("an empty log has an end")
	}
	cursors, err := e.Cursors(e.Context())
	e.must(err)
	var mine []app.FollowerCursor
	for _, c := range cursors {
		if c.Shop == e.shop {
			mine = append(mine, c)
		}
	}
	e.same("its cursors", []app.FollowerCursor{{Shop: e.shop, Follower: "stock", Position: 1}}, mine)

	// Types that nobody knows are not passed by.
	e.write(changes{Records: []event.Record{record("c", event.Event{Type: "order.teleported"}), record("d"), record("e", numbered(event.OrderPaid, "e", 1))}})
	got := e.events(app.EventQuery{Types: []event.Type{event.OrderPaid}, Known: event.Known})
	e.same("one that is wanted and one that is not known", []string{"c", "e"}, sorted(got, func(r event.Record) string { return r.Order }))
}
