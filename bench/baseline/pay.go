package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

const (
	lockOrder = "SELECT order_no, user_id, status, currency, total, discount, payable, paid, refunded, snapshot, created_at, expires_at, seq " +
		"FROM orders WHERE shop = $1 AND order_no = $2 FOR UPDATE"
	paymentColumns = "payment_no, order_no, channel, method, amount, currency, status, applied, refunded, merchant, app, detail, anomaly, " +
		"transaction_id, created_at, expires_at, succeeded_at, next_query_at, queries"
	readPayment = "SELECT " + paymentColumns + " FROM payments WHERE shop = $1 AND payment_no = $2"
	lockPayment = readPayment + " FOR UPDATE"

	insertPayment = "INSERT INTO payments (shop, payment_no, order_no, channel, method, amount, currency, status, applied, refunded, merchant, app, " +
		"detail, anomaly, transaction_id, created_at, expires_at, next_query_at, queries, trace, version) " +
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, $11, '', '', $12, $13, $14, 0, '', 1)"
	updatePayment = "UPDATE payments SET status = $3, applied = $4, detail = $5, anomaly = $6, transaction_id = $7, succeeded_at = $8, " +
		"next_query_at = $9, version = version + 1 WHERE shop = $1 AND payment_no = $2"
	updateOrder    = "UPDATE orders SET status = $3, paid = $4, paid_at = $5, seq = $6 WHERE shop = $1 AND order_no = $2"
	insertExchange = "INSERT INTO channel_messages (shop, order_no, payment_no, channel, kind, verdict, detail, at, took_us, trace, header, body, message_id) " +
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, $12)"

	// The index is walked in key order, and so the locks are taken.
	sellSkus = "UPDATE skus SET on_hand = on_hand - ($3::bigint[])[array_position($2::text[], sku)], " +
		"reserved = reserved - ($3::bigint[])[array_position($2::text[], sku)], version = version + 1 WHERE shop = $1 AND sku = ANY($2::text[])"
	useCoupons = "UPDATE coupons SET status = 'used', locked_until = NULL, version = version + 1 " +
		"WHERE shop = $1 AND code = ANY($2) AND status = 'locked' AND order_no = $3 RETURNING code, user_id"
	readCoupon = "SELECT code, template_id, user_id, status, order_no, locked_until, valid_from, valid_until, issued_at FROM coupons WHERE shop = $1 AND code = $2"
)

// paymentDoc is the part of a payment that no query selects by, as Tandem
// stores it.
type paymentDoc struct {
	Request payment.PrepayRequest `json:"request"`
	Action  *payment.Action       `json:"action,omitzero"`
	Facts   []payment.Fact        `json:"facts,omitzero"`
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// open stores a payment before the channel is called: eight statements.
func (pg *postgres) open(
	ctx context.Context, key string, hash []byte, orderNo string, ch *channel, notifyURL string,
) (p payment.Data, replayed bool, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	no := newNumber('2', now)
	err = pg.transaction(ctx, func(tx pgx.Tx) error {
		saved, err := claim(ctx, tx, key, hash, now)
		if err != nil {
			return err
		}
		if saved != nil {
			replayed = true
			p, err = scanPayment(tx.QueryRow(ctx, readPayment, theShop, string(saved)))
			return err
		}
		o, err := scanOrder(tx.QueryRow(ctx, lockOrder, theShop, orderNo))
		if err != nil {
			return err
		}
		d := o.Data()
		if err := o.Attempt(d.Due()); err != nil {
			return err
		}
		made := payment.New(orderNo, "bench", ch.merchant, ch.app, "", payment.PrepayRequest{
			PaymentNo: no, Method: payment.Native, Amount: d.Due(), Currency: d.Currency, Description: d.Items[0].Name,
			NotifyURL: notifyURL, ExpiresAt: d.ExpiresAt,
		}, now)
		o.Note(made.Event(event.PaymentCreated, ""))
		p = made.Data()
		doc, err := json.Marshal(paymentDoc{Request: p.Request})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertPayment, theShop, p.No, p.Order, p.Channel, string(p.Method), p.Amount, p.Currency, string(p.Status),
			p.Merchant, p.App, doc, p.CreatedAt, p.ExpiresAt, p.NextQueryAt); err != nil {
			return err
		}
		if err := changeOrder(ctx, tx, o, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, answerKey, theShop, key, []byte(p.No), orderNo)
		return err
	})
	return p, replayed, err
}

// taken stores the channel's yes: eight statements.
func (pg *postgres) taken(ctx context.Context, no string, action payment.Action, took time.Duration) (d payment.Data, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	err = pg.transaction(ctx, func(tx pgx.Tx) error {
		p, o, err := both(ctx, tx, no)
		if err != nil {
			return err
		}
		if p.Accepted(action) {
			o.Note(p.Event(event.PaymentPending, ""))
			if err := changeOrder(ctx, tx, o, now); err != nil {
				return err
			}
		}
		d = p.Data()
		if err := changePayment(ctx, tx, &d); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertExchange, theShop, d.Order, no, d.Channel, "prepay", "ok", "", now, took.Microseconds(), nil, nil, "")
		return err
	})
	return d, err
}

// settle takes a callback: ten statements, with its coupon and stock.
func (pg *postgres) settle(ctx context.Context, n payment.Notice, header http.Header, body []byte) (outcome payment.Outcome, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	err = pg.transaction(ctx, func(tx pgx.Tx) error {
		var d payment.Data
		p, o, err := both(ctx, tx, n.PaymentNo)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			outcome = payment.Orphan
		case err != nil:
			return err
		default:
			if outcome = p.Settle(n.Fact, now); outcome == payment.Settled {
				if err := paid(ctx, tx, p, o, now); err != nil {
					return err
				}
			} else if outcome == payment.Anomalous {
				o.Note(p.Event(event.PaymentAnomaly, p.Data().Anomaly))
				if err := changeOrder(ctx, tx, o, now); err != nil {
					return err
				}
			}
			if d = p.Data(); outcome != payment.Repeated {
				if err := changePayment(ctx, tx, &d); err != nil {
					return err
				}
			}
		}
		_, err = tx.Exec(
			ctx, insertExchange, theShop, d.Order, n.PaymentNo, "bench", "callback", string(outcome), n.Type, now, 0, head, body,
			n.ID,
		)
		return err
	})
	return outcome, err
}

// paid applies the money to the order; if that pays it, its stock is sold and
// its coupons are used.
func paid(ctx context.Context, tx pgx.Tx, p *payment.Payment, o *order.Order, now time.Time) error {
	o.Note(p.Event(event.PaymentSucceeded, ""))
	p.Apply(o.Settle(p.Data().Amount, now))
	d := o.Data()
	if d.Status != order.Paid {
		return changeOrder(ctx, tx, o, now)
	}
	var events []event.Event
	skus, units := make([]string, len(d.Items)), make([]int64, len(d.Items))
	for i, u := range d.Units() {
		skus[i], units[i] = u.Sku, u.Quantity
		events = append(events, event.Event{Type: event.StockSold, Order: d.No, Sku: u.Sku, Quantity: u.Quantity})
	}
	if len(d.Coupons) > 0 {
		rows, _ := tx.Query(ctx, useCoupons, theShop, d.Coupons, d.No)
		used, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (e event.Event, err error) {
			e = event.Event{Type: event.CouponUsed, Order: d.No}
			return e, r.Scan(&e.Coupon, &e.User)
		})
		if err != nil {
			return err
		}
		events = append(events, used...)
	}
	if _, err := tx.Exec(ctx, sellSkus, theShop, skus, units); err != nil {
		return err
	}
	return changeOrder(ctx, tx, o, now, events...)
}

// both locks a payment and its order.
func both(ctx context.Context, tx pgx.Tx, no string) (*payment.Payment, *order.Order, error) {
	d, err := scanPayment(tx.QueryRow(ctx, lockPayment, theShop, no))
	if err != nil {
		return nil, nil, err
	}
	o, err := scanOrder(tx.QueryRow(ctx, lockOrder, theShop, d.Order))
	return payment.Restore(d), o, err
}

// changeOrder writes an order's moving part and what happened.
func changeOrder(ctx context.Context, tx pgx.Tx, o *order.Order, now time.Time, more ...event.Event) error {
	d := o.Data()
	if _, err := tx.Exec(ctx, updateOrder, theShop, d.No, string(d.Status), d.Paid, orNil(d.PaidAt), d.Seq); err != nil {
		return err
	}
	return writeEvents(ctx, tx, d.No, append(o.Drain(), more...), now)
}

func changePayment(ctx context.Context, tx pgx.Tx, d *payment.Data) error {
	doc, err := json.Marshal(paymentDoc{d.Request, d.Action, d.Facts})
	if err != nil {
		return err
	}
	_, err = tx.Exec(
		ctx, updatePayment, theShop, d.No, string(d.Status), d.Applied, doc, d.Anomaly, d.TransactionID, orNil(d.SucceededAt),
		orNil(d.NextQueryAt),
	)
	return err
}

func scanOrder(row pgx.Row) (*order.Order, error) {
	var d order.Data
	var doc []byte
	err := row.Scan(
		&d.No, &d.User, (*string)(&d.Status), &d.Currency, &d.Total, &d.Discount, &d.Payable, &d.Paid, &d.Refunded, &doc,
		&d.CreatedAt, &d.ExpiresAt, &d.Seq,
	)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "there is no such order")
	}
	if err != nil {
		return nil, err
	}
	var s orderDoc
	if err := json.Unmarshal(doc, &s); err != nil {
		return nil, err
	}
	d.Items, d.Applied, d.Coupons = s.Items, s.Applied, s.Coupons
	d.CreatedAt, d.ExpiresAt = d.CreatedAt.UTC(), d.ExpiresAt.UTC()
	return order.Restore(d), nil
}

func scanPayment(row pgx.Row) (d payment.Data, err error) {
	var doc []byte
	var expires, succeeded, next *time.Time
	if err := row.Scan(
		&d.No, &d.Order, &d.Channel, (*string)(&d.Method), &d.Amount, &d.Currency, (*string)(&d.Status), &d.Applied, &d.Refunded,
		&d.Merchant, &d.App, &doc, &d.Anomaly, &d.TransactionID, &d.CreatedAt, &expires, &succeeded, &next, &d.Queries,
	); err != nil {
		return d, err
	}
	for at, v := range map[*time.Time]*time.Time{&d.ExpiresAt: expires, &d.SucceededAt: succeeded, &d.NextQueryAt: next} {
		if v != nil {
			*at = v.UTC()
		}
	}
	d.CreatedAt = d.CreatedAt.UTC()
	var p paymentDoc
	if err := json.Unmarshal(doc, &p); err != nil {
		return d, err
	}
	d.Request, d.Action, d.Facts = p.Request, p.Action, p.Facts
	return d, nil
}

func (pg *postgres) coupon(ctx context.Context, code string) (marketing.CouponData, error) {
	rows, _ := pg.pool.Query(ctx, readCoupon, theShop, code)
	c, err := pgx.CollectExactlyOneRow(rows, scanCoupon)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, fault.New(fault.CouponNotFound, "there is no coupon %q", code)
	}
	return c, err
}
