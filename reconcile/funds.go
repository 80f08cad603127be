package reconcile

import (
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// Funds is the Difference.Kind of a movement that the bill has no row of.
const Funds payment.BillKind = 'f'

// FundOptions is what MatchFunds must know of the channel.
type FundOptions struct {
	// ByRefund: a refund's movements stand under the channel's number of the
	// refund, not of the payment.
	ByRefund bool
	// Trades are the kinds of business (FundRow.Business) that the channel's
	// bill has too. Movements of other business (a withdrawal, a top-up) are
	// left out. nil: all are trades.
	Trades []string
	// FeeApart: fees do not stand in the account's movements at all, because
	// they are settled apart.
	FeeApart bool
}

// Key is the number that the movements of a row of the bill stand under. Both
// sides are split with Partition of it: a FundRow by its TransactionID, a row
// of the bill by Key.
func (o FundOptions) Key(t *payment.BillRow) string {
	if o.ByRefund && t.Kind == payment.BillRefund {
		return t.RefundID
	}
	return t.TransactionID
}

// MatchFunds compares one partition of what moved in the account with what the
// bill says: of each business, what came in less what went out, fees included.
// How a channel cuts that into rows (a fee of its own, or taken from the
// payment) does not matter.
//
// A fee is counted in whole minor units, rounded half up, because an account
// moves by no less. Near midnight a movement may be booked on the day after
// its trade; such a pair differs on both days, with opposite signs.
func MatchFunds(bill []payment.BillRow, funds []payment.FundRow, opt FundOptions) []Difference {
	businesses := make(map[string]business, len(bill))
	for i := range bill {
		t := &bill[i]
		if !moved(t) {
			continue
		}
		k := opt.Key(t)
		b := businesses[k]
		if b.row == nil || compareRows(t, b.row) < 0 {
			b.row = t
		}
		amount := t.Amount
		if t.Kind == payment.BillRefund {
			amount = -amount
		}
		b.add(&b.bill, amount)
		if !opt.FeeApart {
			b.add(&b.bill, -wholeFee(t.Fee))
		}
		businesses[k] = b
	}
	for i := range funds {
		f := &funds[i]
		if opt.Trades != nil && !slices.Contains(opt.Trades, f.Business) {
			continue
		}
		b := businesses[f.TransactionID]
		b.flows++
		if f.In {
			b.add(&b.in, f.Amount)
		} else {
			b.add(&b.out, f.Amount)
		}
		businesses[f.TransactionID] = b
	}
	var found []Difference
	for k, b := range businesses {
		if b.in-b.out == b.bill && !b.tooMuch {
			continue
		}
		d := Difference{
			Class: FundsDiffer, Kind: Funds, TransactionID: k, Amount: b.in - b.out - b.bill,
			Detail: fmt.Sprintf("the bill comes to %d; in %d movements came %d in and went %d out", b.bill, b.flows, b.in, b.out),
		}
		if b.tooMuch {
			d.Detail = "the sums are too large to be compared"
		}
		if t := b.row; t != nil {
			row := *t
			d.Theirs, d.PaymentNo = &row, t.PaymentNo
			if opt.ByRefund && t.Kind == payment.BillRefund {
				d.TransactionID, d.RefundNo, d.RefundID = t.TransactionID, t.RefundNo, t.RefundID
			}
		}
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b Difference) int { return a.compare(&b) })
	return found
}

// business is what both sides say under one number, in minor units.
type business struct {
	row     *payment.BillRow
	flows   int
	bill    int64
	in, out int64
	tooMuch bool
}

func (b *business) add(to *int64, v int64) {
	next, err := money.Add(*to, v)
	b.tooMuch = b.tooMuch || err != nil
	*to = next
}

// wholeFee is thousandths of a minor unit in whole ones, half away from 0.
func wholeFee(thousandths int64) int64 {
	whole, rest := thousandths/wholeUnit, thousandths%wholeUnit
	switch {
	case rest >= wholeUnit/2:
		whole++
	case rest <= -wholeUnit/2:
		whole--
	}
	return whole
}
