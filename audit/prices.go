package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/repricing"
)

// PriceReport is what pricing a shop's orders again has found.
type PriceReport struct {
	Orders   int64     `json:"orders"`
	Checked  int64     `json:"checked"`  // priced again
	Unproven int64     `json:"unproven"` // placed before what a price is computed from was kept
	Offences []Offence `json:"offences"` // of invariant 1
}

// PriceStore is what Prices needs of a store.
type PriceStore interface {
	app.Admin
	repricing.Store
}

// Prices prices every stored order of a shop again from its own
// snapshot, by the rules of the version that priced it, and reports every
// order that comes to anything else, to the cent and line by line. It changes
// nothing. progress, if not nil, is called with the orders done.
func Prices(ctx context.Context, store PriceStore, shopID string, progress func(done int64)) (*PriceReport, error) {
	r := &PriceReport{}
	rules := repricing.New(store, shopID)
	err := store.Scan(ctx, shopID, unit.Scan{Visits: []unit.Visit{unit.Each(rows.Orders, func(d order.Data) error {
		r.Orders++
		if progress != nil {
			progress(r.Orders)
		}
		if d.Basis == nil {
			if d.Draft == nil { // a draft has no binding price
				r.Unproven++
			}
			return nil
		}
		then, err := rules.At(ctx, d.Basis.Rules)
		if err != nil {
			return err
		}
		r.Checked++
		if wrong := differs(&d, then); wrong != "" {
			r.Offences = append(r.Offences, Offence{1, "order " + d.No, wrong})
		}
		return nil
	})}})
	return r, err
}

// differs says in what an order differs from its price computed again; "" if
// in nothing.
func differs(d *order.Data, rules *marketing.Rules) string {
	q, err := repricing.Price(d, rules)
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
