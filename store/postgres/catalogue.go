package postgres

import (
	"context"
	"fmt"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// one reads a single thing.
func one[D any](ctx context.Context, s *Store, what, id string, scan scanner[D], sql string, args ...any) (D, error) {
	var none D
	rows, err := s.read.Query(ctx, sql, args...)
	if err != nil {
		return none, err
	}
	found, err := all(rows, scan, 1)
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, fault.New(fault.NotFound, "there is no %s %s", what, id)
	}
	return found[0], nil
}

// some reads many things.
func some[D any](ctx context.Context, s *Store, room int, scan scanner[D], sql string, args ...any) ([]D, error) {
	rows, err := s.read.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return all(rows, scan, room)
}

// page reads a page: sql ends in LIMIT and the number of rows. It requests
// one more than the page holds, to know whether it is the last.
func page[D any](
	ctx context.Context, s *Store, p app.Page, scan scanner[D], key func(*D) string, sql string, args ...any,
) ([]D, string, error) {
	limit := limitOf(p)
	items, err := some(ctx, s, limit+1, scan, sql, append(args, limit+1)...)
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	items = items[:limit]
	return items, key(&items[limit-1]), nil
}

// limitOf is the size of a page, for a caller that has none in mind too.
func limitOf(p app.Page) int {
	if p.Limit <= 0 {
		return 100
	}
	return p.Limit
}

// Sku reads one sku.
func (s *Store) Sku(ctx context.Context, shop, id string) (inventory.Data, error) {
	return one(ctx, s, "sku", id, scan(rows.Skus), "SELECT "+columns(rows.Skus)+" FROM skus WHERE shop = $1 AND sku = $2", shop, id)
}

// SkusByID reads those that exist.
func (s *Store) SkusByID(ctx context.Context, shop string, ids []string) ([]inventory.Data, error) {
	return some(ctx, s, len(ids), scan(rows.Skus), "SELECT "+columns(rows.Skus)+" FROM skus WHERE shop = $1 AND sku = ANY($2)", shop, ids)
}

// ListSkus reads a page in sku order.
func (s *Store) ListSkus(ctx context.Context, shop string, p app.Page) ([]inventory.Data, string, error) {
	return page(ctx, s, p, scan(rows.Skus), func(d *inventory.Data) string { return d.Sku },
		"SELECT "+columns(rows.Skus)+" FROM skus WHERE shop = $1 AND sku > $2 ORDER BY sku LIMIT $3", shop, p.Cursor)
}

// UserByID reads a user; one that was never put is a plain user.
func (s *Store) UserByID(ctx context.Context, shopID, id string) (shop.User, error) {
	u, err := one(
		ctx, s, "user", id, scan(rows.Users),
		"SELECT "+columns(rows.Users)+" FROM users WHERE shop = $1 AND user_id = $2", shopID, id,
	)
	if fault.Is(err, fault.NotFound) {
		return shop.User{ID: id}, nil
	}
	return u, err
}

// Coupon reads one coupon.
func (s *Store) Coupon(ctx context.Context, shop, code string) (marketing.CouponData, error) {
	return one(
		ctx, s, "coupon", code, scan(rows.Coupons),
		"SELECT "+columns(rows.Coupons)+" FROM coupons WHERE shop = $1 AND code = $2", shop, code,
	)
}

// ListCoupons reads a page of a user's or a template's coupons in code order.
// What is said of the empty user and template is what the indexes cover.
func (s *Store) ListCoupons(ctx context.Context, shop string, f app.CouponFilter, p app.Page) ([]marketing.CouponData, string, error) {
	sql := "SELECT " + columns(rows.Coupons) + " FROM coupons WHERE shop = $1 AND code > $2"
	args := []any{shop, p.Cursor}
	where := func(format string, v ...any) {
		places := make([]any, len(v))
		for i := range v {
			places[i] = len(args) + 1 + i
		}
		sql, args = sql+" AND "+fmt.Sprintf(format, places...), append(args, v...)
	}
	if f.User != "" {
		where("user_id = $%d AND user_id <> ''", f.User)
		if f.Template != "" {
			where("template_id = $%d", f.Template)
		}
	} else {
		where("template_id = $%d AND template_id <> ''", f.Template)
	}
	if f.Status != "" {
		where("CASE WHEN status = 'available' AND valid_until <= $%d THEN 'expired' ELSE status END = $%d", f.Now, string(f.Status))
	}
	sql += fmt.Sprintf(" ORDER BY code LIMIT $%d", len(args)+1)
	return page(ctx, s, p, scan(rows.Coupons), func(d *marketing.CouponData) string { return d.Code }, sql, args...)
}

// CountCoupons counts the coupons of templates, out of their index alone.
func (s *Store) CountCoupons(ctx context.Context, shop string, templates []string) (map[string]int64, error) {
	rows, err := s.read.Query(ctx, `SELECT template_id, count(*) FROM coupons
		WHERE shop = $1 AND template_id = ANY($2) AND template_id <> '' GROUP BY template_id`, shop, templates)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int64{}
	return out, intoMap(out, scanCount)(rows)
}

// Counters reads named counters; those that were never counted are left out.
func (s *Store) Counters(ctx context.Context, shop string, names []string) (map[string]int64, error) {
	rows, err := s.read.Query(ctx, "SELECT name, value FROM counters WHERE shop = $1 AND name = ANY($2)", shop, names)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	m := make(map[string]int64, len(names))
	return m, intoMap(m, scanCount)(rows)
}

// Promotion reads one promotion.
func (s *Store) Promotion(ctx context.Context, shop, id string) (pricing.Promotion, error) {
	return one(
		ctx, s, "promotion", id, scan(rows.Promotions),
		"SELECT "+columns(rows.Promotions)+" FROM promotions WHERE shop = $1 AND promotion_id = $2", shop, id,
	)
}

// ListPromotions reads a page in id order.
func (s *Store) ListPromotions(ctx context.Context, shop string, p app.Page) ([]pricing.Promotion, string, error) {
	return page(
		ctx, s, p, scan(rows.Promotions), func(d *pricing.Promotion) string { return d.ID },
		"SELECT "+columns(rows.Promotions)+" FROM promotions WHERE shop = $1 AND promotion_id > $2 ORDER BY promotion_id LIMIT $3",
		shop, p.Cursor,
	)
}

// Template reads one coupon template.
func (s *Store) Template(ctx context.Context, shop, id string) (marketing.Template, error) {
	return one(
		ctx, s, "coupon template", id, scan(rows.Templates),
		"SELECT "+columns(rows.Templates)+" FROM coupon_templates WHERE shop = $1 AND template_id = $2", shop, id,
	)
}

// ListTemplates reads a page in id order.
func (s *Store) ListTemplates(ctx context.Context, shop string, p app.Page) ([]marketing.Template, string, error) {
	return page(
		ctx, s, p, scan(rows.Templates), func(d *marketing.Template) string { return d.ID },
		"SELECT "+columns(rows.Templates)+" FROM coupon_templates WHERE shop = $1 AND template_id > $2 ORDER BY template_id LIMIT $3",
		shop, p.Cursor,
	)
}
