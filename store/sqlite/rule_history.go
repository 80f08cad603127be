package sqlite

import (
	"context"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// The kinds of rules in the history.
const (
	ofPromotion = "promotion"
	ofTemplate  = "template"
)

const insertHistory = "INSERT INTO rule_history (shop, kind, id, since, version, doc, at) VALUES (?, ?, ?, ?, ?, ?, ?)"

func (u *unit) history(changes []marketing.RuleChange) error {
	for i := range changes {
		c := &changes[i]
		kind := ofPromotion
		if c.Template != nil {
			kind = ofTemplate
		}
		a := u.args.start(u.shop, kind, c.ID, c.Since, c.Version)
		document(a, &format.RuleChange, c)
		a.time(c.At)
		if err := u.exec(insertHistory); err != nil {
			return err
		}
	}
	return nil
}

// EachRuleChange streams the history in the order in which it came into force.
func (s *Store) EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error {
	return each(ctx, s.reading, scanRuleChange, f,
		"SELECT kind, id, since, version, doc, at FROM rule_history WHERE shop = ? ORDER BY since, kind, id", shop)
}

func scanRuleChange(r row, c *marketing.RuleChange) error {
	var kind string
	var raw []byte
	if err := r.Scan(&kind, &c.ID, &c.Since, &c.Version, &raw, moment{&c.At}); err != nil || raw == nil {
		return err
	}
	if kind == ofTemplate {
		c.Template = &marketing.Template{}
		err := format.RuleChange.Decode(raw, c)
		c.Template.ID, c.Template.Version = c.ID, c.Version
		return err
	}
	c.Promotion = &pricing.Promotion{}
	err := format.RuleChange.Decode(raw, c)
	c.Promotion.ID, c.Promotion.Version = c.ID, c.Version
	return err
}

// loadRetired finds the last versions of promotions.
const loadRetired = `SELECT id, max(version) FROM rule_history WHERE shop = ? AND kind = 'promotion' AND id IN (SELECT value FROM json_each(?)) GROUP BY id`
