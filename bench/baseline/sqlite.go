package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/shop"
	tandem "github.com/tandem-pay/tandem/store/sqlite"
)

// sqlite is the database: one connection that writes, one order at a time,
// as SQLite expects it. The settings are those of Tandem's writer.
type sqlite struct {
	db    *sql.DB
	rules rulebook

	claim, answer, find, user, sku, coupon, reserve, hold, order, events *sql.Stmt
}

func openSQLite(ctx context.Context, file string) (*sqlite, error) {
	reader, err := tandem.Open(ctx, file, tandem.Options{Readers: 1})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"+
		"&_pragma=temp_store(memory)&_txlock=immediate&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(67108864)&_pragma=cache_size(-16000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &sqlite{db: db, rules: rulebook{load: func() (*marketing.Rules, error) { return reader.LoadRules(ctx, theShop) }}}
	for _, p := range []struct {
		into **sql.Stmt
		text string
	}{
		{&s.claim, "INSERT INTO idempotency_keys (shop, key, hash, order_no, created_at) VALUES (?, ?, ?, '', ?) ON CONFLICT (shop, key) DO NOTHING"},
		{&s.answer, "UPDATE idempotency_keys SET answer = ?3, order_no = ?4 WHERE shop = ?1 AND key = ?2"},
		{&s.find, "SELECT hash, answer FROM idempotency_keys WHERE shop = ? AND key = ?"},
		{&s.user, "SELECT level, tags, blocked FROM users WHERE shop = ? AND user_id = ?"},
		{&s.sku, "SELECT sku, name, price, categories, on_hand, reserved, max_per_user FROM skus WHERE shop = ? AND sku = ?"},
		{&s.coupon, "SELECT code, template_id, user_id, status, order_no, valid_from, valid_until FROM coupons WHERE shop = ? AND code = ?"},
		{&s.reserve, "UPDATE skus SET reserved = reserved + ?3, version = version + 1 WHERE shop = ?1 AND sku = ?2"},
		{&s.hold, "UPDATE coupons SET status = 'locked', order_no = ?3, locked_until = ?4, version = version + 1 WHERE shop = ?1 AND code = ?2"},
		{&s.order, "INSERT INTO orders (shop, order_no, user_id, status, currency, total, discount, payable, paid, refunded, snapshot, " +
			"created_at, expires_at, close_reason, closing, seq, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, '', '', ?, '')"},
		{&s.events, "INSERT INTO events (shop, position, order_no, at, trace, first_seq, last_seq, types, body) " +
			"VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM events WHERE shop = ?1), ?2, ?3, '', ?4, ?5, ?6, ?7)"},
	} {
		if *p.into, err = db.PrepareContext(ctx, p.text); err != nil {
			return nil, fmt.Errorf("prepare %.40q: %w", p.text, err)
		}
	}
	return s, nil
}

// place is one transaction. The statements in its loops cost no round trip:
// SQLite is in the process.
func (s *sqlite) place(
	ctx context.Context, key string, hash []byte, p *placement, view func(*order.Data) ([]byte, error),
) (answer []byte, replayed bool, err error) {
	rules, err := s.rules.now()
	if err != nil {
		return nil, false, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	// A transaction that loses its caller in the middle would hold up all
	// others for nothing: it goes on to its end.
	ctx = context.WithoutCancel(ctx)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err == nil {
			err = tx.Commit()
		} else {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	done, err := tx.StmtContext(ctx, s.claim).Exec(theShop, key, hash, now.UnixMicro())
	if err != nil {
		return nil, false, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		var first []byte
		if err := tx.StmtContext(ctx, s.find).QueryRow(theShop, key).Scan(&first, &answer); err != nil {
			return nil, false, err
		}
		if !bytes.Equal(first, hash) {
			return nil, false, fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key was used for another request")
		}
		return answer, true, nil
	}
	f, err := s.load(ctx, tx, p)
	if err != nil {
		return nil, false, err
	}
	made, err := place(p, f, rules, now)
	if err != nil {
		return nil, false, err
	}
	if err := s.save(ctx, tx, made, now); err != nil {
		return nil, false, err
	}
	if answer, err = view(&made.order); err != nil {
		return nil, false, err
	}
	_, err = tx.StmtContext(ctx, s.answer).Exec(theShop, key, answer, made.order.No)
	return answer, false, err
}

func (s *sqlite) load(ctx context.Context, tx *sql.Tx, p *placement) (*found, error) {
	f := &found{user: shop.User{ID: p.User}}
	var text string
	err := tx.StmtContext(ctx, s.user).QueryRow(theShop, p.User).Scan(&f.user.Level, &text, &f.user.Blocked)
	if err == nil {
		err = json.Unmarshal([]byte(text), &f.user.Tags)
	} else if errors.Is(err, sql.ErrNoRows) {
		err = nil // a plain user
	}
	if err != nil {
		return nil, err
	}
	for _, id := range p.skus() {
		var d inventory.Data
		row := tx.StmtContext(ctx, s.sku).QueryRow(theShop, id)
		switch err := row.Scan(&d.Sku, &d.Name, &d.Price, &text, &d.OnHand, &d.Reserved, &d.MaxPerUser); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &d.Categories); err != nil {
			return nil, err
		}
		f.skus = append(f.skus, d)
	}
	for _, code := range p.Coupons {
		var d marketing.CouponData
		var from, until *int64
		row := tx.StmtContext(ctx, s.coupon).QueryRow(theShop, code)
		switch err := row.Scan(&d.Code, &d.TemplateID, &d.User, &d.Status, &d.Order, &from, &until); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		}
		if from != nil {
			d.ValidFrom = time.UnixMicro(*from).UTC()
		}
		if until != nil {
			d.ValidUntil = time.UnixMicro(*until).UTC()
		}
		f.coupons = append(f.coupons, d)
	}
	return f, nil
}

func (s *sqlite) save(ctx context.Context, tx *sql.Tx, m *placed, now time.Time) error {
	for _, u := range m.units {
		if _, err := tx.StmtContext(ctx, s.reserve).Exec(theShop, u.Sku, u.Quantity); err != nil {
			if strings.Contains(err.Error(), "skus_no_oversell") {
				return fault.New(fault.OutOfStock, "%s", u.Sku)
			}
			return err
		}
	}
	d := &m.order
	for _, code := range d.Coupons {
		if _, err := tx.StmtContext(ctx, s.hold).Exec(theShop, code, d.No, d.ExpiresAt.UnixMicro()); err != nil {
			return err
		}
	}
	doc, err := json.Marshal(orderDoc{d.Items, d.Applied, d.Coupons})
	if err != nil {
		return err
	}
	if _, err := tx.StmtContext(ctx, s.order).Exec(
		theShop, d.No, d.User, string(d.Status), d.Currency, d.Total, d.Discount, d.Payable, string(doc),
		d.CreatedAt.UnixMicro(), d.ExpiresAt.UnixMicro(), d.Seq,
	); err != nil {
		return err
	}
	first, last := seqs(m.events)
	body, err := json.Marshal(m.events)
	if err != nil {
		return err
	}
	_, err = tx.StmtContext(ctx, s.events).Exec(theShop, d.No, now.UnixMicro(), first, last, event.TypeList(m.events), string(body))
	return err
}
