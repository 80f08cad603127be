package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Report is what a run found.
type Report struct {
	Seed        uint64            `json:"seed"`
	Orders      int               `json:"orders"`
	Rate        float64           `json:"rate"`
	Policies    map[string]string `json:"policies"`
	Injected    map[string]int    `json:"injected"` // by fault
	InjectedOps []string          `json:"injectedOps"`
	Calls       int64             `json:"calls"`
	Repeats     int64             `json:"repeats"` // of calls that were not answered for certain
	Ends        map[string]int    `json:"ends"`    // of orders, by state
	Refunds     map[string]int    `json:"refunds"` // by cause and state
	Operator    map[string]int    `json:"operator"`
	RestRounds  int               `json:"restRounds"`
	Rows        int               `json:"rows"` // of bills
	BadBills    int               `json:"badBills"`
	Classes     map[string]int    `json:"classes"` // of differences, healed ones included
	Explained   int               `json:"explained"`
	Paid        int64             `json:"paid"`     // minor units that buyers paid
	Returned    int64             `json:"returned"` // minor units that went back
	Suspense    int64             `json:"suspense"`
	Seconds     float64           `json:"seconds"`
	Wrong       []string          `json:"wrong"` // empty: passed
	more        int
}

// maxWrong is how many things that are wrong are reported in full.
const maxWrong = 50

var wrongMu sync.Mutex

func (r *Report) wrong(format string, args ...any) {
	wrongMu.Lock()
	defer wrongMu.Unlock()
	if len(r.Wrong) < maxWrong {
		r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
	} else {
		r.more++
	}
}

// Write prints the report for people.
func (r *Report) Write(out interface{ Write([]byte) (int, error) }) {
	total := 0
	for _, n := range r.Injected {
		total += n
	}
	fmt.Fprintf(
		out, "chaos, seed %d: %d orders in %.0f s; %d calls, %d of them repeated; %d faults injected\n", r.Seed, r.Orders,
		r.Seconds, r.Calls, r.Repeats, total,
	)
	line := func(name string, of map[string]int) {
		fmt.Fprintf(out, "  %-10s", name)
		for _, k := range slices.Sorted(maps.Keys(of)) {
			fmt.Fprintf(out, " %s %d;", k, of[k])
		}
		fmt.Fprintln(out)
	}
	policies, _ := json.Marshal(r.Policies)
	fmt.Fprintf(out, "  %-10s %s\n", "policies", policies)
	line("faults", r.Injected)
	line("orders", r.Ends)
	line("refunds", r.Refunds)
	line("operator", r.Operator)
	fmt.Fprintf(out, "  %-10s paid %d, returned %d, in suspense %d (minor units)\n", "money", r.Paid, r.Returned, r.Suspense)
	fmt.Fprintf(
		out, "  %-10s %d rows of bills; %d bills refused as broken; %d differences explained by the operator's acts\n", "bills",
		r.Rows, r.BadBills, r.Explained,
	)
	line("", r.Classes)
	for _, w := range r.Wrong {
		fmt.Fprintln(out, "  WRONG", w)
	}
	if r.more > 0 {
		fmt.Fprintf(out, "  WRONG and %d more\n", r.more)
	}
	if len(r.Wrong) == 0 {
		fmt.Fprintln(out, "  every buyer has a paid order or their money back")
	}
}
