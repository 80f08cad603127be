package sqlite

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Sku reads one sku.
func (s *Store) Sku(ctx context.Context, shop, id string) (inventory.Data, error) {
	return one(ctx, s.reading, skus.scan, fault.New(fault.NotFound, "there is no sku %s", id), skus.byKey, shop, id)
}

// SkusByID reads those that exist.
func (s *Store) SkusByID(ctx context.Context, shop string, ids []string) ([]inventory.Data, error) {
	return all(ctx, s.reading, skus.scan, skus.byKeys, shop, list(ids))
}

// ListSkus lists in sku order.
func (s *Store) ListSkus(ctx context.Context, shop string, p app.Page) ([]inventory.Data, string, error) {
	return inKeyOrder(ctx, s, skus, shop, p)
}

// inKeyOrder is a page of all rows of a kind.
func inKeyOrder[D any](ctx context.Context, s *Store, k *table[D], shop string, p app.Page) ([]D, string, error) {
	items, err := all(ctx, s.reading, k.scan,
		"SELECT "+k.columns+" FROM "+k.name+" WHERE shop = ? AND "+k.key+" > ? ORDER BY "+k.key+" LIMIT ?", shop, p.Cursor, limit(p))
	items, next := page(items, p, k.keyOf)
	return items, next, err
}

// UserByID reads a user; one that was never put is a plain user.
func (s *Store) UserByID(ctx context.Context, shopID, id string) (shop.User, error) {
	found, err := all(ctx, s.reading, users.scan, users.byKey, shopID, id)
	if err != nil || len(found) == 0 {
		return shop.User{ID: id}, err
	}
	return found[0], nil
}

// Coupon reads one coupon.
func (s *Store) Coupon(ctx context.Context, shop, code string) (marketing.CouponData, error) {
	return one(ctx, s.reading, coupons.scan, fault.New(fault.NotFound, "there is no coupon %s", code), coupons.byKey, shop, code)
}

// The status is the one at a time: see marketing.CouponData.StatusAt.
const statusAt = `(?4 = '' OR CASE WHEN status = 'available' AND valid_until <= ?5 THEN 'expired' ELSE status END = ?4)`

var (
	couponsOfUser = "SELECT " + coupons.columns + ` FROM coupons INDEXED BY coupons_user
		WHERE shop = ?1 AND user_id = ?2 AND user_id <> '' AND code > ?3 AND ` + statusAt + `
			AND (?6 = '' OR template_id = ?6) ORDER BY code LIMIT ?7`
	couponsOfTemplate = "SELECT " + coupons.columns + ` FROM coupons INDEXED BY coupons_template
		WHERE shop = ?1 AND template_id = ?2 AND template_id <> '' AND code > ?3 AND ` + statusAt + ` ORDER BY code LIMIT ?6`
)

// ListCoupons lists a user's or a template's in code order.
func (s *Store) ListCoupons(ctx context.Context, shop string, f app.CouponFilter, p app.Page) ([]marketing.CouponData, string, error) {
	text, a := couponsOfTemplate, []any{shop, f.Template, p.Cursor, string(f.Status), f.Now.UnixMicro()}
	if f.User != "" {
		text, a = couponsOfUser, []any{shop, f.User, p.Cursor, string(f.Status), f.Now.UnixMicro(), f.Template}
	}
	items, err := all(ctx, s.reading, coupons.scan, text, append(a, limit(p))...)
	items, next := page(items, p, coupons.keyOf)
	return items, next, err
}

const countCoupons = `SELECT template_id, count(*) FROM coupons INDEXED BY coupons_template
	WHERE shop = ? AND template_id IN (SELECT value FROM json_each(?)) AND template_id <> '' GROUP BY template_id`

// CountCoupons counts the coupons of templates.
func (s *Store) CountCoupons(ctx context.Context, shop string, templates []string) (map[string]int64, error) {
	found, err := all(ctx, s.reading, scanCounter, countCoupons, shop, list(templates))
	return named(found), err
}

// Counters reads named counters; those that were never counted are left out.
func (s *Store) Counters(ctx context.Context, shop string, names []string) (map[string]int64, error) {
	found, err := all(ctx, s.reading, scanCounter, loadCounters, shop, list(names))
	return named(found), err
}

// Promotion reads one promotion.
func (s *Store) Promotion(ctx context.Context, shop, id string) (pricing.Promotion, error) {
	return one(ctx, s.reading, promotions.scan, fault.New(fault.NotFound, "there is no promotion %s", id), promotions.byKey, shop, id)
}

// ListPromotions lists in id order.
func (s *Store) ListPromotions(ctx context.Context, shop string, p app.Page) ([]pricing.Promotion, string, error) {
	return inKeyOrder(ctx, s, promotions, shop, p)
}

// Template reads one coupon template.
func (s *Store) Template(ctx context.Context, shop, id string) (marketing.Template, error) {
	return one(ctx, s.reading, templates.scan, fault.New(fault.NotFound, "there is no coupon template %s", id), templates.byKey, shop, id)
}

// ListTemplates lists in id order.
func (s *Store) ListTemplates(ctx context.Context, shop string, p app.Page) ([]marketing.Template, string, error) {
	return inKeyOrder(ctx, s, templates, shop, p)
}
