package app

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

// CatalogueCounter is the counter that rises with every change of what a
// price depends on beside the rules: the name, price or categories of a sku,
// the level or tags of a user. Whoever keeps skus and users in memory compares
// it to see whether they are still right.
const CatalogueCounter = "catalogue"

// PriceInputNeeds says what a price depends on.
type PriceInputNeeds struct {
	Skus     []string
	User     string // "" reads none
	Counters []string
	Coupons  []string
	Wallet   *WalletNeeds
}

// WalletNeeds requests the coupons that a user could use.
type WalletNeeds struct {
	User  string
	Now   time.Time
	Limit int
}

// rules is the newest snapshot of a shop's rules, at most half a second behind
// a change made by another instance.
func (a *App) rules(ctx context.Context, shop string) (*marketing.Rules, error) {
	_, rules, err := a.PriceInputs(ctx, shop, &PriceInputNeeds{})
	return rules, err
}

// PriceInputs is what a price depends on beside its rules.
type PriceInputs struct {
	Shop     shop.Shop        // with the version of the rules
	Counters map[string]int64 // those that are not 0, CatalogueCounter among them
	Skus     []inventory.Data // those that exist, in any order
	User     shop.User        // a plain one if it was never put
	Coupons  []marketing.CouponData
	Wallet   []marketing.CouponData // available, begun and not over; the soonest to expire first, then by code
}

// changeCatalogue says that what prices depend on has changed.
func changeCatalogue(tx *Tx) error {
	n, err := tx.Counter(CatalogueCounter)
	if err != nil {
		return err
	}
	tx.PutCounter(CatalogueCounter, n+1)
	return nil
}
