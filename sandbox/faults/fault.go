// Package faults holds what the sandbox can be made to do wrong: a table of
// faults, those that are armed for the next operations, and a seeded chance
// that chooses among them.
//
// It decides only whether an operation fails and how. What the failure does
// belongs to whoever carries out the operation: the protocols for calls, the
// sandbox for callbacks, package trade for payments and refunds.
package faults

import "slices"

// Op is an operation of the gateway that can be made to go wrong.
type Op string

// The operations.
const (
	Prepay         Op = "prepay"
	Query          Op = "query"
	Close          Op = "close"
	Refund         Op = "refund"
	QueryRefund    Op = "query_refund"
	Bill           Op = "bill"      // the shop requests the bill of trades
	FlowBill       Op = "flow_bill" // the shop requests the bill of the account's movements
	Download       Op = "download"  // the shop downloads either
	Certificates   Op = "certificates"
	Pay            Op = "pay"             // the buyer pays
	Callback       Op = "callback"        // the gateway reports a payment to the shop
	RefundCallback Op = "refund_callback" // the gateway reports the state of a refund to the shop
)

// Fault is one way in which an operation goes wrong.
type Fault string

// The faults. Table says what each does and to which operations.
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
	ConcurrentDuplicate Fault = "concurrent_duplicate"
	Delayed             Fault = "delayed"
	Reordered           Fault = "reordered"
	RefundBeforePayment Fault = "refund_before_payment"
	SigntestProbe       Fault = "signtest_probe"
	SecondID            Fault = "second_id"

	PayAfterClose  Fault = "pay_after_close"
	SecondPayment  Fault = "second_payment"
	PaidTwice      Fault = "paid_twice"
	PlatformCoupon Fault = "platform_coupon"

	InsufficientBalance Fault = "insufficient_balance"
	UserAccountClosed   Fault = "user_account_closed"
	RefundAbnormal      Fault = "refund_abnormal"
	RefundClosed        Fault = "refund_closed"
	RefundNeverEnds     Fault = "refund_never_ends"

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

// aliases are the names of faults in earlier versions, which scripts may still
// use.
var aliases = map[Fault]Fault{
	"twins":          ConcurrentDuplicate,
	"merchant_short": InsufficientBalance,
}

// current is the present name of a fault.
func current(f Fault) Fault {
	if now, old := aliases[f]; old {
		return now
	}
	return f
}

// The groups of faults that are decided at one place. An operation can be
// decided at more than one, by one fault at each: a refund by a fault of its
// answer and by a fault of its money.
var (
	OfAnswers = []Fault{TimeoutAfterCommit, TimeoutNoEffect, Error500NoEffect, Error500WithEffect, RateLimited,
		CorruptSignature, SigntestSignature, Unsigned, Slow, HalfAnswer, HugeAnswer}
	OfRefunds = []Fault{InsufficientBalance, UserAccountClosed, RefundAbnormal, RefundClosed, RefundNeverEnds}
	OfBills   = []Fault{BillRowMissing, BillRowExtra, BillRowTwice, BillAmountAltered, BillFeeAltered,
		BillBadCount, BillBadHash, BillTruncated, BillWrongEncoding, BillZipBomb}
)

func known(f Fault) bool {
	return slices.ContainsFunc(table, func(i Info) bool { return i.Fault == f })
}
