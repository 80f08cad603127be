package payment

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// RefundStatus is the state of a refund, and of each of its allocations.
type RefundStatus string

// The states of a refund. Pending lasts until the channel's fact says
// otherwise; a failure that turns out to have been a success is a success.
const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundGivenUp   RefundStatus = "failed"
)

// RefundTransitions is the state machine as data, from which the documents
// are drawn. Settle computes the same from facts.
var RefundTransitions = []struct {
	From RefundStatus
	Verb string
	To   RefundStatus
}{
	{RefundPending, "money went back", RefundSucceeded},
	{RefundPending, "given up by the channel", RefundGivenUp},
	{RefundGivenUp, "money went back", RefundSucceeded},
	{RefundGivenUp, "retried under a new number", RefundPending},
}

// Cause is why money goes back.
type Cause string

// The causes. Of the automatic ones a payment can have each only once, so
// that their refund's number can be derived from the payment's.
const (
	Requested   Cause = "asked"        // by the shop
	LatePayment Cause = "late_payment" // the order was closed
	Overpayment Cause = "overpayment"  // more than was due
	OrderClosed Cause = "order_closed" // paid in part, then closed
)

// Causes are all of them: the list that the API's schema is made from.
var Causes = []Cause{Requested, LatePayment, Overpayment, OrderClosed}

// OfOrder says whether the money was applied to the order; otherwise it was
// in suspense.
func (c Cause) OfOrder() bool { return c == Requested || c == OrderClosed }

// RefundLine is what one line of the order gives back.
type RefundLine struct {
	Line     int   `json:"line"`
	Quantity int64 `json:"quantity"` // units that come back; 0 when only money does
	Amount   int64 `json:"amount"`   // minor units
}

// Allocation is the part of a refund that one payment gives back: one refund
// at its channel.
type Allocation struct {
	No          string       `json:"no"`               // the number at the channel
	Former      []string     `json:"former,omitempty"` // numbers under which it was given up; money may yet go by one
	Payment     string       `json:"paymentNo"`
	Channel     string       `json:"channel"`
	Amount      int64        `json:"amount"` // minor units
	Status      RefundStatus `json:"status"`
	RefundID    string       `json:"refundId,omitempty"` // the channel's number
	Reported    string       `json:"word,omitempty"`     // the channel's last code for its state
	Parked      Parking      `json:"parked,omitempty"`   // a person has to do something
	Explanation string       `json:"said,omitempty"`     // the channel's explanation
	DoneAt      time.Time    `json:"doneAt,omitzero"`    // when the money went back, by the channel
	ByHand      bool         `json:"byHand,omitempty"`   // confirmed by an operator: the channel moved nothing
	Stands      bool         `json:"stands,omitempty"`   // failed at the channel, and still reserved: the refund is not over
}

// Parking is why a refund waits for a person.
type Parking string

// The reasons, each with what to do (see Parking.Advice).
const (
	ParkShort    Parking = "merchant_short"
	ParkAbnormal Parking = "abnormal"
	ParkRejected Parking = "rejected"
	ParkClosed   Parking = "given_up"
	ParkSilent   Parking = "channel_silent"
	ParkReturned Parking = "already_returned"
)

// Parkings are all of them, as the documents list them.
var Parkings = []Parking{ParkShort, ParkAbnormal, ParkRejected, ParkReturned, ParkClosed, ParkSilent}

// Refused says that the channel has refused the refund, and would again.
func (p Parking) Refused() bool { return p == ParkRejected || p == ParkReturned }

// Advice is what to do about it.
func (p Parking) Advice() string {
	switch p {
	case ParkShort:
		return "The merchant's account at the channel has too little money. Top it up. The refund is then tried again automatically under the same number; retry tries it at once."
	case ParkAbnormal:
		return "The buyer's account cannot take the money (it is closed, or its card is no longer valid). Send the refund to a bank card with abnormal, or pay the buyer by hand and confirm."
	case ParkRejected:
		return "The channel refuses this refund. Correct what it names and retry, or pay the buyer by hand and confirm."
	case ParkReturned:
		return "The money of this payment, or too much of it, has gone back by other refunds, made at the channel's own console. Do not pay the buyer again: give it up. What is left can be sent back at the console."
	case ParkClosed:
		return "This refund was given up, by the channel or by an operator. If the channel's merchant console shows no money going out, retry requests a new one under a new number."
	case ParkSilent:
		return "The channel has given no certain answer for a long time. It is still queried. Look at the channel's merchant console: confirm if the buyer has the money, otherwise give it up and retry under a new number."
	}
	return ""
}

// AdviceZh is Advice in Chinese.
func (p Parking) AdviceZh() string {
	switch p {
	case ParkShort:
		return "商户在渠道的账户余额不足。请充值；之后以同一退款单号自动重试，也可用 retry 立即重试。"
	case ParkAbnormal:
		return "买家账户无法收款（已注销，或银行卡已失效）。用 abnormal 退到银行卡，或人工付给买家后用 confirm 确认。"
	case ParkRejected:
		return "渠道拒绝了这笔退款。改正它所指出的问题后 retry，或人工付给买家后用 confirm 确认。"
	case ParkReturned:
		return "这笔支付的钱已通过其他退款（在渠道商户后台发起）全部或大部分退回。不要再付给买家：用 give-up 放弃。剩余的部分可在商户后台退回。"
	case ParkClosed:
		return "这笔退款已被渠道或操作员放弃。若渠道商户后台显示没有款项退出，retry 会以新的退款单号重新申请。"
	case ParkSilent:
		return "渠道长时间没有给出确定结果，查询仍在继续。请查看渠道商户后台：买家已收到款项则用 confirm 确认，否则用 give-up 放弃，再以新单号 retry。"
	}
	return ""
}

// Restock says what becomes of the units of a refund, in the stock.
type Restock string

// What becomes of units.
const (
	RestockByPolicy Restock = ""         // as the shop's policy says, when the money has gone back
	RestockLines    Restock = "lines"    // the units of its lines return; what else the order has, by policy
	RestockAll      Restock = "return"   // they return, and all that the order has left if this completes it
	RestockNone     Restock = "keep_out" // likewise they stay out
)

// RefundData is a refund as it is stored. Amounts are minor units, times UTC.
type RefundData struct {
	No          string
	Order       string
	Cause       Cause
	Amount      int64
	Currency    string
	Status      RefundStatus
	Reason      string // given with the request; shown to the buyer
	Restock     Restock
	Lines       []RefundLine
	Allocations []Allocation

	CreatedAt time.Time
	DoneAt    time.Time // succeeded or failed
	NextTryAt time.Time // when to call the channel again; zero: no need
	Tries     int
	Trace     string
	Version   int64 // 0 before it was first saved
}

// Parked says whether a person has to do something.
func (d *RefundData) Parked() bool {
	return slices.ContainsFunc(d.Allocations, func(a Allocation) bool { return a.Parked != "" })
}

// Returned is how much has gone back so far, in minor units.
func (d *RefundData) Returned() (sum int64) {
	for i := range d.Allocations {
		if d.Allocations[i].Status == RefundSucceeded {
			sum += d.Allocations[i].Amount
		}
	}
	return sum
}

// Held is how much the order holds for this refund: what has gone back and
// what is still promised, in minor units.
func (d *RefundData) Held() (sum int64) {
	for i := range d.Allocations {
		if a := &d.Allocations[i]; a.Status == RefundSucceeded || a.Reserved() {
			sum += a.Amount
		}
	}
	return sum
}

// Reserved says whether the order and the payment still reserve the part.
func (a *Allocation) Reserved() bool { return a.Status == RefundPending || a.Stands }

// Refund is money on its way back to the buyer: an aggregate of its own, over
// one payment or several of one order.
type Refund struct {
	event.Recorder
	d RefundData
}

// NewRefund makes a refund that has not been saved yet. The first of its
// allocations has the refund's own number at the channel, the others have it
// with a suffix. A refund of nothing has none, and has succeeded.
func NewRefund(d RefundData, now time.Time) *Refund {
	d.Status, d.CreatedAt, d.NextTryAt = RefundPending, now, now
	d.Allocations = slices.Clone(d.Allocations)
	for i := range d.Allocations {
		d.Allocations[i].No, d.Allocations[i].Status = numbered(d.No, i+1), RefundPending
	}
	if len(d.Allocations) == 0 { // a refund of nothing
		d.Status, d.DoneAt, d.NextTryAt = RefundSucceeded, now, time.Time{}
	}
	return &Refund{d: d}
}

// numbered is the n-th number at a channel of a refund, from 1.
func numbered(no string, n int) string {
	if n == 1 {
		return no
	}
	return no + "_" + strconv.Itoa(n)
}

// RefundOf is the refund that a number at a channel belongs to, if it is one
// of ours.
func RefundOf(channelNo string) string {
	no, _, _ := strings.Cut(channelNo, "_")
	return no
}

// RestoreRefund makes a refund from what was stored.
func RestoreRefund(d RefundData) *Refund { return &Refund{d: d} }

// Data is the refund's present data. Its slices are not to be changed.
func (r *Refund) Data() RefundData { return r.d }

// No is the refund number.
func (r *Refund) No() string { return r.d.No }

// Event describes the refund in an event of the given type.
func (r *Refund) Event(t event.Type, reason string) event.Event {
	return event.Event{Type: t, Refund: r.d.No, Amount: r.d.Amount, Reason: reason}
}

// Allocation is the part with that number at the channel, if the payment is
// the one that gives it; nil otherwise. It is not to be changed.
func (d *RefundData) Allocation(no, paymentNo string) *Allocation {
	i := slices.IndexFunc(d.Allocations, func(a Allocation) bool { return a.Payment == paymentNo && a.has(no) })
	if i < 0 {
		return nil
	}
	return &d.Allocations[i]
}

func (a *Allocation) has(no string) bool { return a.No == no || slices.Contains(a.Former, no) }

func (r *Refund) allocation(no string) *Allocation {
	i := slices.IndexFunc(r.d.Allocations, func(a Allocation) bool { return a.has(no) })
	if i < 0 {
		return nil
	}
	// A new slice: clones share the old one.
	r.d.Allocations = slices.Clone(r.d.Allocations)
	return &r.d.Allocations[i]
}

// Settle takes a fact about one of its allocations, by the allocation's number
// at the channel, and says what that changed: GoneBack, NowFailed, NowParked,
// or Recorded when it changed nothing that lasts.
func (r *Refund) Settle(f Fact, now time.Time) Outcome {
	a := r.allocation(f.RefundNo)
	if a == nil || a.Status == RefundSucceeded {
		return Recorded
	}
	if f.Kind == RefundFailed && f.Source == ByOperator && a.Stands {
		a.Stands = false
		r.resolve(now)
		return NowFailed
	}
	if f.Kind != Refunded && (a.Status == RefundGivenUp || a.No != f.RefundNo) {
		return Recorded // the number was given up: only that the money went all the same still counts
	}
	if a.No != f.RefundNo { // given up, and yet it went
		a.Former, a.No = append(slices.Clone(a.Former), a.No), f.RefundNo
	}
	a.Reported = f.Reported
	if f.TransactionID != "" {
		a.RefundID = f.TransactionID
	}
	outcome := Recorded
	switch f.Kind {
	case Refunded:
		outcome = GoneBack
		a.Status, a.Parked, a.Explanation, a.Stands, a.DoneAt = RefundSucceeded, "", "", false, f.At
		a.ByHand = f.Source == ByOperator
		if a.DoneAt.IsZero() {
			a.DoneAt = now
		}
	case RefundFailed:
		outcome = NowFailed
		a.Status, a.Parked, a.Explanation = RefundGivenUp, ParkClosed, f.Reported
		// The channel gives up a part; the whole is given up by an operator, or
		// when no part has gone or can still go.
		a.Stands = f.Source != ByOperator
	case RefundStuck:
		if a.Parked != ParkAbnormal {
			outcome = NowParked
		}
		a.Parked, a.Explanation = ParkAbnormal, f.Reported
	case Open:
		if a.Parked != ParkAbnormal {
			a.Parked, a.Explanation = "", ""
		}
	case Paid, Failed, Closed: // kinds of a payment's facts alone
	}
	r.resolve(now)
	return outcome
}

// resolve derives the refund's state from its parts. One of which a part has
// gone, and another was given up by its channel, is not over: it waits for a
// person to retry that part, to confirm it, or to give it up.
func (r *Refund) resolve(now time.Time) {
	var pending, gone, stand, given int
	for i := range r.d.Allocations {
		switch a := &r.d.Allocations[i]; {
		case a.Status == RefundPending:
			pending++
		case a.Status == RefundSucceeded:
			gone++
		case a.Stands:
			stand++
		default:
			given++
		}
	}
	switch {
	case pending > 0, stand > 0 && gone > 0:
		r.d.Status, r.d.DoneAt = RefundPending, time.Time{}
		if pending == 0 {
			r.d.NextTryAt = time.Time{}
		}
		return
	case stand+given == 0:
		r.d.Status = RefundSucceeded
	default:
		for i := range r.d.Allocations {
			r.d.Allocations[i].Stands = false
		}
		r.d.Status = RefundGivenUp
	}
	r.d.DoneAt, r.d.NextTryAt = now, time.Time{}
}

// RefundDelays is the schedule on which a pending refund is queried at the channel, each counted from the time before; the last repeats.
var RefundDelays = []time.Duration{
	5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, time.Hour, 3 * time.Hour,
}

// silentAfter is the number of tries without a result after which a person has to look.
const silentAfter = 12

// Tried schedules the next try.
func (r *Refund) Tried(now time.Time) {
	r.d.Tries++
	if r.d.Status != RefundPending {
		return
	}
	r.d.NextTryAt = time.Time{}
	for _, a := range r.d.Allocations {
		if a.Status != RefundPending || a.Parked.Refused() {
			continue // the channel would give the same answer again
		}
		r.d.NextTryAt = now.Add(RefundDelays[min(r.d.Tries-1, len(RefundDelays)-1)])
		if r.d.Tries >= silentAfter && a.Parked == "" {
			r.Park(a.No, ParkSilent, a.Reported)
		}
	}
}

// Park marks an allocation that needs a person. It is still tried, unless the
// channel refuses it.
func (r *Refund) Park(no string, why Parking, detail string) {
	if a := r.allocation(no); a != nil && a.Status == RefundPending {
		a.Parked, a.Explanation = why, detail
	}
}

// Retry tries what is parked again at once. What failed for good at the channel
// gets a new number; what of that is not reserved any more is returned: it has
// to be reserved again.
func (r *Refund) Retry(now time.Time) (again []Allocation) {
	r.d.Allocations = slices.Clone(r.d.Allocations)
	for i := range r.d.Allocations {
		a := &r.d.Allocations[i]
		if a.Status == RefundGivenUp {
			reserved := a.Stands
			*a = Allocation{
				No: r.unused(a.No), Former: append(slices.Clone(a.Former), a.No),
				Payment: a.Payment, Channel: a.Channel, Amount: a.Amount, Status: RefundPending,
			}
			if !reserved {
				again = append(again, *a)
			}
		}
		a.Parked, a.Explanation = "", ""
	}
	r.resolve(now)
	if r.d.Status == RefundPending {
		r.d.NextTryAt, r.d.Tries = now, 0
	}
	return again
}

// unused is a number at the channel after the one that failed for good: what comes
// after the last suffix, counted beyond all allocations.
func (r *Refund) unused(failed string) string {
	n := len(r.d.Allocations)
	if _, suffix, ok := strings.Cut(failed, "_"); ok {
		if k, err := strconv.Atoi(suffix); err == nil && k > n {
			n = k
		}
	}
	for _, a := range r.d.Allocations {
		if _, suffix, ok := strings.Cut(a.No, "_"); ok {
			if k, err := strconv.Atoi(suffix); err == nil && k > n {
				n = k
			}
		}
	}
	return numbered(r.d.No, n+1)
}
