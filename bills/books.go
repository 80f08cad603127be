package bills

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

func (r *run) gatherOurs(ctx context.Context) error {
	add := func(o reconcile.Ours) error {
		if r.ourRows++; r.ourRows%50_000 == 0 {
			r.progress("books", r.ourRows)
		}
		return r.ours.add(o.PaymentNo, &o)
	}
	err := r.a.Store.EachSettled(ctx, r.shop, r.name, r.span.From, r.span.To, func(e app.BookEntry) error {
		if app.IsRepeat(e.PaymentNo) {
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
			if p.Channel != r.name || p.Status != payment.RefundSucceeded || p.ByHand ||
				p.DoneAt.Before(r.span.From) || !p.DoneAt.Before(r.span.To) {
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
	r.progress("books", r.ourRows)
	return err
}

func oursOf(e *app.BookEntry) reconcile.Ours {
	return reconcile.Ours{
		Kind: payment.BillPayment, PaymentNo: e.PaymentNo, TransactionID: e.TransactionID, Amount: e.Amount, Currency: e.Currency,
		Merchant: e.Merchant, App: e.App, State: string(e.Status),
		Settled: e.Status == payment.StatusSucceeded, At: e.SucceededAt, CreatedAt: e.CreatedAt,
	}
}

// refundRow is our side of a refund. What it has of its payment is filled in
// when its partition is matched.
func (r *run) refundRow(ctx context.Context, d *payment.RefundData, p *payment.Allocation) (reconcile.Ours, error) {
	o := reconcile.Ours{
		Kind: payment.BillRefund, PaymentNo: p.Payment, RefundNo: p.No, Amount: p.Amount, Currency: d.Currency,
		State: string(p.Status), Settled: p.Status == payment.RefundSucceeded, At: p.DoneAt, CreatedAt: d.CreatedAt,
	}
	if p.ByHand {
		o.At = time.Time{} // when an operator said so; the channel may have moved it at any time
	}
	if app.IsRepeat(p.Payment) {
		again, err := r.a.Store.Payment(ctx, r.shop, p.Payment)
		if err != nil {
			return o, err
		}
		o.PaymentNo, o.TransactionID, o.Merchant, o.App = again.Request.PaymentNo, again.TransactionID, again.Merchant, again.App
	}
	return o, nil
}

// complete adds what the bill names and the day's books have not: payments
// that are open or of another day, refunds that are under way. Of a refund it
// adds only the part that is named: the others may be of another channel, or
// stand in another partition, and would be taken for missing here.
func (r *run) complete(ctx context.Context, ours []reconcile.Ours, theirs []payment.BillRow) ([]reconcile.Ours, error) {
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
