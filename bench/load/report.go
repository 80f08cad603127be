package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is a distribution, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func latency(h *hdrhistogram.Histogram) Latency {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Latency{
		P50: ms(h.ValueAtQuantile(50)), P90: ms(h.ValueAtQuantile(90)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max()),
	}
}

func (l Latency) String() string {
	return fmt.Sprintf("p50 %s  p90 %s  p99 %s  max %s", ms(l.P50), ms(l.P90), ms(l.P99), ms(l.Max))
}

func ms(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.2f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

// Stage is what was measured of one kind of request.
type Stage struct {
	Name    string           `json:"name"`
	Clients int              `json:"clients"`
	Seconds float64          `json:"seconds"` // measured
	Count   int64            `json:"count"`
	Rate    float64          `json:"perSecond"`
	Latency Latency          `json:"latencyMs"`
	Errors  map[string]int64 `json:"errors,omitempty"` // by code; counted from the start, warm-up included
	CPU     []CPU            `json:"cpu,omitempty"`
}

// Failed is how many requests failed.
func (s *Stage) Failed() (n int64) {
	for _, c := range s.Errors {
		n += c
	}
	return n
}

// Report is what a scenario measured.
type Report struct {
	Scenario string  `json:"scenario"`
	Rate     float64 `json:"perSecond"` // of the scenario's own unit: orders, lives, quotes
	Stages   []Stage `json:"stages"`
	Note     string  `json:"note,omitempty"`
	Push     *Push   `json:"push,omitempty"`
	Alone    float64 `json:"alonePerSecond,omitempty"` // callbacks verified and decrypted, with nothing else to do
}

// Worst is the latency of the stage whose p99 is the highest.
func (r *Report) Worst() (l Latency) {
	for i := range r.Stages {
		if r.Stages[i].Latency.P99 >= l.P99 {
			l = r.Stages[i].Latency
		}
	}
	return l
}

// Write writes the report for people.
func (r *Report) Write(out io.Writer) {
	fmt.Fprintf(out, "%s: %s/s\n", r.Scenario, Thousands(r.Rate))
	for i := range r.Stages {
		s := &r.Stages[i]
		fmt.Fprintf(out, "  %-10s %9s/s  %s  (%s in %.1f s, %d clients)\n",
			s.Name, Thousands(s.Rate), s.Latency, Thousands(float64(s.Count)), s.Seconds, s.Clients)
		if c := s.Costs(); c != "" {
			fmt.Fprintf(out, "  %-10s processor time a request: %s\n", "", c)
		}
		if len(s.Errors) == 0 {
			continue
		}
		var codes []string
		for _, c := range slices.Sorted(maps.Keys(s.Errors)) {
			codes = append(codes, fmt.Sprintf("%s %d", c, s.Errors[c]))
		}
		fmt.Fprintf(out, "  %-10s errors: %s\n", "", strings.Join(codes, ", "))
	}
	if r.Push != nil {
		fmt.Fprintf(out, "  messages   %s, commit to message: %s\n", Thousands(float64(r.Push.Messages)), r.Push.FromCommit)
	}
	if r.Note != "" {
		fmt.Fprintln(out, " ", r.Note)
	}
}

// Thousands writes a whole number as people read it: 12,345.
func Thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
