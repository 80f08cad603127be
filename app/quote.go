package app

import (
	"context"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// Quote prices a cart as an order would be priced now, and says why. It
// stores nothing. Coupons that cannot be used are skipped with their reason
// where an order would be refused.
func (a *App) Quote(ctx context.Context, shop string, in Cart) (*pricing.Quote, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, err := a.Store.SkusByID(ctx, shop, in.skus())
	if err != nil {
		return nil, err
	}
	bySku := make(map[string]*inventory.Data, len(found))
	for i := range found {
		bySku[found[i].Sku] = &found[i]
	}
	lines := make([]pricing.Line, len(in.Items))
	for i, it := range in.Items {
		d := bySku[it.Sku]
		if d == nil {
			return nil, skuNotFound(it.Sku)
		}
		lines[i] = line(d, it.Quantity)
	}
	u, err := a.Store.UserByID(ctx, shop, in.User)
	if err != nil {
		return nil, err
	}
	rules, err := a.Rules(ctx, shop)
	if err != nil {
		return nil, err
	}
	coupons, err := a.quoteCoupons(ctx, shop, &in, rules)
	if err != nil {
		return nil, err
	}
	s, err := a.Store.ShopByID(ctx, shop)
	if err != nil {
		return nil, err
	}
	price := pricing.Input{
		Currency: s.Currency, Now: a.Clock.Now().UTC(), User: buyer(&u),
		Lines: lines, Rules: rules.Promotions, Coupons: coupons, Explain: true,
	}
	if err := a.inform(ctx, shop, &price); err != nil {
		return nil, err
	}
	return pricing.Price(price)
}

// inform puts what the rules ask about into the input of a quote. Most carts
// are asked nothing.
func (a *App) inform(ctx context.Context, shop string, in *pricing.Input) error {
	ask := in.Rules.Ask(in.Lines, &in.User, in.Now)
	needs := askNeeds(&ask, in.User.ID)
	var now read
	var err error
	if len(needs.Counters) > 0 {
		if now.counters, err = a.Store.Counters(ctx, shop, needs.Counters); err != nil {
			return err
		}
	}
	if len(needs.Buyers) > 0 {
		if now.bought, err = a.Store.Bought(ctx, shop, in.User.ID); err != nil {
			return err
		}
	}
	if len(needs.Skus) > 0 {
		if now.skus, err = a.Store.SkusByID(ctx, shop, needs.Skus); err != nil {
			return err
		}
	}
	return answer(in, &ask, &now)
}

// read is what a quote has read of what the rules ask about.
type read struct {
	counters map[string]int64
	bought   bool
	skus     []inventory.Data
}

func (r *read) Counter(name string) (int64, error) { return r.counters[name], nil }
func (r *read) Bought(string) (bool, error)        { return r.bought, nil }
func (r *read) Sku(id string) (*inventory.Sku, error) {
	for i := range r.skus {
		if r.skus[i].Sku == id {
			return inventory.Restore(r.skus[i]), nil
		}
	}
	return nil, nil
}

func (a *App) quoteCoupons(ctx context.Context, shop string, in *Cart, rules *marketing.Rules) ([]pricing.Coupon, error) {
	if len(in.Coupons) == 0 {
		return nil, nil
	}
	found, err := a.Store.CouponsByCode(ctx, shop, in.Coupons)
	if err != nil {
		return nil, err
	}
	byCode := make(map[string]*marketing.CouponData, len(found))
	for i := range found {
		byCode[found[i].Code] = &found[i]
	}
	now := a.Clock.Now().UTC()
	out := make([]pricing.Coupon, len(in.Coupons))
	for i, code := range in.Coupons {
		d := byCode[code]
		if d == nil {
			out[i] = pricing.Coupon{Code: code, Refused: pricing.CouponNotFound, Detail: "there is no such code"}
			continue
		}
		t := rules.Templates[d.TemplateID]
		if t == nil {
			return nil, fault.New(fault.InternalFail, "coupon %s: template %s is gone", code, d.TemplateID)
		}
		out[i] = t.Priced(d, in.User, now)
	}
	return out, nil
}
