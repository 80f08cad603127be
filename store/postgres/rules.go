package postgres

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

const (
	promotionColumns = "promotion_id, doc, version"
	templateColumns  = "template_id, doc, issued, version"
)

func scanPromotion(rows pgx.Rows, p *pricing.Promotion) error {
	var id string
	var version int64
	if err := rows.Scan(&id, doc[pricing.Promotion]{&format.Promotion, p}, &version); err != nil {
		return err
	}
	p.ID, p.Version = id, version
	return nil
}

func scanTemplate(rows pgx.Rows, t *marketing.Template) error {
	var id string
	var issued, version int64
	if err := rows.Scan(&id, doc[marketing.Template]{&format.Template, t}, &issued, &version); err != nil {
		return err
	}
	t.ID, t.Issued, t.Version = id, issued, version
	return nil
}

// LoadRules reads the promotions and templates of a shop in one snapshot.
func (s *Store) LoadRules(ctx context.Context, id string) (*marketing.Rules, error) {
	var (
		shops      []shop.Shop
		promotions []pricing.Promotion
		templates  []marketing.Template
	)
	err := s.snapshot(ctx, func(b *pgx.Batch) {
		queue(b, &shops, 1, scanShop, shopRow, id)
		queue(b, &promotions, 16, scanPromotion, "SELECT "+promotionColumns+" FROM promotions WHERE shop = $1 ORDER BY promotion_id", id)
		queue(b, &templates, 16, scanTemplate, "SELECT "+templateColumns+" FROM coupon_templates WHERE shop = $1 ORDER BY template_id", id)
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
// It is asked when the connection broke while committing, and then the
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

var (
	insertPromotions = insertAll("promotions", "promotion_id text", "doc json", "version bigint")
	updatePromotions = updateAll("promotions", "doc = n.doc, version = n.version + 1", "promotion_id = n.id AND version = n.version",
		"id text", "version bigint", "doc json")
	deletePromotions = deleteAll("promotions", "promotion_id = n.id AND version = n.version", "id text", "version bigint")

	insertTemplates = insertAll("coupon_templates", "template_id text", "doc json", "issued bigint", "version bigint")
	updateTemplates = updateAll("coupon_templates", "doc = n.doc, issued = n.issued, version = n.version + 1",
		"template_id = n.id AND version = n.version", "id text", "version bigint", "doc json", "issued bigint")
	updateIssued = updateAll("coupon_templates", "issued = n.issued", "template_id = n.id AND version = n.version AND issued = n.was",
		"id text", "version bigint", "was bigint", "issued bigint")
)

func (w *writer) promotions(changes []app.Change[pricing.Promotion]) {
	added, kept := split(changes)
	var changed, deleted []*app.Change[pricing.Promotion]
	for _, c := range kept {
		if c.New.ID == "" {
			deleted = append(deleted, c)
		} else {
			changed = append(changed, c)
		}
	}
	id := func(c *app.Change[pricing.Promotion]) string { return c.Old.ID }
	version := func(c *app.Change[pricing.Promotion]) int64 { return c.Old.Version }
	if len(added) > 0 {
		w.add(insertPromotions, column(added, func(p *pricing.Promotion) string { return p.ID }),
			docs(w, added, format.Promotion, func(p *pricing.Promotion) *pricing.Promotion { return p }), column(added, func(p *pricing.Promotion) int64 { return max(1, p.Version) }))
	}
	if len(changed) > 0 {
		w.add(updatePromotions, column(changed, id), column(changed, version),
			docs(w, changed, format.Promotion, func(c *app.Change[pricing.Promotion]) *pricing.Promotion { return &c.New }))
	}
	if len(deleted) > 0 {
		w.add(deletePromotions, column(deleted, id), column(deleted, version))
	}
}

func (w *writer) templates(changes []app.Change[marketing.Template]) {
	added, kept := split(changes)
	// A template of which coupons were issued is the same rule as before and
	// stays at its version; only the count goes up.
	var changed, counted []*app.Change[marketing.Template]
	for _, c := range kept {
		rules := docs(w, []*marketing.Template{c.Old, &c.New}, format.Template, func(t *marketing.Template) *marketing.Template { return t })
		if bytes.Equal(rules[0], rules[1]) {
			counted = append(counted, c)
		} else {
			changed = append(changed, c)
		}
	}
	id := func(c *app.Change[marketing.Template]) string { return c.Old.ID }
	version := func(c *app.Change[marketing.Template]) int64 { return c.Old.Version }
	issued := func(c *app.Change[marketing.Template]) int64 { return c.New.Issued }
	if len(added) > 0 {
		w.add(insertTemplates, column(added, func(t *marketing.Template) string { return t.ID }), docs(w, added, format.Template, func(t *marketing.Template) *marketing.Template { return t }),
			column(added, func(t *marketing.Template) int64 { return t.Issued }), column(added, func(*marketing.Template) int64 { return 1 }))
	}
	if len(changed) > 0 {
		w.add(updateTemplates, column(changed, id), column(changed, version),
			docs(w, changed, format.Template, func(c *app.Change[marketing.Template]) *marketing.Template { return &c.New }), column(changed, issued))
	}
	if len(counted) > 0 {
		w.add(updateIssued, column(counted, id), column(counted, version),
			column(counted, func(c *app.Change[marketing.Template]) int64 { return c.Old.Issued }), column(counted, issued))
	}
}
