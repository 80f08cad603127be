package load

import (
	"fmt"
	"strings"
)

// Watched is a process that shares the machine with the load: its processor
// time, with that of its children, is reported beside the stages.
type Watched struct {
	Name string
	PID  int
}

// CPU is the processor time that a process used during a stage, warm-up
// included.
type CPU struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Each    float64 `json:"microsecondsPerRequest"`
}

// generator is what the load itself is called among the watched.
const generator = "load"

// cpu is what the load and the watched processes have used so far; nil where
// nothing is watched or the system does not say. The load's children are not
// in its own.
func (t *Target) cpu() []CPU {
	if len(t.Watch) == 0 {
		return nil
	}
	own, trees, err := processorTimes(t.Watch)
	if err != nil {
		return nil
	}
	used := []CPU{{Name: generator, Seconds: own.Seconds()}}
	for i, w := range t.Watch {
		used = append(used, CPU{Name: w.Name, Seconds: trees[i].Seconds()})
	}
	return used
}

// since is what was used between two readings, for so many requests.
func since(before, after []CPU, requests int64) []CPU {
	if len(before) != len(after) || requests == 0 {
		return nil
	}
	for i := range after {
		c := &after[i]
		c.Seconds = max(0, c.Seconds-before[i].Seconds)
		c.Each = c.Seconds / float64(requests) * 1e6
	}
	return after
}

// Costs says what a request of the stage cost each process, "load 41 µs,
// server 120 µs"; "" if that is not known.
func (s *Stage) Costs() string {
	var said []string
	for _, c := range s.CPU {
		said = append(said, fmt.Sprintf("%s %.0f µs", c.Name, c.Each))
	}
	return strings.Join(said, ", ")
}
