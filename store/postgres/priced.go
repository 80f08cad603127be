package postgres

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/order"
)

// eachPriced walks along the primary key. Of the time before, for drafts that
// were submitted later, it takes only rows that have something of their own.
const eachPriced = `SELECT order_no, user_id, status, currency, payable, created_at, closed_at, snapshot, extra FROM orders
	WHERE shop = $1 AND order_no >= $2 AND order_no < $3 AND status <> 'draft' AND (order_no >= $4 OR extra IS NOT NULL)
	ORDER BY order_no`

// EachPriced streams orders row by row as the server sends them, in one
// snapshot. It keeps one connection of the readers for as long as f takes, and
// the server reads some 300,000 orders a second.
func (s *Store) EachPriced(ctx context.Context, shop string, from, to time.Time, f func(*app.PricedOrder) error) error {
	rows, err := s.read.Query(ctx, eachPriced, shop,
		app.FirstOrderNumber(from.Add(-order.DraftExpiry)), app.FirstOrderNumber(to), app.FirstOrderNumber(from.Add(-app.NumberSlack)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p app.PricedOrder
		var x order.Data
		if err := rows.Scan(
			&p.No, &p.User, (*string)(&p.Status), &p.Currency, &p.Payable, moment{&p.PlacedAt}, moment{&p.ClosedAt},
			lent{&p.Snapshot}, extra{&x},
		); err != nil {
			return err
		}
		if p.Submitted, p.GoodsGone = !x.SubmittedAt.IsZero(), x.GoodsGone; p.Submitted {
			p.PlacedAt = x.SubmittedAt.UTC()
		}
		if x.Draft != nil || p.PlacedAt.Before(from) || !p.PlacedAt.Before(to) {
			continue
		}
		if err := f(&p); err != nil {
			return err
		}
	}
	return rows.Err()
}

// EachBuyer reads some 700,000 orders a second.
func (s *Store) EachBuyer(ctx context.Context, shop string, before time.Time, f func(user string) error) error {
	type buyer struct {
		user  string
		extra order.Data
	}
	return stream(ctx, s.read, func(b buyer) error {
		if b.extra.Draft != nil || b.extra.LimitsBack || !b.extra.SubmittedAt.Before(before) {
			return nil
		}
		return f(b.user)
	}, func(rows pgx.Rows, b *buyer) error { return rows.Scan(&b.user, extra{&b.extra}) }, `SELECT user_id, extra FROM orders
		WHERE shop = $1 AND order_no < $2 AND created_at < $3 AND status NOT IN ('draft', 'closed') AND user_id <> '' ORDER BY order_no`,
		shop, app.FirstOrderNumber(before), before)
}

// lent scans bytes that are good until the next row.
type lent struct{ b *[]byte }

func (l lent) ScanBytes(b []byte) error {
	*l.b = b
	return nil
}

// extra scans that document of an order alone.
type extra struct{ d *order.Data }

func (e extra) ScanBytes(b []byte) error { return decoded{rows.Extra(e.d)}.ScanBytes(b) }
