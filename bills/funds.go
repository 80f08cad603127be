package bills

import (
	"context"
	"errors"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// matchFunds compares what moved in the merchant's account with what the bill
// says, where the channel has one. theirs has the bill, partition by
// partition of the payment number; it is split anew, by the number that the
// account's movements stand under.
func (r *run) matchFunds(ctx context.Context, dir string) error {
	flow, can := payment.As[payment.FundFlow](r.ch.Channel)
	if !can {
		return nil
	}
	form := flow.FundForm()
	opt := reconcile.FundOptions{ByRefund: form.ByRefund, Trades: form.Trades, FeeApart: form.FeeApart}
	funds, err := newPartitions(dir, "funds", parts, putFundRow, getFundRow)
	if err != nil {
		return err
	}
	defer funds.Close()
	var n int64
	_, err = flow.FundFlow(ctx, r.day, func(row payment.FundRow) error {
		n++
		return funds.add(row.TransactionID, &row)
	})
	r.progress("movements", n)
	if err != nil && !(errors.Is(err, payment.ErrNoBill) && r.theirRows == 0) {
		return err
	}
	bill, err := newPartitions(dir, "billed", parts, putBillRow, getBillRow)
	if err != nil {
		return err
	}
	defer bill.Close()
	for part := range parts {
		if err := r.theirs.each(part, func(row payment.BillRow) error { return bill.add(opt.Key(&row), &row) }); err != nil {
			return err
		}
	}
	for part := range parts {
		rows, err := bill.read(part)
		if err != nil {
			return err
		}
		moved, err := funds.read(part)
		if err != nil {
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
