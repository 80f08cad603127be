package pricing

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/fault"
)

// pointers are those of a validation_failed; anything else is "not a fault".
func pointers(err error) []string {
	list := []string{}
	if err == nil {
		return list
	}
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.ValidationFailed || len(e.Fields) == 0 {
		return []string{"not a fault: " + err.Error()}
	}
	for _, f := range e.Fields {
		list = append(list, f.Pointer)
	}
	return list
}

func join(list []string) string { return strings.Join(list, " ") }

func TestValidate(t *testing.T) {
	at := func(s string) *time.Time {
		v, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	between := func(from, to string) option {
		return func(p *Promotion) { p.StartsAt, p.EndsAt = at(from), at(to) }
	}
	tagged := func(tags ...string) option { return func(p *Promotion) { p.UserTags = tags } }
	long := strings.Repeat("长", 65)
	runValidation(t, []invalid{
		{"everything", percent("A-z_0.9", "1", skus("a"), categories("b"), notSkus("c"), notCategory("d"), priority(-3), group("g"), forLevel("gold"), tagged("new"), between("2026-01-01", "2026-01-02")), ""},
		{"no id is made by the server", percent("", "1", named("x")), ""},
		{"id with a blank", percent("a b", "1"), "/id"},
		{"id in Chinese", percent("满减", "1"), "/id"},
		{"id too long", percent(strings.Repeat("a", 65), "1"), "/id"},
		{"id as long as can be", percent(strings.Repeat("a", 64), "1"), ""},
		{"no name", percent("p", "1", named("")), "/name"},
		{"blank name", percent("p", "1", named(" \t")), "/name"},
		{"name of 128 characters", percent("p", "1", named(long[:len("长")*64]+long[:len("长")*64])), ""},
		{"name of 130", percent("p", "1", named(long+long)), "/name"},
		{"a NUL in the name", percent("p", "1", named("a\x00")), "/name"},
		{"no UTF-8", percent("p", "1", named("a\xff")), "/name"},
		{"no kind", Promotion{Name: "x"}, "/kind"},
		{"unknown kind", Promotion{Name: "x", Kind: "Percent_off"}, "/kind"},
		{"group too long", percent("p", "1", group(long)), "/exclusiveGroup"},
		{"ends before it starts", percent("p", "1", between("2026-01-02", "2026-01-01")), "/endsAt"},
		{"ends when it starts", percent("p", "1", between("2026-01-02", "2026-01-02")), "/endsAt"},
		{"empty entries", percent("p", "1", skus("a", ""), categories(""), notSkus(" "), notCategory("", "b"), forLevel(""), tagged("x", "")), "/scope/skus/1 /scope/categories/0 /scope/excludeSkus/0 /scope/excludeCategories/0 /userLevels/0 /userTags/1"},
		{"too many skus", percent("p", "1", skus(make([]string, 1001)...)), "/scope/skus"},
		{"every field, not only the first", Promotion{ID: "é", Kind: "amount_off", Buy: 1, Scope: &Scope{Skus: []string{""}}}, "/id /name /threshold /amountOff /buy /scope/skus/0"},
	})
}

func TestValidateSays(t *testing.T) {
	p := Promotion{Name: "x", Kind: "percent_off", PercentOff: pct("10"), Buy: 2, Get: 1}
	want := "validation_failed: /buy: not a parameter of percent_off (and 1 more, see fields)"
	if err := p.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	p = Promotion{Name: "x", Kind: "x"}
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	want = "validation_failed: /kind: must be one of " + strings.Join(names, ", ")
	if err := p.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// Whatever JSON a client sends as a promotion: checking it does not panic;
// what is found right stays right through JSON, and prices.
func FuzzPromotion(f *testing.F) {
	for _, seed := range []string{
		`{"name":"全场九折","kind":"percent_off","percentOff":10,"maxDiscount":5000}`,
		`{"id":"a","name":"满100减10","kind":"amount_off","threshold":10000,"amountOff":1000,"repeat":true}`,
		`{"name":"买二赠一","kind":"buy_x_get_y","buy":2,"get":1,"scope":{"categories":["c1"],"excludeSkus":["b"]}}`,
		`{"name":"限时价","kind":"fixed_price","price":1,"startsAt":"2026-01-01T00:00:00Z","endsAt":"2027-01-01T00:00:00Z"}`,
		`{"name":"x","kind":"amount_off","threshold":-1,"amountOff":9223372036854775807,"price":-5,"percentOff":0.001}`,
		`{"name":"套餐","kind":"bundle","items":[{"sku":"a","quantity":2},{"sku":"b","quantity":1}],"price":1990,"scope":{"excludeSkus":["c"]}}`,
		`{"name":"第二件半价","kind":"nth_item","n":2,"percentOff":50,"perUserLimit":1,"usageLimit":100,"budget":5000,"firstOrderOnly":true}`,
		`{"name":"任选3件99元","kind":"n_for_price","n":3,"price":9900}`,
		`{"name":"阶梯满减","kind":"tiered","tiers":[{"threshold":10000,"amountOff":1000},{"threshold":20000,"percentOff":12.5}]}`,
		`{"name":"满赠","kind":"gift","threshold":1,"giftSku":"mug","giftQuantity":3}`,
		`{"name":"x","kind":"tiered","tiers":[{"threshold":2},{"threshold":1,"amountOff":-1,"percentOff":0}]}`,
		`{"name":"x","kind":"bundle","items":[],"price":-1,"tiers":[],"usageLimit":-1}`,
		`{"percentOff":1e2}`, `{"percentOff":null,"scope":null,"active":false}`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	lines := cartOf("a 0.01 x999999 c1; b 19.99 x3 c1,c2; c 0.00; d 70000000000.00 x100")
	f.Fuzz(func(t *testing.T, text []byte) {
		var p Promotion
		if json.Unmarshal(text, &p) != nil {
			return
		}
		invalid := p.Validate()
		if invalid != nil && len(pointers(invalid)) == 0 {
			t.Fatal("a refusal that names nothing")
		}
		// What should have been refused must not stop a shop either.
		rules := Compile([]Promotion{p})
		rules.Needs(lines, &User{}, noon)
		mustPrice(t, Input{Now: noon, Lines: lines, Rules: rules, Gifts: known, Explain: true})
		if invalid != nil {
			return
		}
		if on := p.Active == nil || *p.Active; (len(rules.rules) == 1) != on {
			t.Fatalf("%s is right and was compiled to %d rules", text, len(rules.rules))
		}
		out, err := json.Marshal(&p)
		if err != nil {
			t.Fatal(err)
		}
		var again Promotion
		if err := json.Unmarshal(out, &again); err != nil {
			t.Fatal(err)
		}
		if err := again.Validate(); err != nil {
			t.Fatalf("%s became %s: %v", text, out, err)
		}
	})
}
