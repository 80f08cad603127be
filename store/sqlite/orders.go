package sqlite

import (
	"context"
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// paymentsOfOrders does not sort: SQLite would rather read all payments of
// the shop, for they are in that order.
var paymentsOfOrders = "SELECT " + payments.columns + ` FROM payments INDEXED BY payments_order
	WHERE shop = ? AND order_no IN (SELECT value FROM json_each(?))`

// Order reads an order with its payments.
func (s *Store) Order(ctx context.Context, shop, no string) (v app.OrderView, err error) {
	err = s.snapshot(ctx, func(q query) error {
		o, err := one(ctx, q, orders.scan, fault.New(fault.NotFound, "there is no order %s", no), orders.byKey, shop, no)
		if err != nil {
			return err
		}
		views, err := withPayments(ctx, q, shop, []order.Data{o})
		if err == nil {
			v = views[0]
		}
		return err
	})
	return v, err
}

// Bought says whether the user has an order that was not closed.
func (s *Store) Bought(ctx context.Context, shop, user string) (bool, error) {
	found, err := all(ctx, s.reading, scanText, kinds[rows.Buyers.Info()].load, shop, list([]string{user}))
	return len(found) > 0, err
}

// Payment reads one payment.
func (s *Store) Payment(ctx context.Context, shop, no string) (payment.Data, error) {
	return one(ctx, s.reading, payments.scan, fault.New(fault.NotFound, "there is no payment %s", no), payments.byKey, shop, no)
}

// ListOrders lists the newest number first, with all payments.
func (s *Store) ListOrders(
	ctx context.Context, shop string, f app.OrderFilter, p app.Page,
) (views []app.OrderView, next string, err error) {
	where, a := []string{"shop = ?"}, []any{shop}
	and := func(given bool, condition string, arg any) {
		if given {
			where, a = append(where, condition), append(a, arg)
		}
	}
	and(f.User != "", "user_id = ?", f.User)
	and(f.Status != "", "status = ?", string(f.Status))
	and(!f.CreatedFrom.IsZero(), "created_at >= ?", micros(f.CreatedFrom))
	and(!f.CreatedTo.IsZero(), "created_at < ?", micros(f.CreatedTo))
	and(p.Cursor != "", "order_no < ?", p.Cursor)
	text := "SELECT " + orders.columns + " FROM orders WHERE " + strings.Join(where, " AND ") + " ORDER BY order_no DESC LIMIT ?"
	err = s.snapshot(ctx, func(q query) error {
		found, err := all(ctx, q, orders.scan, text, append(a, limit(p))...)
		if err != nil {
			return err
		}
		found, next = page(found, p, orders.keyOf)
		views, err = withPayments(ctx, q, shop, found)
		return err
	})
	return views, next, err
}

// withPayments reads the payments of orders.
func withPayments(ctx context.Context, q query, shop string, found []order.Data) ([]app.OrderView, error) {
	views, at, nos := make([]app.OrderView, len(found)), make(map[string]int, len(found)), make([]string, len(found))
	for i := range found {
		views[i].Order, at[found[i].No], nos[i] = found[i], i, found[i].No
	}
	err := each(ctx, q, payments.scan, func(d payment.Data) error {
		v := &views[at[d.Order]]
		v.Payments = append(v.Payments, d)
		return nil
	}, paymentsOfOrders, shop, list(nos))
	for i := range views {
		slices.SortFunc(views[i].Payments, func(a, b payment.Data) int { return strings.Compare(a.No, b.No) })
	}
	return views, err
}
