package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tandem-pay/tandem/bench/load"
)

// Result is one figure of a row: the median of its runs.
type Result struct {
	Row      string  `json:"row"`
	What     string  `json:"what"`
	Unit     string  `json:"unit"`
	Tandem   float64 `json:"tandem"`
	Baseline float64 `json:"baseline,omitempty"` // or what else the row has Tandem beside, as What says
	Ratio    float64 `json:"ratio,omitempty"`    // of Tandem to the baseline
	Goal     float64 `json:"goal,omitempty"`     // of the ratio, or of the figure where there is no baseline; 0 is none
	AtLeast  bool    `json:"atLeast,omitempty"`
	Pass     bool    `json:"pass"`
	Audited  int     `json:"audited,omitempty"` // runs that were
	Offences int     `json:"offences"`          // that the audit found in them
}

// goal is the goal as text.
func (r *Result) goal() string {
	switch {
	case r.Goal == 0:
		return ""
	case r.Baseline == 0 && r.AtLeast:
		return "≥ " + figure(r.Goal, r.Unit)
	case r.Baseline == 0:
		return "< " + figure(r.Goal, r.Unit)
	case r.AtLeast:
		return fmt.Sprintf("≥ %g×", r.Goal)
	}
	return fmt.Sprintf("< %g×", r.Goal)
}

func (r *Result) mark() string {
	switch {
	case r.Offences > 0:
		return fmt.Sprintf("✗ audit: %d BROKEN", r.Offences)
	case !r.Pass:
		return "✗"
	case r.Audited > 0:
		return "✓ audit: nothing"
	case r.Goal == 0:
		return ""
	}
	return "✓"
}

func figure(v float64, unit string) string {
	if v < 100 {
		return fmt.Sprintf("%.3g%s", v, unit)
	}
	return load.Thousands(v) + unit
}

func printTable(out io.Writer, all []Result) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nROW\tWHAT\tTANDEM\tBASELINE\tRATIO\tGOAL\t")
	last := ""
	met, goals := 0, 0
	for i := range all {
		r := &all[i]
		name, base, ratio := "", "", ""
		if r.Row != last {
			name, last = r.Row, r.Row
		}
		if r.Baseline > 0 {
			base, ratio = figure(r.Baseline, r.Unit), fmt.Sprintf("%.2f×", r.Ratio)
		}
		if r.Goal > 0 {
			goals++
			if r.Pass {
				met++
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, r.What, figure(r.Tandem, r.Unit), base, ratio, r.goal(), r.mark())
	}
	_ = w.Flush() // a terminal that has gone is nobody's loss
	fmt.Fprintf(out, "\n%d of %d goals met. ", met, goals)
}
