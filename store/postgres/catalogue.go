package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

const (
	skuColumns    = "sku, name, price, categories, on_hand, reserved, max_per_user, version"
	userColumns   = "user_id, level, tags, blocked, version"
	couponColumns = "code, template_id, user_id, status, order_no, locked_until, valid_from, valid_until, issued_at, version"
)

func scanSku(rows pgx.Rows, d *inventory.Data) error {
	return rows.Scan(&d.Sku, &d.Name, &d.Price, doc[inventory.Data]{&format.Categories, d}, &d.OnHand, &d.Reserved, &d.MaxPerUser, &d.Version)
}

func scanUser(rows pgx.Rows, u *shop.User) error {
	return rows.Scan(&u.ID, &u.Level, doc[shop.User]{&format.Tags, u}, &u.Blocked, &u.Version)
}

func scanCoupon(rows pgx.Rows, d *marketing.CouponData) error {
	return rows.Scan(&d.Code, &d.TemplateID, &d.User, (*string)(&d.Status), &d.Order,
		moment{&d.LockedUntil}, moment{&d.ValidFrom}, moment{&d.ValidUntil}, moment{&d.IssuedAt}, &d.Version)
}

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

// page reads a page: sql ends in LIMIT and the number of rows. It asks for
// one more than the page holds, to know whether it is the last.
func page[D any](ctx context.Context, s *Store, p app.Page, scan scanner[D], key func(*D) string, sql string, args ...any) ([]D, string, error) {
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
	return one(ctx, s, "sku", id, scanSku, "SELECT "+skuColumns+" FROM skus WHERE shop = $1 AND sku = $2", shop, id)
}

// SkusByID reads those that exist.
func (s *Store) SkusByID(ctx context.Context, shop string, ids []string) ([]inventory.Data, error) {
	return some(ctx, s, len(ids), scanSku, "SELECT "+skuColumns+" FROM skus WHERE shop = $1 AND sku = ANY($2)", shop, ids)
}

// ListSkus reads a page in sku order.
func (s *Store) ListSkus(ctx context.Context, shop string, p app.Page) ([]inventory.Data, string, error) {
	return page(ctx, s, p, scanSku, func(d *inventory.Data) string { return d.Sku },
		"SELECT "+skuColumns+" FROM skus WHERE shop = $1 AND sku > $2 ORDER BY sku LIMIT $3", shop, p.Cursor)
}

// UserByID reads a user; one that was never put is a plain user.
func (s *Store) UserByID(ctx context.Context, shopID, id string) (shop.User, error) {
	u, err := one(ctx, s, "user", id, scanUser, "SELECT "+userColumns+" FROM users WHERE shop = $1 AND user_id = $2", shopID, id)
	if fault.Is(err, fault.NotFound) {
		return shop.User{ID: id}, nil
	}
	return u, err
}

// Coupon reads one coupon.
func (s *Store) Coupon(ctx context.Context, shop, code string) (marketing.CouponData, error) {
	return one(ctx, s, "coupon", code, scanCoupon, "SELECT "+couponColumns+" FROM coupons WHERE shop = $1 AND code = $2", shop, code)
}

// ListCoupons reads a page of a user's or a template's coupons in code order.
// What is said of the empty user and template is what the indexes cover.
func (s *Store) ListCoupons(ctx context.Context, shop string, f app.CouponFilter, p app.Page) ([]marketing.CouponData, string, error) {
	sql := "SELECT " + couponColumns + " FROM coupons WHERE shop = $1 AND code > $2"
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
	return page(ctx, s, p, scanCoupon, func(d *marketing.CouponData) string { return d.Code }, sql, args...)
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
	return out, intoMap(out, scanCounter)(rows)
}

// Counters reads named counters; those that were never counted are left out.
func (s *Store) Counters(ctx context.Context, shop string, names []string) (map[string]int64, error) {
	rows, err := s.read.Query(ctx, "SELECT name, value FROM counters WHERE shop = $1 AND name = ANY($2)", shop, names)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	m := make(map[string]int64, len(names))
	return m, intoMap(m, scanCounter)(rows)
}

// Promotion reads one promotion.
func (s *Store) Promotion(ctx context.Context, shop, id string) (pricing.Promotion, error) {
	return one(ctx, s, "promotion", id, scanPromotion, "SELECT "+promotionColumns+" FROM promotions WHERE shop = $1 AND promotion_id = $2", shop, id)
}

// ListPromotions reads a page in id order.
func (s *Store) ListPromotions(ctx context.Context, shop string, p app.Page) ([]pricing.Promotion, string, error) {
	return page(ctx, s, p, scanPromotion, func(d *pricing.Promotion) string { return d.ID },
		"SELECT "+promotionColumns+" FROM promotions WHERE shop = $1 AND promotion_id > $2 ORDER BY promotion_id LIMIT $3", shop, p.Cursor)
}

// Template reads one coupon template.
func (s *Store) Template(ctx context.Context, shop, id string) (marketing.Template, error) {
	return one(ctx, s, "coupon template", id, scanTemplate, "SELECT "+templateColumns+" FROM coupon_templates WHERE shop = $1 AND template_id = $2", shop, id)
}

// ListTemplates reads a page in id order.
func (s *Store) ListTemplates(ctx context.Context, shop string, p app.Page) ([]marketing.Template, string, error) {
	return page(ctx, s, p, scanTemplate, func(d *marketing.Template) string { return d.ID },
		"SELECT "+templateColumns+" FROM coupon_templates WHERE shop = $1 AND template_id > $2 ORDER BY template_id LIMIT $3", shop, p.Cursor)
}

var (
	insertUsers = insertAll("users", "user_id text", "level text", "tags json", "blocked boolean", "version bigint")
	updateUsers = updateAll("users", "level = n.level, tags = n.tags, blocked = n.blocked, version = n.version + 1",
		"user_id = n.id AND version = n.version", "id text", "version bigint", "level text", "tags json", "blocked boolean")

	insertSkus = insertAll("skus", "sku text", "name text", "price bigint", "categories json",
		"on_hand bigint", "reserved bigint", "max_per_user bigint", "version bigint")
	updateSkus = updateAll("skus",
		"name = n.name, price = n.price, categories = n.categories, on_hand = n.on_hand, reserved = n.reserved, max_per_user = n.max_per_user, version = n.version + 1",
		"sku = n.sku AND version = n.version",
		"sku text", "version bigint", "name text", "price bigint", "categories json", "on_hand bigint", "reserved bigint", "max_per_user bigint")
	updateStock = updateAll("skus", "on_hand = n.on_hand, reserved = n.reserved, version = n.version + 1",
		"sku = n.sku AND version = n.version", "sku text", "version bigint", "on_hand bigint", "reserved bigint")

	insertCoupons = insertAll("coupons", "code text", "template_id text", "user_id text", "status text", "order_no text",
		"locked_until timestamptz", "valid_from timestamptz", "valid_until timestamptz", "issued_at timestamptz",
		"expire_at timestamptz", "version bigint")
	updateCoupons = updateAll("coupons",
		"status = n.status, order_no = n.order_no, locked_until = n.locked_until, user_id = n.user_id, expire_at = n.expire_at, version = n.version + 1",
		"code = n.code AND version = n.version",
		"code text", "version bigint", "status text", "order_no text", "locked_until timestamptz", "user_id text", "expire_at timestamptz")
)

func (w *writer) users(changes []app.Change[shop.User]) {
	added, changed := split(changes)
	if len(added) > 0 {
		w.add(insertUsers, column(added, func(u *shop.User) string { return u.ID }),
			column(added, func(u *shop.User) string { return u.Level }), docs(w, added, format.Tags, func(u *shop.User) *shop.User { return u }),
			column(added, func(u *shop.User) bool { return u.Blocked }), column(added, func(*shop.User) int64 { return 1 }))
	}
	type change = *app.Change[shop.User]
	if len(changed) > 0 {
		w.add(updateUsers, column(changed, func(c change) string { return c.Old.ID }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return c.New.Level }), docs(w, changed, format.Tags, func(c change) *shop.User { return &c.New }),
			column(changed, func(c change) bool { return c.New.Blocked }))
	}
}

func (w *writer) skus(changes []app.Change[inventory.Data]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *inventory.Data
		w.add(insertSkus, column(added, func(d row) string { return d.Sku }), column(added, func(d row) string { return d.Name }),
			column(added, func(d row) int64 { return d.Price }), docs(w, added, format.Categories, func(d row) row { return d }),
			column(added, func(d row) int64 { return d.OnHand }), column(added, func(d row) int64 { return d.Reserved }),
			column(added, func(d row) int64 { return d.MaxPerUser }), column(added, func(row) int64 { return 1 }))
	}
	type change = *app.Change[inventory.Data]
	var described, moved []change
	for _, c := range changed {
		if sameButStock(c.Old, &c.New) {
			moved = append(moved, c)
		} else {
			described = append(described, c)
		}
	}
	sku := func(c change) string { return c.Old.Sku }
	version := func(c change) int64 { return c.Old.Version }
	onHand := func(c change) int64 { return c.New.OnHand }
	reserved := func(c change) int64 { return c.New.Reserved }
	if len(described) > 0 {
		w.add(updateSkus, column(described, sku), column(described, version),
			column(described, func(c change) string { return c.New.Name }), column(described, func(c change) int64 { return c.New.Price }),
			docs(w, described, format.Categories, func(c change) *inventory.Data { return &c.New }), column(described, onHand), column(described, reserved),
			column(described, func(c change) int64 { return c.New.MaxPerUser }))
	}
	if len(moved) > 0 {
		w.add(updateStock, column(moved, sku), column(moved, version), column(moved, onHand), column(moved, reserved))
	}
}

// sameButStock says whether only the stock moved. Two lists of categories
// are the same if they are one list: what moves stock does not copy it.
func sameButStock(a, b *inventory.Data) bool {
	return a.Name == b.Name && a.Price == b.Price && a.MaxPerUser == b.MaxPerUser && len(a.Categories) == len(b.Categories) &&
		(a.Categories == nil) == (b.Categories == nil) && (len(a.Categories) == 0 || &a.Categories[0] == &b.Categories[0])
}

func (w *writer) coupons(changes []app.Change[marketing.CouponData]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *marketing.CouponData
		w.add(insertCoupons, column(added, func(d row) string { return d.Code }), column(added, func(d row) string { return d.TemplateID }),
			column(added, func(d row) string { return d.User }), column(added, func(d row) string { return string(d.Status) }),
			column(added, func(d row) string { return d.Order }), times(added, func(d row) time.Time { return d.LockedUntil }),
			times(added, func(d row) time.Time { return d.ValidFrom }), times(added, func(d row) time.Time { return d.ValidUntil }),
			times(added, func(d row) time.Time { return d.IssuedAt }), times(added, func(d row) time.Time { return d.ExpiresAt() }),
			column(added, func(row) int64 { return 1 }))
	}
	type change = *app.Change[marketing.CouponData]
	if len(changed) > 0 {
		w.add(updateCoupons, column(changed, func(c change) string { return c.Old.Code }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return string(c.New.Status) }), column(changed, func(c change) string { return c.New.Order }),
			times(changed, func(c change) time.Time { return c.New.LockedUntil }), column(changed, func(c change) string { return c.New.User }),
			times(changed, func(c change) time.Time { return c.New.ExpiresAt() }))
	}
}
