package postgres

import (
	"context"

	"github.com/tandem-pay/tandem/rows"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/shop"
)

// user_id <> ” is what the index of users' coupons covers.
var wallet = "SELECT " + columns(rows.Coupons) + ` FROM coupons
	WHERE shop = $1 AND user_id = $2 AND user_id <> '' AND status = 'available'
		AND (valid_from IS NULL OR valid_from <= $3) AND (valid_until IS NULL OR valid_until > $3)
	ORDER BY valid_until NULLS LAST, code LIMIT $4`

// ReadPriceInputs reads what a price depends on, in one round trip.
func (s *Store) ReadPriceInputs(ctx context.Context, id string, n *app.PriceInputNeeds) (*app.PriceInputs, error) {
	var shops []shop.Shop
	var users []shop.User
	f := &app.PriceInputs{Counters: map[string]int64{}}
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &shops, 1, scan(rows.Shop), shopRow, id)
		b.Queue("SELECT name, value FROM counters WHERE shop = $1 AND name = ANY($2)", id,
			append([]string{app.CatalogueCounter}, n.Counters...)).Query(intoMap(f.Counters, scanCount))
		want(b, &f.Skus, scan(rows.Skus), "SELECT "+columns(rows.Skus)+" FROM skus WHERE shop = $1 AND sku = ANY($2)", id, n.Skus)
		if n.User != "" {
			queue(b, &users, 1, scan(rows.Users), "SELECT "+columns(rows.Users)+" FROM users WHERE shop = $1 AND user_id = $2", id, n.User)
		}
		want(b, &f.Coupons, scan(rows.Coupons), "SELECT "+columns(rows.Coupons)+" FROM coupons WHERE shop = $1 AND code = ANY($2)", id, n.Coupons)
		if w := n.Wallet; w != nil {
			queue(b, &f.Wallet, 16, scan(rows.Coupons), wallet, id, w.User, w.Now, w.Limit)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(shops) == 0 {
		return nil, noShop(id)
	}
	f.Shop, f.User = shops[0], shop.User{ID: n.User}
	if len(users) > 0 {
		f.User = users[0]
	}
	return f, nil
}
