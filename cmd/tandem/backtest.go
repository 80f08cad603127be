package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
	_ "time/tzdata" // a container may have no zones of its own

	"github.com/tandem-pay/tandem/backtest"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

// backtestCmd is tandem backtest.
type backtestCmd struct {
	dbFlags
	Shop      string `help:"The shop." default:"default"`
	Promotion string `required:"" help:"JSON file with one promotion as POST /v1/promotions takes it; - is standard input." placeholder:"FILE"`
	From      string `required:"" help:"The first day, as 2026-11-01." placeholder:"DAY"`
	To        string `required:"" help:"The last day." placeholder:"DAY"`
	Zone      string `help:"Time zone of the days, as Asia/Shanghai." default:"UTC"`
	AnyTime   bool   `help:"Leave out the promotion's own dates (startsAt, endsAt)."`
	JSON      bool   `help:"Write the report as JSON."`
	HTML      string `name:"html" help:"Write the report with charts to this file, one page that needs nothing else." placeholder:"FILE"`
}

// maxPromotionFile bounds the file, in bytes.
const maxPromotionFile = 1 << 20

// backtested is a report, and how long it took.
type backtested struct {
	*backtest.Report
	Seconds         float64 `json:"seconds"`
	OrdersPerSecond int64   `json:"ordersPerSecond"`
}

// Run reads and computes; it changes nothing.
func (c *backtestCmd) Run(ctx context.Context, s streams) error {
	b := backtest.Request{Shop: c.Shop}
	var err error
	if b.Promotion, err = c.draft(); err != nil {
		return usageError{err}
	}
	if b.From, b.To, b.Zone, err = c.period(); err != nil {
		return usageError{err}
	}
	db, _, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := theShop(ctx, db, c.Shop); err != nil {
		return err
	}
	if bar := load.Bar(s.err); bar != nil {
		shown := time.Time{}
		b.Progress = func(_ int64, at time.Time) {
			if time.Since(shown) > 200*time.Millisecond {
				shown = time.Now()
				bar("pricing again", int64(max(0, min(at.Sub(b.From), b.To.Sub(b.From)))), int64(b.To.Sub(b.From))+1)
			}
		}
	}
	// Little is kept of much that is read: collect garbage less often.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	began := time.Now()
	r, err := backtest.Run(ctx, db, b)
	if b.Progress != nil {
		fmt.Fprint(s.err, "\r\033[K") // the bar, which was not at its end
	}
	if err != nil {
		if fault.Is(err, fault.ValidationFailed) {
			return usageError{describe(err)}
		}
		return err
	}
	took := time.Since(began)
	out := backtested{Report: r, Seconds: took.Seconds(), OrdersPerSecond: int64(float64(seen(r)) / took.Seconds())}
	if c.HTML != "" {
		if err := writeBacktestPage(c.HTML, &out); err != nil {
			return err
		}
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	printBacktest(s.out, &out)
	if c.HTML != "" {
		fmt.Fprintln(s.out, "\nthe page is", c.HTML)
	}
	return nil
}

// seen is how many orders were read.
func seen(r *backtest.Report) int64 {
	n := r.Orders.All
	for _, skipped := range r.Skipped {
		n += skipped
	}
	return n
}

// draft reads the promotion.
func (c *backtestCmd) draft() (p pricing.Promotion, err error) {
	var in io.Reader = os.Stdin
	if c.Promotion != "-" {
		f, err := os.Open(c.Promotion)
		if err != nil {
			return p, fmt.Errorf("--promotion: %w", err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxPromotionFile+1))
	if err != nil {
		return p, fmt.Errorf("--promotion: %w", err)
	}
	if len(raw) > maxPromotionFile {
		return p, fmt.Errorf("--promotion %s: more than %d bytes", c.Promotion, maxPromotionFile)
	}
	if raw = bytes.TrimSpace(raw); bytes.HasPrefix(raw, []byte("[")) {
		return p, fmt.Errorf("--promotion %s: a list; one promotion is tested at a time, for what each costs depends on the others", c.Promotion)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("--promotion %s: %w", c.Promotion, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("--promotion %s: there is more after the promotion", c.Promotion)
	}
	if c.AnyTime {
		p.StartsAt, p.EndsAt = nil, nil
	}
	p.Version = 0
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("--promotion %s: %w", c.Promotion, describe(err))
	}
	return p, nil
}

// describe names every field at fault.
func describe(err error) error {
	f := fault.From(err)
	if len(f.Fields) < 2 {
		return err
	}
	text := ""
	for _, field := range f.Fields {
		text += fmt.Sprintf("\n  %s: %s", field.Pointer, field.Message)
	}
	return errors.New("these are at fault:" + text)
}

// period is from the beginning of the first day to the end of the last.
func (c *backtestCmd) period() (from, to time.Time, zone *time.Location, err error) {
	if zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		return from, to, nil, fmt.Errorf("--zone %q: it must be a name such as UTC or Asia/Shanghai", c.Zone)
	}
	day := func(flag, text string) (time.Time, error) {
		d, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil || d.Year() < 2000 || d.Year() > 9000 {
			return d, fmt.Errorf("--%s %q: it must be a day such as 2026-11-01", flag, text)
		}
		return d, nil
	}
	if from, err = day("from", c.From); err != nil {
		return from, to, nil, err
	}
	if to, err = day("to", c.To); err != nil {
		return from, to, nil, err
	}
	if to.Before(from) {
		return from, to, nil, fmt.Errorf("--to %s is before --from %s", c.To, c.From)
	}
	if to = to.AddDate(0, 0, 1); to.Sub(from) > maxBacktestDays*24*time.Hour {
		return from, to, nil, fmt.Errorf("--from %s to %s: at most %d days", c.From, c.To, maxBacktestDays)
	}
	return from, to, zone, nil
}

// maxBacktestDays is ten years.
const maxBacktestDays = 3653
