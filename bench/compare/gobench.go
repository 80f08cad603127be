package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// The rows that are Go benchmarks of the module.

// benchmark is what one of them said: by unit, a figure of each run.
type benchmark struct {
	name    string
	figures map[string][]float64
}

// of is the median in a unit.
func (b *benchmark) of(unit string) float64 { return median(b.figures[unit]) }

// goBenchmarks runs the benchmarks of a package that match a pattern, and
// gives them in the order in which they were run.
func (env *environment) goBenchmarks(ctx context.Context, pkg, pattern string, count int) ([]*benchmark, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", "1s", "-count", strconv.Itoa(count), pkg)
	cmd.Dir = env.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test: %w\n%s", err, out)
	}
	all, err := readBenchmarks(string(out))
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("the benchmarks said nothing:\n%s", out)
	}
	return all, err
}

var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?[ \t]+\d+[ \t]+(.*)$`)

// readBenchmarks reads the lines "BenchmarkName-2  10  123 ns/op  45 rows/s".
func readBenchmarks(out string) (all []*benchmark, err error) {
	byName := map[string]*benchmark{}
	for _, m := range benchmarkLine.FindAllStringSubmatch(out, -1) {
		b := byName[m[1]]
		if b == nil {
			b = &benchmark{m[1], map[string][]float64{}}
			byName[b.name] = b
			all = append(all, b)
		}
		fields := strings.Fields(m[2])
		for i := 0; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("benchmark %s: %w", b.name, err)
			}
			b.figures[fields[i+1]] = append(b.figures[fields[i+1]], v)
		}
	}
	return all, nil
}

// quote runs the pricing benchmarks.
func quote(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 50 // µs
	all, err := env.goBenchmarks(ctx, "./pricing", "^BenchmarkPrice20Lines100Promotions", 3)
	if err != nil {
		return nil, err
	}
	var results []Result
	for i, b := range all {
		us := b.of("ns/op") / 1000
		fmt.Fprintf(env.log, "  %s %.1f µs\n", b.name, us)
		r := Result{What: b.name, Unit: " µs", Tandem: us, Pass: true}
		if i == 0 { // the others are harder than the goal asks for
			r.Goal, r.Pass = goal, us < goal
		}
		results = append(results, r)
	}
	return results, nil
}

// reconcile runs the benchmarks of a day's reconciliation: the matching of a
// million payments, and what reads the channels' bills for it.
func reconcile(ctx context.Context, env *environment) ([]Result, error) {
	const (
		goal     = 50_000 // rows/s
		peakGoal = 300    // MB of heap
	)
	var results []Result
	for _, from := range []struct{ pkg, pattern string }{
		{"./bills", "^BenchmarkReconcile$"}, {"./channel/wechatpay", "^BenchmarkTrades$"}, {"./channel/alipay", "^BenchmarkBill$"},
	} {
		all, err := env.goBenchmarks(ctx, from.pkg, from.pattern, env.pairs)
		if err != nil {
			return nil, err
		}
		for _, b := range all {
			what := strings.TrimPrefix(from.pkg, "./") + " " + b.name
			rate := b.of("rows/s")
			r := Result{What: what, Unit: " rows/s", Tandem: rate, Goal: goal, AtLeast: true, Pass: rate >= goal}
			results = append(results, r)
			fmt.Fprintf(env.log, "  %s: %s", what, figure(rate, r.Unit))
			if peak, ok := b.figures["peak-MiB"]; ok {
				mb := median(peak) * (1 << 20) / 1e6
				p := Result{What: "peak heap of a million rows", Unit: " MB", Tandem: mb, Goal: peakGoal, Pass: mb < peakGoal}
				results = append(results, p)
				fmt.Fprintf(env.log, ", peak heap %s", figure(mb, p.Unit))
			}
			fmt.Fprintln(env.log)
		}
	}
	return results, nil
}
