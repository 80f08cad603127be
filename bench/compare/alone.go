package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/tandem-pay/tandem/bench/load"
)

// The rows that have no baseline.

// push measures how long the message of a payment takes.
func push(ctx context.Context, h *house) ([]Result, error) {
	const goal = 20 // ms
	var commit, answer, rates []float64
	offences := 0
	for range h.pairs {
		var r *load.Report
		_, audit, err := h.once(ctx, inPostgres,
			func(ctx context.Context, p *place) (*load.Process, error) { return h.serve(ctx, p.flags...) },
			func(ctx context.Context, h *house, t load.Target, s *load.Shop) (_ *load.Report, err error) {
				orders := min(s.Coupons, 4500)
				r, err = load.Listen(ctx, t, s, h.keys, load.PushOptions{Orders: orders}, h.pace(64), h.progress)
				return r, err
			})
		if err != nil {
			return nil, err
		}
		h.say("tandem", r, audit)
		fmt.Fprintf(h.log, "  %-9s   %s messages to %d sockets: from the batch's time %s; from the answer %s\n",
			"", load.Thousands(float64(r.Push.Messages)), r.Push.Sockets, r.Push.FromCommit, r.Push.FromAnswer)
		offences += len(audit.Offences)
		commit, answer, rates = append(commit, r.Push.FromCommit.P99), append(answer, r.Push.FromAnswer.P99), append(rates, r.Push.Rate)
	}
	p99 := median(commit)
	return []Result{
		{What: "p99, the commit included", Unit: " ms", Tandem: p99, Goal: goal, Pass: p99 < goal && offences == 0, Offences: offences, Audited: h.pairs},
		{What: "p99 after the answer", Unit: " ms", Tandem: median(answer), Pass: true},
		{What: "requests meanwhile", Unit: "/s", Tandem: median(rates), Pass: true},
	}, nil
}

// idle is how long a server is left alone before its memory is read.
const idle = 5 * time.Second

// memory starts serve as anyone would, with everything on.
func memory(ctx context.Context, h *house) ([]Result, error) {
	const goal = 80 // MB
	server, err := load.Start(ctx, h.tandem, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(h.dir, "idle"))
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

var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op`)

// quote runs the pricing benchmarks of the module.
func quote(ctx context.Context, h *house) ([]Result, error) {
	const goal = 50 // µs
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkPrice20Lines100Promotions", "-benchtime", "1s", "-count", "3", "./pricing")
	cmd.Dir = h.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test: %w\n%s", err, out)
	}
	var names []string
	times := map[string][]float64{}
	for _, m := range benchmarkLine.FindAllStringSubmatch(string(out), -1) {
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		if times[m[1]] == nil {
			names = append(names, m[1])
		}
		times[m[1]] = append(times[m[1]], ns/1000)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("the benchmarks said nothing:\n%s", out)
	}
	var results []Result
	for i, name := range names {
		us := median(times[name])
		fmt.Fprintf(h.log, "  %s %.1f µs\n", name, us)
		r := Result{What: name, Unit: " µs", Tandem: us, Pass: true}
		if i == 0 { // the others are harder than the goal asks for
			r.Goal, r.Pass = goal, us < goal
		}
		results = append(results, r)
	}
	return results, nil
}
