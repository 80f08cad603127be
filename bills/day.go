package bills

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// run is one reconciliation of a day.
type run struct {
	a        *app.App
	shop     string
	name     string
	ch       *app.Configured
	day      payment.Day
	span     reconcile.Span
	opt      reconcile.Options
	progress Progress
	started  time.Time

	theirs    *partitions[payment.BillRow]
	ours      *partitions[reconcile.Ours]
	ourRows   int64
	theirRows int64
	sum       reconcile.Summary
	seen      map[string]bool // ids of the differences of this run
	waiting   []rows.Discrepancy
}

func (r *run) do(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tandem-reconcile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if r.theirs, err = newPartitions(dir, "theirs", parts, putBillRow, getBillRow); err != nil {
		return err
	}
	defer r.theirs.Close()
	if r.ours, err = newPartitions(dir, "ours", parts, putOurs, getOurs); err != nil {
		return err
	}
	defer r.ours.Close()
	if err := r.gatherOurs(ctx); err != nil {
		return err
	}
	if err := r.gatherTheirs(ctx); err != nil {
		return err
	}
	for part := range parts {
		if err := r.match(ctx, part); err != nil {
			return err
		}
	}
	if err := r.matchFunds(ctx, dir); err != nil {
		return err
	}
	if err := r.record(ctx); err != nil {
		return err
	}
	return r.closeGone(ctx)
}

func (r *run) gatherTheirs(ctx context.Context) error {
	_, err := r.ch.Bill(ctx, r.day, func(row payment.BillRow) error {
		if r.theirRows++; r.theirRows%50_000 == 0 {
			r.progress("bill", r.theirRows)
		}
		return r.theirs.add(row.PaymentNo, &row)
	})
	r.progress("bill", r.theirRows)
	switch {
	case errors.Is(err, payment.ErrNoBill) && r.ourRows == 0:
		return nil
	case errors.Is(err, payment.ErrNoBill):
		return fmt.Errorf("%w, but our books have %d movements", err, r.ourRows)
	}
	return err
}

// match compares one partition, heals what heals, and keeps the rest to be
// recorded.
func (r *run) match(ctx context.Context, part int) error {
	theirs, err := r.theirs.read(part)
	if err != nil {
		return err
	}
	ours, err := r.ours.read(part)
	if err != nil {
		return err
	}
	ours, err = r.complete(ctx, ours, theirs)
	if err != nil {
		return err
	}
	found, sum := reconcile.Match(r.span, ours, theirs, r.opt)
	r.sum.Add(sum)
	// Refunds first: what has gone back already pays no order.
	for _, refunds := range [...]bool{true, false} {
		for i := range found {
			if (found[i].RefundNo != "") != refunds {
				continue
			}
			if err := r.take(ctx, &found[i]); err != nil {
				return err
			}
		}
	}
	r.progress("matched", sum.Matched)
	return nil
}

// finish stores how the day stands. The error is not returned again: it is
// part of the record.
func (r *run) finish(ctx context.Context, failed error) (rows.Reconciliation, error) {
	id := r.day.String() + "/" + r.name
	summary, err := format.Summary.Encode(&r.sum)
	if err != nil {
		return rows.Reconciliation{}, err
	}
	d, _, err := app.Do(ctx, r.a, &app.Command{
		Shop: r.shop, Name: "reconciled", Needs: app.Needs{rows.Reconciliations.Keys(id)},
	}, func(tx *app.Tx) (out rows.Reconciliation, err error) {
		d, err := tx.Reconciliation(id)
		if err != nil {
			return out, err
		}
		if d == nil {
			d = &rows.Reconciliation{ID: id, Channel: r.name, Day: r.day.String()}
		}
		d.Runs++
		d.StartedAt, d.FinishedAt, d.Error = r.started, tx.Now(), ""
		switch {
		case failed == nil:
			d.Status, d.Summary = rows.ReconciliationDone, summary
		case errors.Is(failed, payment.ErrBillNotReady):
			d.Status, d.Error = rows.ReconciliationWaiting, failed.Error()
		default:
			d.Status, d.Error = rows.ReconciliationFailed, failed.Error()
		}
		tx.PutReconciliation(d)
		return *d, nil
	})
	return d, err
}
