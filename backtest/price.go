package backtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/repricing"
)

// whatIfs prices orders with the draft beside the rules of their time. It is
// safe for use by many at once.
type whatIfs struct {
	draft    *pricing.Promotion
	alone    *pricing.Rules
	gift     *pricing.Gift // that the draft gives; nil is none
	currency string

	mu       sync.Mutex
	past     *repricing.Rules
	versions map[int64]*whatIf
	names    map[ruleID]string // of live rules, the last ones
	replaced map[int64]bool    // versions of the live promotion that has the draft's id
}

// ruleID names a promotion or a coupon template.
type ruleID struct {
	source pricing.Source
	id     string
}

// whatIf is the rules of one version with the draft among them.
type whatIf struct {
	*marketing.Rules                    // as they were
	with             *pricing.Rules     // the promotions with the draft
	replaced         *pricing.Promotion // the live one that had the draft's id
	firstOrders      bool               // some live rule was for first orders only
}

// pricedAgain is an order with the price that it would have had.
type pricedAgain struct {
	app.PricedOrder
	doc  string
	paid format.Price
	why  string // it is not priced: one of the reasons below

	rules      *whatIf
	in         pricing.Input  // of quote; what the draft's limits say is as if nobody had used it
	quote      *pricing.Quote // nil: the draft has nothing to do with it
	firstKnown bool           // whether it was a first order is known: some live rule depended on it

	was, is int64 // the discount of the promotion that has the draft's id, really and in quote; -1: it did not apply
}

// Why an order is not priced again.
const (
	noBasis       = "noBasis"       // it was placed before what its price was computed from was kept
	otherCurrency = "otherCurrency" // than the shop's present one
	noPrice       = "noPrice"       // with the draft its amounts pass all limits, or a rule of it is not known
)

// keptVersions bounds how many versions' rules are kept ready.
const keptVersions = 64

// at is the rules of a version.
func (w *whatIfs) at(ctx context.Context, version int64) (*whatIf, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.versions[version]; r != nil {
		return r, nil
	}
	rules, err := w.past.At(ctx, version)
	if err != nil {
		return nil, err
	}
	r := &whatIf{Rules: rules}
	if w.versions == nil || len(w.versions) == keptVersions {
		w.versions = map[int64]*whatIf{}
	}
	if w.names == nil {
		w.names, w.replaced = map[ruleID]string{}, map[int64]bool{}
	}
	all, err := w.past.Promotions(ctx, version)
	if err != nil {
		return nil, err
	}
	for i := range all {
		p := &all[i]
		w.names[ruleID{pricing.FromPromotion, p.ID}] = p.Name
		switch live := p.Active == nil || *p.Active; {
		case !live:
		case p.ID == w.draft.ID:
			r.replaced, w.replaced[p.Version] = p, true
		case p.FirstOrderOnly:
			r.firstOrders = true
		}
	}
	for _, t := range rules.Templates {
		w.names[ruleID{pricing.FromCoupon, t.ID}] = t.Name
	}
	r.firstOrders = r.firstOrders || r.replaced != nil && r.replaced.FirstOrderOnly
	with := slices.DeleteFunc(slices.Clone(all), func(p pricing.Promotion) bool { return p.ID == w.draft.ID })
	r.with = pricing.Compile(append(with, *w.draft))
	w.versions[version] = r
	return r, nil
}

// price prices an order as if the draft's limits had not been touched by
// others.
func (w *whatIfs) price(ctx context.Context, p *pricedAgain) error {
	if err := format.ReadPrice(p.doc, &p.paid); err != nil {
		return fmt.Errorf("order %s: %w", p.No, err)
	}
	p.doc, p.was, p.is = "", -1, -1
	b := p.paid.Basis
	switch {
	case b == nil:
		p.why = noBasis
		return nil
	case p.Currency != w.currency:
		p.why = otherCurrency
		return nil
	}
	var err error
	if p.rules, err = w.at(ctx, b.Rules); err != nil {
		return err
	}
	p.in = b.Input(p.Currency, p.User, p.paid.Items, p.rules.with, nil)
	in := &p.in
	considered := w.alone.Considers(in.Lines, &in.User, in.Now)
	if !considered && p.rules.replaced == nil {
		return nil
	}
	var cannot error
	in.Coupons, cannot = couponsOf(&p.paid, p.User, p.rules.Rules)
	if p.why = unpriced(cannot); p.why != "" {
		return nil
	}
	if w.draft.FirstOrderOnly {
		p.firstKnown = p.rules.firstOrders && p.rules.Promotions.HasNeeds() && p.rules.Promotions.Needs(in.Lines, &in.User, in.Now).FirstOrder
		in.User.FirstOrder = in.User.FirstOrder || !p.firstKnown
	}
	if _, ok := in.Usage[w.draft.ID]; ok {
		in.Usage = maps.Clone(in.Usage)
		delete(in.Usage, w.draft.ID)
	}
	if w.gift != nil && !slices.ContainsFunc(in.Gifts, func(g pricing.Gift) bool { return g.Sku == w.gift.Sku }) {
		in.Gifts = append(slices.Clip(in.Gifts), *w.gift)
	}
	p.reprice(w.draft.ID)
	return nil
}

// reprice prices the order by its input as it now is.
func (p *pricedAgain) reprice(draft string) {
	q, err := pricing.Price(p.in)
	if err != nil {
		p.why, p.quote, p.was, p.is = noPrice, nil, -1, -1
		return
	}
	p.quote, p.was, p.is = q, amountOf(p.paid.Applied, draft), amountOf(q.Applied, draft)
}

// amountOf is what a promotion took off; -1 if it did not apply.
func amountOf(applied []pricing.Applied, id string) int64 {
	for i := range applied {
		if a := &applied[i]; a.Source == pricing.FromPromotion && a.ID == id {
			return a.Amount
		}
	}
	return -1
}

// touched says whether the order would have come out otherwise.
func (p *pricedAgain) touched() bool {
	return p.quote != nil && (p.quote.Payable != p.Payable || p.is != p.was)
}

// gain is how much less would have been paid.
func (p *pricedAgain) gain() int64 { return p.Payable - p.quote.Payable }

// unpriced is the reason for which an order is left out; "" for none.
func unpriced(err error) string {
	if err != nil {
		return noPrice
	}
	return ""
}

// couponsOf returns an order's coupons in the form that pricing takes. That they could be
// used was checked when they were locked.
func couponsOf(p *format.Price, user string, rules *marketing.Rules) ([]pricing.Coupon, error) {
	if len(p.Coupons) == 0 {
		return nil, nil
	}
	d := order.Data{User: user, Coupons: p.Coupons, Applied: p.Applied, Basis: p.Basis}
	return repricing.Coupons(&d, rules)
}

// ended says whether the order gave back what it counted.
func (p *pricedAgain) ended() bool { return p.Status == order.Closed && !p.GoodsGone }
