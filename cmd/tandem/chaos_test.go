package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/chaos"
)

// TestChaos is a short chaos run: every fault of the sandbox at random, until
// everything is at rest, on both databases. What it asserts is in package
// chaos; here it is that nothing was wrong, and that faults were injected. It
// starts shortly before midnight and month's end where the channels are: what
// is paid before and goes back after stands in the bills of two days.
func TestChaos(t *testing.T) {
	for name, db := range map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return pg.NewEmptyDatabase(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it mostly waits
			var out, errs bytes.Buffer
			args := []string{"bench", "--chaos", "--orders", "100", "--clients", "16", "--seed", "20261122", "--rate", "0.1", "--at", "2026-11-30T15:45:00Z", "--json"}
			if url := db(t); url != "" {
				args = append(args, "--db", url)
			}
			code := run(t.Context(), args, streams{&out, &errs})
			var got struct {
				Chaos chaos.Report
				Audit audit.Report
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("exit %d, %v\n%s", code, err, errs.String())
			}
			if code != 0 {
				t.Errorf("exit %d: %q %v\n%s", code, got.Chaos.Wrong, got.Audit.Offences, errs.String())
			}
			injected := 0
			for _, n := range got.Chaos.Injected {
				injected += n
			}
			ended := 0
			for _, n := range got.Chaos.Ends {
				ended += n
			}
			if injected < 25 || ended != 100 || got.Audit.Orders != 100 || got.Audit.Suspense != 0 {
				t.Errorf("%d faults, %d orders at an end; audit %+v", injected, ended, got.Audit)
			}
		})
	}
}
