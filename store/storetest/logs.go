package storetest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

func sorted[D any](rows []D, key func(D) string) []string {
	var out []string
	for _, r := range rows {
		out = append(out, key(r))
	}
	slices.Sort(out)
	return out
}

// at is where a cursor was.
func at(p event.Position) *event.Position { return &p }

// ends are types that few records have.
var ends = []event.Type{event.OrderPaid, event.OrderClosing, event.OrderClosed}

// events reads the log of the shop; its positions must be dense where all
// types are requested.
func (e *env) events(q app.EventQuery) []event.Record {
	e.Helper()
	q.Limit = cmp.Or(q.Limit, 1000)
	got, err := e.Events(e.Context(), e.shop, q)
	e.must(err)
	for i, last := 0, q.After; i < len(got); i++ {
		if p := got[i].Position; p <= last || q.Types == nil && p != last+1 {
			e.Fatalf("record %d at %v comes after one at %v", i, p, last)
		}
		last = got[i].Position
	}
	return got
}

func testLog(e *env) {
	end, err := e.EndOfLog(e.Context(), e.shop)
	e.must(err)
	e.same("the end of an empty log", event.Position(0), end)

	full := event.Event{
		Type: event.OrderPlaced, Order: "1001", Seq: 1, Status: "pending_payment", User: "用户", Payment: "2001", Channel: "wx", Coupon: "C1", Sku: "a",
		Amount: 12, Quantity: 3, Reason: "\"why\" <&>\u2028", Coupons: []string{"C1"}, Units: []event.Units{{Sku: "a", Quantity: 3}},
		Payments: []string{"2001"}, Counts: []event.Count{{Name: "limit", Amount: 3}},
	}
	first := []event.Record{
		record("1001", full, event.Event{Type: event.StockReserved, Order: "1001"}),
		record("1002", numbered(event.OrderPlaced, "1002", 1)),
		record("", event.Event{Type: event.RulesChanged}),
	}
	e.write(changes{Records: first})
	paid := numbered(event.OrderPaid, "1001", 2)
	paid.Payments = []string{} // none is not the same as not said
	e.write(changes{Records: []event.Record{record("1001", paid)}})
	e.write(changes{Records: []event.Record{record("1002", numbered(event.OrderClosing, "1002", 2)), record("1003", numbered(event.OrderPlaced, "1003", 1))}})
	e.write(changes{Records: []event.Record{record("1002", numbered(event.OrderClosed, "1002", 3))}})

	got := e.events(app.EventQuery{})
	var want []event.Record
	for i, r := range slices.Concat(first, []event.Record{
		record("1001", paid), record("1002", numbered(event.OrderClosing, "1002", 2)),
		record("1003", numbered(event.OrderPlaced, "1003", 1)), record("1002", numbered(event.OrderClosed, "1002", 3)),
	}) {
		r.Shop, r.Position = e.shop, got[i].Position
		want = append(want, r)
	}
	e.same("the log", want, got)
	for range 2 { // each follower reads them
		e.same("records of some types", []event.Record{want[3], want[4], want[6]}, e.events(app.EventQuery{Types: ends}))
	}
	e.same("a type that is not the first", want[:1], e.events(app.EventQuery{Types: []event.Type{event.StockReserved}}))
	e.same("a type that only begins like another", 0, len(e.events(app.EventQuery{Types: []event.Type{"order"}})))
	e.same("no type", 0, len(e.events(app.EventQuery{Types: []event.Type{}})))
	e.same("after a position", want[3:], e.events(app.EventQuery{After: want[2].Position}))
	e.same("some types after a position", want[4:5], e.events(app.EventQuery{After: want[3].Position, Types: ends, Limit: 1}))
	e.same("up to a position", want[1:3], e.events(app.EventQuery{After: 1, UpTo: 3}))
	e.same("some types up to a position", want[3:4], e.events(app.EventQuery{UpTo: 4, Types: ends}))
	end, err = e.EndOfLog(e.Context(), e.shop)
	e.must(err)
	e.same("the end of the log", want[6].Position, end)
	e.same("as many as requested", want[:2], e.events(app.EventQuery{Limit: 2}))
	e.same("at the end", 0, len(e.events(app.EventQuery{After: end})))
	_, err = e.FormerPosition(e.Context(), e.shop, event.Former{Tx: 1 << 40, ID: 1})
	e.same("where nothing was", true, fault.Is(err, fault.NotFound))
	start, err := e.FormerPosition(e.Context(), e.shop, event.Former{})
	e.must(err)
	e.same("the beginning, as it was", event.Position(0), start)
}

func testOrderEvents(e *env) {
	records := []event.Record{
		record("1001", numbered(event.OrderPlaced, "1001", 1), numbered(event.PaymentCreated, "1001", 2)),
		record("1001", event.Event{Type: event.CouponUsed, Order: "1001"}),
		record("1001", numbered(event.PaymentSucceeded, "1001", 3), numbered(event.OrderPaid, "1001", 4), event.Event{Type: event.StockSold, Order: "1001"}),
		record("1002", numbered(event.OrderPlaced, "1002", 1)),
	}
	for _, r := range records {
		e.write(changes{Records: []event.Record{r}})
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

// testLateWriter: a reader that has read to the end misses nothing that an
// older transaction commits later, and waits for none.
func testLateWriter(e *env) {
	if e.backend.OneWriter {
		e.Skip("there is one writer at a time")
	}
	e.write(changes{Skus: added(fullSku("a"), fullSku("b"))})
	late, _ := e.begin(needs{Skus: []string{"a"}})
	early, _ := e.begin(needs{Skus: []string{"b"}})
	e.must(e.commit(early, changes{Records: []event.Record{record("early", numbered(event.OrderPaid, "early", 1))}}))
	for _, types := range [][]event.Type{nil, ends} {
		e.same("what is committed is there at once", 1, len(e.events(app.EventQuery{Types: types})))
	}
	e.must(e.commit(late, changes{Records: []event.Record{record("late", numbered(event.OrderPaid, "late", 1))}}))
	got := e.events(app.EventQuery{After: 1})
	e.same("after it", []string{"late"}, sorted(got, func(r event.Record) string { return r.Order }))
}

// testNothingMissed: whoever reads while many write, each time after the last
// record that it was given, is given every one, in the order of its order.
func testNothingMissed(e *env) {
	const writers, each = 6, 25
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.race(writers, each)
	}()
	var all sync.WaitGroup
	for _, types := range [][]event.Type{nil, {event.OrderPlaced}} {
		all.Go(func() {
			var last event.Position
			var seq int64
			for over := false; !over; {
				select {
				case <-done:
					over = true // one more look
				default:
				}
				got, err := e.Events(e.Context(), e.shop, app.EventQuery{After: last, Types: types, Limit: 1000})
				if err != nil {
					e.Error(err)
					return
				}
				for _, r := range got {
					if r.Position != last+1 || r.Events[0].Seq != seq+1 {
						e.Errorf("%v, number %d, after %v, number %d", r.Position, r.Events[0].Seq, last, seq)
					}
					last, seq = r.Position, r.Events[0].Seq
				}
			}
			if last != writers*each {
				e.Errorf("%v records of %d", last, writers*each)
			}
		})
	}
	all.Wait()
	// A unit that is given up leaves no gap.
	u, _ := e.begin(needs{})
	if err := e.commit(u, changes{Records: []event.Record{record("x")}, Cursors: []unit.Pair[rows.Cursor]{moved("none", at(1), 2)}}); err == nil {
		e.Error("a cursor that is not there was moved")
	}
	e.write(changes{Records: []event.Record{record("y")}})
	e.same("the next", "y", e.events(app.EventQuery{After: writers * each})[0].Order)
}

// testCausalOrder: of two units that write about one order one after the
// other, the second may have begun first. Its records still come second.
func testCausalOrder(e *env) {
	if e.backend.OneWriter {
		e.Skip("there is one writer at a time")
	}
	e.write(changes{Orders: added(plainOrder("1001")), Cursors: []unit.Pair[rows.Cursor]{moved("x", nil, 1), moved("y", nil, 1)}})
	// The old unit locks x, by which it is a transaction, and waits for y.
	holder, _ := e.begin(needs{Cursors: []string{"y"}})
	type begun struct {
		unit unit.Unit
		err  error
	}
	old := make(chan begun)
	go func() {
		u, _, err := e.beginAt(context.WithoutCancel(e.Context()), e.shop, needs{Cursors: []string{"x", "y"}, Orders: []string{"1001"}})
		old <- begun{u, err}
	}()
	time.Sleep(200 * time.Millisecond)
	// The young unit has the order before the old one requests it.
	young, _ := e.begin(needs{Orders: []string{"1001"}})
	holder.Rollback()
	e.must(e.commit(young, changes{Records: []event.Record{record("1001", numbered(event.OrderPlaced, "1001", 1))}}))
	w := <-old
	e.must(w.err)
	defer w.unit.Rollback()
	e.must(e.commit(w.unit, changes{Records: []event.Record{record("1001", numbered(event.OrderPaid, "1001", 2))}}))

	got := e.events(app.EventQuery{})
	e.same("the first comes first", event.OrderPlaced, got[0].Events[0].Type)

	// Many at once, each with another row locked before: whatever the order
	// in which they began, an order's numbers only rise.
	e.race(8, 15)
	var last int64
	for _, r := range e.events(app.EventQuery{})[2:] {
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

func testCursors(e *env) {
	_, began, err := e.Cursor(e.Context(), e.shop, "stock")
	e.must(err)
	e.same("before the first step", false, began)
	e.write(changes{Cursors: []unit.Pair[rows.Cursor]{moved("stock", nil, 1<<60), moved("coupons", nil, 0)}})
	for follower, want := range map[string]event.Position{"stock": 1 << 60, "coupons": 0} {
		p, began, err := e.Cursor(e.Context(), e.shop, follower)
		e.must(err)
		e.same("after it", true, began)
		e.same("where", want, p)
	}
}

func testChannelMessages(e *env) {
	full := rows.ChannelMessage{
		Order: "1001", Payment: "2001", Channel: "wx", Kind: "callback", Verdict: "settled", Detail: "细节", At: now, TookUS: 1234,
		Trace: "t", Header: []byte(`{"A": ["b"]}`), Body: []byte("\x00raw\xff"), MessageID: "m1",
	}
	bare := rows.ChannelMessage{Order: "1001"}
	e.write(changes{ChannelMessages: []rows.ChannelMessage{full, {Order: "1002"}, bare}})
	e.write(changes{ChannelMessages: []rows.ChannelMessage{{Order: "1001", Kind: "query"}, {Kind: "callback"}}})
	got, err := e.ChannelMessages(e.Context(), e.shop, "1001")
	e.must(err)
	if len(got) != 3 || got[0].ID >= got[1].ID || got[1].ID >= got[2].ID {
		e.Fatalf("not three with rising ids: %v", got)
	}
	for i := range got {
		got[i].ID = 0
	}
	full.Body = nil
	e.same("oldest first, without bodies", []rows.ChannelMessage{full, bare, {Order: "1001", Kind: "query"}}, got)
	orphans, err := e.ChannelMessages(e.Context(), e.shop, "")
	e.must(err)
	e.same("about no order", 1, len(orphans))
	if strings.Contains(orphans[0].Kind, "query") {
		e.Error("another's message")
	}
}
