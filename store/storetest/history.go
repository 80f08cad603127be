package storetest

import (
	"errors"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// testRuleHistory: what a rule was at any version can be read for ever, also
// when it was deleted, and one that is made again continues its versions.
func testRuleHistory(e *env) {
	history := fullHistory()
	e.write(changes{BumpRules: true, Promotions: added(fullPromotion("p1")), Templates: added(fullTemplate("t1")), Rules: ruleVersions(history)})
	edited := fullPromotion("p1")
	edited.Name, edited.Version = "改", 2
	step := func(since int64, c changes, r marketing.RuleChange) {
		e.Helper()
		r.Since, r.At = since, now.Add(time.Duration(since)*time.Hour)
		history = append(history, r)
		c.BumpRules, c.Rules = true, ruleVersions([]marketing.RuleChange{r})
		e.write(c)
	}
	step(2, changes{Promotions: changed(fullPromotion("p1"), edited)}, marketing.RuleChange{ID: "p1", Version: 2, Promotion: &edited})
	step(3, changes{Promotions: removed(edited)}, marketing.RuleChange{ID: "p1", Version: 2})
	l := e.load(needs{Promotions: []string{"p1", "p2"}})
	e.same("what is known of one that is gone", map[string]int64{"p1": 2}, l.Retired)
	e.same("and it is gone", 0, len(l.Promotions))
	again := fullPromotion("p1")
	again.Version = 3
	step(4, changes{Promotions: added(again)}, marketing.RuleChange{ID: "p1", Version: 3, Promotion: &again})
	e.same("made again", []pricing.Promotion{again}, e.load(needs{Promotions: []string{"p1"}}).Promotions)

	for i := range history {
		if t := history[i].Template; t != nil {
			stored := *t
			stored.Issued = 0 // no part of the rule
			history[i].Template = &stored
		}
	}
	var read []marketing.RuleChange
	e.must(e.EachRuleChange(e.Context(), e.shop, func(c marketing.RuleChange) error {
		read = append(read, c)
		return nil
	}))
	e.same("the history", history, read)
	over := errors.New("enough")
	if err := e.EachRuleChange(e.Context(), e.shop, func(marketing.RuleChange) error { return over }); !errors.Is(err, over) {
		e.Errorf("an error of the reader's: %v", err)
	}
	e.conflicts("the same change twice", e.try(changes{Rules: ruleVersions(fullHistory())}))
}

// testBought: who has an order that was not closed, and what is counted.
func testBought(e *env) {
	closed, closedToo, live, others := plainOrder("1001"), plainOrder("1002"), plainOrder("1003"), plainOrder("1004")
	closed.User, closedToo.User, live.User, others.User = "u1", "u2", "u2", "u4"
	closed.Status, closedToo.Status = order.Closed, order.Closed
	e.write(changes{
		Orders:   added(closed, closedToo, live, others),
		Counters: []unit.Pair[rows.Counter]{counted("a", nil, 3), counted("b", nil, 0)},
	})
	buyers := []string{"u1", "u2", "u3", "u4"}
	e.same("in a unit", []string{"u2", "u4"}, sorted(e.load(needs{Buyers: buyers}).Bought, func(u string) string { return u }))
	var read []string
	for _, u := range buyers {
		bought, err := e.Bought(e.Context(), e.shop, u)
		e.must(err)
		if bought {
			read = append(read, u)
		}
	}
	e.same("read", []string{"u2", "u4"}, read)
	counted, err := e.Counters(e.Context(), e.shop, []string{"a", "b", "c"})
	e.must(err)
	e.same("counters", map[string]int64{"a": 3, "b": 0}, counted)
}
