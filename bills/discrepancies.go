package bills

import (
	"context"
	"fmt"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// take heals a difference if the bill's fact does, and keeps it for the
// record. What only follows from the clock's border is counted, not recorded.
func (r *run) take(ctx context.Context, d *reconcile.Difference) error {
	if reconcile.Of(d.Class).Quiet {
		return nil
	}
	x := rows.Discrepancy{
		ID: r.day.String() + "_" + r.name + "_" + d.ID(), Channel: r.name, Day: r.day.String(), Class: string(d.Class),
		PaymentNo: d.PaymentNo, RefundNo: d.RefundNo, TransactionID: d.TransactionID, Detail: d.Detail, Status: rows.DiscrepancyOpen,
	}
	if d.Ours != nil {
		x.Ours = d.Ours.Amount
	}
	if d.Theirs != nil {
		x.Theirs = d.Theirs.Amount
	}
	if f, ok := reconcile.Fact(*d, r.opt); ok {
		outcome, err := r.a.Settle(ctx, r.shop, d.PaymentNo, f, app.ChannelMessage{
			Channel: r.name, Kind: app.MessageBill, At: r.started, Detail: fmt.Sprintf("bill of %s, line %d: %s", r.day, d.Theirs.Line, d.Class),
		})
		if err != nil {
			return err
		}
		if outcome != payment.Anomalous && outcome != payment.Orphan {
			x.Status, x.Resolution = rows.DiscrepancyHealed, "settled by the bill: "+string(outcome)
		}
	}
	if d.Class == reconcile.PaymentUnknown {
		orphans, err := r.a.Store.OrphanNos(ctx, r.shop, []string{d.PaymentNo})
		if err != nil {
			return err
		}
		if len(orphans) > 0 {
			x.Detail += "; an authentic callback about it is on file"
		}
	}
	r.seen[x.ID] = true
	if len(r.seen) > maxDiscrepancies {
		return nil
	}
	r.waiting = append(r.waiting, x)
	if len(r.waiting) >= discrepancyBatch {
		return r.record(ctx)
	}
	return nil
}

// record stores the differences that wait. One that is known keeps what was
// recorded of it, but for one that was open and has been healed now, and for
// one that had gone by itself and is back: it is open again.
func (r *run) record(ctx context.Context) error {
	waiting := r.waiting
	r.waiting = nil
	if len(waiting) == 0 {
		return nil
	}
	c := &app.Command{Shop: r.shop, Name: "record discrepancies"}
	for i := range waiting {
		c.Needs.Add(rows.Discrepancies.Keys(waiting[i].ID))
	}
	_, err := app.Run(ctx, r.a, c, func(tx *app.Tx) error {
		for i := range waiting {
			have, err := tx.Discrepancy(waiting[i].ID)
			if err != nil {
				return err
			}
			switch x := waiting[i]; {
			case have == nil:
				x.CreatedAt = tx.Now()
				if x.Status == rows.DiscrepancyHealed {
					x.ResolvedAt = tx.Now()
				}
				tx.PutDiscrepancy(&x)
			case have.Status == rows.DiscrepancyHealed && x.Status == rows.DiscrepancyOpen:
				x.CreatedAt = have.CreatedAt
				tx.PutDiscrepancy(&x)
			case have.Status == rows.DiscrepancyOpen && x.Status == rows.DiscrepancyHealed:
				have.Status, have.Resolution, have.ResolvedAt = x.Status, x.Resolution, tx.Now()
				tx.PutDiscrepancy(have)
			}
		}
		return nil
	})
	return err
}

// closeGone marks healed what an earlier run found of this day and this one
// did not.
func (r *run) closeGone(ctx context.Context) error {
	p := app.Page{Limit: discrepancyBatch}
	for {
		items, next, err := r.a.Store.ListDiscrepancies(
			ctx, r.shop, app.DiscrepancyFilter{Channel: r.name, Day: r.day.String(), Status: rows.DiscrepancyOpen}, p,
		)
		if err != nil {
			return err
		}
		var gone []string
		for i := range items {
			if !r.seen[items[i].ID] {
				gone = append(gone, items[i].ID)
			}
		}
		if len(gone) > 0 {
			c := &app.Command{Shop: r.shop, Name: "discrepancies gone", Needs: app.Needs{rows.Discrepancies.Keys(gone...)}}
			_, err := app.Run(ctx, r.a, c, func(tx *app.Tx) error {
				for _, id := range gone {
					x, err := tx.Discrepancy(id)
					if err != nil {
						return err
					}
					if x.Status == rows.DiscrepancyOpen {
						x.Status, x.Resolution, x.ResolvedAt = rows.DiscrepancyHealed, "a later run did not find it", tx.Now()
						tx.PutDiscrepancy(x)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		p.Cursor = next
	}
}
