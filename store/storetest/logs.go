package storetest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
)

func sorted[D any](rows []D, key func(D) string) []string {
	var out []string
	for _, r := range rows {
		out = append(out, key(r))
	}
	slices.Sort(out)
	return out
}

// events reads the log until it has as many records as wanted: a store may
// hold records back for as long as anybody's transaction runs.
func (e *env) events(after event.Position, wanted int, ending bool) []event.Record {
	e.Helper()
	var got []event.Record
	e.eventually("records in the log", func() bool {
		var err error
		got, err = e.Events(e.Context(), e.shop, after, 1000, ending)
		e.must(err)
		return len(got) >= wanted
	})
	for i := 1; i < len(got); i++ {
		if got[i-1].Position.Compare(got[i].Position) >= 0 {
			e.Fatalf("record %d at %v comes after one at %v", i, got[i].Position, got[i-1].Position)
		}
	}
	return got
}

func testLog(e *env) {
	end, err := e.EndOfLog(e.Context(), e.shop)
	e.must(err)
	e.same("the end of an empty log", event.Position{}, end)

	full := event.Event{
		Type: event.OrderPlaced, Order: "1001", Seq: 1, Status: "pending_payment", User: "用户", Payment: "2001", Channel: "wx", Coupon: "C1", Sku: "a",
		Amount: 12, Quantity: 3, Reason: "\"why\" <&>\u2028", Coupons: []string{"C1"}, Units: []event.Units{{Sku: "a", Quantity: 3}},
		Payments: []string{"2001"}, Counts: []event.Count{{Name: "limit", Amount: 3}},
	}
	first := []event.Record{record("1001", full, event.Event{Type: event.StockReserved, Order: "1001"}), record("1002", numbered(event.OrderPlaced, "1002", 1)), record("", event.Event{Type: event.RulesChanged})}
	e.write(app.Changes{Records: first})
	paid := numbered(event.OrderPaid, "1001", 2)
	paid.Payments = []string{} // none is not the same as not said
	e.write(app.Changes{Records: []event.Record{record("1001", paid)}})
	e.write(app.Changes{Records: []event.Record{record("1002", numbered(event.OrderClosing, "1002", 2)), record("1003", numbered(event.OrderPlaced, "1003", 1))}})
	e.write(app.Changes{Records: []event.Record{record("1002", numbered(event.OrderClosed, "1002", 3))}})

	got := e.events(event.Position{}, 7, false)
	var want []event.Record
	for i, r := range slices.Concat(first, []event.Record{
		record("1001", paid), record("1002", numbered(event.OrderClosing, "1002", 2)),
		record("1003", numbered(event.OrderPlaced, "1003", 1)), record("1002", numbered(event.OrderClosed, "1002", 3)),
	}) {
		r.Shop, r.Position = e.shop, got[i].Position
		want = append(want, r)
	}
	e.same("the log", want, got)
	for range 2 { // each reaction reads them
		e.same("the log's ends", []event.Record{want[3], want[4], want[6]}, e.events(event.Position{}, 3, true))
	}
	e.same("after a position", want[3:], e.events(want[2].Position, 4, false))
	e.same("ends after a position", want[4:5:5], e.events(want[3].Position, 2, true)[:1])
	end, err = e.EndOfLog(e.Context(), e.shop)
	e.must(err)
	e.same("the end of the log", want[6].Position, end)
	limited, err := e.Events(e.Context(), e.shop, event.Position{}, 2, false)
	e.must(err)
	e.same("as many as asked for", want[:2], limited)
	none, err := e.Events(e.Context(), e.shop, end, 10, false)
	e.must(err)
	e.same("at the end", 0, len(none))
}

func testOrderEvents(e *env) {
	records := []event.Record{
		record("1001", numbered(event.OrderPlaced, "1001", 1), numbered(event.PaymentCreated, "1001", 2)),
		record("1001", event.Event{Type: event.CouponUsed, Order: "1001"}),
		record("1001", numbered(event.PaymentSucceeded, "1001", 3), numbered(event.OrderPaid, "1001", 4), event.Event{Type: event.StockSold, Order: "1001"}),
		record("1002", numbered(event.OrderPlaced, "1002", 1)),
	}
	for _, r := range records {
		e.write(app.Changes{Records: []event.Record{r}})
	}
	for after, want := range map[int64][]int{0: {0, 1, 2}, 1: {0, 1, 2}, 2: {1, 2}, 3: {1, 2}, 4: {1}, 9: {1}} {
		got, err := e.OrderEvents(e.Context(), e.shop, "1001", after)
		e.must(err)
		var wanted []event.Record
		for i, w := range want {
			r := records[w]
			r.Shop = e.shop
			if i < len(got) {
				r.Position = got[i].Position
			}
			wanted = append(wanted, r)
		}
		e.same("the order's records", wanted, got)
	}
}

// testLateWriter: a reader that has read to the end never misses a record
// that an older transaction commits later.
func testLateWriter(e *env) {
	if e.backend.OneWriter {
		e.Skip("there is one writer at a time")
	}
	e.write(app.Changes{Skus: added(fullSku("a"), fullSku("b"))})
	late, _ := e.begin(app.Needs{Skus: []string{"a"}})
	early, _ := e.begin(app.Needs{Skus: []string{"b"}})
	e.must(e.commit(early, app.Changes{Records: []event.Record{record("early", numbered(event.OrderPaid, "early", 1))}}))
	for _, ending := range []bool{false, true} {
		seen, err := e.Events(e.Context(), e.shop, event.Position{}, 10, ending)
		e.must(err)
		if len(seen) > 0 {
			e.Errorf("the reader sees %v while an older transaction may still write", seen)
		}
	}
	end, err := e.EndOfLog(e.Context(), e.shop)
	e.must(err)
	e.same("the end of the log", event.Position{}, end)
	seen, err := e.OrderEvents(e.Context(), e.shop, "early", 0)
	e.must(err)
	e.same("the order's own log does not wait", 1, len(seen))

	e.must(e.commit(late, app.Changes{Records: []event.Record{record("late", numbered(event.OrderPaid, "late", 1))}}))
	got := e.events(event.Position{}, 2, true)
	e.same("both", []string{"early", "late"}, sorted(got, func(r event.Record) string { return r.Order }))
}

// testCausalOrder: of two units that write about one order one after the
// other, the second may have begun first. Its records still come second.
func testCausalOrder(e *env) {
	if e.backend.OneWriter {
		e.Skip("there is one writer at a time")
	}
	e.write(app.Changes{Orders: added(plainOrder("1001")), Positions: []app.PositionChange{
		{Reaction: "x", New: event.Position{Tx: 1, ID: 1}}, {Reaction: "y", New: event.Position{Tx: 1, ID: 1}},
	}})
	// The old unit locks x, by which it is a transaction, and waits for y.
	holder, _ := e.begin(app.Needs{Positions: []string{"y"}})
	type begun struct {
		unit app.Unit
		err  error
	}
	old := make(chan begun)
	go func() {
		u, _, err := e.Begin(context.WithoutCancel(e.Context()), e.shop, &app.Needs{Positions: []string{"x", "y"}, Orders: []string{"1001"}})
		old <- begun{u, err}
	}()
	time.Sleep(200 * time.Millisecond)
	// The young unit has the order before the old one asks for it.
	young, _ := e.begin(app.Needs{Orders: []string{"1001"}})
	holder.Rollback()
	e.must(e.commit(young, app.Changes{Records: []event.Record{record("1001", numbered(event.OrderPlaced, "1001", 1))}}))
	w := <-old
	e.must(w.err)
	defer w.unit.Rollback()
	e.must(e.commit(w.unit, app.Changes{Records: []event.Record{record("1001", numbered(event.OrderPaid, "1001", 2))}}))

	got := e.events(event.Position{}, 2, false)
	e.same("the first comes first", event.OrderPlaced, got[0].Events[0].Type)

	// Many at once, each with another row locked before: whatever the order
	// in which they began, an order's numbers only rise.
	e.race(8, 15)
	var last int64
	for _, r := range e.events(event.Position{}, 2+8*15, false)[2:] {
		if seq := r.Events[0].Seq; seq != last+1 {
			e.Fatalf("number %d comes after %d", seq, last)
		}
		last = r.Events[0].Seq
	}
	byOrder, err := e.OrderEvents(e.Context(), e.shop, "hot", 0)
	e.must(err)
	if !slices.IsSortedFunc(byOrder, func(a, b event.Record) int { return cmp.Compare(a.Events[0].Seq, b.Events[0].Seq) }) {
		e.Error("the order's own log is out of order")
	}
}

func testPositions(e *env) {
	at, err := e.ReactionPosition(e.Context(), e.shop, "stock")
	e.must(err)
	e.same("before the first step", event.Position{}, at)
	e.write(app.Changes{Positions: []app.PositionChange{{Reaction: "stock", New: event.Position{Tx: 1 << 60, ID: 7}}, {Reaction: "coupons", New: event.Position{ID: 1}}}})
	at, err = e.ReactionPosition(e.Context(), e.shop, "stock")
	e.must(err)
	e.same("after it", event.Position{Tx: 1 << 60, ID: 7}, at)
}

func testChannelMessages(e *env) {
	full := app.ChannelMessage{
		Order: "1001", Payment: "2001", Channel: "wx", Kind: "callback", Verdict: "settled", Detail: "细节", At: now, Took: 1234 * time.Microsecond,
		Trace: "t", Header: []byte(`{"A": ["b"]}`), Body: []byte("\x00raw\xff"), MessageID: "m1",
	}
	bare := app.ChannelMessage{Order: "1001"}
	e.write(app.Changes{ChannelMessages: []app.ChannelMessage{full, {Order: "1002"}, bare}})
	e.write(app.Changes{ChannelMessages: []app.ChannelMessage{{Order: "1001", Kind: "query"}, {Kind: "callback"}}})
	got, err := e.ChannelMessages(e.Context(), e.shop, "1001")
	e.must(err)
	if len(got) != 3 || got[0].ID >= got[1].ID || got[1].ID >= got[2].ID {
		e.Fatalf("not three with rising ids: %v", got)
	}
	for i := range got {
		got[i].ID = 0
	}
	full.Body = nil
	e.same("oldest first, without bodies", []app.ChannelMessage{full, bare, {Order: "1001", Kind: "query"}}, got)
	orphans, err := e.ChannelMessages(e.Context(), e.shop, "")
	e.must(err)
	e.same("about no order", 1, len(orphans))
	if strings.Contains(orphans[0].Kind, "query") {
		e.Error("another's message")
	}
}
