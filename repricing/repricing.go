// Package repricing prices a placed order again: from the stored inputs of its
// price (order.Data.Basis), by the rules of the version that priced it. The
// audit compares the result with the order's price; a backtest changes the
// rules first.
package repricing

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Store reads the history of a shop's rules.
type Store interface {
	EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error
	ShopByID(ctx context.Context, id string) (shop.Shop, error)
}

// Rules are the rules of a shop at any version. The history is read when a
// version is wanted that it does not reach, so that orders placed meanwhile can
// be priced too. It is not safe for concurrent use.
type Rules struct {
	store   Store
	shop    string
	history *marketing.History
	reaches int64
}

// New makes the rules of a shop. Nothing is read yet.
func New(store Store, shop string) *Rules { return &Rules{store: store, shop: shop} }

// At is the rules of a version.
func (r *Rules) At(ctx context.Context, version int64) (*marketing.Rules, error) {
	h, err := r.reach(ctx, version)
	if err != nil {
		return nil, err
	}
	return h.At(version), nil
}

// Promotions are all promotions of a version, those that were not active too.
func (r *Rules) Promotions(ctx context.Context, version int64) ([]pricing.Promotion, error) {
	h, err := r.reach(ctx, version)
	if err != nil {
		return nil, err
	}
	return h.Promotions(version), nil
}

func (r *Rules) reach(ctx context.Context, version int64) (*marketing.History, error) {
	if r.history != nil && version <= r.reaches {
		return r.history, nil
	}
	// The version first: the history reaches at least as far then.
	now, err := r.store.ShopByID(ctx, r.shop)
	if err != nil {
		return nil, err
	}
	h := &marketing.History{}
	if err := r.store.EachRuleChange(ctx, r.shop, func(c marketing.RuleChange) error { h.Add(c); return nil }); err != nil {
		return nil, err
	}
	r.history, r.reaches = h, now.RulesVersion
	return h, nil
}

// Price computes an order's price from its snapshot, by rules.
func Price(d *order.Data, rules *marketing.Rules) (*pricing.Quote, error) {
	coupons, err := Coupons(d, rules)
	if err != nil {
		return nil, err
	}
	return pricing.Price(d.Basis.Input(d.Currency, d.User, d.Items, rules.Promotions, coupons))
}

// Coupons are the coupons of an order as they were priced. An error says that
// the order's snapshot and the rules do not fit each other.
func Coupons(d *order.Data, rules *marketing.Rules) ([]pricing.Coupon, error) {
	coupons := make([]pricing.Coupon, 0, len(d.Coupons))
	for _, code := range d.Coupons {
		at := slices.IndexFunc(d.Applied, func(a pricing.Applied) bool { return a.Source == pricing.FromCoupon && a.Code == code })
		if at < 0 {
			return nil, fmt.Errorf("coupon %s took nothing off", code)
		}
		t := rules.Templates[d.Applied[at].ID]
		if t == nil {
			return nil, fmt.Errorf("coupon %s: the rules of version %d have no template %s", code, rules.Version, d.Applied[at].ID)
		}
		// That it could be used was checked when it was locked.
		c := t.Priced(&marketing.CouponData{Code: code, TemplateID: t.ID, Status: marketing.Available}, d.User, d.Basis.At)
		c.Refused = ""
		coupons = append(coupons, c)
	}
	return coupons, nil
}
