package sqlite

import (
	"bytes"
	"context"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

var promotions = kind[pricing.Promotion]{
	table: "promotions", key: "promotion_id", guard: "version", moving: "doc version",
	keyOf:     func(p *pricing.Promotion) string { return p.ID },
	versionOf: func(p *pricing.Promotion) int64 { return p.Version },
	putMoving: func(a *args, p *pricing.Promotion, version int64) {
		document(a, &format.Promotion, p)
		a.add(version)
	},
	scan: func(r row, p *pricing.Promotion) error {
		var id string
		var version int64
		err := r.Scan(&id, doc[pricing.Promotion]{&format.Promotion, p}, &version)
		p.ID, p.Version = id, version
		return err
	},
}.ready()

var templates = kind[marketing.Template]{
	table: "coupon_templates", key: "template_id", guard: "version", moving: "doc issued version",
	keyOf:     func(t *marketing.Template) string { return t.ID },
	versionOf: func(t *marketing.Template) int64 { return t.Version },
	putMoving: func(a *args, t *marketing.Template, version int64) {
		document(a, &format.Template, t)
		a.add(t.Issued, version)
	},
	scan: func(r row, t *marketing.Template) error {
		var id string
		var issued, version int64
		err := r.Scan(&id, doc[marketing.Template]{&format.Template, t}, &issued, &version)
		t.ID, t.Issued, t.Version = id, issued, version
		return err
	},
}.ready()

// LoadRules reads the promotions and templates of a shop at one moment.
func (s *Store) LoadRules(ctx context.Context, id string) (*marketing.Rules, error) {
	var (
		of   shop.Shop
		some []pricing.Promotion
		more []marketing.Template
	)
	err := s.snapshot(ctx, func(q query) (err error) {
		if of, err = one(ctx, q, scanShop, noShop(id), shopRow, id); err != nil {
			return err
		}
		if some, err = all(ctx, q, promotions.scan, "SELECT "+promotions.columns+" FROM promotions WHERE shop = ? ORDER BY promotion_id", id); err != nil {
			return err
		}
		more, err = all(ctx, q, templates.scan, "SELECT "+templates.columns+" FROM coupon_templates WHERE shop = ? ORDER BY template_id", id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return marketing.NewRules(of.RulesVersion, some, more), nil
}

// HasKey says whether a key or marker was committed. A commit that has failed
// is over when it returns, so it is enough to look.
func (s *Store) HasKey(ctx context.Context, shop, key string) (bool, error) {
	return s.holds(ctx, "SELECT EXISTS (SELECT 1 FROM idempotency_keys WHERE shop = ? AND key = ?)", shop, key)
}

const (
	deletePromotion = "DELETE FROM promotions WHERE shop = ? AND promotion_id = ? AND version = ?"
	countIssued     = "UPDATE coupon_templates SET issued = ? WHERE shop = ? AND template_id = ? AND version = ? AND issued = ?"
)

func (u *unit) promotions(changes []app.Change[pricing.Promotion]) error {
	for i, c := range changes {
		if c.Old == nil || c.New.ID != "" {
			if err := save(u, promotions, changes[i:i+1]); err != nil {
				return err
			}
			continue
		}
		u.args.start(u.shop, c.Old.ID, c.Old.Version)
		if err := u.exec(deletePromotion); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) templates(changes []app.Change[marketing.Template]) error {
	for i, c := range changes {
		if c.Old == nil || !sameRule(c.Old, &c.New) {
			if err := save(u, templates, changes[i:i+1]); err != nil {
				return err
			}
			continue
		}
		u.args.start(c.New.Issued, u.shop, c.Old.ID, c.Old.Version, c.Old.Issued)
		if err := u.exec(countIssued); err != nil {
			return err
		}
	}
	return nil
}

// sameRule says whether a template only had coupons issued of it: it stays
// at its version then.
func sameRule(before, after *marketing.Template) bool {
	b, err1 := format.Template.Encode(before)
	a, err2 := format.Template.Encode(after)
	return err1 == nil && err2 == nil && bytes.Equal(a, b)
}
