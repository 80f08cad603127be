package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// PriceReport is what pricing a shop's orders again has found.
type PriceReport struct {
	Orders   int64     `json:"orders"`
	Checked  int64     `json:"checked"`  // priced again
	Unproven int64     `json:"unproven"` // placed before what a price is computed from was kept
	Offences []Offence `json:"offences"` // of invariant 1
}

// PriceStore is what AuditPrices needs of a store.
type PriceStore interface {
	Admin
	ruleStore
}

type ruleStore interface {
	EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error
	ShopByID(ctx context.Context, id string) (shop.Shop, error)
}

// AuditPrices prices every stored order of a shop again from its own
// snapshot, by the rules of the version that priced it, and reports every
// order that comes to anything else, to the cent and line by line. It changes
// nothing. progress, if not nil, is called with the orders done.
func AuditPrices(ctx context.Context, store PriceStore, shopID string, progress func(done int64)) (*PriceReport, error) {
	r := &PriceReport{}
	past := &past{store: store, shop: shopID}
	err := store.Scan(ctx, shopID, Scan{Order: func(v OrderView) error {
		d := &v.Order
		r.Orders++
		if progress != nil {
			progress(r.Orders)
		}
		if d.Basis == nil {
			if d.Draft == nil { // one has promised no price yet
				r.Unproven++
			}
			return nil
		}
		rules, err := past.rules(ctx, d.Basis.Rules)
		if err != nil {
			return err
		}
		r.Checked++
		if wrong := repriced(d, rules); wrong != "" {
			r.Offences = append(r.Offences, Offence{1, "order " + d.No, wrong})
		}
		return nil
	}})
	return r, err
}

// past reads the history of a shop's rules when it is asked for a version
// that it does not reach.
type past struct {
	store   ruleStore
	shop    string
	history *marketing.History
	reaches int64
}

func (p *past) rules(ctx context.Context, version int64) (*marketing.Rules, error) {
	if p.history == nil || version > p.reaches {
		// The version first: the history reaches at least as far then.
		now, err := p.store.ShopByID(ctx, p.shop)
		if err != nil {
			return nil, err
		}
		h := &marketing.History{}
		if err := p.store.EachRuleChange(ctx, p.shop, func(c marketing.RuleChange) error { h.Add(c); return nil }); err != nil {
			return nil, err
		}
		p.history, p.reaches = h, now.RulesVersion
	}
	return p.history.At(version), nil
}

// priceAgain computes an order's price from its snapshot, by rules.
func priceAgain(d *order.Data, rules *marketing.Rules) (*pricing.Quote, error) {
	coupons, err := pastCoupons(d, rules)
	if err != nil {
		return nil, err
	}
	return pricing.Price(d.Basis.Input(d.Currency, d.User, d.Items, rules.Promotions, coupons))
}

// pastCoupons are the coupons of an order as they were priced.
func pastCoupons(d *order.Data, rules *marketing.Rules) ([]pricing.Coupon, error) {
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
		coupons = append(coupons, t.Priced(&marketing.CouponData{Code: code, TemplateID: t.ID, Status: marketing.Available}, d.User, d.Basis.At))
		coupons[len(coupons)-1].Refused = ""
	}
	return coupons, nil
}

// repriced says in what an order differs from its price computed again; ""
// if in nothing.
func repriced(d *order.Data, rules *marketing.Rules) string {
	q, err := priceAgain(d, rules)
	if err != nil {
		return "cannot be priced again: " + err.Error()
	}
	if q.Total != d.Total || q.Discount != d.Discount || q.Payable != d.Payable {
		return fmt.Sprintf("total %d, discount %d, payable %d; priced again by rules %d: %d, %d, %d",
			d.Total, d.Discount, d.Payable, rules.Version, q.Total, q.Discount, q.Payable)
	}
	if !slices.Equal(q.Lines, d.Items) {
		return fmt.Sprintf("its lines are %v; priced again by rules %d: %v", d.Items, rules.Version, q.Lines)
	}
	same := func(a, b pricing.Applied) bool {
		return a.Source == b.Source && a.ID == b.ID && a.Code == b.Code && a.Kind == b.Kind && a.Version == b.Version &&
			a.Amount == b.Amount && slices.Equal(a.Shares, b.Shares)
	}
	if !slices.EqualFunc(q.Applied, d.Applied, same) {
		return fmt.Sprintf("its discounts are %v; priced again by rules %d: %v", d.Applied, rules.Version, q.Applied)
	}
	return ""
}
