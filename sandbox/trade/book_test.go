package trade_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// plain is a protocol without a wire.
type plain struct{ made int }

func (p *plain) Name() string                                 { return "plain" }
func (p *plain) Open(*trade.Trade, time.Time)                 {}
func (p *plain) Reports(trade.RefundState) bool               { return true }
func (p *plain) Schedule() []time.Duration                    { return []time.Duration{time.Second, time.Minute} }
func (p *plain) RefundID(time.Time) string                    { return p.next("R") }
func (p *plain) next(prefix string) string                    { p.made++; return fmt.Sprintf("%s%07d", prefix, p.made) }
func (p *plain) TransactionID(*trade.Trade, time.Time) string { return p.next("T") }

// newTrade is a book with one trade of that amount, in fen.
func newTrade(t *testing.T, amount int64) (*trade.Book, *clock.Manual, *trade.Trade) {
	t.Helper()
	at := clock.NewManual(time.Date(2026, 11, 22, 23, 59, 0, 0, trade.China))
	b := trade.NewBook(trade.Options{
		Clock: at, Random: random.New(nil), Faults: &faults.Set{}, Log: slog.New(slog.DiscardHandler), Limit: 10,
	})
	tr := &trade.Trade{Protocol: &plain{}, No: "NO1", Amount: amount, NotifyURL: "http://shop.test/", Created: at.Now()}
	b.Lock()
	t.Cleanup(b.Unlock)
	b.Add(tr)
	return b, at, tr
}

// The fees of a payment's refunds, in turn, and what is left of the account:
// the whole payment gives back the whole fee, however it is divided.
func TestFees(t *testing.T) {
	for _, c := range []struct {
		amount  int64
		refunds []int64
		fees    string
	}{
		{888, nil, "[5] 883"},
		{888, []int64{888}, "[5 5] 0"},
		{888, []int64{300, 300, 288}, "[5 1 2 2] 0"},
		{1, []int64{1}, "[0 0] 0"},
		{100_000, []int64{1, 99_999}, "[600 0 600] 0"},
	} {
		b, at, tr := newTrade(t, c.amount)
		if err := b.Pay(tr); err != nil {
			t.Fatal(err)
		}
		for i, amount := range c.refunds {
			if _, err := b.Refund(tr, trade.RefundRequest{No: fmt.Sprint(i), Amount: amount}); err != nil {
				t.Fatal(err)
			}
		}
		var fees []int64
		moves := b.Movements(tr.Protocol, at.Now().Format(trade.DayLayout))
		for _, m := range moves {
			fees = append(fees, m.Fee)
		}
		if got := fmt.Sprint(fees, " ", moves[len(moves)-1].Balance); got != c.fees {
			t.Errorf("%d, refunds %v: %s, want %s", c.amount, c.refunds, got, c.fees)
		}
	}
}

// A refund that ends after midnight is of the next day's bill.
func TestDays(t *testing.T) {
	b, at, tr := newTrade(t, 888)
	if err := b.Pay(tr); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Refund(tr, trade.RefundRequest{No: "1", Amount: 1, Delay: 2 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	at.Advance(5 * time.Minute)
	b.Unlock()
	b.Lock() // does what has become due
	if got := fmt.Sprint(b.Days(7)); got != "[2026-11-23 2026-11-22]" {
		t.Error(got)
	}
	if got := b.Movements(tr.Protocol, "2026-11-23"); len(got) != 1 || !got[0].At.Equal(time.Date(2026, 11, 23, 0, 1, 0, 0, trade.China)) {
		t.Errorf("%+v", got)
	}
}

// What each fault makes of a bill with two rows, of 8.88 yuan and of 1 fen.
func TestAlter(t *testing.T) {
	b, at, tr := newTrade(t, 888)
	if err := b.Pay(tr); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Refund(tr, trade.RefundRequest{No: "1", Amount: 1}); err != nil {
		t.Fatal(err)
	}
	for fault, want := range map[faults.Fault]string{
		faults.BillRowMissing: "1/0 ", faults.BillRowTwice: "888/5 888/5 1/0 ", faults.BillRowExtra: "888/5 1/0 100/1 ",
		faults.BillAmountAltered: "988/5 1/0 ", faults.BillFeeAltered: "888/6 1/0 ", faults.BillBadHash: "888/5 1/0 ",
	} {
		for _, no := range []string{"", "NO1", "NO2"} {
			rows := b.Movements(tr.Protocol, at.Now().Format(trade.DayLayout))
			got := ""
			for _, m := range trade.Alter(rows, []faults.Armed{{Fault: fault, OutTradeNo: no}}) {
				got += fmt.Sprintf("%d/%d ", m.Amount, m.Fee)
			}
			if no == "NO2" { // is not in the bill
				want = "888/5 1/0 "
			}
			if got != want {
				t.Errorf("%s of %q: %s, want %s", fault, no, got, want)
			}
		}
	}
}
