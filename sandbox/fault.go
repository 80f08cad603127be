package sandbox

import (
	"fmt"
	"slices"
	"time"
)

// Op is something that the gateway does and that can be made to go wrong.
type Op string

// The operations.
const (
	OpPrepay       Op = "prepay"
	OpQuery        Op = "query"
	OpClose        Op = "close"
	OpCertificates Op = "certificates"
	OpPay          Op = "pay"      // the buyer pays
	OpCallback     Op = "callback" // the shop is told that the buyer paid
)

// Fault is one way of going wrong.
type Fault string

// The faults; faultTable says what each does and to which operations.
const (
	TimeoutAfterCommit Fault = "timeout_after_commit"
	TimeoutNoEffect    Fault = "timeout_no_effect"
	Error500NoEffect   Fault = "error_500_no_effect"
	Error500WithEffect Fault = "error_500_with_effect"
	RateLimited        Fault = "rate_limited_429"
	CorruptSignature   Fault = "corrupt_signature"
	SigntestSignature  Fault = "signtest_signature"
	Unsigned           Fault = "unsigned"
	Slow               Fault = "slow"

	Lost          Fault = "lost"
	Duplicated    Fault = "duplicated"
	Twins         Fault = "twins"
	Delayed       Fault = "delayed"
	SigntestProbe Fault = "signtest_probe"
	SecondID      Fault = "second_id"

	PayAfterClose Fault = "pay_after_close"
	SecondPayment Fault = "second_payment"
)

// FaultInfo describes a fault.
type FaultInfo struct {
	Fault Fault  `json:"fault"`
	Ops   []Op   `json:"ops"`
	Does  string `json:"does"`
	// Delay is what Arm takes when it is given none.
	Delay time.Duration `json:"-"`
}

var (
	calls     = []Op{OpPrepay, OpQuery, OpClose, OpCertificates}
	signed    = append(slices.Clone(calls), OpCallback)
	callbacks = []Op{OpCallback}
)

// faultTable is every fault that there is. A fault of a call strikes after
// the request has been authenticated, whatever its answer would have been.
var faultTable = []FaultInfo{
	{Fault: TimeoutAfterCommit, Ops: calls, Does: "takes effect, waits for the delay if there is one, then closes the connection without a complete answer"},
	{Fault: TimeoutNoEffect, Ops: calls, Does: "the same without taking effect"},
	{Fault: Error500NoEffect, Ops: calls, Does: "answers 500 SYSTEM_ERROR without taking effect"},
	{Fault: Error500WithEffect, Ops: calls, Does: "takes effect, then answers 500 SYSTEM_ERROR"},
	{Fault: RateLimited, Ops: calls, Does: "answers 429 FREQUENCY_LIMITED without taking effect"},
	{Fault: CorruptSignature, Ops: signed, Does: "signs something else; of a callback, in its first try"},
	{Fault: SigntestSignature, Ops: calls, Does: "answers with a WECHATPAY/SIGNTEST/ signature"},
	{Fault: Unsigned, Ops: signed, Does: "leaves the signature headers out; of a callback, in its first try"},
	{Fault: Slow, Ops: calls, Does: "answers after the delay", Delay: time.Second},

	{Fault: Lost, Ops: callbacks, Does: "the callback is never sent, nor any retry"},
	{Fault: Duplicated, Ops: callbacks, Does: "once accepted it is sent a second time"},
	{Fault: Twins, Ops: callbacks, Does: "the first try is sent twice at the same moment"},
	{Fault: Delayed, Ops: callbacks, Does: "the first try comes after the delay", Delay: time.Minute},
	{Fault: SigntestProbe, Ops: callbacks, Does: "the first try has a WECHATPAY/SIGNTEST/ signature; the real one follows by retry, whatever the answer"},
	{Fault: SecondID, Ops: callbacks, Does: "the payment is told by two callbacks with different ids"},

	{Fault: PayAfterClose, Ops: []Op{OpPay}, Does: "a closed or expired trade can be paid"},
	{Fault: SecondPayment, Ops: []Op{OpPay}, Does: "a paid trade can be paid again, as another transaction"},
}

// Armed is a fault that waits to strike.
type Armed struct {
	Op    Op
	Fault Fault
	Left  int           // how often it will still strike
	Delay time.Duration // of the faults that know one
}

// maxArmed bounds what the control API can make the gateway remember.
const maxArmed = 1000

// Arm makes the next count operations op go wrong. Faults of one operation
// strike in the order in which they were armed, one per operation. The delay
// is for the faults that know one; it passes on the gateway's clock.
func (g *Gateway) Arm(op Op, fault Fault, count int, delay ...time.Duration) error {
	i := slices.IndexFunc(faultTable, func(f FaultInfo) bool { return f.Fault == fault })
	switch {
	case i < 0:
		return fmt.Errorf("there is no fault %q", fault)
	case !slices.Contains(faultTable[i].Ops, op):
		return fmt.Errorf("fault %q is for %v, not for %q", fault, faultTable[i].Ops, op)
	case count < 1:
		return fmt.Errorf("count is %d, it must be at least 1", count)
	}
	armed := &Armed{Op: op, Fault: fault, Left: count, Delay: faultTable[i].Delay}
	if len(delay) > 0 && delay[0] > 0 {
		armed.Delay = delay[0]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.armed) >= maxArmed {
		return fmt.Errorf("%d faults are armed already", maxArmed)
	}
	g.armed = append(g.armed, armed)
	return nil
}

// Disarm clears all faults.
func (g *Gateway) Disarm() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = nil
}

// ArmedFaults are the faults that have not yet struck.
func (g *Gateway) ArmedFaults() []Armed {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Armed, 0, len(g.armed))
	for _, a := range g.armed {
		out = append(out, *a)
	}
	return out
}

// strike takes the next fault of op: with kinds given, the next of those. The
// zero Armed means that all goes well. g.mu is held.
func (g *Gateway) strike(op Op, kinds ...Fault) Armed {
	for i, a := range g.armed {
		if a.Op != op || len(kinds) > 0 && !slices.Contains(kinds, a.Fault) {
			continue
		}
		hit := *a
		if a.Left--; a.Left == 0 {
			g.armed = slices.Delete(g.armed, i, i+1)
		}
		return hit
	}
	return Armed{}
}
