package pricing

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/money"
)

// row is one case of a table: a cart, the rules, and what the quote says, in
// the notation of cartOf and say.
type row struct {
	name    string
	cart    string
	rules   []Promotion
	coupons []Coupon
	want    string
}

// known is what the shop of the tables can give.
var known = []Gift{
	{Sku: "mug", Name: "the mug", UnitPrice: 2000, Available: 3},
	{Sku: "a", Name: "the a", UnitPrice: 1000, Available: 5},
	{Sku: "leaflet", Name: "the leaflet", UnitPrice: 0, Available: 1000},
	{Sku: "gone", Name: "the gone", UnitPrice: 100, Available: 0},
	{Sku: "oversold", Name: "the oversold", UnitPrice: 100, Available: -3},
	{Sku: "gold", Name: "the gold", UnitPrice: money.Max, Available: 1000},
	{Sku: "broken", Name: "the broken", UnitPrice: -1, Available: 1000},
}

func runRows(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			in := Input{Currency: "CNY", Now: noon, Lines: cartOf(r.cart), Rules: Compile(r.rules), Coupons: r.coupons, Gifts: known}
			if got := say(mustPrice(t, in)); got != r.want {
				t.Errorf("%s\n got %s\nwant %s", r.cart, got, r.want)
			}
		})
	}
}

// mustPrice prices, and checks what is true of every quote.
func mustPrice(t interface {
	Helper()
	Fatal(args ...any)
}, in Input) *Quote {
	t.Helper()
	q, err := Price(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := invariants(in, q); err != nil {
		t.Fatal(err, say(q))
	}
	return q
}

// invariants are what the doc of Quote promises, and the package comment.
func invariants(in Input, q *Quote) error {
	if q.Lines == nil || q.Applied == nil || q.Skipped == nil {
		return fmt.Errorf("a list is nil")
	}
	bought := len(in.Lines)
	if len(q.Lines) < bought {
		return fmt.Errorf("%d lines of %d", len(q.Lines), bought)
	}
	var total, discount, payable int64
	left := make([]int64, len(q.Lines))
	for i, l := range q.Lines {
		if i > 0 && i < bought && l.Sku <= q.Lines[i-1].Sku {
			return fmt.Errorf("lines are not in sku order")
		}
		if l.Gift != (i >= bought) || l.Gift && l.Payable != 0 {
			return fmt.Errorf("line %d: gift is %v", i, l.Gift)
		}
		if l.Total != l.UnitPrice*l.Quantity || l.Payable != l.Total-l.Discount || l.Discount < 0 || l.Payable < 0 {
			return fmt.Errorf("line %s does not add up", l.Sku)
		}
		total, discount, payable, left[i] = total+l.Total, discount+l.Discount, payable+l.Payable, l.Total
	}
	if q.Total != total || q.Discount != discount || q.Payable != payable || payable != total-discount {
		return fmt.Errorf("lines do not add up to the quote")
	}
	seen := map[string]bool{}
	answered := func(s Source, id, code string) error {
		key := fmt.Sprint(s, "/", id, "/", code)
		if seen[key] {
			return fmt.Errorf("%s is answered twice", key)
		}
		seen[key] = true
		return nil
	}
	for _, a := range q.Applied {
		if err := answered(a.Source, a.ID, a.Code); err != nil {
			return err
		}
		var sum int64
		if gift := a.Kind == "gift"; gift && (len(a.Shares) != 1 || !q.Lines[a.Shares[0].Line].Gift) {
			return fmt.Errorf("%s: is not about one gift line", a.ID)
		}
		for n, s := range a.Shares {
			if s.Amount < 0 || s.Amount == 0 && a.Kind != "gift" || n > 0 && s.Line <= a.Shares[n-1].Line {
				return fmt.Errorf("%s: share %d", a.ID, n)
			}
			sum += s.Amount
			if left[s.Line] -= s.Amount; left[s.Line] < 0 {
				return fmt.Errorf("%s takes line %d below 0", a.ID, s.Line)
			}
		}
		if sum != a.Amount || len(a.Shares) == 0 {
			return fmt.Errorf("%s: shares do not add up", a.ID)
		}
		discount -= sum
	}
	if discount != 0 {
		return fmt.Errorf("applied discounts are not the quote's: %d", discount)
	}
	for i, l := range q.Lines {
		if left[i] != l.Payable {
			return fmt.Errorf("line %s: shares are not its discount", l.Sku)
		}
	}
	for _, s := range q.Skipped {
		if err := answered(s.Source, s.ID, s.Code); err != nil {
			return err
		}
		if s.Reason == "" || s.Missing < 0 || s.Detail == "" || s.DetailZh == "" {
			return fmt.Errorf("%s is skipped without saying why", s.ID)
		}
	}
	for _, c := range in.Coupons {
		if !seen[fmt.Sprint(FromCoupon, "/", c.TemplateID, "/", c.Code)] {
			return fmt.Errorf("coupon %s is not answered", c.Code)
		}
	}
	return nil
}

// cartOf reads "a 10.00 x3 shoes,sale; b 5.00": sku, unit price, quantity and
// categories, the last two optional.
func cartOf(text string) []Line {
	var all []Line
	for part := range strings.SplitSeq(text, ";") {
		f := strings.Fields(part)
		if len(f) == 0 {
			continue
		}
		unit, err := money.ParseYuan(f[1])
		if err != nil {
			panic(err)
		}
		l := Line{Sku: f[0], Name: "the " + f[0], UnitPrice: unit, Quantity: 1}
		for _, rest := range f[2:] {
			if n, err := strconv.ParseInt(strings.TrimPrefix(rest, "x"), 10, 64); err == nil {
				l.Quantity = n
			} else {
				l.Categories = strings.Split(rest, ",")
			}
		}
		all = append(all, l)
	}
	slices.Reverse(all) // the order must not matter
	return all
}

// say writes what each line comes to, what was taken off and what was not:
// "a 9.00 b 5.00 | p 1.00 (a 1.00) | q threshold_not_met: 1.00 more for q".
func say(q *Quote) string {
	var b strings.Builder
	for i, l := range q.Lines {
		fmt.Fprintf(&b, "%s%s %s", sep(i, " "), l.Sku, money.FormatYuan(l.Payable))
	}
	b.WriteString(" |")
	for i, a := range q.Applied {
		fmt.Fprintf(&b, "%s %s %s (", sep(i, ","), a.ID, money.FormatYuan(a.Amount))
		for n, s := range a.Shares {
			fmt.Fprintf(&b, "%s%s %s", sep(n, " "), q.Lines[s.Line].Sku, money.FormatYuan(s.Amount))
		}
		b.WriteString(")")
	}
	b.WriteString(" |")
	for i, s := range q.Skipped {
		fmt.Fprintf(&b, "%s %s %s: %s", sep(i, ","), s.ID, s.Reason, s.Detail)
	}
	return b.String()
}

func sep(i int, s string) string {
	if i == 0 {
		return ""
	}
	return s
}

// The builders of rules: each takes its kind's parameters, then whatever else
// is the explanation of the rule. Amounts and percentages are as people write them.

type option func(p *Promotion)

func rules(p ...Promotion) []Promotion { return p }

func build(p Promotion, options []option) Promotion {
	p.Name = p.ID
	for _, o := range options {
		o(&p)
	}
	return p
}

func fixed(id, price string, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "fixed_price", Price: yuan(price)}, o)
}

func percent(id, off string, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "percent_off", PercentOff: pct(off)}, o)
}

func off(id, threshold, off string, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "amount_off", Threshold: yuan(threshold), AmountOff: yuan(off)}, o)
}

func buyGet(id string, buy, get int64, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "buy_x_get_y", Buy: buy, Get: get}, o)
}

// bundled is a bundle of "a b x2".
func bundled(id, items, price string, o ...option) Promotion {
	p := Promotion{ID: id, Kind: "bundle", Price: yuan(price)}
	for _, word := range strings.Fields(items) {
		if n, err := strconv.ParseInt(strings.TrimPrefix(word, "x"), 10, 64); err == nil {
			p.Items[len(p.Items)-1].Quantity = n
		} else {
			p.Items = append(p.Items, BundleItem{Sku: word, Quantity: 1})
		}
	}
	return build(p, o)
}

func nth(id string, n int64, off string, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "nth_item", N: n, PercentOff: pct(off)}, o)
}

// tiers is of "100.00:10.00 200.00:12.5%".
func tiers(id, list string, o ...option) Promotion {
	p := Promotion{ID: id, Kind: "tiered"}
	for _, word := range strings.Fields(list) {
		threshold, off, _ := strings.Cut(word, ":")
		t := Tier{Threshold: yuan(threshold)}
		if percent, ok := strings.CutSuffix(off, "%"); ok {
			t.PercentOff = pct(percent)
		} else {
			t.AmountOff = yuan(off)
		}
		p.Tiers = append(p.Tiers, t)
	}
	return build(p, o)
}

func gives(id, threshold, sku string, quantity int64, o ...option) Promotion {
	return build(Promotion{ID: id, Kind: "gift", Threshold: yuan(threshold), GiftSku: sku, GiftQuantity: quantity}, o)
}

func repeat(p *Promotion)         { p.Repeat = true }
func atMost(amount string) option { return func(p *Promotion) { p.MaxDiscount = yuan(amount) } }
func priority(n int) option       { return func(p *Promotion) { p.Priority = n } }
func group(name string) option    { return func(p *Promotion) { p.ExclusiveGroup = name } }
func named(name string) option    { return func(p *Promotion) { p.Name = name } }
func skus(list ...string) option  { return func(p *Promotion) { scopeOf(&p.Scope).Skus = list } }
func notSkus(list ...string) option {
	return func(p *Promotion) { scopeOf(&p.Scope).ExcludeSkus = list }
}
func categories(list ...string) option {
	return func(p *Promotion) { scopeOf(&p.Scope).Categories = list }
}
func notCategory(list ...string) option {
	return func(p *Promotion) { scopeOf(&p.Scope).ExcludeCategories = list }
}
func forLevel(list ...string) option     { return func(p *Promotion) { p.UserLevels = list } }
func couponSkus(list ...string) cpOption { return func(c *Coupon) { scopeOf(&c.Scope).Skus = list } }

func scopeOf(s **Scope) *Scope {
	if *s == nil {
		*s = &Scope{}
	}
	return *s
}

type cpOption func(c *Coupon)

func coupons(c ...Coupon) []Coupon { return c }

// couponOff has a threshold of "0" when it has none.
func couponOff(code, threshold, off string, o ...cpOption) Coupon {
	return buildCoupon(Coupon{Code: code, Kind: "amount_off", Threshold: yuan(threshold), AmountOff: yuan(off)}, o)
}

func couponPercent(code, off string, o ...cpOption) Coupon {
	return buildCoupon(Coupon{Code: code, Kind: "percent_off", PercentOff: *pct(off)}, o)
}

func buildCoupon(c Coupon, options []cpOption) Coupon {
	c.TemplateID, c.Name = c.Code, c.Code
	for _, o := range options {
		o(&c)
	}
	return c
}

func stackable(c *Coupon) { c.Stackable = true }

func yuan(s string) int64 {
	v, err := money.ParseYuan(s)
	if err != nil {
		panic(err)
	}
	return v
}

func pct(s string) *money.Percent {
	v, err := money.ParsePercent(s)
	if err != nil {
		panic(err)
	}
	return &v
}

// runValidation checks the members at fault, "/price /buy".
func runValidation(t *testing.T, rows []invalid) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			p := r.promotion
			if got := pointers(p.Validate()); !reflect.DeepEqual(got, strings.Fields(r.want)) {
				t.Errorf("at fault: %v, want [%s]; %v", got, r.want, p.Validate())
			}
		})
	}
}

type invalid struct {
	name      string
	promotion Promotion
	want      string // pointers; "" is a right promotion
}
