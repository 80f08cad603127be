package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
)

func testRefunds(e *env) {
	var want []payment.RefundData // newest first
	for i := range 9 {
		r := plainRefund(fmt.Sprintf("30%02d", i), fmt.Sprintf("10%02d", i%2))
		switch i % 4 {
		case 1:
			r = fullRefund(r.No, r.Order)
		case 2:
			r.Status, r.DoneAt, r.NextTryAt = payment.RefundSucceeded, now, time.Time{}
		case 3:
			r.Status, r.DoneAt, r.NextTryAt = payment.RefundGivenUp, now, time.Time{}
			r.Allocations[0].Parked = payment.ParkClosed
		}
		want = append([]payment.RefundData{r}, want...)
	}
	e.write(changes{Refunds: added(want...)})
	ctx := e.Context()

	for _, test := range []struct {
		what   string
		filter app.RefundFilter
		keep   func(r *payment.RefundData) bool
	}{
		{"all", app.RefundFilter{}, func(*payment.RefundData) bool { return true }},
		{"pending", app.RefundFilter{Status: payment.RefundPending}, func(r *payment.RefundData) bool { return r.Status == payment.RefundPending }},
		{"failed", app.RefundFilter{Status: payment.RefundGivenUp}, func(r *payment.RefundData) bool { return r.Status == payment.RefundGivenUp }},
		{"parked", app.RefundFilter{Parked: true}, (*payment.RefundData).Parked},
		{"parked and pending", app.RefundFilter{Status: payment.RefundPending, Parked: true},
			func(r *payment.RefundData) bool { return r.Status == payment.RefundPending && r.Parked() }},
	} {
		wanted := slices.DeleteFunc(slices.Clone(want), func(r payment.RefundData) bool { return !test.keep(&r) })
		if len(wanted) == 0 {
			e.Fatalf("%s: nothing to find", test.what)
		}
		e.same(test.what, wanted, pages(e, func(p app.Page) ([]payment.RefundData, string, error) {
			return e.ListRefunds(ctx, e.shop, test.filter, p)
		}))
	}

	one, err := e.Refund(ctx, e.shop, "3001")
	e.must(err)
	e.same("one", fullRefund("3001", "1001"), one)
	of, err := e.RefundsOf(ctx, e.shop, "1001")
	e.must(err)
	e.same("an order's, by number", []payment.RefundData{want[7], want[5], want[3], want[1]}, of)
	none, err := e.RefundsOf(ctx, e.shop, "1009")
	e.must(err)
	e.same("of an order without", 0, len(none))
	some, err := e.RefundsByNo(ctx, e.shop, []string{"3008", "none", "3000"})
	e.must(err)
	e.same("by number", []string{"3000", "3008"}, refundNos(some))

	// A refund that is not parked any more has left that list.
	u, l := e.begin(needs{Refunds: []string{"3001"}})
	r := l.Refunds[0]
	r.Allocations = slices.Clone(r.Allocations)
	r.Allocations[1].Parked = ""
	e.must(e.commit(u, changes{Refunds: changed(l.Refunds[0], r)}))
	parked, _, err := e.ListRefunds(ctx, e.shop, app.RefundFilter{Parked: true}, app.Page{})
	e.must(err)
	e.same("parked still", []string{"3003", "3005", "3007"}, refundNos(parked))
}

func refundNos(rows []payment.RefundData) []string {
	return sorted(rows, func(r payment.RefundData) string { return r.No })
}

// testSettled: the borders of the time, the channel and the shop keep others
// out, and an error ends the stream and leaves nothing open.
func testSettled(e *env) {
	from, to := now, now.Add(24*time.Hour)
	var c changes
	for i, change := range []func(*payment.Data){
		func(p *payment.Data) { p.SucceededAt = from },
		func(p *payment.Data) { p.SucceededAt = to.Add(-time.Microsecond) },
		func(p *payment.Data) { p.SucceededAt = to },
		func(p *payment.Data) { p.SucceededAt = from.Add(-time.Microsecond) },
		func(p *payment.Data) { p.SucceededAt, p.Channel = from, "ali" },
		func(p *payment.Data) { p.Status, p.SucceededAt = payment.StatusPending, time.Time{} },
	} {
		p := fullPayment(fmt.Sprint(2000+i), "1001")
		change(&p)
		c.Payments = append(c.Payments, added(p)...)
	}
	e.write(c)
	other := *e
	other.shop = e.newShop()
	other.write(c)
	entry := func(p payment.Data) app.BookEntry {
		return app.BookEntry{
			PaymentNo: p.No, Order: p.Order, Channel: p.Channel, TransactionID: p.TransactionID, Amount: p.Amount, Currency: p.Currency,
			Status: p.Status, Merchant: p.Merchant, App: p.App, CreatedAt: p.CreatedAt, SucceededAt: p.SucceededAt,
		}
	}
	var want, got []app.BookEntry
	for _, i := range []int{0, 1} {
		want = append(want, entry(*c.Payments[i].New))
	}
	e.must(e.EachSettled(e.Context(), e.shop, "wx", from, to, func(b app.BookEntry) error {
		got = append(got, b)
		return nil
	}))
	byNo := func(a, b app.BookEntry) int { return strings.Compare(a.PaymentNo, b.PaymentNo) }
	slices.SortFunc(got, byNo)
	e.same("settled", want, got)

	got, err := e.EntriesByNo(e.Context(), e.shop, []string{"2005", "none", "2004"})
	e.must(err)
	slices.SortFunc(got, byNo)
	e.same("by number, of any channel", []app.BookEntry{entry(*c.Payments[4].New), entry(*c.Payments[5].New)}, got)
	got, err = e.EntriesByNo(e.Context(), e.shop, nil)
	e.must(err)
	e.same("by no number", 0, len(got))

	// More often than there are connections; f may read meanwhile.
	stop := errors.New("enough")
	for range 20 {
		calls := 0
		err := e.EachSettled(e.Context(), e.shop, "wx", from, to, func(b app.BookEntry) error {
			calls++
			_, err := e.Payment(e.Context(), e.shop, b.PaymentNo)
			return errors.Join(stop, err)
		})
		if !errors.Is(err, stop) || calls != 1 {
			e.Fatalf("a stream that is ended went on %d times and says %v", calls, err)
		}
	}
	// The engine is free meanwhile.
	e.must(e.EachSettled(e.Context(), e.shop, "wx", from, to, func(b app.BookEntry) error {
		return e.try(changes{Counters: []unit.Pair[rows.Counter]{counter("while reading " + b.PaymentNo)}})
	}))
	e.same("written while reading", true, e.written("while reading 2000"))
}

func testRefundsOfTime(e *env) {
	from, to := now, now.Add(24*time.Hour)
	done := func(made, at time.Time, status payment.RefundStatus) func(*payment.RefundData) {
		return func(r *payment.RefundData) {
			r.CreatedAt, r.Status, r.DoneAt, r.NextTryAt = made, status, at, time.Time{}
		}
	}
	before := from.Add(-time.Hour)
	var c changes
	for i, change := range []func(*payment.RefundData){
		func(*payment.RefundData) {}, // not over
		func(r *payment.RefundData) { r.CreatedAt, r.NextTryAt = from.AddDate(-1, 0, 0), time.Time{} },
		done(before, from, payment.RefundSucceeded),
		done(from, to.Add(-time.Microsecond), payment.RefundGivenUp),
		done(to.Add(-time.Microsecond), to.AddDate(0, 1, 0), payment.RefundSucceeded),
		done(before, from.Add(-time.Microsecond), payment.RefundSucceeded),
		done(to, to, payment.RefundSucceeded),
		func(r *payment.RefundData) { r.CreatedAt = to },
	} {
		r := fullRefund(fmt.Sprint(3000+i), "1001")
		change(&r)
		c.Refunds = append(c.Refunds, added(r)...)
	}
	e.write(c)
	var want, got []payment.RefundData
	for _, i := range []int{0, 1, 2, 3, 4} {
		want = append(want, *c.Refunds[i].New)
	}
	e.must(e.EachRefund(e.Context(), e.shop, from, to, func(r payment.RefundData) error {
		got = append(got, r)
		return nil
	}))
	e.same("numbers", refundNos(want), refundNos(got))
	slices.SortFunc(got, func(a, b payment.RefundData) int { return strings.Compare(a.No, b.No) })
	e.same("refunds", want, got)
	stop := errors.New("enough")
	if err := e.EachRefund(e.Context(), e.shop, from, to, func(payment.RefundData) error { return stop }); !errors.Is(err, stop) {
		e.Errorf("a stream that is ended says %v", err)
	}
}

func testOrphans(e *env) {
	orphan, settled := string(payment.Orphan), string(payment.Settled)
	e.write(changes{ChannelMessages: []app.ChannelMessage{
		{Kind: "callback", Payment: "2001", Verdict: orphan}, {Kind: "callback", Payment: "2001", Verdict: orphan},
		{Kind: "callback", Payment: "2002", Verdict: settled},
		{Kind: "callback", Payment: "2003", Verdict: orphan}, {Kind: "callback", Payment: "2003", Verdict: settled},
		{Kind: "callback", Payment: "2004", Verdict: orphan},
	}})
	other := *e
	other.shop = e.newShop()
	for _, test := range []struct {
		what string
		of   *env
		nos  []string
		want []string
	}{
		{"some of them", e, []string{"2003", "2002", "2001", "2009"}, []string{"2001", "2003"}},
		{"none named", e, nil, nil},
		{"none of them", e, []string{"2002", ""}, nil},
		{"in another shop", &other, []string{"2001"}, nil},
	} {
		got, err := test.of.OrphanNos(e.Context(), test.of.shop, test.nos)
		e.must(err)
		e.same(test.what, test.want, sorted(got, func(no string) string { return no }))
	}
}

func testSuspense(e *env) {
	none, err := e.Suspense(e.Context(), e.shop)
	e.must(err)
	e.same("of nothing", 0, len(none))
	var c changes
	for i, p := range []payment.Data{
		{Channel: "wx", Currency: "CNY", Amount: 100, Status: payment.StatusSucceeded, Applied: 60, Refunded: 10},
		{Channel: "wx", Currency: "CNY", Amount: 50, Status: payment.StatusSucceeded},
		{Channel: "wx", Currency: "JPY", Amount: 7, Status: payment.StatusSucceeded, Refunded: 6},
		{Channel: "wx", Currency: "CNY", Amount: 100, Status: payment.StatusSucceeded, Applied: 60, Refunded: 40},
		{Channel: "ali", Currency: "CNY", Amount: 9, Status: payment.StatusSucceeded, Applied: 8},
		{Channel: "ali", Currency: "CNY", Amount: 100, Status: payment.StatusPending},
		{Channel: "none", Currency: "CNY", Amount: 100, Status: payment.StatusSucceeded, Applied: 100},
	} {
		p.No, p.Order, p.CreatedAt, p.Version = fmt.Sprint(2000+i), "1001", now, 1
		c.Payments = append(c.Payments, added(p)...)
	}
	e.write(c)
	rows, err := e.Suspense(e.Context(), e.shop)
	e.must(err)
	e.same("by channel and currency", []app.SuspenseRow{
		{Channel: "ali", Currency: "CNY", Amount: 1, Payments: 1}, {Channel: "wx", Currency: "CNY", Amount: 80, Payments: 2},
		{Channel: "wx", Currency: "JPY", Amount: 1, Payments: 1},
	}, rows)
	// What is given back leaves the account.
	u, l := e.begin(needs{Payments: []string{"2001"}})
	at := slices.IndexFunc(l.Payments, func(p payment.Data) bool { return p.No == "2001" })
	back := l.Payments[at]
	back.Refunded = 50
	e.must(e.commit(u, changes{Payments: changed(l.Payments[at], back)}))
	rows, err = e.Suspense(e.Context(), e.shop)
	e.must(err)
	e.same("after a refund", app.SuspenseRow{Channel: "wx", Currency: "CNY", Amount: 30, Payments: 1}, rows[1])
}

func testReconciliations(e *env) {
	var days []rows.Reconciliation
	for _, day := range []string{"2026-11-23", "2026-11-22", "2026-11-21"} {
		days = append(days, fullReconciliation(day, "wx"), fullReconciliation(day, "ali"))
	}
	var open []rows.Discrepancy // newest first, and so below
	var all []rows.Discrepancy
	for i := 8; i >= 0; i-- {
		day := fmt.Sprint("2026-11-2", i/3)
		d := fullDiscrepancy(fmt.Sprint(day, "/", i), day, []string{"wx", "ali"}[i%2])
		if i%3 == 0 {
			d.Class = "missing"
		}
		if i%4 != 0 {
			d.Status, d.ResolvedAt = rows.DiscrepancyOpen, time.Time{}
			open = append(open, d)
		}
		all = append(all, d)
	}
	e.write(changes{Reconciliations: added(days...), Discrepancies: added(all...)})
	ctx := e.Context()

	e.same("days", days, pages(e, func(p app.Page) ([]rows.Reconciliation, string, error) {
		return e.ListReconciliations(ctx, e.shop, "", p)
	}))
	e.same("a channel's days", []rows.Reconciliation{days[1], days[3], days[5]},
		pages(e, func(p app.Page) ([]rows.Reconciliation, string, error) {
			return e.ListReconciliations(ctx, e.shop, "ali", p)
		}))
	day, err := e.Reconciliation(ctx, e.shop, "2026-11-22/ali")
	e.must(err)
	e.same("one day", days[3], day)

	e.same("open", open, pages(e, func(p app.Page) ([]rows.Discrepancy, string, error) {
		return e.ListDiscrepancies(ctx, e.shop, app.DiscrepancyFilter{Status: rows.DiscrepancyOpen}, p)
	}))
	for _, test := range []struct {
		what   string
		filter app.DiscrepancyFilter
		keep   func(d *rows.Discrepancy) bool
	}{
		{"all", app.DiscrepancyFilter{}, func(*rows.Discrepancy) bool { return true }},
		{"a day's", app.DiscrepancyFilter{Day: "2026-11-21"}, func(d *rows.Discrepancy) bool { return d.Day == "2026-11-21" }},
		{"a channel's", app.DiscrepancyFilter{Channel: "ali"}, func(d *rows.Discrepancy) bool { return d.Channel == "ali" }},
		{"of a class", app.DiscrepancyFilter{Class: "missing"}, func(d *rows.Discrepancy) bool { return d.Class == "missing" }},
		{"resolved", app.DiscrepancyFilter{Status: rows.DiscrepancyResolved}, func(d *rows.Discrepancy) bool { return d.Status == rows.DiscrepancyResolved }},
		{"open of a day, channel and class", app.DiscrepancyFilter{Day: "2026-11-21", Channel: "ali", Class: "missing", Status: rows.DiscrepancyOpen},
			func(d *rows.Discrepancy) bool { return d.ID == "2026-11-21/3" }},
	} {
		wanted := slices.DeleteFunc(slices.Clone(all), func(d rows.Discrepancy) bool { return !test.keep(&d) })
		if len(wanted) == 0 {
			e.Fatalf("%s: nothing to find", test.what)
		}
		e.same(test.what, wanted, pages(e, func(p app.Page) ([]rows.Discrepancy, string, error) {
			return e.ListDiscrepancies(ctx, e.shop, test.filter, p)
		}))
	}
	one, err := e.Discrepancy(ctx, e.shop, "2026-11-21/4")
	e.must(err)
	e.same("one", all[4], one)
}
