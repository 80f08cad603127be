package payment

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Day is a date of a channel's own calendar: "2026-11-22".
type Day struct {
	Year  int
	Month time.Month
	Date  int
}

// DayOf is the day of t in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day{y, m, d}
}

// ParseDay reads what String writes.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("%q is not a date like 2026-11-22", s)
	}
	return DayOf(t, time.UTC), nil
}

// String is the date as ISO 8601 has it.
func (d Day) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Date) }

// Span is the day's first moment in a zone and that of the next day.
func (d Day) Span(zone *time.Location) (from, to time.Time) {
	return time.Date(d.Year, d.Month, d.Date, 0, 0, 0, 0, zone).UTC(), time.Date(d.Year, d.Month, d.Date+1, 0, 0, 0, 0, zone).UTC()
}

// BillKind is what a row of a bill is about.
type BillKind byte

// The kinds.
const (
	BillPayment BillKind = 'p'
	BillRefund  BillKind = 'r'
)

// BillRow is one movement of money, as the channel's bill has it. Amounts are
// never negative.
type BillRow struct {
	Kind          BillKind
	Line          int64  // in the file, from 1
	PaymentNo     string // our number
	RefundNo      string // our number; of refunds
	TransactionID string // the channel's number of the payment
	RefundID      string // the channel's number of the refund
	Amount        int64  // minor units: paid, or gone back
	Fee           int64  // thousandths of a minor unit; negative when the channel gives fee back
	Rate          int64  // of the fee, millionths; -1 when the bill does not say
	Currency      string // ISO 4217
	Merchant      string // "" when the bill does not say
	App           string // "" when the bill does not say
	Reported      string // the channel's own code for its state
	Done          bool   // the money has moved; false while a refund is worked on, or failed
	At            time.Time
}

// BillSummary is what the file says of itself at its end, after it was found
// to be true of the rows.
type BillSummary struct {
	Payments int64
	Refunds  int64
	Paid     int64 // minor units
	Refunded int64 // minor units
	Fee      int64 // thousandths of a minor unit
	Bytes    int64 // of the file, unpacked
}

// The errors of Bill beside ErrUnknown, ErrBusy and *RejectedError.
var (
	// ErrNoBill: the channel says that nothing moved on that day.
	ErrNoBill = errors.New("the channel has no bill of that day: nothing moved")
	// ErrBillNotReady: the bill is being made; try again later.
	ErrBillNotReady = errors.New("the channel has not made the bill of that day yet")
)

// BadBillError says that a bill is not what it should be: cut off, altered,
// in another form. Nothing of it may be acted upon.
type BadBillError struct {
	Line   int64 // 0: of the file as a whole
	Reason string
}

func (e *BadBillError) Error() string {
	if e.Line == 0 {
		return "bad bill: " + e.Reason
	}
	return fmt.Sprintf("bad bill, line %d: %s", e.Line, e.Reason)
}

// FundFlow is what a channel has beside Channel that can report how the money
// of its account moved.
type FundFlow interface {
	// FundFlow reads the account's movements of one day as Bill reads trades.
	FundFlow(ctx context.Context, day Day, emit func(FundRow) error) (FundSummary, error)
	// FundForm says how its movements belong to the rows of its bill.
	FundForm() FundForm
}

// FundForm is how an account's movements belong to the rows of a bill.
type FundForm struct {
	ByRefund bool     // a refund's stand under the channel's number of the refund, not of the payment
	Trades   []string // the kinds (FundRow.Business) of what the bill has too; nil: all
	FeeApart bool     // fees do not stand in the account's movements at all
}

// FundRow is one movement of the merchant's account at the channel.
type FundRow struct {
	Line          int64
	TransactionID string // the channel's number of the business that moved it
	FlowID        string // the channel's number of this movement
	Business      string // the channel's words: 交易, 退款, 扣除交易手续费, …
	In            bool   // income; false: expense
	Amount        int64  // minor units
	Balance       int64  // of the account afterwards, minor units
	Voucher       string // our number of the business, where the channel says it
	At            time.Time
}

// FundSummary is what the file says of itself, after it was found to be true.
type FundSummary struct {
	Rows          int64
	Income, Outgo int64 // rows
	InSum, OutSum int64 // minor units
	Bytes         int64
}

// AbnormalRefunder is what a channel has beside Channel that can send a stuck
// refund another way than it was paid.
type AbnormalRefunder interface {
	// FinishRefund sends the refund with the channel's number refundID, stuck
	// with the buyer's account, to a bank card.
	FinishRefund(ctx context.Context, r AbnormalRefund) (Fact, error)
}

// AbnormalRefund says where the money of a stuck refund goes: to a bank card
// of the buyer's (all fields), or back to the merchant's own (none), who then
// pays the buyer by hand.
type AbnormalRefund struct {
	RefundNo   string // our number
	RefundID   string // the channel's number
	ToMerchant bool
	Bank       string // the channel's code of the bank: ICBC_DEBIT
	Account    string // the card's number; encrypted on the way, never stored
	Name       string // its holder; encrypted on the way, never stored
}
