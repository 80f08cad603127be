package engine

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
)

// PriceInputs is what a price depends on (see app.CatalogueCache), with the rules to price
// by: those of the version that was found with the rest, or newer ones.
func (e *Engine) PriceInputs(ctx context.Context, shop string, n *app.PriceInputNeeds) (*app.PriceInputs, *marketing.Rules, error) {
	l, err := e.queue(shop)
	if err != nil {
		return nil, nil, err
	}
	f, err := l.catalogue.PriceInputs(ctx, e.store, shop, n)
	if err != nil {
		return nil, nil, err
	}
	rules, err := l.rulesAt(ctx, f.Shop.RulesVersion)
	return f, rules, err
}
