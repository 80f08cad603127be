// Command compare measures Tandem beside the baseline (bench/baseline): the
// same load, on the same machine, alternately (A B A B A B), so that whatever
// else the machine does affects both. `make bench` runs it.
//
// For each run it makes a fresh database, a copy of one that was migrated and
// seeded beforehand, starts the server as a process of its own on a real
// PostgreSQL with fsync on, warms it up, measures, stops the server, and has
// the audit check the database. Server, database and load generator share the
// machine's processors: the ratio is what counts, not the figures.
//
// Some rows are compared with something else: callbacks with their
// cryptography alone, isolation with a run without the channel that hangs.
// Others have a target figure. The row chaos takes long and is not part of
// "all": name it.
//
// It fails when a run fails or the audit finds anything, and with -strict
// also when a goal is missed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/tandem-pay/tandem/bench/load"
)

// config is what the flags say.
type config struct {
	rows      string
	pairs     int
	seconds   int
	warmUp    int
	lives     int64
	callbacks int64
	orders    int
	tandem    string
	conns     int
	json      bool
	strict    bool
}

func main() {
	var c config
	flag.StringVar(
		&c.rows, "rows", "all",
		"rows to measure, by name, with commas between (all leaves chaos out): "+strings.Join(rowNames(), ","),
	)
	flag.IntVar(&c.pairs, "pairs", 3, "runs of Tandem and of the baseline, in turns")
	flag.IntVar(&c.seconds, "seconds", 8, "how long to measure in each run")
	flag.IntVar(&c.warmUp, "warmup", 2, "seconds before anything is counted")
	flag.Int64Var(&c.lives, "lives", 5000, "orders of a run of whole lives")
	flag.Int64Var(&c.callbacks, "callbacks", 20_000, "callbacks of a run (callbacks, isolation)")
	flag.IntVar(&c.orders, "orders", 20_000, "orders of a chaos run")
	flag.StringVar(&c.tandem, "tandem", "", "program to measure, built with -tags bench; built from this module when absent")
	flag.IntVar(&c.conns, "conns", 16, "connections of the baseline's pool")
	flag.BoolVar(&c.json, "json", false, "write the results as JSON")
	flag.BoolVar(&c.strict, "strict", false, "fail when a goal is missed")
	flag.Parse()
	debug.SetGCPercent(400) // the load generator should cost little
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, c, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, c config, out, log io.Writer) (err error) {
	chosen, err := choose(c.rows)
	if err != nil {
		return err
	}
	if c.pairs < 1 || c.seconds < 1 || c.warmUp < 0 || c.lives < 1 {
		return errors.New("-pairs, -seconds and -lives must be at least 1")
	}
	if c.callbacks < 1 || c.callbacks > load.MaxCallbacks || c.orders < 1 {
		return fmt.Errorf("-callbacks must be 1 to %d, -orders at least 1", load.MaxCallbacks)
	}
	began := time.Now()
	env, err := newEnvironment(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, env.close()) }()
	fmt.Fprintln(log, machine())

	var all []Result
	for _, r := range chosen {
		fmt.Fprintf(log, "\n%s: %s\n", r.name, r.about)
		results, err := r.measure(ctx, env)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		for i := range results {
			results[i].Row = r.name
		}
		all = append(all, results...)
	}
	if c.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"machine": machine(), "results": all, "seconds": time.Since(began).Seconds()}); err != nil {
			return err
		}
	} else {
		printTable(out, all)
		fmt.Fprintf(out, "%s; took %s\n", machine(), time.Since(began).Round(time.Second))
	}
	return verdict(all, c.strict)
}

// verdict is an error if a run left a broken invariant or, when asked to be
// strict, a goal was missed.
func verdict(all []Result, strict bool) error {
	missed := 0
	for i := range all {
		if all[i].Offences > 0 {
			return fmt.Errorf("%s: the audit found %d broken invariants", all[i].Row, all[i].Offences)
		}
		if !all[i].Pass {
			missed++
		}
	}
	if strict && missed > 0 {
		return fmt.Errorf("%d goals missed", missed)
	}
	return nil
}

// machine says what this was measured on.
func machine() string {
	s := fmt.Sprintf("%d processors", runtime.NumCPU())
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				s += " (" + strings.TrimSpace(value) + ")"
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		s += ", load average " + strings.Join(strings.Fields(string(text))[:1], "")
	}
	return s + ", " + runtime.Version()
}

// build compiles a program of this module into the folder, with flags.
func build(ctx context.Context, root, dir, pkg string, flags ...string) (string, error) {
	program := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-trimpath", "-o", program}, flags...), pkg)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return program, nil
}

// moduleRoot is where this module's source is.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module (run this from within it): %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// pace is how the rows are loaded.
func (c config) pace(clients int) load.Pace {
	return load.Pace{Clients: clients, WarmUp: time.Duration(c.warmUp) * time.Second, For: time.Duration(c.seconds) * time.Second}
}
