package postgres

import (
	"context"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/rows"
)

// EachRuleChange streams the history in the order in which it came into force.
func (s *Store) EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error {
	return stream(ctx, s.read, func(v rows.RuleVersion) error {
		return f(v.RuleChange)
	}, scan(rows.RuleVersions), "SELECT "+columns(rows.RuleVersions)+
		" FROM rule_history WHERE shop = $1 AND kind <> '' ORDER BY since, kind, id", shop)
}
