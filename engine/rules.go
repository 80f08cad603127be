package engine

import (
	"context"

	"github.com/tandem-pay/tandem/marketing"
)

// rulesAt returns the snapshot of a version, or a newer one.
func (l *queue) rulesAt(ctx context.Context, version int64) (*marketing.Rules, error) {
	l.rulesMu.Lock()
	defer l.rulesMu.Unlock()
	if l.rules == nil || l.rules.Version < version {
		rules, err := l.e.store.LoadRules(ctx, l.shop)
		if err != nil {
			return nil, err
		}
		l.rules = rules
	}
	return l.rules, nil
}

func (l *queue) forgetRules() {
	l.rulesMu.Lock()
	l.rules = nil
	l.rulesMu.Unlock()
}
