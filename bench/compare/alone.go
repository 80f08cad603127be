package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tandem-pay/tandem/bench/load"
)

// The rows that measure a server by itself.

// push measures how long the message of a payment takes.
func push(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 20 // ms
	var commit, answer, rates []float64
	offences := 0
	for range env.pairs {
		var r *load.Report
		_, audit, err := env.oneRun(ctx, inPostgres,
			func(ctx context.Context, p *place) (*load.Process, error) { return env.serve(ctx, p.flags...) },
			func(ctx context.Context, env *environment, t load.Target, s *load.Shop) (_ *load.Report, err error) {
				orders := min(s.Coupons, 4500)
				r, err = load.Listen(ctx, t, s, env.keys, load.PushOptions{Orders: orders}, env.pace(64), env.progress)
				return r, err
			})
		if err != nil {
			return nil, err
		}
		env.printRun("tandem", r, audit)
		fmt.Fprintf(env.log, "  %-9s   %s messages to %d sockets: from the batch's time %s; from the answer %s\n",
			"", load.Thousands(float64(r.Push.Messages)), r.Push.Sockets, r.Push.FromCommit, r.Push.FromAnswer)
		offences += len(audit.Offences)
		commit, answer, rates = append(commit, r.Push.FromCommit.P99), append(answer, r.Push.FromAnswer.P99), append(rates, r.Push.Rate)
	}
	p99 := median(commit)
	return []Result{
		{
			What:     "p99, the commit included",
			Unit:     " ms",
			Tandem:   p99,
			Goal:     goal,
			Pass:     p99 < goal && offences == 0,
			Offences: offences,
			Audited:  env.pairs,
		},
		{What: "p99 after the answer", Unit: " ms", Tandem: median(answer), Pass: true},
		{What: "requests meanwhile", Unit: "/s", Tandem: median(rates), Pass: true},
	}, nil
}

// idle is how long a server is left alone before its memory is read.
const idle = 5 * time.Second

// memory starts serve as anyone would, with everything on.
func memory(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 80 // MB
	server, err := load.Start(ctx, env.tandem, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(env.dir, "idle"))
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	select {
	case <-time.After(idle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	bytes, err := server.Memory()
	mb := float64(bytes) / 1e6
	return []Result{{What: "resident", Unit: " MB", Tandem: mb, Goal: goal, Pass: mb < goal}}, err
}

// callbacks measures how many callbacks are settled per second, beside what
// their cryptography alone would allow, of each run.
func callbacks(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 0.5 // of the cryptography alone
	var settled, repeated, alone []float64
	offences := 0
	for range env.pairs {
		r, audit, err := env.oneRun(ctx, inPostgres,
			func(ctx context.Context, p *place) (*load.Process, error) { return env.serve(ctx, p.flags...) },
			func(ctx context.Context, env *environment, t load.Target, s *load.Shop) (*load.Report, error) {
				return load.Callbacks(ctx, t, s, env.keys, env.callbacks, env.pace(256), env.progress)
			})
		if err != nil {
			return nil, err
		}
		env.printRun("tandem", r, audit)
		fmt.Fprintf(
			env.log, "  %-9s   %-8s %8s/s  verified and decrypted by all processors with nothing else to do\n", "", "alone",
			load.Thousands(r.Alone),
		)
		offences += len(audit.Offences)
		settled, repeated, alone = append(settled, r.Stages[0].Rate), append(repeated, r.Stages[1].Rate), append(alone, r.Alone)
	}
	first := Result{
		What: "settled; beside: RSA and AES alone", Unit: "/s", Tandem: median(settled), Baseline: median(alone), Goal: goal, AtLeast: true,
		Offences: offences, Audited: env.pairs,
	}
	first.Ratio = first.Tandem / first.Baseline
	first.Pass = first.Ratio >= goal && offences == 0
	again := Result{What: "callbacks-repeated", Unit: "/s", Tandem: median(repeated), Baseline: median(alone), Pass: true}
	again.Ratio = again.Tandem / again.Baseline
	return []Result{first, again}, nil
}

// How many clients the row isolation has.
const (
	wellClients    = 32 // on the channel that is well
	hangingClients = 16 // on the one that hangs, in every other run
)

// isolation measures a channel alone, and while another hangs, in turns.
func isolation(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 1.2 // of the p99 alone
	sides := []struct {
		name    string
		hanging int
		p50     []float64
		p99     []float64
		rates   []float64
	}{{name: "alone"}, {name: "beside", hanging: hangingClients}}
	offences := 0
	for range env.pairs {
		for i := range sides {
			side := &sides[i]
			r, audit, err := env.oneRun(ctx, inPostgres,
				func(ctx context.Context, p *place) (*load.Process, error) { return env.serve(ctx, p.flags...) },
				func(ctx context.Context, env *environment, t load.Target, s *load.Shop) (*load.Report, error) {
					o := load.IsolationOptions{Requests: 2 * env.callbacks, Hanging: side.hanging}
					return load.Isolation(ctx, t, s, env.keys, o, env.pace(wellClients), env.progress)
				})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", side.name, err)
			}
			env.printRun(side.name, r, audit)
			offences += len(audit.Offences)
			l := r.Stages[0].Latency
			side.p50, side.p99, side.rates = append(side.p50, l.P50), append(side.p99, l.P99), append(side.rates, r.Rate)
		}
	}
	compared := func(what, unit string, of func(i int) []float64) Result {
		r := Result{What: what + "; beside: alone", Unit: unit, Tandem: median(of(1)), Baseline: median(of(0)), Pass: true}
		r.Ratio = r.Tandem / r.Baseline
		return r
	}
	p99 := compared("p99 while another channel hangs", " ms", func(i int) []float64 { return sides[i].p99 })
	p99.Goal, p99.Pass, p99.Offences, p99.Audited = goal, p99.Ratio < goal && offences == 0, offences, 2*env.pairs
	return []Result{
		p99,
		compared("p50", " ms", func(i int) []float64 { return sides[i].p50 }),
		compared("requests", "/s", func(i int) []float64 { return sides[i].rates }),
	}, nil
}
