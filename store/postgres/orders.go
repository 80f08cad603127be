package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// Order reads an order with its payments.
func (s *Store) Order(ctx context.Context, shop, no string) (app.OrderView, error) {
	var orders []order.Data
	var payments []payment.Data
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &orders, 1, scan(rows.Orders), "SELECT "+columns(rows.Orders)+" FROM orders WHERE shop = $1 AND order_no = $2", shop, no)
		queue(
			b, &payments, 1, scan(rows.Payments),
			"SELECT "+columns(rows.Payments)+" FROM payments WHERE shop = $1 AND order_no = $2 AND order_no <> '' ORDER BY payment_no",
			shop, no,
		)
	})
	if err != nil {
		return app.OrderView{}, err
	}
	if len(orders) == 0 {
		return app.OrderView{}, fault.New(fault.NotFound, "there is no order %s", no)
	}
	return views(orders, payments)[0], nil
}

// Bought says whether the user has an order that was not closed.
func (s *Store) Bought(ctx context.Context, shop, user string) (bool, error) {
	found, err := some(ctx, s, 1, scanText, kinds[rows.Buyers.Info()].load, shop, []string{user})
	return len(found) > 0, err
}

// Payment reads one payment.
func (s *Store) Payment(ctx context.Context, shop, no string) (payment.Data, error) {
	return one(
		ctx, s, "payment", no, scan(rows.Payments),
		"SELECT "+columns(rows.Payments)+" FROM payments WHERE shop = $1 AND payment_no = $2", shop, no,
	)
}

// ListOrders reads a page, newest number first, with all payments.
func (s *Store) ListOrders(ctx context.Context, shop string, f app.OrderFilter, p app.Page) ([]app.OrderView, string, error) {
	limit := limitOf(p)
	where, args := []string{"shop = $1"}, []any{shop}
	and := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	if f.User != "" {
		and("user_id <> '' AND user_id =", f.User)
	}
	if f.Status != "" {
		and("status =", string(f.Status))
	}
	if !f.CreatedFrom.IsZero() {
		and("created_at >=", f.CreatedFrom)
	}
	if !f.CreatedTo.IsZero() {
		and("created_at <", f.CreatedTo)
	}
	if p.Cursor != "" {
		and("order_no <", p.Cursor)
	}
	from := fmt.Sprintf("FROM orders WHERE %s ORDER BY order_no DESC LIMIT %d", strings.Join(where, " AND "), limit+1)
	var orders []order.Data
	var payments []payment.Data
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &orders, limit+1, scan(rows.Orders), "SELECT "+columns(rows.Orders)+" "+from, args...)
		queue(b, &payments, limit+1, scan(rows.Payments), "SELECT "+columns(rows.Payments)+" FROM (SELECT order_no AS k "+from+
			") AS o CROSS JOIN LATERAL (SELECT * FROM payments WHERE shop = $1 AND order_no = o.k AND order_no <> '') AS p ORDER BY payment_no", args...)
	})
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(orders) > limit {
		orders = orders[:limit]
		next = orders[limit-1].No
	}
	return views(orders, payments), next, nil
}

// views puts payments, in the order of their numbers, to their orders.
func views(orders []order.Data, payments []payment.Data) []app.OrderView {
	out := make([]app.OrderView, len(orders))
	at := make(map[string]int, len(orders))
	for i := range orders {
		out[i].Order = orders[i]
		at[orders[i].No] = i
	}
	for i := range payments {
		if o, ok := at[payments[i].Order]; ok {
			out[o].Payments = append(out[o].Payments, payments[i])
		}
	}
	return out
}
