package sqlite

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/shop"
)

var wallet = "SELECT " + coupons.columns + ` FROM coupons INDEXED BY coupons_user
	WHERE shop = ?1 AND user_id = ?2 AND user_id <> '' AND status = 'available'
		AND (valid_from IS NULL OR valid_from <= ?3) AND (valid_until IS NULL OR valid_until > ?3)
	ORDER BY valid_until NULLS LAST, code LIMIT ?4`

// ReadPriceInputs reads what a price depends on.
func (s *Store) ReadPriceInputs(ctx context.Context, id string, n *app.PriceInputNeeds) (*app.PriceInputs, error) {
	f := &app.PriceInputs{Counters: map[string]int64{}, User: shop.User{ID: n.User}}
	err := s.snapshot(ctx, func(q query) (err error) {
		if f.Shop, err = one(ctx, q, shops.scan, noShop(id), shopRow, id); err != nil {
			return err
		}
		counted, err := all(ctx, q, scanCounter, loadCounters, id, list(append([]string{app.CatalogueCounter}, n.Counters...)))
		if err != nil {
			return err
		}
		for _, c := range counted {
			f.Counters[c.name] = c.value
		}
		if len(n.Skus) > 0 {
			if f.Skus, err = all(ctx, q, skus.scan, skus.byKeys, id, list(n.Skus)); err != nil {
				return err
			}
		}
		if n.User != "" {
			found, err := all(ctx, q, users.scan, users.byKey, id, n.User)
			if err != nil {
				return err
			}
			if len(found) > 0 {
				f.User = found[0]
			}
		}
		if len(n.Coupons) > 0 {
			if f.Coupons, err = all(ctx, q, coupons.scan, coupons.byKeys, id, list(n.Coupons)); err != nil {
				return err
			}
		}
		if w := n.Wallet; w != nil {
			f.Wallet, err = all(ctx, q, coupons.scan, wallet, id, w.User, w.Now.UnixMicro(), w.Limit)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}
