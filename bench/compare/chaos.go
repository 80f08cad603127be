package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/chaos"
)

// chaosSeeds is how often the row chaos runs on each database.
const chaosSeeds = 3

// chaosRuns runs `tandem bench --chaos` on both databases. Anything that is
// wrong counts as an offence.
func chaosRuns(ctx context.Context, env *environment) (results []Result, err error) {
	if err := env.startPostgres(); err != nil { // without a shop: each run makes its own
		return nil, err
	}
	for seed := range chaosSeeds {
		for _, database := range []string{"SQLite", "PostgreSQL"} {
			r, err := env.chaosRun(ctx, seed+1, database)
			if err != nil {
				return nil, fmt.Errorf("seed %d on %s: %w", seed+1, database, err)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// chaosRun is one run, on a database of its own.
func (env *environment) chaosRun(ctx context.Context, seed int, database string) (r Result, err error) {
	args := []string{"bench", "--chaos", "--json", "--seed", strconv.Itoa(seed), "--orders", strconv.Itoa(env.orders)}
	if database == "PostgreSQL" {
		url, drop, err := env.pg.CreateEmpty(ctx)
		if err != nil {
			return r, err
		}
		defer drop()
		args = append(args, "--db", url)
	}
	cmd := exec.CommandContext(ctx, env.tandem, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, env.log
	// One that is broken off stops its server and removes what it made.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(syscall.SIGTERM) }, time.Minute
	ran := cmd.Run()
	wrong, seconds, err := readChaosRun(out.Bytes(), ran)
	if err != nil {
		return r, err
	}
	r = Result{
		What: fmt.Sprintf("seed %d on %s, %d orders", seed, database, env.orders), Unit: " s",
		Tandem: seconds, Pass: len(wrong) == 0, Offences: len(wrong), Audited: 1,
	}
	if len(wrong) == 0 {
		fmt.Fprintf(env.log, "  %s: passed in %.0f s\n", r.What, seconds)
		return r, nil
	}
	fmt.Fprintf(env.log, "  %s: %d WRONG, the first: %s\n", r.What, len(wrong), wrong[0])
	return r, nil
}

// readChaosRun reads what a run wrote; ran is how it ended. A run that found
// something wrong fails, and says what; one that fails otherwise is an error.
func readChaosRun(out []byte, ran error) (wrong []string, seconds float64, err error) {
	var said struct {
		Chaos *chaos.Report
		Audit *audit.Report
	}
	if err := json.Unmarshal(out, &said); err != nil || said.Chaos == nil || said.Audit == nil {
		return nil, 0, errors.Join(ran, err, errors.New("it did not report"))
	}
	wrong = said.Chaos.Wrong
	for _, o := range said.Audit.Offences {
		wrong = append(wrong, fmt.Sprintf("invariant %d, %s: %s", o.Invariant, o.Subject, o.Message))
	}
	if n := said.Audit.Suspense; n != 0 {
		wrong = append(wrong, fmt.Sprintf("%d minor units are left in suspense", n))
	}
	if ran != nil && len(wrong) == 0 {
		return nil, 0, ran
	}
	return wrong, said.Chaos.Seconds, nil
}
