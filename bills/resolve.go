package bills

import (
	"context"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// ResolveDiscrepancy records what an operator did about a discrepancy.
func (b *Reconciler) ResolveDiscrepancy(ctx context.Context, shopID, id, key, reason string) (rows.Discrepancy, bool, error) {
	if reason == "" || len(reason) > 1000 {
		return rows.Discrepancy{}, false, fault.Invalidf("/reason", "say what was done about it, in 1 to 1000 bytes")
	}
	c := &app.Command{
		Shop: shopID, Name: "resolve discrepancy", Key: key, Trace: b.App.Tracer.Parent(ctx), Needs: app.Needs{rows.Discrepancies.Keys(id)},
	}
	if key != "" {
		c.Hash = app.Hash("resolve discrepancy "+id, reason)
	}
	return app.Do(ctx, b.App, c, func(tx *app.Tx) (out rows.Discrepancy, err error) {
		d, err := tx.Discrepancy(id)
		if err != nil {
			return out, err
		}
		if d == nil {
			return out, fault.New(fault.NotFound, "there is no discrepancy %s", id)
		}
		if d.Status == rows.DiscrepancyOpen {
			d.Status, d.Resolution, d.ResolvedAt = rows.DiscrepancyResolved, reason, tx.Now()
			tx.PutDiscrepancy(d)
		} else if d.Resolution != reason {
			return out, fault.New(fault.DiscrepancyClosed, "discrepancy %s is %s: %s", id, d.Status, d.Resolution)
		}
		return *d, nil
	})
}
