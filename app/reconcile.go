package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// Bounds of a reconciliation.
const (
	// reconcileParts is how many parts a day is matched in: of a million rows
	// some sixteen thousand are in memory at a time.
	reconcileParts = 64
	// maxDiscrepancies is how many differences one run records; more are
	// counted in its summary only.
	maxDiscrepancies = 100_000
	discrepancyBatch = 100
	lookupBatch      = 1000
	reconcileTime    = 2 * time.Hour
	// clocksDiffer is how far a channel's clock and ours may differ: a refund
	// that we made at 00:10 may have been done at 23:40 by the channel.
	clocksDiffer = time.Hour
)

// Progress is told how far a reconciliation is: a stage, and rows done in it.
type Progress func(stage string, rows int64)

// Reconcile compares one day of one channel with the channel's bill, heals
// what the bill's own facts heal, and records the rest. Running it again
// finds the same differences under the same ids; what has gone meanwhile is
// marked healed. A bill that is not there yet, or not whole, changes nothing
// but the day's own record.
func (a *App) Reconcile(ctx context.Context, shopID, channel string, day payment.Day, tell Progress) (ReconciliationData, error) {
	if tell == nil {
		tell = func(string, int64) {}
	}
	ctx, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	ch, err := a.Channels.Channel(ctx, shopID, channel)
	if err != nil {
		return ReconciliationData{}, err
	}
	started := a.Clock.Now().UTC()
	if day == payment.DayOf(started, ch.Zone()) || started.Before(firstMoment(day, ch.Zone())) {
		return ReconciliationData{}, fault.Invalidf("/date", "%s is not over yet where the channel is", day)
	}
	r := &reconciler{a: a, shop: shopID, name: channel, ch: &ch, day: day, tell: tell, started: started, seen: map[string]bool{}}
	r.span.From, r.span.To = day.Span(ch.Zone())
	r.opt = reconcile.Options{Merchant: ch.Merchant, App: ch.App}
	err = r.run(ctx)
	if err != nil && ctx.Err() != nil {
		return ReconciliationData{}, err
	}
	return r.finish(context.WithoutCancel(ctx), err)
}

func firstMoment(day payment.Day, zone *time.Location) time.Time {
	from, _ := day.Span(zone)
	return from
}

type reconciler struct {
	a       *App
	shop    string
	name    string
	ch      *Configured
	day     payment.Day
	span    reconcile.Span
	opt     reconcile.Options
	tell    Progress
	started time.Time

	theirs, ours *spill
	ourRows      int64
	theirRows    int64
	sum          reconcile.Summary
	seen         map[string]bool // ids of the differences of this run
	waiting      []DiscrepancyData
}

func (r *reconciler) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tandem-reconcile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if r.theirs, err = newSpill(dir, "theirs", reconcileParts); err != nil {
		return err
	}
	defer r.theirs.Close()
	if r.ours, err = newSpill(dir, "ours", reconcileParts); err != nil {
		return err
	}
	defer r.ours.Close()
	if err := r.gatherOurs(ctx); err != nil {
		return err
	}
	if err := r.gatherTheirs(ctx); err != nil {
		return err
	}
	for part := range reconcileParts {
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

func (r *reconciler) gatherTheirs(ctx context.Context) error {
	_, err := r.ch.Bill(ctx, r.day, func(row payment.BillRow) error {
		if r.theirRows++; r.theirRows%50_000 == 0 {
			r.tell("bill", r.theirRows)
		}
		return r.theirs.add(reconcile.Partition(row.PaymentNo, reconcileParts), func(b []byte) []byte { return putBillRow(b, &row) })
	})
	r.tell("bill", r.theirRows)
	switch {
	case errors.Is(err, payment.ErrNoBill) && r.ourRows == 0:
		return nil
	case errors.Is(err, payment.ErrNoBill):
		return fmt.Errorf("%w, but our books have %d movements", err, r.ourRows)
	}
	return err
}

func (r *reconciler) gatherOurs(ctx context.Context) error {
	add := func(o reconcile.Ours) error {
		if r.ourRows++; r.ourRows%50_000 == 0 {
			r.tell("books", r.ourRows)
		}
		return r.ours.add(reconcile.Partition(o.PaymentNo, reconcileParts), func(b []byte) []byte { return putOurs(b, &o) })
	}
	err := r.a.Store.EachSettled(ctx, r.shop, r.name, r.span.From, r.span.To, func(e BookEntry) error {
		if isRepeat(e.PaymentNo) {
			return nil // in the bill it stands under the number that was paid twice
		}
		return add(oursOf(&e))
	})
	if err != nil {
		return err
	}
	// A refund is over when its last part is, and when we learn of that: a part
	// of it may have moved on a day before.
	err = r.a.Store.EachRefund(ctx, r.shop, r.span.From.Add(-clocksDiffer), r.span.To.Add(clocksDiffer), func(d payment.RefundData) error {
		for i := range d.Allocations {
			p := &d.Allocations[i]
			if p.Channel != r.name || p.Status != payment.RefundSucceeded || p.ByHand || p.DoneAt.Before(r.span.From) || !p.DoneAt.Before(r.span.To) {
				continue
			}
			o, err := r.refundRow(ctx, &d, p)
			if err == nil {
				err = add(o)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	r.tell("books", r.ourRows)
	return err
}

func oursOf(e *BookEntry) reconcile.Ours {
	return reconcile.Ours{
		Kind: payment.BillPayment, PaymentNo: e.PaymentNo, TransactionID: e.TransactionID, Amount: e.Amount, Currency: e.Currency,
		Merchant: e.Merchant, App: e.App, State: string(e.Status), Settled: e.Status == payment.StatusSucceeded, At: e.SucceededAt, CreatedAt: e.CreatedAt,
	}
}

// refundRow is our side of a refund. What it has of its payment is filled in
// when its partition is matched.
func (r *reconciler) refundRow(ctx context.Context, d *payment.RefundData, p *payment.Allocation) (reconcile.Ours, error) {
	o := reconcile.Ours{
		Kind: payment.BillRefund, PaymentNo: p.Payment, RefundNo: p.No, Amount: p.Amount, Currency: d.Currency,
		State: string(p.Status), Settled: p.Status == payment.RefundSucceeded, At: p.DoneAt, CreatedAt: d.CreatedAt,
	}
	if p.ByHand {
		o.At = time.Time{} // when an operator said so; the channel may have moved it at any time
	}
	if isRepeat(p.Payment) {
		again, err := r.a.Store.Payment(ctx, r.shop, p.Payment)
		if err != nil {
			return o, err
		}
		o.PaymentNo, o.TransactionID, o.Merchant, o.App = again.Request.PaymentNo, again.TransactionID, again.Merchant, again.App
	}
	return o, nil
}

// match compares one partition, heals what heals, and keeps the rest to be
// recorded.
func (r *reconciler) match(ctx context.Context, part int) error {
	theirs := make([]payment.BillRow, 0, r.theirs.parts[part].rows)
	if err := r.theirs.each(part, func(b *rowReader) error {
		theirs = append(theirs, billRow(b))
		return nil
	}); err != nil {
		return err
	}
	ours := make([]reconcile.Ours, 0, r.ours.parts[part].rows)
	if err := r.ours.each(part, func(b *rowReader) error {
		ours = append(ours, ourRow(b))
		return nil
	}); err != nil {
		return err
	}
	ours, err := r.complete(ctx, ours, theirs)
	if err != nil {
		return err
	}
	found, sum := reconcile.Match(r.span, ours, theirs, r.opt)
	r.sum.Add(sum)
	for i := range found {
		if err := r.take(ctx, &found[i]); err != nil {
			return err
		}
	}
	r.tell("matched", sum.Matched)
	return nil
}

// complete adds what the bill names and the day's books have not: payments
// that are open or of another day, refunds that are under way. Of a refund it
// adds only the part that is named: the others may be of another channel, or
// stand in another partition, and would be taken for missing here.
func (r *reconciler) complete(ctx context.Context, ours []reconcile.Ours, theirs []payment.BillRow) ([]reconcile.Ours, error) {
	have := make(map[string]int, len(ours))
	for i := range ours {
		have[key(ours[i].Kind, ours[i].PaymentNo, ours[i].RefundNo)] = i
	}
	var payments, refunds []string
	named := map[string]bool{} // keys of refunds
	want := func(no string) {
		if _, ok := have[key(payment.BillPayment, no, "")]; !ok && no != "" {
			payments = append(payments, no)
		}
	}
	for i := range theirs {
		t := &theirs[i]
		want(t.PaymentNo)
		k := key(t.Kind, t.PaymentNo, t.RefundNo)
		if _, ok := have[k]; !ok && t.Kind == payment.BillRefund {
			refunds, named[k] = append(refunds, payment.RefundOf(t.RefundNo)), true
		}
	}
	for i := range ours {
		if ours[i].Kind == payment.BillRefund {
			want(ours[i].PaymentNo)
		}
	}
	for nos := range slices.Chunk(compact(payments), lookupBatch) {
		entries, err := r.a.Store.EntriesByNo(ctx, r.shop, nos)
		if err != nil {
			return nil, err
		}
		for i := range entries {
			have[key(payment.BillPayment, entries[i].PaymentNo, "")] = len(ours)
			ours = append(ours, oursOf(&entries[i]))
		}
	}
	for nos := range slices.Chunk(compact(refunds), lookupBatch) {
		found, err := r.a.Store.RefundsByNo(ctx, r.shop, nos)
		if err != nil {
			return nil, err
		}
		for i := range found {
			for j := range found[i].Allocations {
				o, err := r.refundRow(ctx, &found[i], &found[i].Allocations[j])
				if err != nil {
					return nil, err
				}
				if named[key(o.Kind, o.PaymentNo, o.RefundNo)] {
					ours = append(ours, o)
				}
			}
		}
	}
	for i := range ours {
		o := &ours[i]
		if p, ok := have[key(payment.BillPayment, o.PaymentNo, "")]; ok && o.Kind == payment.BillRefund && o.TransactionID == "" {
			o.TransactionID, o.Merchant, o.App = ours[p].TransactionID, ours[p].Merchant, ours[p].App
		}
	}
	return ours, nil
}

func key(k payment.BillKind, paymentNo, refundNo string) string {
	return string(rune(k)) + paymentNo + "/" + refundNo
}

func compact(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// finish stores how the day stands. The error is not returned again: it is
// part of the record.
func (r *reconciler) finish(ctx context.Context, failed error) (ReconciliationData, error) {
	id := r.day.String() + "/" + r.name
	summary, err := format.Summary.Encode(&r.sum)
	if err != nil {
		return ReconciliationData{}, err
	}
	d, _, err := Do(ctx, r.a, &Command{
		Shop: r.shop, Name: "reconciled", Needs: Needs{Reconciliations: []string{id}},
	}, func(tx *Tx) (out ReconciliationData, err error) {
		d, err := tx.Reconciliation(id)
		if err != nil {
			return out, err
		}
		if d == nil {
			d = &ReconciliationData{ID: id, Channel: r.name, Day: r.day.String()}
		}
		d.Runs++
		d.StartedAt, d.FinishedAt, d.Error = r.started, tx.Now(), ""
		switch {
		case failed == nil:
			d.Status, d.Summary = ReconciliationDone, summary
		case errors.Is(failed, payment.ErrBillNotReady):
			d.Status, d.Error = ReconciliationWaiting, failed.Error()
		default:
			d.Status, d.Error = ReconciliationFailed, failed.Error()
		}
		tx.PutReconciliation(d)
		return *d, nil
	})
	return d, err
}
