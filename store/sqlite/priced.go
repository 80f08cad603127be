package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/order"
)

const (
	// Of the time before, for drafts that were submitted later, only rows that
	// have something of their own.
	eachPriced = `SELECT order_no, user_id, status, currency, payable, created_at, closed_at, snapshot, extra FROM orders
		WHERE shop = ? AND order_no >= ? AND order_no < ? AND status <> 'draft' AND (order_no >= ? OR extra IS NOT NULL)
		ORDER BY order_no`
	eachBuyer = `SELECT user_id, extra FROM orders
		WHERE shop = ? AND order_no < ? AND created_at < ? AND status NOT IN ('draft', 'closed') AND user_id <> '' ORDER BY order_no`
)

// EachPriced streams orders row by row at one moment. It keeps one of the
// readers' connections for as long as f takes; while it runs the write-ahead
// log cannot be wound back.
func (s *Store) EachPriced(ctx context.Context, shop string, from, to time.Time, f func(*app.PricedOrder) error) error {
	return each(ctx, s.reading, func(r row, p *app.PricedOrder) error {
		var x order.Data
		err := r.Scan(
			&p.No, &p.User, &p.Status, &p.Currency, &p.Payable, moment{&p.PlacedAt}, moment{&p.ClosedAt},
			(*sql.RawBytes)(&p.Snapshot), extra{&x},
		)
		if p.Submitted, p.GoodsGone = !x.SubmittedAt.IsZero(), x.GoodsGone; p.Submitted {
			p.PlacedAt = x.SubmittedAt.UTC()
		}
		if x.Draft != nil {
			p.PlacedAt = time.Time{} // it never was
		}
		return err
	}, func(p app.PricedOrder) error {
		if p.PlacedAt.Before(from) || !p.PlacedAt.Before(to) {
			return nil
		}
		return f(&p)
	}, eachPriced, shop,
		app.FirstOrderNumber(from.Add(-order.DraftExpiry)), app.FirstOrderNumber(to), app.FirstOrderNumber(from.Add(-app.NumberSlack)))
}

// EachBuyer reads every earlier order's row, but not its snapshot.
func (s *Store) EachBuyer(ctx context.Context, shop string, before time.Time, f func(user string) error) error {
	type buyer struct {
		user  string
		extra order.Data
	}
	return each(ctx, s.reading, func(r row, b *buyer) error { return r.Scan(&b.user, extra{&b.extra}) }, func(b buyer) error {
		if b.extra.Draft != nil || b.extra.LimitsBack || !b.extra.SubmittedAt.Before(before) {
			return nil
		}
		return f(b.user)
	}, eachBuyer, shop, app.FirstOrderNumber(before), before.UnixMicro())
}

// extra scans that document of an order alone.
type extra struct{ d *order.Data }

func (e extra) Scan(v any) error { return decoded{rows.Extra(e.d)}.Scan(v) }
