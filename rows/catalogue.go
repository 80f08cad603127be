package rows

import (
	"time"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/unit"
)

// Skus are what is sold, with their stock.
var Skus = unit.Declare(Schema, unit.Spec[inventory.Data]{
	Rank: 80, Table: "skus", Key: "sku",
	Columns: []unit.Column[inventory.Data]{
		unit.Text("sku", func(d *inventory.Data) *string { return &d.Sku }),
		unit.Text("name", func(d *inventory.Data) *string { return &d.Name }),
		unit.Int("price", func(d *inventory.Data) *int64 { return &d.Price }),
		stored("categories", format.Categories),
		unit.Int("on_hand", func(d *inventory.Data) *int64 { return &d.OnHand }),
		unit.Int("reserved", func(d *inventory.Data) *int64 { return &d.Reserved }),
		unit.Int("max_per_user", func(d *inventory.Data) *int64 { return &d.MaxPerUser }),
		unit.Version("version", func(d *inventory.Data) *int64 { return &d.Version }),
	},
	// Every order moves stock, and few change what the sku is. None of these
	// columns is in an index.
	Narrow: []unit.Narrow[inventory.Data]{{Columns: []string{"on_hand", "reserved"}, When: onlyStock}},
})

// onlyStock says whether only the stock moved. Two lists of categories are
// the same if they are one list: what moves stock does not copy it.
func onlyStock(before, after *inventory.Data) bool {
	return before.Name == after.Name && before.Price == after.Price && before.MaxPerUser == after.MaxPerUser &&
		len(before.Categories) == len(after.Categories) && (before.Categories == nil) == (after.Categories == nil) &&
		(len(before.Categories) == 0 || &before.Categories[0] == &after.Categories[0])
}

// Coupons are the issued codes.
var Coupons = unit.Declare(Schema, unit.Spec[marketing.CouponData]{
	Rank: 70, Table: "coupons", Key: "code",
	Columns: []unit.Column[marketing.CouponData]{
		unit.Text("code", func(d *marketing.CouponData) *string { return &d.Code }),
		unit.Text("template_id", func(d *marketing.CouponData) *string { return &d.TemplateID }).Fixed(),
		unit.Text("user_id", func(d *marketing.CouponData) *string { return &d.User }),
		unit.Text("status", func(d *marketing.CouponData) *string { return (*string)(&d.Status) }),
		unit.Text("order_no", func(d *marketing.CouponData) *string { return &d.Order }),
		unit.Time("locked_until", func(d *marketing.CouponData) *time.Time { return &d.LockedUntil }),
		unit.Time("valid_from", func(d *marketing.CouponData) *time.Time { return &d.ValidFrom }),
		unit.Time("valid_until", func(d *marketing.CouponData) *time.Time { return &d.ValidUntil }),
		unit.Time("issued_at", func(d *marketing.CouponData) *time.Time { return &d.IssuedAt }).Fixed(),
		unit.DerivedTime("expire_at", func(d *marketing.CouponData) time.Time { return d.ExpiresAt() }),
		unit.Version("version", func(d *marketing.CouponData) *int64 { return &d.Version }),
	},
	// What orders do to coupons; none of these columns is in an index.
	Narrow: []unit.Narrow[marketing.CouponData]{{Columns: []string{"status", "order_no", "locked_until"}, When: onlyHolder}},
})

// onlyHolder says whether only what an order does to a coupon was done, and
// it will expire or not as before.
func onlyHolder(before, after *marketing.CouponData) bool {
	rest := *after
	rest.Status, rest.Order, rest.LockedUntil = before.Status, before.Order, before.LockedUntil
	return rest == *before && after.ExpiresAt().Equal(before.ExpiresAt())
}

// Counter is a named number: of a limit, or of the catalogue's changes. It
// exists once it was counted.
type Counter struct {
	Name  string
	Value int64
}

// Counters are guarded by their value.
var Counters = unit.Declare(Schema, unit.Spec[Counter]{
	Rank: 90, Table: "counters", Key: "name", Guard: "value",
	Columns: []unit.Column[Counter]{
		unit.Text("name", func(c *Counter) *string { return &c.Name }),
		unit.Int("value", func(c *Counter) *int64 { return &c.Value }),
	},
})
