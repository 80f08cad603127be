package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
)

// The kinds of rules in the history.
const (
	ofPromotion = "promotion"
	ofTemplate  = "template"
)

var insertHistory = insertAll("rule_history", "kind text", "id text", "since bigint", "version bigint", "doc json", "at timestamptz")

func (w *writer) history(changes []marketing.RuleChange) {
	if len(changes) == 0 {
		return
	}
	type row = marketing.RuleChange
	w.add(insertHistory,
		column(changes, func(c row) string {
			if c.Template != nil {
				return ofTemplate
			}
			return ofPromotion
		}),
		column(changes, func(c row) string { return c.ID }), column(changes, func(c row) int64 { return c.Since }),
		column(changes, func(c row) int64 { return c.Version }),
		docs(w, changes, format.RuleChange, func(c row) *row { return &c }),
		times(changes, func(c row) time.Time { return c.At }))
}

// EachRuleChange streams the history in the order in which it came into force.
func (s *Store) EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error {
	return stream(ctx, s.read, f, scanRuleChange,
		"SELECT kind, id, since, version, doc, at FROM rule_history WHERE shop = $1 AND kind <> '' ORDER BY since, kind, id", shop)
}

func scanRuleChange(rows pgx.Rows, c *marketing.RuleChange) error {
	var kind string
	var raw []byte
	if err := rows.Scan(&kind, &c.ID, &c.Since, &c.Version, &raw, moment{&c.At}); err != nil || raw == nil {
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

// retired finds the last versions of promotions, by id.
const retired = `SELECT k.x, r.version FROM unnest($2::text[]) AS k(x)
	CROSS JOIN LATERAL (SELECT version FROM rule_history WHERE shop = $1 AND kind = 'promotion' AND id = k.x ORDER BY since DESC LIMIT 1) AS r`
