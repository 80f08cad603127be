package pricing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/money"
)

// randomInput makes a cart and promotions, with few different skus, prices
// and priorities, so that they meet. draw(n) is 0 to n-1; 0 is the plainest.
func randomInput(draw func(n int) int) (Input, []Promotion) {
	pick := func(list ...int64) int64 { return list[draw(len(list))] }
	some := func(from string) (list []string) {
		for _, c := range from {
			if draw(3) == 2 {
				list = append(list, string(c))
			}
		}
		return list
	}
	scope := func() *Scope {
		if draw(3) == 0 {
			return nil
		}
		s := &Scope{Skus: some("abcdz"), Categories: some("xyz")}
		if draw(3) == 2 {
			s.ExcludeSkus, s.ExcludeCategories = some("abcd"), some("xy")
		}
		return s
	}
	scale := pick(1, 1, 1, 100, 7_000_000_000)
	amount := func() int64 { return scale * pick(1, 2, 3, 5, 10, 33, 99, 100, 250, 1000) }
	percentage := func() money.Percent { return money.Percent(pick(1000, 1, 333, 1250, 5000, 9999, 10000)) }

	in := Input{Currency: "CNY", Now: noon, User: User{Level: []string{"", "gold", "silver"}[draw(3)], Tags: some("nv")}}
	for _, sku := range "abcdef" {
		if draw(2) == 1 {
			in.Lines = append(in.Lines, Line{
				Sku: string(sku), Categories: some("xyw"),
				UnitPrice: pick(amount(), amount(), 0), Quantity: int64(1 + draw(5)),
			})
		}
	}
	for i := len(in.Lines) - 1; i > 0; i-- {
		j := draw(i + 1)
		in.Lines[i], in.Lines[j] = in.Lines[j], in.Lines[i]
	}

	in.User.FirstOrder = draw(2) == 1
	in.Usage = map[string]Usage{}
	for _, sku := range "abgh" {
		if draw(5) < 4 {
			in.Gifts = append(in.Gifts, Gift{string(sku), "gift", pick(amount(), 0, amount(), amount(), -1), int64(draw(9) - 1)})
		}
	}
	var promotions []Promotion
	for i := range draw(9) {
		p := Promotion{ID: fmt.Sprint("p", i), Name: "n", Scope: scope(), Priority: draw(3)}
		switch draw(9) {
		case 0:
			off := percentage()
			p.Kind, p.PercentOff, p.MaxDiscount = "percent_off", &off, pick(0, 0, amount())
		case 1:
			p.Kind, p.Threshold, p.AmountOff, p.Repeat = "amount_off", amount(), amount(), draw(3) == 2
		case 2:
			p.Kind, p.Buy, p.Get = "buy_x_get_y", int64(1+draw(3)), int64(1+draw(2))
		case 3:
			p.Kind, p.Price = "fixed_price", amount()
		case 4:
			p.Kind, p.Price = "bundle", min(amount(), amount())
			for _, sku := range [][]string{{"b", "a"}, {"a"}, {"c", "a"}, {"d", "c", "b"}, {"b"}}[draw(5)] {
				p.Items = append(p.Items, BundleItem{sku, 1})
			}
			p.Items[0].Quantity += int64(draw(2))
			if len(p.Items) == 1 {
				p.Items[0].Quantity++
			}
		case 5:
			off := percentage()
			p.Kind, p.N, p.PercentOff = "nth_item", int64(2+draw(2)), &off
		case 6:
			p.Kind, p.N, p.Price = "n_for_price", int64(2+draw(3)), amount()
		case 7:
			p.Kind = "tiered"
			threshold := int64(0)
			for range 1 + draw(3) {
				threshold += amount()
				tier := Tier{Threshold: threshold}
				if draw(2) == 0 {
					tier.AmountOff = amount()
				} else {
					off := percentage()
					tier.PercentOff = &off
				}
				p.Tiers = append(p.Tiers, tier)
			}
		case 8:
			p.Kind, p.Threshold, p.GiftQuantity = "gift", amount(), int64(1+draw(3))
			p.GiftSku = []string{"a", "g", "h", "nowhere"}[draw(4)]
		}
		if draw(4) == 3 {
			p.FirstOrderOnly, p.UsageLimit, p.PerUserLimit, p.Budget = draw(3) == 2, pick(0, 2), pick(0, 2), pick(0, amount())
			if draw(2) == 1 {
				in.Usage[p.ID] = Usage{Uses: int64(draw(4)), ByUser: int64(draw(3)), Spent: pick(0, amount())}
			}
		}
		if draw(2) == 1 {
			p.ExclusiveGroup = []string{"g", "h"}[draw(2)]
		}
		if draw(5) == 4 {
			p.UserLevels, p.UserTags = []string{"gold"}, some("nv")
		}
		if draw(5) == 4 {
			from := noon.Add(time.Duration(draw(3)-1) * time.Hour)
			to := from.Add(time.Hour)
			p.StartsAt, p.EndsAt = &from, &to
		}
		if draw(10) == 9 {
			active := draw(2) == 1
			p.Active = &active
		}
		promotions = append(promotions, p)
	}
	for i := range draw(5) {
		c := Coupon{
			Code: fmt.Sprint("C", i), TemplateID: fmt.Sprint("t", i%2), Name: "c", Scope: scope(),
			Threshold: pick(0, amount()), Stackable: draw(2) == 1,
		}
		if draw(2) == 0 {
			c.Kind, c.AmountOff = "amount_off", amount()
		} else {
			c.Kind, c.PercentOff, c.MaxDiscount = "percent_off", percentage(), pick(0, amount())
		}
		if draw(8) == 7 {
			c.Refused, c.Detail = CouponUsed, "used"
		}
		in.Coupons = append(in.Coupons, c)
	}
	in.Rules = Compile(promotions)
	return in, promotions
}

// checkInputs runs a property on random inputs that shrink.
func checkInputs(t *testing.T, property func(t *rapid.T, in Input, promotions []Promotion)) {
	rapid.Check(t, func(t *rapid.T) {
		in, promotions := randomInput(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") })
		property(t, in, promotions)
	})
}

func toJSON(t *rapid.T, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// same fails unless two prices are the same to the byte.
func same(t *rapid.T, a, b Input) {
	if x, y := toJSON(t, mustPrice(t, a)), toJSON(t, mustPrice(t, b)); !bytes.Equal(x, y) {
		t.Fatalf("%s\n%s", x, y)
	}
}

func TestEveryQuoteAddsUp(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, _ []Promotion) { mustPrice(t, in) })
}

// A discount is taken off lines in scope only, and is never more than what
// they had left when it was taken; a gift's is its value.
func TestNoDiscountAboveItsBase(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, promotions []Promotion) {
		q := mustPrice(t, in)
		left := make([]int64, len(q.Lines))
		for i, l := range q.Lines {
			left[i] = l.Total
		}
		categories := map[string][]string{}
		for _, l := range in.Lines {
			categories[l.Sku] = l.Categories
		}
		for _, a := range q.Applied {
			var scope *Scope
			for _, p := range promotions {
				if a.Source == FromPromotion && p.ID == a.ID {
					scope = p.Scope
				}
			}
			for _, c := range in.Coupons {
				if a.Source == FromCoupon && c.Code == a.Code {
					scope = c.Scope
				}
			}
			var base int64
			for i, l := range q.Lines {
				if !l.Gift && naiveInScope(scope, Line{Sku: l.Sku, Categories: categories[l.Sku]}) {
					base += left[i]
				}
			}
			for _, s := range a.Shares {
				l := q.Lines[s.Line]
				if l.Gift {
					base = l.Total
				} else if !naiveInScope(scope, Line{Sku: l.Sku, Categories: categories[l.Sku]}) {
					t.Fatalf("%s takes something off %s", a.ID, l.Sku)
				}
				left[s.Line] -= s.Amount
			}
			if a.Amount > base {
				t.Fatalf("%s takes %d off %d", a.ID, a.Amount, base)
			}
		}
	})
}

func TestSameInputSameBytes(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, promotions []Promotion) {
		again := in
		again.Rules = Compile(promotions)
		same(t, in, again)
	})
}

func TestOrderOfLinesAndPromotionsIsIrrelevant(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, promotions []Promotion) {
		other := in
		other.Lines = rapid.Permutation(in.Lines).Draw(t, "lines")
		other.Rules = Compile(rapid.Permutation(promotions).Draw(t, "promotions"))
		same(t, in, other)
	})
}

func TestPromotionWithoutLineChangesNothing(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, promotions []Promotion) {
		other := in
		_, more := randomInput(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "more") })
		for i, p := range more {
			p.ID = fmt.Sprint("m", i)
			p.Scope = &Scope{Skus: []string{"elsewhere"}}
			promotions = append(promotions, p)
		}
		other.Rules = Compile(promotions)
		same(t, in, other)
	})
}

func TestCouponNotAppliedChangesNothing(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, _ []Promotion) {
		q := mustPrice(t, in)
		var used []Coupon
		for _, c := range in.Coupons {
			if slices.ContainsFunc(q.Applied, func(a Applied) bool { return a.Code == c.Code && a.Source == FromCoupon }) {
				used = append(used, c)
			}
		}
		other := in
		other.Coupons = used
		less := mustPrice(t, other)
		if x, y := toJSON(t, q.Lines), toJSON(t, less.Lines); !bytes.Equal(x, y) {
			t.Fatalf("%s\n%s", x, y)
		}
		if x, y := toJSON(t, q.Applied), toJSON(t, less.Applied); !bytes.Equal(x, y) {
			t.Fatalf("%s\n%s", x, y)
		}
	})
}

func TestCouponsNeverRaiseThePrice(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, _ []Promotion) {
		other := in
		other.Coupons = nil
		if with, without := mustPrice(t, in), mustPrice(t, other); with.Payable > without.Payable {
			t.Fatalf("%d with coupons, %d without", with.Payable, without.Payable)
		}
	})
}
