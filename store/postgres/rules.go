package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tandem-pay/tandem/rows"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// LoadRules reads the promotions and templates of a shop in one snapshot.
func (s *Store) LoadRules(ctx context.Context, id string) (*marketing.Rules, error) {
	var (
		shops      []shop.Shop
		promotions []pricing.Promotion
		templates  []marketing.Template
	)
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &shops, 1, scan(rows.Shop), shopRow, id)
		queue(
			b, &promotions, 16, scan(rows.Promotions),
			"SELECT "+columns(rows.Promotions)+" FROM promotions WHERE shop = $1 ORDER BY promotion_id", id,
		)
		queue(
			b, &templates, 16, scan(rows.Templates),
			"SELECT "+columns(rows.Templates)+" FROM coupon_templates WHERE shop = $1 ORDER BY template_id", id,
		)
	})
	if err != nil {
		return nil, err
	}
	if len(shops) == 0 {
		return nil, noShop(id)
	}
	return marketing.NewRules(shops[0].RulesVersion, promotions, templates), nil
}

const readOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// snapshot runs the queries on one committed moment, in one round trip.
func (s *Store) snapshot(ctx context.Context, queries func(b *pgx.Batch)) error {
	b := &pgx.Batch{}
	b.Queue(readOnly)
	queries(b)
	b.Queue("COMMIT")
	return s.read.SendBatch(ctx, b).Close()
}

// HasKey says whether a key or marker was committed.
//
// It is read when the connection broke while committing, and then the
// server may not have read that COMMIT yet: an answer of no could turn out
// wrong a moment later. So it first ends those connections' processes, which
// settles what they were at, and answers only when they are gone.
func (s *Store) HasKey(ctx context.Context, shop, key string) (bool, error) {
	s.lostMu.Lock()
	lost := slices.Collect(maps.Keys(s.lost))
	s.lostMu.Unlock()
	if len(lost) > 0 {
		var gone bool
		err := s.read.QueryRow(ctx, `SELECT coalesce(bool_and(pg_terminate_backend(pid, 5000)), true)
			FROM pg_stat_activity WHERE pid = ANY($1) AND application_name = $2`,
			column(lost, func(pid uint32) int64 { return int64(pid) }), s.writeName).Scan(&gone)
		if err != nil {
			return false, err
		}
		if !gone {
			return false, errors.New("a connection that was lost while committing is still at it")
		}
		s.lostMu.Lock()
		for _, pid := range lost {
			delete(s.lost, pid)
		}
		s.lostMu.Unlock()
	}
	var has bool
	err := s.read.QueryRow(ctx, "SELECT EXISTS (SELECT FROM idempotency_keys WHERE shop = $1 AND key = $2)", shop, key).Scan(&has)
	return has, err
}
