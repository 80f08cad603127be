package app

import (
	"context"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/shop"
)

// PutPolicies sets the shop's policies, all of them. They hold for what
// happens from now on.
func (a *App) PutPolicies(ctx context.Context, shopID string, p shop.Policies) (shop.Shop, error) {
	if err := p.Check(); err != nil {
		return shop.Shop{}, err
	}
	s, _, err := Do(ctx, a, &Command{
		Shop: shopID, Name: "put policies", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Shop.Lock()}, Alone: true,
	}, func(tx *Tx) (out shop.Shop, err error) {
		tx.PutPolicies(p)
		return tx.Shop(), nil
	})
	return s, err
}
