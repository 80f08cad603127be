package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/bench/chaos"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/shop"
)

// runChaos is tandem bench --chaos: a server of its own with the sandbox, the
// chaos run, and then the audit of what is committed.
func (c *benchCmd) runChaos(ctx context.Context, s streams) (err error) {
	dir, err := os.MkdirTemp("", "tandem-chaos-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			fmt.Fprintln(s.err, "its data is kept in", dir)
		}
	}()
	db := dbFlags{DB: c.DB, Data: filepath.Join(dir, "data")}
	flags := []string{"--log-level", "warn"}
	if !c.At.IsZero() {
		flags = append(flags, "--at", c.At.Format(time.RFC3339))
	}
	server, err := c.serve(ctx, &db, flags...)
	if err != nil {
		return err
	}
	var report *chaos.Report
	t, err := load.NewTarget(server.URL, c.Key)
	if err == nil {
		progress := load.Bar(s.err)
		if progress == nil {
			progress = lines(s.err)
		}
		report, err = chaos.Run(ctx, t, chaos.Options{Seed: c.Seed, Orders: c.Orders, Clients: min(c.Clients, 64), Rate: c.Rate}, progress)
	}
	if err != nil || len(report.Wrong) > 0 {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, "server.log"), []byte(server.Said()), 0o600))
	}
	if err := errors.Join(err, server.Stop()); err != nil {
		return err
	}
	verdict, err := c.audit(ctx, &db)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(map[string]any{"chaos": report, "audit": verdict})
	} else {
		report.Write(s.out)
		printReport(s.out, shop.Default, verdict)
	}
	if err == nil && (len(report.Wrong) > 0 || len(verdict.Offences) > 0 || verdict.Suspense != 0) {
		err = errSilent
	}
	return err
}

// lines reports progress where there is no terminal: a line every ten
// seconds, and one for each new stage.
func lines(out io.Writer) load.Progress {
	var mu sync.Mutex
	var stage string
	began, last := time.Now(), time.Time{}
	return func(now string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if now == stage && time.Since(last) < 10*time.Second {
			return
		}
		stage, last = now, time.Now()
		fmt.Fprintf(out, "%6.0f s  %s %d of %d\n", time.Since(began).Seconds(), now, done, total)
	}
}
