package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/shop"
)

// benchCmd is tandem bench.
type benchCmd struct {
	Target   string        `help:"Server to load (http://host:port); one is started for it when absent." placeholder:"URL"`
	Key      string        `help:"Secret key of the target." placeholder:"SK"`
	DB       string        `help:"Database of the server that is started, and of the audit. It is filled with orders. A throw-away SQLite file when absent." placeholder:"URL"`
	Scenario string        `help:"orders: place them. lives: place, pay, until the coupons are used (needs a program that was built with go build -tags bench). quotes: price carts." default:"orders" enum:"orders,lives,quotes"`
	Clients  int           `help:"Clients, each with one request at a time." default:"64"`
	Duration time.Duration `help:"How long to measure (orders and quotes)." default:"10s"`
	WarmUp   time.Duration `help:"How long to load before anything is counted." default:"2s"`
	Lives    int64         `help:"Orders to take through their lives (lives)." default:"5000"`
	Skus     int           `help:"Skus to order from; with 2, every order takes the same." default:"1000"`
	JSON     bool          `help:"Write the report as JSON."`

	Chaos  bool      `help:"Take orders through both channels of the sandbox with every fault switched on at random, until everything is settled, and compare the buyers' wallets, the bills and the books."`
	Seed   uint64    `help:"Seed of all randomness (--chaos)." default:"1"`
	Orders int       `help:"How many orders (--chaos)." default:"20000"`
	Rate   float64   `help:"The share of operations that are disturbed by a fault (--chaos)." default:"0.08"`
	At     time.Time `help:"The time at which the server's clock starts, e.g. shortly before midnight (2026-11-30T15:45:00Z); now when absent (--chaos)." placeholder:"TIME"`
}

// ordersPerSecond is how fast a server is at most thought to be: every other
// order uses up a coupon.
const ordersPerSecond = 12_000

func (c *benchCmd) Run(ctx context.Context, s streams) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	if c.Chaos {
		return c.runChaos(ctx, s)
	}
	keys, err := sandbox.GenerateKeys(rand.Reader, time.Now())
	if err != nil {
		return err
	}
	db := dbFlags{DB: c.DB}
	audited := c.Target == "" || c.DB != ""
	stop := func() error { return nil }
	if c.Target == "" {
		dir, err := os.MkdirTemp("", "tandem-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		db.Data = filepath.Join(dir, "data")
		server, err := c.serve(ctx, &db, "--no-sandbox", "--log-level", "error")
		if err != nil {
			return err
		}
		stop = server.Stop
		c.Target = server.URL
	}
	report, err := c.load(ctx, s, keys)
	// The audit reads what is committed; a server that has drained has
	// committed all.
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	var verdict *audit.Report
	if audited {
		if verdict, err = c.audit(ctx, &db); err != nil {
			return err
		}
	}
	if err := c.print(s, report, verdict); err != nil {
		return err
	}
	if verdict != nil && len(verdict.Offences) > 0 {
		return errSilent
	}
	return nil
}

func (c *benchCmd) check() error {
	switch {
	case c.Target != "" && c.Key == "":
		return usageError{errors.New("--target needs --key, a secret key of that server")}
	case c.Scenario == "lives" && !c.Chaos && c.Target == "" && loadKinds == nil:
		return usageError{
			errors.New("--scenario lives needs a program that was built with -tags bench: this one has no channel that answers at once"),
		}
	case c.Clients < 1 || c.Clients > 10_000:
		return usageError{errors.New("--clients: want 1 to 10000")}
	case c.Skus < 1 || c.Skus > 99_999:
		return usageError{errors.New("--skus: want 1 to 99999")}
	case c.Duration < time.Second || c.Duration > time.Hour || c.WarmUp < 0 || c.WarmUp > time.Hour:
		return usageError{errors.New("--duration: it must be 1s to 1h")}
	case c.Chaos && (c.Orders < 1 || c.Orders > 1_000_000 || c.Rate < 0 || c.Rate > 0.5):
		return usageError{errors.New("--orders: want 1 to 1000000; --rate: want 0 to 0.5")}
	case !c.Chaos && !c.At.IsZero():
		return usageError{errors.New("--at is for --chaos")}
	case c.Chaos && c.Target != "":
		return usageError{errors.New("--chaos starts a server of its own")}
	case c.Lives < 1 || c.Lives > 1_000_000:
		return usageError{errors.New("--lives: want 1 to 1000000")}
	}
	return nil
}

// serve starts this program as the server to be loaded.
func (c *benchCmd) serve(ctx context.Context, db *dbFlags, more ...string) (*load.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if c.Key == "" {
		c.Key = app.SecretPrefix + strings.ToLower(rand.Text())
	}
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", db.Data, "--api-key", c.Key, "--no-demo"}, more...)
	if db.DB != "" {
		args = append(args, "--db", db.DB)
	}
	return load.Start(ctx, self, args...)
}

func (c *benchCmd) load(ctx context.Context, s streams, keys *sandbox.Keys) (*load.Report, error) {
	t, err := load.NewTarget(c.Target, c.Key)
	if err != nil {
		return nil, usageError{err}
	}
	bar := load.Bar(s.err)
	want := load.Requirements{Skus: c.Skus}
	switch c.Scenario {
	case "lives":
		want.Coupons = c.Lives
		if err := load.PutChannel(ctx, t, load.BenchChannel, load.ChannelSettings(keys, load.BenchChannel)); err != nil {
			return nil, fmt.Errorf("%w\n(lives need a server that was built with -tags bench)", err)
		}
	case "orders":
		want.Coupons = int64((c.WarmUp+c.Duration).Seconds()*ordersPerSecond/2) + 1
	case "quotes":
		want.Coupons = 1000
	}
	ready, err := load.Prepare(ctx, t, want, bar)
	if err != nil {
		return nil, err
	}
	pace := load.Pace{Clients: c.Clients, WarmUp: c.WarmUp, For: c.Duration}
	switch c.Scenario {
	case "lives":
		return load.Lives(ctx, t, ready, keys, c.Lives, pace, bar)
	case "quotes":
		return load.Quotes(ctx, t, ready, pace, bar)
	}
	return load.Orders(ctx, t, ready, pace, bar)
}

func (c *benchCmd) audit(ctx context.Context, f *dbFlags) (*audit.Report, error) {
	db, _, err := f.open(ctx, quiet())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return audit.Run(ctx, db, shop.Default, logFollowers())
}

func (c *benchCmd) print(s streams, report *load.Report, verdict *audit.Report) error {
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"load": report, "audit": verdict})
	}
	report.Write(s.out)
	if verdict == nil {
		fmt.Fprintln(s.out, "not audited: give the server's database with --db")
		return nil
	}
	printReport(s.out, shop.Default, verdict)
	return nil
}
