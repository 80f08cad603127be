package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
	tandem "github.com/tandem-pay/tandem/store/postgres"
)

// postgres is the database. pgx prepares each statement once a connection.
type postgres struct {
	pool  *pgxpool.Pool
	rules rulebook
}

func openPostgres(ctx context.Context, url string, conns int) (*postgres, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	c.MaxConns, c.MinConns = int32(conns), int32(conns) //nolint:gosec // a flag of the bench, some dozens
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	// Rules change seldom and are read a second apart: Tandem's own reader
	// will do.
	reader, err := tandem.Open(ctx, url, tandem.Options{WriteConns: 1, MaxConns: 1})
	if err != nil {
		return nil, err
	}
	pg := &postgres{pool: pool, rules: rulebook{load: func() (*marketing.Rules, error) { return reader.LoadRules(ctx, theShop) }}}
	// Nothing reads the log here, so its order is nobody's concern; but the shop
	// was made by Tandem, whose records have their positions.
	if _, err := pool.Exec(ctx, "CREATE SEQUENCE IF NOT EXISTS baseline_positions"); err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, "SELECT setval('baseline_positions', max(position) + 1) FROM events WHERE shop = $1 HAVING count(*) > 0", theShop); err != nil {
		return nil, err
	}
	// What comes after a payment happens in its own transaction here: to the
	// audit, every reaction has always caught up.
	for _, r := range app.Reactions {
		if _, err := pool.Exec(ctx, "INSERT INTO cursors (shop, follower, position) VALUES ($1, $2, $3) ON CONFLICT (shop, follower) DO UPDATE SET position = $3",
			theShop, r.Name, int64(math.MaxInt64)); err != nil {
			return nil, err
		}
	}
	return pg, nil
}

const (
	claimKey  = "INSERT INTO idempotency_keys (shop, key, hash, order_no, created_at) VALUES ($1, $2, $3, '', $4) ON CONFLICT (shop, key) DO NOTHING"
	readKey   = "SELECT hash, answer FROM idempotency_keys WHERE shop = $1 AND key = $2"
	answerKey = "UPDATE idempotency_keys SET answer = $3, order_no = $4 WHERE shop = $1 AND key = $2"

	readUser    = "SELECT level, tags, blocked FROM users WHERE shop = $1 AND user_id = $2"
	lockSkus    = "SELECT sku, name, price, categories, on_hand, reserved, max_per_user FROM skus WHERE shop = $1 AND sku = ANY($2) ORDER BY sku FOR UPDATE"
	lockCoupons = "SELECT code, template_id, user_id, status, order_no, locked_until, valid_from, valid_until, issued_at FROM coupons " +
		"WHERE shop = $1 AND code = ANY($2) ORDER BY code FOR UPDATE"

	// Not a join: a plan that joins would read all skus while some are held.
	reserveSkus = "UPDATE skus SET reserved = reserved + ($3::bigint[])[array_position($2::text[], sku)], version = version + 1 " +
		"WHERE shop = $1 AND sku = ANY($2::text[])"
	holdCoupons = "UPDATE coupons SET status = 'locked', order_no = $3, locked_until = $4, version = version + 1 WHERE shop = $1 AND code = ANY($2)"

	insertOrder = "INSERT INTO orders (shop, order_no, user_id, status, currency, total, discount, payable, paid, refunded, snapshot, " +
		"created_at, expires_at, close_reason, closing, seq, trace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, $11, '', '', $12, '')"
	insertEvents = "INSERT INTO events (shop, position, order_no, at, trace, first_seq, last_seq, types, body) VALUES " +
		"($1, nextval('baseline_positions'), $2, $3, '', $4, $5, $6, $7)"
)

// orderDoc is an order's frozen part, as Tandem stores it.
type orderDoc struct {
	Items   []pricing.QuoteLine `json:"items,omitzero"`
	Applied []pricing.Applied   `json:"applied,omitzero"`
	Coupons []string            `json:"coupons,omitzero"`
}

// transaction runs do in one.
func (pg *postgres) transaction(ctx context.Context, do func(tx pgx.Tx) error) error {
	tx, err := pg.pool.Begin(ctx)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx)) // the connection is closed if it fails
		return err
	}
	return tx.Commit(ctx)
}

// place is ten statements with BEGIN and COMMIT, two more with a coupon.
func (pg *postgres) place(
	ctx context.Context, key string, hash []byte, p *placement, view func(*order.Data) ([]byte, error),
) (answer []byte, replayed bool, err error) {
	rules, err := pg.rules.now()
	if err != nil {
		return nil, false, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	err = pg.transaction(ctx, func(tx pgx.Tx) error {
		saved, err := claim(ctx, tx, key, hash, now)
		if err != nil || saved != nil {
			answer, replayed = saved, saved != nil
			return err
		}
		f, err := find(ctx, tx, p)
		if err != nil {
			return err
		}
		made, err := place(p, f, rules, now)
		if err != nil {
			return err
		}
		if err := save(ctx, tx, made, now); err != nil {
			return err
		}
		if answer, err = view(&made.order); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, answerKey, theShop, key, answer, made.order.No)
		return err
	})
	return answer, replayed, err
}

// claim takes the key for this request, or finds the answer that it has
// given before. A duplicate in flight is waited for.
func claim(ctx context.Context, tx pgx.Tx, key string, hash []byte, now time.Time) (answer []byte, err error) {
	tag, err := tx.Exec(ctx, claimKey, theShop, key, hash, now)
	if err != nil || tag.RowsAffected() == 1 {
		return nil, err
	}
	var first []byte
	if err := tx.QueryRow(ctx, readKey, theShop, key).Scan(&first, &answer); err != nil {
		return nil, err
	}
	if !bytes.Equal(first, hash) {
		return nil, fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key was used for another request")
	}
	return answer, nil
}

// find reads the user and locks coupons, then skus, each in key order: skus
// are shared by many, so they are held for the shortest time.
func find(ctx context.Context, tx pgx.Tx, p *placement) (*found, error) {
	f := &found{user: shop.User{ID: p.User}}
	var tags []byte
	err := tx.QueryRow(ctx, readUser, theShop, p.User).Scan(&f.user.Level, &tags, &f.user.Blocked)
	if err == nil {
		err = json.Unmarshal(tags, &f.user.Tags)
	} else if errors.Is(err, pgx.ErrNoRows) {
		err = nil // a plain user
	}
	if err != nil {
		return nil, err
	}
	if len(p.Coupons) > 0 {
		rows, _ := tx.Query(ctx, lockCoupons, theShop, p.Coupons) // the error comes with the rows
		if f.coupons, err = pgx.CollectRows(rows, scanCoupon); err != nil {
			return nil, err
		}
	}
	rows, _ := tx.Query(ctx, lockSkus, theShop, p.skus())
	f.skus, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (d inventory.Data, err error) {
		var categories []byte
		if err := r.Scan(&d.Sku, &d.Name, &d.Price, &categories, &d.OnHand, &d.Reserved, &d.MaxPerUser); err != nil {
			return d, err
		}
		return d, json.Unmarshal(categories, &d.Categories)
	})
	return f, err
}

func scanCoupon(r pgx.CollectableRow) (d marketing.CouponData, err error) {
	var until, from, to, issued *time.Time
	err = r.Scan(&d.Code, &d.TemplateID, &d.User, (*string)(&d.Status), &d.Order, &until, &from, &to, &issued)
	for at, v := range map[*time.Time]*time.Time{&d.LockedUntil: until, &d.ValidFrom: from, &d.ValidUntil: to, &d.IssuedAt: issued} {
		if v != nil {
			*at = v.UTC()
		}
	}
	return d, err
}

func save(ctx context.Context, tx pgx.Tx, m *placed, now time.Time) error {
	skus, units := make([]string, len(m.units)), make([]int64, len(m.units))
	for i, u := range m.units {
		skus[i], units[i] = u.Sku, u.Quantity
	}
	if _, err := tx.Exec(ctx, reserveSkus, theShop, skus, units); err != nil {
		return err
	}
	d := &m.order
	if len(d.Coupons) > 0 {
		if _, err := tx.Exec(ctx, holdCoupons, theShop, d.Coupons, d.No, d.ExpiresAt); err != nil {
			return err
		}
	}
	doc, err := json.Marshal(orderDoc{d.Items, d.Applied, d.Coupons})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertOrder, theShop, d.No, d.User, string(d.Status), d.Currency, d.Total, d.Discount, d.Payable, doc,
		d.CreatedAt, d.ExpiresAt, d.Seq); err != nil {
		return err
	}
	return writeEvents(ctx, tx, d.No, m.events, now)
}

// writeEvents writes the events of one change, as one row.
func writeEvents(ctx context.Context, tx pgx.Tx, orderNo string, events []event.Event, now time.Time) error {
	first, last := seqs(events)
	body, err := json.Marshal(events)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, insertEvents, theShop, orderNo, now, first, last, event.TypeList(events), body)
	return err
}

// seqs are the first and the last of the order's numbers among the events.
func seqs(events []event.Event) (first, last int64) {
	for i := range events {
		if n := events[i].Seq; n > 0 {
			if first == 0 {
				first = n
			}
			last = n
		}
	}
	return first, last
}
