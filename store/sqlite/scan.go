package sqlite

import (
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/order"
)

// Scan reads a whole shop in one snapshot. Rows are handed over as they are
// read; at no time are there more than a few hundred here. While it runs the
// write-ahead log cannot be wound back, so it grows by what is written.
func (s *Store) Scan(ctx context.Context, shop string, to app.Scan) error {
	return s.snapshot(ctx, func(q query) error {
		steps := []func() error{
			func() error { return stream(ctx, q, to.Sku, skus.scan, inOrder(skus), shop) },
			func() error { return stream(ctx, q, to.Template, templates.scan, inOrder(templates), shop) },
			func() error { return stream(ctx, q, to.Coupon, coupons.scan, inOrder(coupons), shop) },
			func() error {
				if to.Counter == nil {
					return nil
				}
				return stream(ctx, q, func(c counter) error { return to.Counter(c.name, c.value) }, scanCounter,
					"SELECT name, value FROM counters WHERE shop = ? ORDER BY name", shop)
			},
			func() error {
				if to.Cursor == nil {
					return nil
				}
				return stream(ctx, q, func(c cursor) error { return to.Cursor(c.follower, c.at) }, scanCursor,
					"SELECT "+cursorColumns+" FROM cursors WHERE shop = ? ORDER BY follower", shop)
			},
			func() error { return scanOrders(ctx, q, shop, to.Order) },
			func() error { return stream(ctx, q, to.Refund, refunds.scan, inOrder(refunds), shop) },
			func() error {
				return stream(ctx, q, to.Record, scanRecord, "SELECT "+recordColumns+" FROM events WHERE shop = ? ORDER BY position", shop)
			},
			func() error {
				return stream(ctx, q, to.Key, scanKey, "SELECT key, hash, NULL, order_no FROM idempotency_keys WHERE shop = ? ORDER BY key", shop)
			},
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

func inOrder[D any](k *kind[D]) string {
	return "SELECT " + k.columns + " FROM " + k.table + " WHERE shop = ? ORDER BY " + k.key
}

// stream hands rows over one by one.
func stream[D any](ctx context.Context, q query, to func(D) error, scan func(row, *D) error, text string, a ...any) error {
	if to == nil {
		return nil
	}
	return each(ctx, q, scan, to, text, a...)
}

// scanOrders reads orders with their payments, a few hundred at a time.
func scanOrders(ctx context.Context, q query, shop string, to func(app.OrderView) error) error {
	const step = 500
	if to == nil {
		return nil
	}
	text := "SELECT " + orders.columns + " FROM orders WHERE shop = ? AND order_no > ? ORDER BY order_no LIMIT ?"
	for last := ""; ; {
		found, err := all[order.Data](ctx, q, orders.scan, text, shop, last, step)
		if err != nil || len(found) == 0 {
			return err
		}
		views, err := withPayments(ctx, q, shop, found)
		if err != nil {
			return err
		}
		for _, v := range views {
			if err := to(v); err != nil {
				return err
			}
		}
		last = found[len(found)-1].No
	}
}
