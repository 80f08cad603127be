package pricing

import (
	"testing"

	"github.com/tandem-pay/tandem/money"
)

func firstOnly(p *Promotion)        { p.FirstOrderOnly = true }
func perUser(n int64) option        { return func(p *Promotion) { p.PerUserLimit = n } }
func usage(n int64) option          { return func(p *Promotion) { p.UsageLimit = n } }
func budget(sum string) option      { return func(p *Promotion) { p.Budget = yuan(sum) } }
func used(u Usage) map[string]Usage { return map[string]Usage{"p": u} }

func TestLimits(t *testing.T) {
	for _, r := range []struct {
		name  string
		rule  Promotion // gives 10.00
		user  User
		usage map[string]Usage
		want  string // "" when it applies
	}{
		{"a first order", percent("p", "10", firstOnly), User{FirstOrder: true}, nil, ""},
		{"a later one", percent("p", "10", firstOnly), User{}, nil, "first_order_only: only for a buyer's first order / 仅限首单"},
		{"the user comes first", percent("p", "10", firstOnly, forLevel("gold")), User{}, nil, "user_not_eligible: not offered to this user / 此用户不适用"},

		{"never used", percent("p", "10", usage(1)), User{}, nil, ""},
		{"the last use", percent("p", "10", usage(3)), User{}, used(Usage{Uses: 2, ByUser: 2, Spent: 1 << 40}), ""},
		{"all used", percent("p", "10", usage(3)), User{}, used(Usage{Uses: 3}), "usage_limit_reached: all its 3 uses are taken / 3个名额已用完"},
		{"more than all", percent("p", "10", usage(3)), User{}, used(Usage{Uses: 4}), "usage_limit_reached: all its 3 uses are taken / 3个名额已用完"},

		{"this buyer's last use", percent("p", "10", perUser(2)), User{}, used(Usage{Uses: 9, ByUser: 1}), ""},
		{"this buyer's all used", percent("p", "10", perUser(2)), User{}, used(Usage{Uses: 9, ByUser: 2}), "per_user_limit_reached: this buyer has used it, and may 2 times in all / 每人限享2次，已用完"},
		{"everybody's before this buyer's", percent("p", "10", perUser(2), usage(9)), User{}, used(Usage{Uses: 9, ByUser: 2}), "usage_limit_reached: all its 9 uses are taken / 9个名额已用完"},

		{"just within the budget", percent("p", "10", budget("30.00")), User{}, used(Usage{Spent: 2000}), ""},
		{"a cent beyond it: nothing, not a part", percent("p", "10", budget("30.00")), User{}, used(Usage{Spent: 2001}), "budget_spent: its budget has 9.99 left, and here it would give 10.00 / 活动预算仅余9.99元，不足以优惠10.00元"},
		{"the first order already", percent("p", "10", budget("9.99")), User{}, nil, "budget_spent: its budget has 9.99 left, and here it would give 10.00 / 活动预算仅余9.99元，不足以优惠10.00元"},
		{"overspent", percent("p", "10", budget("9.99")), User{}, used(Usage{Spent: 5000}), "budget_spent: its budget has 0.00 left, and here it would give 10.00 / 活动预算仅余0.00元，不足以优惠10.00元"},
		{"the kind's own reason before the budget", off("p", "200.00", "10.00", budget("1.00")), User{}, nil, "threshold_not_met: 100.00 more for p / 再买100.00元可享p"},
		{"counts of another do not matter", percent("p", "10", usage(1), perUser(1), budget("10.00")), User{}, map[string]Usage{"q": {9, 9, money.Max}}, ""},
		{"no limits, whatever was counted", percent("p", "10"), User{}, used(Usage{9, 9, money.Max}), ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			q := mustPrice(t, Input{Now: noon, Lines: cartOf("a 100.00"), Rules: Compile(rules(r.rule)), User: r.user, Usage: r.usage})
			got := ""
			for _, s := range q.Skipped {
				got += string(s.Reason) + ": " + s.Detail + " / " + s.DetailZh
			}
			if got != r.want || got == "" && q.Discount != 1000 {
				t.Errorf("got %s\nwant %s", got, r.want)
			}
		})
	}
}

// A rule that a limit bars does not win its group.
func TestLimitsInGroup(t *testing.T) {
	in := Input{Now: noon, Lines: cartOf("a 100.00"), Usage: used(Usage{Uses: 1})}
	in.Rules = Compile(rules(percent("p", "50", usage(1), group("g")), percent("q", "10", group("g")), percent("r", "90", budget("1.00"), group("g"))))
	want := "a 90.00 | q 10.00 (a 10.00) | p usage_limit_reached: all its 1 uses are taken, r budget_spent: its budget has 1.00 left, and here it would give 90.00"
	if got := say(mustPrice(t, in)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestAppliedSaysWhatItCounts(t *testing.T) {
	for _, r := range []struct {
		rule Promotion
		want *Limited
	}{
		{percent("p", "10"), nil},
		{percent("p", "10", firstOnly), nil},
		{percent("p", "10", usage(5)), &Limited{ID: "p", Uses: 5}},
		{percent("p", "10", perUser(5), budget("50")), &Limited{ID: "p", PerUser: 5, Budget: 5000}},
	} {
		q := mustPrice(t, Input{User: User{FirstOrder: true}, Lines: cartOf("a 100.00"), Rules: Compile(rules(r.rule))})
		got := q.Applied[0].Limited
		if (got == nil) != (r.want == nil) || got != nil && *got != *r.want {
			t.Errorf("%+v, want %+v", got, r.want)
		}
	}
}

func TestLimitsValidation(t *testing.T) {
	runValidation(t, []invalid{
		{"all", percent("p", "10", firstOnly, usage(1), perUser(1), budget("0.01")), ""},
		{"the most", percent("p", "10", usage(mostUses), perUser(mostUses), func(p *Promotion) { p.Budget = money.Max }), ""},
		{"more", percent("p", "10", usage(mostUses+1), perUser(mostUses+1), func(p *Promotion) { p.Budget = money.Max + 1 }), "/perUserLimit /usageLimit /budget"},
		{"negative", percent("p", "10", usage(-1), perUser(-1), func(p *Promotion) { p.Budget = -1 }), "/perUserLimit /usageLimit /budget"},
	})
	if r := Compile(rules(percent("p", "10", usage(-1)))); len(r.rules) != 0 {
		t.Error("a negative limit was compiled")
	}
}
