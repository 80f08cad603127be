package app

import (
	"context"
	"slices"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// MaxWalletRead is how many of a user's coupons QuoteBest reads: the soonest
// to expire of those that could be used. For a user who has more, the
// answer says that the search stopped.
const MaxWalletRead = 1000

// Quote prices a cart as an order would be priced now, and says why. It
// stores nothing. Coupons that cannot be used are skipped with their reason
// where an order would be refused.
func (a *App) Quote(ctx context.Context, shop string, in Cart) (*pricing.Quote, error) {
	q, _, err := a.quote(ctx, shop, in)
	return q, err
}

// quote is Quote, with what the price was computed from.
func (a *App) quote(ctx context.Context, shop string, in Cart) (*pricing.Quote, pricing.Input, error) {
	if err := in.check(); err != nil {
		return nil, pricing.Input{}, err
	}
	g, err := a.gather(ctx, shop, &in, nil)
	if err != nil {
		return nil, pricing.Input{}, err
	}
	if g.Coupons, err = g.given(&in); err != nil {
		return nil, pricing.Input{}, err
	}
	q, err := pricing.Price(g.Input)
	return q, g.Input, err
}

// QuoteBest prices a cart with the coupons of the buyer's wallet that bring it
// to the lowest payable. The cart has no coupons of its own.
func (a *App) QuoteBest(ctx context.Context, shop string, in Cart) (pricing.Choice, error) {
	if err := in.check(); err != nil {
		return pricing.Choice{}, err
	}
	g, err := a.gather(ctx, shop, &in, &WalletNeeds{User: in.User, Limit: MaxWalletRead + 1})
	if err != nil {
		return pricing.Choice{}, err
	}
	more := len(g.inputs.Wallet) > MaxWalletRead
	wallet, err := g.priced(in.User, g.inputs.Wallet[:min(len(g.inputs.Wallet), MaxWalletRead)])
	if err != nil {
		return pricing.Choice{}, err
	}
	choice, err := pricing.Best(g.Input, wallet)
	choice.Stopped = choice.Stopped || more
	return choice, err
}

// gathered is what a price needs, but for the coupons.
type gathered struct {
	pricing.Input
	inputs *PriceInputs
	rules  *marketing.Rules
}

// gather reads everything that the price of a cart depends on.
func (a *App) gather(ctx context.Context, shop string, in *Cart, wallet *WalletNeeds) (*gathered, error) {
	now := a.Clock.Now().UTC()
	if wallet != nil {
		wallet.Now = now
	}
	inputs, rules, err := a.PriceInputs(ctx, shop, &PriceInputNeeds{Skus: in.skus(), User: in.User, Coupons: in.Coupons, Wallet: wallet})
	if err != nil {
		return nil, err
	}
	lines := make([]pricing.Line, len(in.Items))
	for i, it := range in.Items {
		at := i // as it is when all of them were cached
		if at >= len(inputs.Skus) || inputs.Skus[at].Sku != it.Sku {
			at = slices.IndexFunc(inputs.Skus, func(d inventory.Data) bool { return d.Sku == it.Sku })
		}
		if at < 0 {
			return nil, skuNotFound(it.Sku)
		}
		lines[i] = line(&inputs.Skus[at], it.Quantity)
	}
	g := &gathered{pricing.Input{
		Currency: inputs.Shop.Currency, Now: now, User: buyer(&inputs.User), Lines: lines, Rules: rules.Promotions, Explain: true,
	}, inputs, rules}
	return g, a.inform(ctx, shop, &g.Input)
}

// inform puts what the rules depend on into the input of a quote. For most carts
// that is nothing.
func (a *App) inform(ctx context.Context, shop string, in *pricing.Input) error {
	inputs := in.Rules.Needs(in.Lines, &in.User, in.Now)
	needs := ruleNeeds(&inputs, in.User.ID)
	var now read
	var err error
	if names := needs.Of(rows.Counters.Info()); len(names) > 0 {
		if now.counters, err = a.Store.Counters(ctx, shop, names); err != nil {
			return err
		}
	}
	if len(needs.Of(rows.Buyers.Info())) > 0 {
		if now.bought, err = a.Store.Bought(ctx, shop, in.User.ID); err != nil {
			return err
		}
	}
	if skus := needs.Of(rows.Skus.Info()); len(skus) > 0 {
		if now.skus, err = a.Store.SkusByID(ctx, shop, skus); err != nil {
			return err
		}
	}
	return fillInput(in, &inputs, &now)
}

// read is what a quote has read of what the rules depend on.
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

// given are the coupons whose codes the cart names, in that order.
func (g *gathered) given(in *Cart) ([]pricing.Coupon, error) {
	found, err := g.priced(in.User, g.inputs.Coupons)
	if err != nil || len(in.Coupons) == 0 {
		return nil, err
	}
	byCode := make(map[string]*pricing.Coupon, len(found))
	for i := range found {
		byCode[found[i].Code] = &found[i]
	}
	out := make([]pricing.Coupon, len(in.Coupons))
	for i, code := range in.Coupons {
		if c := byCode[code]; c != nil {
			out[i] = *c
		} else {
			out[i] = pricing.Coupon{Code: code, Refused: pricing.CouponNotFound, Detail: "there is no such code"}
		}
	}
	return out, nil
}

// priced are coupons in the form that pricing takes.
func (g *gathered) priced(user string, coupons []marketing.CouponData) ([]pricing.Coupon, error) {
	out := make([]pricing.Coupon, len(coupons))
	for i := range coupons {
		d := &coupons[i]
		t := g.rules.Templates[d.TemplateID]
		if t == nil {
			return nil, fault.New(fault.Internal, "coupon %s: template %s is gone", d.Code, d.TemplateID)
		}
		out[i] = t.Priced(d, user, g.Now)
	}
	return out, nil
}
