package faults

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Set is the faults that are armed, and chance. The zero Set makes nothing go
// wrong. It is safe for concurrent use.
type Set struct {
	mu    sync.Mutex
	armed []*Armed
	chaos chaos
}

// Armed is a fault that waits for its operation. The zero Armed is none.
type Armed struct {
	Op         Op
	Fault      Fault
	Left       int           // how many more operations it makes go wrong
	Delay      time.Duration // of the faults that know one
	OutTradeNo string        // the only trade that it is for; "": any
}

// maxArmed bounds what the control API can make the gateway remember.
const maxArmed = 1000

// Arm makes the next count operations op go wrong: of the trade with that
// number or, when it is "", of any. Of a bill, the trade chooses the row that
// is altered. Faults of one operation are used in the order in which they were
// armed, one at each place where it is decided; those of bills all at once. A
// delay of 0 is the fault's own; it passes on the gateway's clock.
func (s *Set) Arm(outTradeNo string, op Op, fault Fault, count int, delay time.Duration) error {
	fault = current(fault)
	i := slices.IndexFunc(table, func(f Info) bool { return f.Fault == fault })
	switch {
	case i < 0:
		return fmt.Errorf("there is no fault %q", fault)
	case !slices.Contains(table[i].Ops, op):
		return fmt.Errorf("fault %q is for %v, not for %q", fault, table[i].Ops, op)
	case count < 1:
		return fmt.Errorf("count is %d, it must be at least 1", count)
	case len(outTradeNo) > 64:
		return errors.New("outTradeNo is longer than 64 characters")
	case outTradeNo != "" && op == Certificates:
		return errors.New("certificates belong to no trade")
	}
	armed := &Armed{Op: op, Fault: fault, Left: count, Delay: table[i].Delay, OutTradeNo: outTradeNo}
	if delay > 0 {
		armed.Delay = delay
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.armed) >= maxArmed {
		return fmt.Errorf("%d faults are armed already", maxArmed)
	}
	s.armed = append(s.armed, armed)
	return nil
}

// Disarm clears all armed faults. Chance stays as it is.
func (s *Set) Disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = nil
}

// Armed are the faults that still wait for an operation.
func (s *Set) Armed() []Armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Armed, 0, len(s.armed))
	for _, a := range s.armed {
		out = append(out, *a)
	}
	return out
}

// Take uses up the next fault of op that waits for this trade, or for any;
// with a group given, the next of that group. When none is armed, chance may
// have one. The zero Armed means that nothing goes wrong.
func (s *Set) Take(op Op, outTradeNo string, group ...Fault) Armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.armed {
		if a.Op != op || a.OutTradeNo != "" && a.OutTradeNo != outTradeNo || len(group) > 0 && !slices.Contains(group, a.Fault) {
			continue
		}
		return s.use(i)
	}
	return s.chaos.draw(op, group)
}

// TakeAll uses up all armed faults of op and of that group, each once. The
// caller minds which trade they are for.
func (s *Set) TakeAll(op Op, group ...Fault) (taken []Armed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i < len(s.armed); {
		a := s.armed[i]
		if a.Op != op || !slices.Contains(group, a.Fault) {
			i++
			continue
		}
		if taken = append(taken, s.use(i)); a.Left > 0 {
			i++
		}
	}
	if len(taken) == 0 {
		if a := s.chaos.draw(op, group); a.Fault != "" {
			taken = append(taken, a)
		}
	}
	return taken
}

// use takes one from the i-th armed fault. s.mu is held.
func (s *Set) use(i int) Armed {
	a := s.armed[i]
	taken := *a
	if a.Left--; a.Left == 0 {
		s.armed = slices.Delete(s.armed, i, i+1)
	}
	return taken
}

// Has says whether the fault is among those.
func Has(taken []Armed, fault Fault) bool {
	return slices.ContainsFunc(taken, func(a Armed) bool { return a.Fault == fault })
}
