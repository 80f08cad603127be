package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Op is something that the gateway does and that can be made to go wrong.
type Op string

// The operations.
const (
	OpPrepay         Op = "prepay"
	OpQuery          Op = "query"
	OpClose          Op = "close"
	OpRefund         Op = "refund"
	OpQueryRefund    Op = "query_refund"
	OpBill           Op = "bill"      // the bill of trades is asked for
	OpFlowBill       Op = "flow_bill" // the bill of the account's movements is asked for
	OpDownload       Op = "download"  // either is downloaded
	OpCertificates   Op = "certificates"
	OpPay            Op = "pay"             // the buyer pays
	OpCallback       Op = "callback"        // the shop is told that the buyer paid
	OpRefundCallback Op = "refund_callback" // the shop is told what became of a refund
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
	HalfAnswer         Fault = "half_answer"
	HugeAnswer         Fault = "huge_answer"

	Lost                Fault = "lost"
	Duplicated          Fault = "duplicated"
	Twins               Fault = "twins"
	Delayed             Fault = "delayed"
	Reordered           Fault = "reordered"
	RefundBeforePayment Fault = "refund_before_payment"
	SigntestProbe       Fault = "signtest_probe"
	SecondID            Fault = "second_id"

	PayAfterClose  Fault = "pay_after_close"
	SecondPayment  Fault = "second_payment"
	PaidTwice      Fault = "paid_twice"
	PlatformCoupon Fault = "platform_coupon"

	MerchantShort     Fault = "merchant_short"
	UserAccountClosed Fault = "user_account_closed"
	EndsAbnormal      Fault = "refund_abnormal"
	EndsClosed        Fault = "refund_closed"
	NeverEnds         Fault = "refund_never_ends"

	BillRowMissing    Fault = "bill_row_missing"
	BillRowExtra      Fault = "bill_row_extra"
	BillRowTwice      Fault = "bill_row_twice"
	BillAmountAltered Fault = "bill_amount_altered"
	BillFeeAltered    Fault = "bill_fee_altered"
	BillBadCount      Fault = "bill_bad_count"
	BillBadHash       Fault = "bill_bad_hash"
	BillTruncated     Fault = "bill_truncated"
	BillWrongEncoding Fault = "bill_wrong_encoding"
	BillZipBomb       Fault = "bill_zip_bomb"
)

// FaultInfo describes a fault.
type FaultInfo struct {
	Fault Fault  `json:"fault"`
	Ops   []Op   `json:"ops"`
	Does  string `json:"does"`
	// Delay is what Arm takes when it is given none.
	Delay time.Duration `json:"-"`
	// Named faults are not in Chaos unless they are named: the shop cannot
	// come out of them by itself, or they cost too much to be frequent.
	Named bool `json:"named,omitempty"`
}

var (
	signed    = []Op{OpPrepay, OpQuery, OpClose, OpRefund, OpQueryRefund, OpBill, OpFlowBill, OpCertificates}
	calls     = append(slices.Clone(signed), OpDownload)
	callbacks = []Op{OpCallback, OpRefundCallback}
	paying    = []Op{OpPay}
	refunding = []Op{OpRefund}
	billing   = []Op{OpBill, OpFlowBill}
)

// faultTable is every fault that there is. A fault of a call strikes after
// the request has been authenticated, whatever its answer would have been.
var faultTable = []FaultInfo{
	{Fault: TimeoutAfterCommit, Ops: calls, Does: "takes effect, waits for the delay if there is one, then closes the connection without a complete answer"},
	{Fault: TimeoutNoEffect, Ops: calls, Does: "does not take effect, waits for the delay if there is one, then closes the connection without a complete answer"},
	{Fault: Error500NoEffect, Ops: calls, Does: "answers 500 SYSTEM_ERROR without taking effect"},
	{Fault: Error500WithEffect, Ops: calls, Does: "takes effect, then answers 500 SYSTEM_ERROR"},
	{Fault: RateLimited, Ops: calls, Does: "answers 429 FREQUENCY_LIMITED without taking effect"},
	{Fault: CorruptSignature, Ops: slices.Concat(signed, callbacks), Does: "signs something else; of a callback, in its first try"},
	{Fault: SigntestSignature, Ops: signed, Does: "answers with a WECHATPAY/SIGNTEST/ signature"},
	{Fault: Unsigned, Ops: slices.Concat(signed, callbacks), Does: "leaves the signature out; of a callback, in its first try"},
	{Fault: Slow, Ops: calls, Does: "answers after the delay, which may be minutes", Delay: time.Second},
	{Fault: HalfAnswer, Ops: calls, Does: "takes effect, then breaks the connection in the middle of the answer"},
	{Fault: HugeAnswer, Ops: calls, Does: "takes effect, then answers with 100 MB of blanks in front of the true answer, signed as a whole", Named: true},

	{Fault: Lost, Ops: callbacks, Does: "the callback is never sent, nor any retry"},
	{Fault: Duplicated, Ops: callbacks, Does: "once accepted it is sent a second time"},
	{Fault: Twins, Ops: callbacks, Does: "the first try is sent twice at the same moment"},
	{Fault: Delayed, Ops: callbacks, Does: "the first try comes after the delay", Delay: time.Minute},
	{Fault: Reordered, Ops: callbacks, Does: "the first try is held until another callback has been sent, but no longer than the delay", Delay: time.Minute},
	{Fault: RefundBeforePayment, Ops: []Op{OpCallback}, Does: "the payment's callback is held until that of a refund of it has been sent, but no longer than the delay", Delay: 24 * time.Hour},
	{Fault: SigntestProbe, Ops: callbacks, Does: "the first try has a WECHATPAY/SIGNTEST/ signature; the real one follows by retry, whatever the answer"},
	{Fault: SecondID, Ops: callbacks, Does: "the same is told by two callbacks with different ids"},

	{Fault: PayAfterClose, Ops: paying, Does: "a closed or expired trade can be paid"},
	{Fault: SecondPayment, Ops: paying, Does: "a paid trade can be paid again, as another transaction"},
	{Fault: PaidTwice, Ops: paying, Does: "the buyer pays twice at once, as two transactions"},
	{Fault: PlatformCoupon, Ops: paying, Does: "a coupon of the platform pays a tenth, so that the buyer pays less than the total"},

	{Fault: MerchantShort, Ops: refunding, Does: "refused: the merchant's balance is too low; the same number may be tried again"},
	{Fault: UserAccountClosed, Ops: refunding, Does: "refused: the buyer's account is closed", Named: true},
	{Fault: EndsAbnormal, Ops: refunding, Does: "accepted, then abnormal: the money could not reach the buyer", Named: true},
	{Fault: EndsClosed, Ops: refunding, Does: "accepted, then closed: no money moved, and the number is spent", Named: true},
	{Fault: NeverEnds, Ops: refunding, Does: "accepted, then processing until the control API ends it", Named: true},

	{Fault: BillRowMissing, Ops: billing, Does: "the bill leaves the trade's first row out", Named: true},
	{Fault: BillRowExtra, Ops: billing, Does: "the bill has a payment that no shop ever asked for", Named: true},
	{Fault: BillRowTwice, Ops: billing, Does: "the bill has the trade's first row twice", Named: true},
	{Fault: BillAmountAltered, Ops: billing, Does: "the amount of the trade's first row is 1.00 too high", Named: true},
	{Fault: BillFeeAltered, Ops: billing, Does: "the fee of the trade's first row is 0.01 too high", Named: true},
	{Fault: BillBadCount, Ops: billing, Does: "the summary counts one row too many", Named: true},
	{Fault: BillBadHash, Ops: billing, Does: "the hash is that of another file", Named: true},
	{Fault: BillTruncated, Ops: billing, Does: "the file ends in the middle of a row; the hash is that of the whole", Named: true},
	{Fault: BillWrongEncoding, Ops: billing, Does: "the file is in the other encoding, GBK or UTF-8, hash and all", Named: true},
	{Fault: BillZipBomb, Ops: billing, Does: "what is downloaded is 1 MB that unpacks to 1 GiB of zeros", Named: true},
}

// What strikes where. An operation can be struck at more than one place, by
// one fault at each: a refund by one that decides how the call is answered
// and by one that decides what becomes of the money.
var (
	answerFaults = []Fault{TimeoutAfterCommit, TimeoutNoEffect, Error500NoEffect, Error500WithEffect, RateLimited,
		CorruptSignature, SigntestSignature, Unsigned, Slow, HalfAnswer, HugeAnswer}
	refundFaults = []Fault{MerchantShort, UserAccountClosed, EndsAbnormal, EndsClosed, NeverEnds}
	billFaults   = []Fault{BillRowMissing, BillRowExtra, BillRowTwice, BillAmountAltered, BillFeeAltered,
		BillBadCount, BillBadHash, BillTruncated, BillWrongEncoding, BillZipBomb}
)

// Armed is a fault that waits to strike.
type Armed struct {
	Op         Op
	Fault      Fault
	Left       int           // how often it will still strike
	Delay      time.Duration // of the faults that know one
	OutTradeNo string        // the only trade to strike; "": any
}

// maxArmed bounds what the control API can make the gateway remember.
const maxArmed = 1000

// Arm makes the next count operations op go wrong. Faults of one operation
// strike in the order in which they were armed, one at each place where it
// can be struck; of bills, all at once. The delay is for the faults that know
// one; it passes on the gateway's clock.
func (g *Gateway) Arm(op Op, fault Fault, count int, delay ...time.Duration) error {
	return g.ArmOn("", op, fault, count, delay...)
}

// ArmOn is Arm for the operations of one trade alone. Of a bill, it chooses
// the row that is altered.
func (g *Gateway) ArmOn(outTradeNo string, op Op, fault Fault, count int, delay ...time.Duration) error {
	i := slices.IndexFunc(faultTable, func(f FaultInfo) bool { return f.Fault == fault })
	switch {
	case i < 0:
		return fmt.Errorf("there is no fault %q", fault)
	case !slices.Contains(faultTable[i].Ops, op):
		return fmt.Errorf("fault %q is for %v, not for %q", fault, faultTable[i].Ops, op)
	case count < 1:
		return fmt.Errorf("count is %d, it must be at least 1", count)
	case len(outTradeNo) > 64:
		return errors.New("outTradeNo is longer than 64 characters")
	case outTradeNo != "" && op == OpCertificates:
		return errors.New("certificates belong to no trade")
	}
	armed := &Armed{Op: op, Fault: fault, Left: count, Delay: faultTable[i].Delay, OutTradeNo: outTradeNo}
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

// strike takes the next fault of op that waits for this trade, or for any:
// with kinds given, the next of those. When none is armed, chaos may have
// one. The zero Armed means that all goes well. g.mu is held.
func (g *Gateway) strike(op Op, no string, kinds ...Fault) Armed {
	for i, a := range g.armed {
		if a.Op != op || a.OutTradeNo != "" && a.OutTradeNo != no || len(kinds) > 0 && !slices.Contains(kinds, a.Fault) {
			continue
		}
		return g.use(i)
	}
	return g.chaos.strike(op, kinds)
}

// strikeAll takes all armed faults of op and of those kinds, each once; it
// is left to the caller which trade they are for. g.mu is held.
func (g *Gateway) strikeAll(op Op, kinds ...Fault) (hits []Armed) {
	for i := 0; i < len(g.armed); {
		a := g.armed[i]
		if a.Op != op || !slices.Contains(kinds, a.Fault) {
			i++
			continue
		}
		if hits = append(hits, g.use(i)); a.Left > 0 {
			i++
		}
	}
	if len(hits) == 0 {
		if hit := g.chaos.strike(op, kinds); hit.Fault != "" {
			hits = append(hits, hit)
		}
	}
	return hits
}

// use takes one from the i-th armed fault.
func (g *Gateway) use(i int) Armed {
	a := g.armed[i]
	hit := *a
	if a.Left--; a.Left == 0 {
		g.armed = slices.Delete(g.armed, i, i+1)
	}
	return hit
}
