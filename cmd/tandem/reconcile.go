package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bills"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// reconcileCmd is tandem reconcile.
type reconcileCmd struct {
	shopFlags
	keyFlags
	Channel string `required:"" help:"The channel, by its name."`
	Date    string `help:"The day, as 2026-11-22, in the channel's zone; yesterday when absent."`
	JSON    bool   `help:"Write the report as JSON."`
}

// Run reconciles one day. It fails when the bill could not be read (exit 1), and
// when differences need a person (exit 3).
func (c *reconcileCmd) Run(ctx context.Context, s streams) error {
	a, db, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	if a.Channels, err = c.book(ctx, a, db, c.Data, false); err != nil {
		return err
	}
	ch, err := a.Channels.Channel(ctx, c.Shop, c.Channel)
	if err != nil {
		return err
	}
	day := payment.DayOf(a.Clock.Now().In(ch.Zone()).AddDate(0, 0, -1), ch.Zone())
	if c.Date != "" {
		if day, err = payment.ParseDay(c.Date); err != nil {
			return usageError{err}
		}
	}
	began := time.Now()
	bar := progress(s, "reconciling", -1)
	d, err := bills.New(a).Reconcile(ctx, c.Shop, c.Channel, day, func(stage string, rows int64) {
		if stage != "matched" {
			bar.Describe(stage)
			_ = bar.Set64(rows)
		}
	})
	_ = bar.Finish()
	if err != nil {
		return err
	}
	open, err := openDiscrepancies(ctx, db, c.Shop, c.Channel, day)
	if err != nil {
		return err
	}
	if err := c.report(s.out, d, open, time.Since(began)); err != nil {
		return err
	}
	switch {
	case d.Status != rows.ReconciliationDone:
		return errSilent
	case len(open) > 0:
		return errDifferences
	}
	return nil
}

// maxListed is how many open discrepancies the report lists.
const maxListed = 1000

func openDiscrepancies(ctx context.Context, db database, shop, channel string, day payment.Day) ([]rows.Discrepancy, error) {
	var open []rows.Discrepancy
	p := app.Page{Limit: 200}
	for len(open) < maxListed {
		items, next, err := db.ListDiscrepancies(
			ctx, shop, app.DiscrepancyFilter{Channel: channel, Day: day.String(), Status: rows.DiscrepancyOpen}, p,
		)
		if err != nil {
			return nil, err
		}
		open = append(open, items...)
		if next == "" {
			break
		}
		p.Cursor = next
	}
	return open, nil
}

func (c *reconcileCmd) report(out io.Writer, d rows.Reconciliation, open []rows.Discrepancy, took time.Duration) error {
	var sum reconcile.Summary
	if len(d.Summary) > 0 {
		if err := format.Summary.Decode(d.Summary, &sum); err != nil {
			return err
		}
	}
	count := sum.TheirPayments.Count + sum.TheirRefunds.Count + sum.OurPayments.Count + sum.OurRefunds.Count
	rate := float64(count) / took.Seconds()
	if c.JSON {
		return json.NewEncoder(out).Encode(map[string]any{
			"day": d.Day, "channel": d.Channel, "status": d.Status, "error": d.Error, "runs": d.Runs, "summary": sum,
			"open": open, "rows": count, "seconds": took.Seconds(), "rowsPerSecond": rate,
		})
	}
	fmt.Fprintf(out, "%s %s: %s", d.Day, d.Channel, d.Status)
	if d.Error != "" {
		fmt.Fprintf(out, " (%s)", d.Error)
	}
	if d.Status != rows.ReconciliationDone {
		fmt.Fprintln(out)
		return nil
	}
	fmt.Fprintf(
		out,
		"\n  ours    %d payments %s, %d refunds %s\n  theirs  %d payments %s, %d refunds %s\n  matched %d; %d rows in %s, %.0f rows/s\n",
		sum.OurPayments.Count, money.FormatYuan(sum.OurPayments.Amount), sum.OurRefunds.Count, money.FormatYuan(sum.OurRefunds.Amount),
		sum.TheirPayments.Count, money.FormatYuan(sum.TheirPayments.Amount), sum.TheirRefunds.Count, money.FormatYuan(sum.TheirRefunds.Amount),
		sum.Matched, count, took.Round(time.Millisecond), rate,
	)
	classes := make([]reconcile.Class, 0, len(sum.Classes))
	for class := range sum.Classes {
		classes = append(classes, class)
	}
	slices.Sort(classes)
	for _, class := range classes {
		t, about := sum.Classes[class], reconcile.Of(class)
		healed := ""
		if about.Heals {
			healed = " (healed by the bill)"
		}
		fmt.Fprintf(
			out, "  %-22s %d, %s%s\n    %s\n    %s\n", class, t.Count, money.FormatYuan(t.Amount), healed, about.Meaning,
			about.MeaningZH,
		)
	}
	for i := range open {
		x := &open[i]
		fmt.Fprintf(
			out, "  OPEN %s %s payment %s refund %s: ours %s, theirs %s; %s\n    %s\n", x.ID, x.Class, x.PaymentNo, x.RefundNo,
			money.FormatYuan(x.Ours), money.FormatYuan(x.Theirs), x.Detail, reconcile.Of(reconcile.Class(x.Class)).Do,
		)
	}
	if len(open) == 0 {
		fmt.Fprintln(out, "  nothing needs a person")
	}
	return nil
}
