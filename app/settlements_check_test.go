package app

import (
	"fmt"
	"slices"
)

// In tests every step of Settlements is held to what the table says of it: an
// event that it records and does not declare fails the command, and with it
// the test that ran it.
func init() {
	for i := range Settlements {
		row := &Settlements[i]
		for j := range row.Steps {
			row.Steps[j].run = checked(row.Fact, row.Steps[j])
		}
	}
}

func checked(fact string, step Step) func(*settling) error {
	return func(s *settling) error {
		before := s.order.Drain()
		err := step.run(s)
		after := s.order.Drain()
		for i := range after {
			if !slices.Contains(step.Events, after[i].Type) {
				panic(fmt.Sprintf("settling %q: step %q records %s, and does not declare it", fact, step.Name, after[i].Type))
			}
		}
		for _, e := range slices.Concat(before, after) {
			s.order.Record(e)
		}
		return err
	}
}
