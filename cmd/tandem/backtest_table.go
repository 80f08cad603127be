package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tandem-pay/tandem/backtest"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

// printBacktest writes the report as tables. Amounts are in major units.
func printBacktest(out io.Writer, r *backtested) {
	yuan := money.FormatYuan
	p := &r.Promotion
	fmt.Fprintf(
		out, "shop %s: %s (%s, %s), %s to %s (both included, days of %s), %s\n", r.Shop, p.Name, p.ID, p.Kind, r.From, r.To,
		r.Zone, r.Currency,
	)
	if x := r.Replaces; x != nil {
		fmt.Fprintf(
			out, "instead of the live promotion %s (versions %s), which gave %s to %d paid orders\n", p.ID, list(x.Versions),
			yuan(x.Amount), x.Orders,
		)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ORDERS\tALL\tPAID\tREFUNDED\tCLOSED\tOPEN")
	for _, row := range []struct {
		name string
		s    backtest.Split
	}{{"priced again", r.Orders}, {"touched", r.Touched}} {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", row.name, row.s.All, row.s.Paid, row.s.Refunded, row.s.Closed, row.s.Open)
	}
	w.Flush()
	for _, why := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(out, "%d orders were left out: %s\n", r.Skipped[why], skippedReasons[why])
	}
	fmt.Fprintln(out)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	line("cost", "%s over paid orders (%s over all that were placed)", yuan(r.Cost), yuan(r.Exposure))
	line("given", "%s by the promotion itself", yuan(r.Given))
	line("less to pay", "%d orders, %s", r.Less.Orders, yuan(r.Less.Amount))
	line("more to pay", "%d orders, %s%s", r.More.Orders, yuan(r.More.Amount), because(r.MoreBy))
	line("off an order", "half %s or less, nine in ten %s or less, at most %s", yuan(r.Extra.P50), yuan(r.Extra.P90), yuan(r.Extra.Max))
	line(
		"buyers", "%d; first orders %d, %s; later ones %d, %s", r.Buyers, r.First.Orders, yuan(r.First.Amount),
		r.Returning.Orders, yuan(r.Returning.Amount),
	)
	if c := r.Coupons; c.Orders > 0 {
		line(
			"coupons", "%d orders would have been refused with their coupons (%d coupons, %s); counted as if placed without them", c.Orders,
			c.Coupons, yuan(c.Amount),
		)
	}
	for _, l := range r.Limits {
		line(l.Limit, "%s", limitWords(&l))
	}
	if r.GiftAssumed {
		line("gift", "%s was taken to be in stock, at today's price where orders do not say", p.GiftSku)
	}
	w.Flush()
	printGroups(out, "LEVEL", r.Levels, func(name string) string { return cmp.Or(name, "(none)") })
	printGroups(out, "BUYER", r.Top, func(name string) string { return name })
	if len(r.Conflicts) > 0 {
		fmt.Fprintln(w, "\nCONFLICT\tNAME\tORDERS\tNOT AT ALL\tGAVE LESS\tWHY")
		for _, e := range r.Conflicts {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", e.ID, e.Name, e.Orders, e.Lost, yuan(e.Amount), reasons(e.Reasons))
		}
		w.Flush()
	}
	fmt.Fprintln(w, "\nDAY\tORDERS\tTOUCHED\tCOST\tGIVEN\tRETURNED\tSPENT SO FAR")
	for _, d := range r.Days {
		fmt.Fprintf(
			w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\n", d.Day, d.Orders, d.Touched, yuan(d.Cost), yuan(d.Given), yuan(d.Returned),
			yuan(d.Spent),
		)
	}
	w.Flush()
	fmt.Fprintf(out, "\n%d orders in %.2f s: %d a second\n", seen(r.Report), r.Seconds, r.OrdersPerSecond)
}

var skippedReasons = map[string]string{
	"noBasis":       "placed before an order kept what its price was computed from",
	"otherCurrency": "in another currency",
	"noPrice":       "with the promotion they cannot be priced",
}

func printGroups(out io.Writer, title string, groups []backtest.Group, name func(string) string) {
	if len(groups) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s\tORDERS\tLESS TO PAY\n", title)
	for _, g := range groups {
		fmt.Fprintf(w, "%s\t%d\t%s\n", name(g.Name), g.Orders, money.FormatYuan(g.Amount))
	}
	w.Flush()
}

func list(versions []int64) string { return strings.Trim(fmt.Sprint(versions), "[]") }

// because names the rules that orders which cost more would have lost.
func because(rules []backtest.RuleEffect) string {
	var names []string
	for _, e := range rules {
		names = append(names, fmt.Sprintf("%s (%s) %d times", e.ID, e.Name, e.Orders))
	}
	if len(names) == 0 {
		return ""
	}
	return ", because they lose " + strings.Join(names, ", ")
}

func reasons(of map[pricing.Reason]int64) string {
	var all []string
	for _, why := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%s %d", why, of[why]))
	}
	return strings.Join(all, ", ")
}

func limitWords(l *backtest.LimitUse) string {
	amount := func(v int64) string {
		if l.Limit == "budget" {
			return money.FormatYuan(v)
		}
		return fmt.Sprint(v)
	}
	text := amount(l.Of)
	if l.Used >= 0 {
		text = amount(l.Used) + " of " + text
	}
	if l.Reached == "" {
		return text + ", never reached"
	}
	return fmt.Sprintf("%s, reached on %s; orders refused the promotion because of it: %d", text, l.Reached, l.Refused)
}
