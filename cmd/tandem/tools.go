package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/channel/kinds"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/engine"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/telemetry"
)

// auditCmd is tandem audit.
type auditCmd struct {
	dbFlags
	Shop string `help:"One shop; all when absent."`
	JSON bool   `help:"Write the reports as JSON."`

	Prices bool `help:"Price every stored order again from its own snapshot, by the rules of its time."`
}

func (c *auditCmd) Run(ctx context.Context, s streams) error {
	db, _, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	shops := []shop.Shop{{ID: c.Shop}}
	if c.Shop == "" {
		shops, err = db.Shops(ctx)
	} else {
		shops[0], err = theShop(ctx, db, c.Shop)
	}
	if err != nil {
		return err
	}
	offences := 0
	for _, sh := range shops {
		r, err := audit.Run(ctx, db, sh.ID, logFollowers())
		if err != nil {
			return err
		}
		offences += len(r.Offences)
		answer := map[string]any{"shop": sh.ID, "report": r}
		var prices *audit.PriceReport
		if c.Prices {
			if prices, err = repriceAll(ctx, s, db, sh.ID, r.Orders); err != nil {
				return err
			}
			offences += len(prices.Offences)
			answer["prices"] = prices
		}
		if c.JSON {
			if err := json.NewEncoder(s.out).Encode(answer); err != nil {
				return err
			}
			continue
		}
		printReport(s.out, sh.ID, r)
		if prices != nil {
			printPrices(s.out, prices)
		}
	}
	if offences > 0 {
		return errSilent
	}
	return nil
}

// repriceAll prices a shop's orders again, with a bar on a terminal.
func repriceAll(ctx context.Context, s streams, db database, shop string, orders int64) (*audit.PriceReport, error) {
	bar := load.Bar(s.err)
	if bar == nil {
		return audit.Prices(ctx, db, shop, nil)
	}
	return audit.Prices(ctx, db, shop, func(done int64) {
		if done%100 == 0 {
			bar("pricing again", done, max(orders, done))
		}
	})
}

func printPrices(out io.Writer, r *audit.PriceReport) {
	fmt.Fprintf(out, "  prices: %d of %d orders priced again from their own snapshots\n", r.Checked, r.Orders)
	if r.Unproven > 0 {
		fmt.Fprintf(out, "  %d were placed before orders stored what their prices were computed from\n", r.Unproven)
	}
	for _, o := range r.Offences {
		fmt.Fprintf(out, "  BROKEN %d  %s: %s\n", o.Invariant, o.Subject, o.Message)
	}
	if len(r.Offences) == 0 {
		fmt.Fprintln(out, "  all have the same price, line by line")
	}
}

func printReport(out io.Writer, shop string, r *audit.Report) {
	fmt.Fprintf(out, "shop %s: %d orders, %d payments, %d coupons, %d skus, %d event records; in suspense: %d; records that followers have not processed: %d\n",
		shop, r.Orders, r.Payments, r.Coupons, r.Skus, r.Records, r.Suspense, r.Pending)
	for _, o := range r.Offences {
		fmt.Fprintf(out, "  BROKEN %d  %s: %s\n", o.Invariant, o.Subject, o.Message)
	}
	if len(r.Offences) == 0 {
		fmt.Fprintf(out, "  all %d invariants hold\n", len(audit.Invariants)-1)
		return
	}
	for i, text := range audit.Invariants {
		if i > 0 {
			fmt.Fprintf(out, "  (%d) %s\n", i, text)
		}
	}
}

// quiet is the log of commands that report their results themselves.
func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// keysCmd is tandem keys.
type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List a shop's keys (never the secrets)."`
	Add    keysAddCmd    `cmd:"" help:"Make a key and print its secret, once."`
	Revoke keysRevokeCmd `cmd:"" help:"Revoke a key."`
}

type shopFlags struct {
	dbFlags
	Shop string `help:"The shop." default:"default"`
}

// tool is an engine of its own over the database, for commands that change
// something; a running server sees what they did.
func (f *shopFlags) tool(ctx context.Context) (*app.App, database, func(), error) {
	db, writers, err := f.existing(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := theShop(ctx, db, f.Shop); err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	tracer, _ := telemetry.NewTracer()
	c := clock.New()
	caches := &app.Caches{Store: db}
	commands := engine.New(db, rows.Schema, engine.Options{
		Clock: c, Committers: writers, Log: quiet(), Prepare: caches.Prepare, Committed: caches.Committed,
	})
	a := &app.App{Engine: commands, Store: db, PriceInputs: caches.PriceInputs, Clock: c, Rand: rand.Reader, Log: quiet(), Tracer: tracer}
	return a, db, func() { commands.Close(); _ = db.Close() }, nil
}

type keysListCmd struct{ shopFlags }

func (c *keysListCmd) Run(ctx context.Context, s streams) error {
	_, db, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	keys, err := db.ListKeys(ctx, c.Shop)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tLABEL\tCREATED\tREVOKED")
	for _, k := range keys {
		revoked := "-"
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, k.Label, k.CreatedAt.Format(time.RFC3339), revoked)
	}
	return w.Flush()
}

type keysAddCmd struct {
	shopFlags
	Label string `help:"What the key is for." default:""`
}

func (c *keysAddCmd) Run(ctx context.Context, s streams) error {
	a, _, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	k, secret, err := a.AddKey(ctx, c.Shop, c.Label, "")
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\t%s\n", k.ID, secret)
	fmt.Fprintln(s.err, "keep the secret: it is not shown again")
	return nil
}

type keysRevokeCmd struct {
	shopFlags
	ID string `arg:"" help:"The key's id (key_…)."`
}

func (c *keysRevokeCmd) Run(ctx context.Context, s streams) error {
	a, _, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := a.RevokeKey(ctx, c.Shop, c.ID); err != nil {
		return err
	}
	fmt.Fprintln(s.out, c.ID, "is revoked; servers refuse it within 5 seconds")
	return nil
}

// channelsCmd is tandem channels.
type channelsCmd struct {
	List channelsListCmd `cmd:"" help:"List a shop's channels."`
	Get  channelsGetCmd  `cmd:"" help:"Show a channel's settings, secrets masked."`
	Put  channelsPutCmd  `cmd:"" help:"Set up a channel from a JSON file."`
}

type channelsListCmd struct{ shopFlags }

func (c *channelsListCmd) Run(ctx context.Context, s streams) error {
	_, db, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	rows, err := db.ListChannels(ctx, c.Shop)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "CHANNEL\tKIND\tUPDATED")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Kind, r.UpdatedAt.Format(time.RFC3339))
	}
	return w.Flush()
}

type channelFlags struct {
	shopFlags
	keyFlags
	Name string `arg:"" help:"The channel: wechatpay, …"`
}

// book opens channels for a command; those of the sandbox at the server that
// has it.
func (f *keyFlags) book(ctx context.Context, a *app.App, db database, data string, mayMake bool) (*app.ChannelBook, error) {
	box, err := f.box(ctx, db, data, mayMake)
	if err != nil {
		return nil, err
	}
	sandboxed, err := readSandbox(ctx, db)
	if err != nil {
		return nil, err
	}
	sandboxed.address = func() (string, error) {
		address, err := db.SandboxHolder(ctx)
		if err == nil && address == "" {
			err = errors.New("this channel is the sandbox's, and no server with the sandbox is running")
		}
		return address, err
	}
	return &app.ChannelBook{Store: db, Sealer: box, Kinds: sandboxed.kinds(kinds.All(kinds.Options{Now: a.Clock.Now}))}, nil
}

type channelsGetCmd struct{ channelFlags }

func (c *channelsGetCmd) Run(ctx context.Context, s streams) error {
	a, db, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	book, err := c.book(ctx, a, db, c.Data, false)
	if err != nil {
		return err
	}
	settings, err := book.Settings(ctx, c.Shop, c.Name)
	if err != nil {
		return err
	}
	return printJSON(s.out, settings)
}

type channelsPutCmd struct {
	channelFlags
	File string `arg:"" help:"JSON file as PUT /v1/channels/{channel} takes it; - is standard input."`
}

func (c *channelsPutCmd) Run(ctx context.Context, s streams) error {
	in := os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return err
	}
	a, db, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	book, err := c.book(ctx, a, db, c.Data, true)
	if err != nil {
		return err
	}
	masked, err := a.PutChannel(ctx, book, c.Shop, c.Name, raw)
	if err != nil {
		return err
	}
	return printJSON(s.out, masked)
}

func printJSON(out io.Writer, raw json.RawMessage) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(raw)
}
