package engine

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
)

// Facts is what a price depends on (see app.Shelf), with the rules to price
// by: those of the version that was found with the rest, or newer ones.
func (e *Engine) Facts(ctx context.Context, shop string, n *app.FactNeeds) (*app.Facts, *marketing.Rules, error) {
	l, err := e.lane(shop)
	if err != nil {
		return nil, nil, err
	}
	f, err := l.shelf.Facts(ctx, e.store, shop, n)
	if err != nil {
		return nil, nil, err
	}
	rules, err := l.rulesAt(ctx, f.Shop.RulesVersion)
	return f, rules, err
}
