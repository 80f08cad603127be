package app

import (
	"context"
	"errors"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// matchFunds compares what moved in the merchant's account with what the bill
// says, where the channel can tell. theirs has the bill, partition by
// partition of the payment number; it is split anew, by the number that the
// account's movements stand under.
func (r *reconciler) matchFunds(ctx context.Context, dir string) error {
	flow, can := payment.As[payment.FundFlow](r.ch.Channel)
	if !can {
		return nil
	}
	form := flow.FundForm()
	opt := reconcile.FundOptions{ByRefund: form.ByRefund, Trades: form.Trades, FeeApart: form.FeeApart}
	funds, err := newSpill(dir, "funds", reconcileParts)
	if err != nil {
		return err
	}
	defer funds.Close()
	var n int64
	_, err = flow.FundFlow(ctx, r.day, func(row payment.FundRow) error {
		n++
		return funds.add(reconcile.Partition(row.TransactionID, reconcileParts), func(b []byte) []byte { return putFundRow(b, &row) })
	})
	r.tell("movements", n)
	if err != nil && !(errors.Is(err, payment.ErrNoBill) && r.theirRows == 0) {
		return err
	}
	bill, err := newSpill(dir, "billed", reconcileParts)
	if err != nil {
		return err
	}
	defer bill.Close()
	for part := range reconcileParts {
		if err := r.theirs.each(part, func(b *rowReader) error {
			row := billRow(b)
			return bill.add(reconcile.Partition(opt.Key(&row), reconcileParts), func(b []byte) []byte { return putBillRow(b, &row) })
		}); err != nil {
			return err
		}
	}
	for part := range reconcileParts {
		rows := make([]payment.BillRow, 0, bill.parts[part].rows)
		moved := make([]payment.FundRow, 0, funds.parts[part].rows)
		if err := errors.Join(
			bill.each(part, func(b *rowReader) error { rows = append(rows, billRow(b)); return nil }),
			funds.each(part, func(b *rowReader) error { moved = append(moved, fundRow(b)); return nil }),
		); err != nil {
			return err
		}
		found := reconcile.MatchFunds(rows, moved, opt)
		r.sum.Count(found)
		for i := range found {
			if err := r.take(ctx, &found[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func putFundRow(b []byte, f *payment.FundRow) []byte {
	for _, s := range [...]string{f.TransactionID, f.FlowID, f.Business, f.Voucher} {
		b = putText(b, s)
	}
	b = putInt(putInt(putInt(b, f.Line), f.Amount), f.Balance)
	return putBool(putTime(b, f.At), f.In)
}

func fundRow(r *rowReader) payment.FundRow {
	var f payment.FundRow
	for _, s := range [...]*string{&f.TransactionID, &f.FlowID, &f.Business, &f.Voucher} {
		*s = r.text()
	}
	f.Line, f.Amount, f.Balance = r.int(), r.int(), r.int()
	f.At, f.In = r.time(), r.byte() == 1
	return f
}
