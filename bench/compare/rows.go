package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/load"
)

// row is a line of the comparison, or a few that belong together.
type row struct {
	name, about string
	measure     func(ctx context.Context, env *environment) ([]Result, error)
}

// The goals that have a factor in them; the others stand beside their rows.
var rows = []row{
	{"orders64", "orders/s placed, 1,000 skus, every other order with a coupon, 64 clients", pairs(inPostgres, 3, half, placing(64, 1000))},
	{"orders256", "the same with 256 clients", pairs(inPostgres, 4, half, placing(256, 1000))},
	{"hot64", "the same with 2 hot skus, 64 clients", pairs(inPostgres, 7, half, placing(64, 2))},
	{"single", "one client alone: not slower", pairs(inPostgres, 1, 0, placing(1, 1000))},
	{"lives", "whole lives/s: placed, payment opened, verified callback, coupon used", pairs(inPostgres, 3, 0, living)},
	{"sqlite", "orders/s on SQLite, against one transaction for each order on SQLite, 256 clients",
		pairs(inSQLite, 5, 0, placing(256, 1000))},
	{"sqlite64", "the same with 64 clients", pairs(inSQLite, 0, 0, placing(64, 1000))},
	{"push", "commit to message on a subscriber's socket, at half the maximum rate", push},
	{"memory", "idle memory of serve", memory},
	{"quote", "a quote of 20 lines against 100 active promotions, a Go benchmark", quote},
	{"quotes-http", "quotes/s over HTTP: 20 lines, 10,000 promotions of which 20 match, 64 clients, " +
		"against a handler that only decodes and encodes", quotes},
	{"promoted64", "orders/s with 10,000 promotions, limits on 10 of them, 64 clients, against none", promoted},
	{"callbacks", "verified callbacks settled/s, 256 clients, against RSA and AES alone on all processors", callbacks},
	{"isolation", "payments opened and callbacks settled, 32 clients, while 16 others use a channel that hangs", isolation},
	{"reconcile", "a day of a million payments, and the readers of bills, Go benchmarks", reconcile},
	{named, "`tandem bench --chaos`, three seeds on each database; only when it is named", chaosRuns},
}

// named is the row that is not among "all": it takes long.
const named = "chaos"

// half is the part of the baseline's p99 that Tandem's must stay below.
const half = 0.5

func rowNames() []string {
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].name
	}
	return names
}

func choose(names string) ([]row, error) {
	if names == "all" {
		return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.name == named }), nil
	}
	var chosen []row
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q; there are %s", name, strings.Join(rowNames(), ", "))
		}
		chosen = append(chosen, rows[i])
	}
	return chosen, nil
}

// driver loads a server.
type driver func(ctx context.Context, env *environment, t load.Target, s *load.Shop) (*load.Report, error)

func placing(clients, skus int) driver {
	return func(ctx context.Context, env *environment, t load.Target, s *load.Shop) (*load.Report, error) {
		some := *s
		some.Skus = skus
		return load.Orders(ctx, t, &some, env.pace(clients), env.progress)
	}
}

func living(ctx context.Context, env *environment, t load.Target, s *load.Shop) (*load.Report, error) {
	return load.Lives(ctx, t, s, env.keys, env.lives, env.pace(64), env.progress)
}

// where says which database a row is about.
type where func(env *environment, ctx context.Context) (*place, error)

var (
	inPostgres where = (*environment).postgres
	inSQLite   where = (*environment).sqlite
)

// after is PostgreSQL in which a statement was run before.
func after(sql string) where {
	return func(env *environment, ctx context.Context) (*place, error) {
		p, err := env.postgres(ctx)
		if err != nil {
			return nil, err
		}
		if err := env.sql(ctx, p.flags[1], sql); err != nil {
			return nil, errors.Join(err, p.drop())
		}
		return p, nil
	}
}

// pairs measures Tandem and the baseline in turns. Tandem must reach factor
// times the baseline's rate and, if below is not 0, stay below that part of
// its p99.
func pairs(in where, factor, below float64, drive driver) func(context.Context, *environment) ([]Result, error) {
	return func(ctx context.Context, env *environment) ([]Result, error) {
		var ours, theirs series
		for n := range env.pairs {
			for _, side := range []struct {
				name  string
				to    *series
				start func(context.Context, *place) (*load.Process, error)
			}{
				{"tandem", &ours, func(ctx context.Context, p *place) (*load.Process, error) { return env.serve(ctx, p.flags...) }},
				{"baseline", &theirs, func(ctx context.Context, p *place) (*load.Process, error) {
					return env.serveBaseline(ctx, baselineFlags(p)...)
				}},
			} {
				report, found, err := env.oneRun(ctx, in, side.start, drive)
				if err != nil {
					return nil, fmt.Errorf("%s, run %d: %w", side.name, n+1, err)
				}
				side.to.add(report, found)
				env.printRun(side.name, report, found)
			}
		}
		r := Result{
			What: "rate", Unit: "/s", Tandem: median(ours.rates), Baseline: median(theirs.rates), Goal: factor, AtLeast: true,
			Offences: ours.offences + theirs.offences, Audited: ours.runs + theirs.runs,
		}
		r.Ratio = r.Tandem / r.Baseline
		r.Pass = r.Ratio >= r.Goal && r.Offences == 0
		p99 := Result{What: "p99", Unit: " ms", Tandem: median(ours.p99s), Baseline: median(theirs.p99s), Goal: below}
		p99.Ratio = p99.Tandem / p99.Baseline
		p99.Pass = below == 0 || p99.Ratio < below
		out := []Result{r, p99}
		for i := range ours.stages { // of whole lives
			s := Result{
				What:     ours.stages[i].name,
				Unit:     "/s",
				Tandem:   median(ours.stages[i].rates),
				Baseline: median(theirs.stages[i].rates),
				Pass:     true,
			}
			s.Ratio = s.Tandem / s.Baseline
			out = append(out, s)
		}
		return out, nil
	}
}

// baselineFlags are a place as the baseline takes it.
func baselineFlags(p *place) []string {
	if p.flags[0] == "--data" {
		return []string{"--sqlite", p.flags[1] + "/tandem.db"}
	}
	return p.flags
}

// oneRun is one run on a fresh database: the server is started, loaded and
// stopped, and what it left is audited.
func (env *environment) oneRun(
	ctx context.Context, in where, start func(context.Context, *place) (*load.Process, error), drive driver,
) (r *load.Report, found *audit.Report, err error) {
	p, err := in(env, ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, p.drop()) }()
	server, err := start(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	t, err := load.NewTarget(server.URL, env.key)
	if err == nil {
		t.Watch = []load.Watched{{Name: "server", PID: server.PID()}}
		if env.pg != nil {
			t.Watch = append(t.Watch, load.Watched{Name: "PostgreSQL", PID: env.pg.PID()})
		}
		r, err = drive(ctx, env, t, p.shop)
	}
	if err := errors.Join(err, server.Stop()); err != nil {
		return nil, nil, err
	}
	found, err = p.audit(ctx)
	return r, found, err
}

// printRun reports one run as it ends.
func (env *environment) printRun(side string, r *load.Report, found *audit.Report) {
	verdict := "audit: nothing"
	if n := len(found.Offences); n > 0 {
		verdict = fmt.Sprintf(
			"audit: %d BROKEN, the first: %d %s: %s", n, found.Offences[0].Invariant, found.Offences[0].Subject,
			found.Offences[0].Message,
		)
	}
	failed := int64(0)
	for i := range r.Stages {
		failed += r.Stages[i].Failed()
	}
	if failed > 0 {
		verdict += fmt.Sprintf("; %d requests failed: %v", failed, r.Stages[0].Errors)
	}
	if r.Note != "" {
		verdict += "; " + r.Note
	}
	fmt.Fprintf(env.log, "  %-9s %8s/s  %s  %s\n", side, load.Thousands(r.Rate), r.Worst(), verdict)
	for i := range r.Stages {
		s := &r.Stages[i]
		if len(r.Stages) > 1 {
			fmt.Fprintf(env.log, "  %-9s   %-8s %8s/s  %s\n", "", s.Name, load.Thousands(s.Rate), s.Latency)
		}
		if c := s.Costs(); c != "" {
			fmt.Fprintf(env.log, "  %-9s   %-8s processor time a request: %s\n", "", "", c)
		}
	}
}

// series are the runs of one side.
type series struct {
	runs, offences int
	rates, p99s    []float64
	stages         []stageSeries
}

type stageSeries struct {
	name  string
	rates []float64
}

func (s *series) add(r *load.Report, found *audit.Report) {
	s.runs++
	s.offences += len(found.Offences)
	s.rates = append(s.rates, r.Rate)
	s.p99s = append(s.p99s, r.Worst().P99)
	if len(r.Stages) < 2 {
		return
	}
	if s.stages == nil {
		s.stages = make([]stageSeries, len(r.Stages))
	}
	for i := range r.Stages {
		s.stages[i].name = r.Stages[i].Name
		s.stages[i].rates = append(s.stages[i].rates, r.Stages[i].Rate)
	}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
