package sqlite

import (
	"context"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// LoadRules reads the promotions and templates of a shop at one moment.
func (s *Store) LoadRules(ctx context.Context, id string) (*marketing.Rules, error) {
	var (
		of   shop.Shop
		some []pricing.Promotion
		more []marketing.Template
	)
	err := s.snapshot(ctx, func(q query) (err error) {
		if of, err = one(ctx, q, shops.scan, noShop(id), shopRow, id); err != nil {
			return err
		}
		some, err = all(
			ctx, q, promotions.scan, "SELECT "+promotions.columns+" FROM promotions WHERE shop = ? ORDER BY promotion_id", id,
		)
		if err != nil {
			return err
		}
		more, err = all(
			ctx, q, templates.scan, "SELECT "+templates.columns+" FROM coupon_templates WHERE shop = ? ORDER BY template_id", id,
		)
		return err
	})
	if err != nil {
		return nil, err
	}
	return marketing.NewRules(of.RulesVersion, some, more), nil
}

// HasKey says whether a key or marker was committed. A commit that has failed
// is over when it returns, so it is enough to look.
func (s *Store) HasKey(ctx context.Context, shop, key string) (bool, error) {
	return s.holds(ctx, "SELECT EXISTS (SELECT 1 FROM idempotency_keys WHERE shop = ? AND key = ?)", shop, key)
}
