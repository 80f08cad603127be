package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// chaos strikes operations by chance, until it is switched off. The zero
// chaos never strikes. Gateway.mu guards it.
type chaos struct {
	seed   uint64
	rate   float64
	draw   *rand.Rand // nil: off
	only   []Fault    // empty: all that are not Named
	struck map[Op]map[Fault]int
}

// strike draws whether and by what op is struck. It draws once where op
// cannot be struck at all, so the same sequence of operations meets the same
// faults again.
func (c *chaos) strike(op Op, kinds []Fault) Armed {
	if c.draw == nil {
		return Armed{}
	}
	hit := c.draw.Float64() < c.rate
	if !hit {
		return Armed{}
	}
	var may []FaultInfo
	for _, f := range faultTable {
		if !slices.Contains(f.Ops, op) || len(kinds) > 0 && !slices.Contains(kinds, f.Fault) {
			continue
		}
		if len(c.only) == 0 && !f.Named || slices.Contains(c.only, f.Fault) {
			may = append(may, f)
		}
	}
	if len(may) == 0 {
		return Armed{}
	}
	f := may[c.draw.IntN(len(may))]
	if c.struck[op] == nil {
		c.struck[op] = map[Fault]int{}
	}
	c.struck[op][f.Fault]++
	return Armed{Op: op, Fault: f.Fault, Delay: f.Delay}
}

// Chaos lets chance strike every call, callback, payment, refund and bill
// that no armed fault strikes, each with the probability rate, by one of the
// faults that apply to it: of those named or, when none is, of all but those
// that FaultInfo calls Named. The same seed and the same sequence of
// operations meet the same faults. A rate of 0 switches it off; what was
// struck is kept until it is switched on again. Delays pass on the gateway's
// clock: name the faults when that clock stands still, and leave Slow out.
func (g *Gateway) Chaos(seed uint64, rate float64, faults ...Fault) error {
	if !(rate >= 0 && rate <= 1) { // NaN as well
		return errors.New("rate must be 0 to 1")
	}
	for _, f := range faults {
		if !slices.ContainsFunc(faultTable, func(i FaultInfo) bool { return i.Fault == f }) {
			return fmt.Errorf("there is no fault %q", f)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if rate == 0 {
		g.chaos.draw, g.chaos.rate = nil, 0
		return nil
	}
	g.chaos = chaos{seed: seed, rate: rate, draw: rand.New(rand.NewPCG(seed, seed)), only: slices.Clone(faults), struck: map[Op]map[Fault]int{}}
	return nil
}

// ChaosView is what chance does and has done.
type ChaosView struct {
	On     bool                 `json:"on"`
	Seed   uint64               `json:"seed"`
	Rate   float64              `json:"rate"`
	Faults []Fault              `json:"faults"` // empty: all that need not be named
	Struck map[Op]map[Fault]int `json:"struck"`
}

// ChaosStruck says what chance has struck since it was switched on.
func (g *Gateway) ChaosStruck() ChaosView {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.chaos
	v := ChaosView{On: c.draw != nil, Seed: c.seed, Rate: c.rate, Faults: append([]Fault{}, c.only...), Struck: map[Op]map[Fault]int{}}
	for op, faults := range c.struck {
		v.Struck[op] = maps.Clone(faults)
	}
	return v
}
