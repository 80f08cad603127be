package faults

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// chaos chooses operations and faults by chance. The zero chaos is off.
type chaos struct {
	seed     uint64
	rate     float64
	rand     *rand.Rand // nil: off
	only     []Fault    // empty: all that are not Named
	injected map[Op]map[Fault]int
}

// draw decides whether op goes wrong and how. It draws even when no fault
// applies to op, so that the same sequence of operations gets the same faults
// again.
func (c *chaos) draw(op Op, group []Fault) Armed {
	if c.rand == nil || c.rand.Float64() >= c.rate {
		return Armed{}
	}
	var may []Info
	for _, f := range table {
		if !slices.Contains(f.Ops, op) || len(group) > 0 && !slices.Contains(group, f.Fault) {
			continue
		}
		if len(c.only) == 0 && !f.Named || slices.Contains(c.only, f.Fault) {
			may = append(may, f)
		}
	}
	if len(may) == 0 {
		return Armed{}
	}
	f := may[c.rand.IntN(len(may))]
	if c.injected[op] == nil {
		c.injected[op] = map[Fault]int{}
	}
	c.injected[op][f.Fault]++
	return Armed{Op: op, Fault: f.Fault, Delay: f.Delay}
}

// Chaos makes operations go wrong by chance: every call, callback, payment,
// refund and bill for which no fault is armed, each with the probability rate,
// by one of the faults that apply to it: of those given or, when none is, of
// all that are not Named. The same seed and the same sequence of operations
// give the same faults. A rate of 0 switches chance off; the counts are kept
// until it is switched on again. Delays pass on the gateway's clock: when that
// clock stands still, name the faults and leave Slow out.
func (s *Set) Chaos(seed uint64, rate float64, only ...Fault) error {
	if !(rate >= 0 && rate <= 1) { // NaN as well
		return errors.New("rate must be 0 to 1")
	}
	only = slices.Clone(only)
	for i, f := range only {
		if only[i] = current(f); !known(only[i]) {
			return fmt.Errorf("there is no fault %q", f)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if rate == 0 {
		s.chaos.rand, s.chaos.rate = nil, 0
		return nil
	}
	dice := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // the same seed must give the same faults
	s.chaos = chaos{seed: seed, rate: rate, rand: dice, only: only, injected: map[Op]map[Fault]int{}}
	return nil
}

// ChaosState is the settings of chance, and what it has done.
type ChaosState struct {
	On       bool                 `json:"on"`
	Seed     uint64               `json:"seed"`
	Rate     float64              `json:"rate"`
	Faults   []Fault              `json:"faults"` // empty: all that need not be named
	Injected map[Op]map[Fault]int `json:"injected"`
}

// ChaosState reports what chance has done since it was switched on.
func (s *Set) ChaosState() ChaosState {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chaos
	v := ChaosState{On: c.rand != nil, Seed: c.seed, Rate: c.rate, Faults: append([]Fault{}, c.only...), Injected: map[Op]map[Fault]int{}}
	for op, faults := range c.injected {
		v.Injected[op] = maps.Clone(faults)
	}
	return v
}
