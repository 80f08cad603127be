package sqlite

import (
	"context"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/rows"
)

// EachRuleChange streams the history in the order in which it came into force.
func (s *Store) EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error {
	return each(ctx, s.reading, ruleVersions.scan, func(v rows.RuleVersion) error {
		return f(v.RuleChange)
	}, "SELECT "+ruleVersions.columns+" FROM rule_history WHERE shop = ? ORDER BY since, kind, id", shop)
}
