package pricing

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/money"
)

// TestExplain: the explanation of each rule, in both languages: "id: en / zh".
func TestExplain(t *testing.T) {
	name := func(id string) option {
		return named(map[string]string{"f": "限时价", "o": "满100减10", "p": "九折"}[id])
	}
	for _, r := range []struct {
		name    string
		cart    string
		rules   []Promotion
		coupons []Coupon
		want    []string
	}{
		{"what is missing", "a 87.50", rules(off("o", "100.00", "10.00", name("o"))), nil,
			[]string{"o: 12.50 more for 满100减10 / 再买12.50元可享满100减10"}},
		{"a discount that took it below and gives less", "a 105.00", rules(fixed("f", "99.00", name("f")), off("o", "100.00", "10.00", name("o"))), nil,
			[]string{"o: 1.00 more for 满100减10; 100.00 was reached before 限时价 took 6.00 off; without 限时价 this cart costs 4.00 less / 再买1.00元可享满100减10；限时价优惠6.00元之前已满100.00元；不用限时价可少付4.00元", "f:  / "}},
		{"one that took it below and gives more", "a 105.00", rules(fixed("f", "90.00", name("f")), off("o", "100.00", "10.00", name("o"))), nil,
			[]string{"o: 10.00 more for 满100减10; 100.00 was reached before 限时价 took 15.00 off / 再买10.00元可享满100减10；限时价优惠15.00元之前已满100.00元", "f:  / "}},
		{"one that gives the same", "a 105.00", rules(fixed("f", "95.00", name("f")), off("o", "100.00", "10.00", name("o"))), nil,
			[]string{"o: 5.00 more for 满100减10; 100.00 was reached before 限时价 took 10.00 off / 再买5.00元可享满100减10；限时价优惠10.00元之前已满100.00元", "f:  / "}},
		{"it cannot be left out of the whole", "a 105.00; b 10.00", rules(fixed("f", "99.00", name("f")), off("o", "100.00", "10.00", skus("a"), name("o"))), nil,
			[]string{"o: 1.00 more for 满100减10; 100.00 was reached before 限时价 took 6.00 off; without 限时价 this cart costs 4.00 less / 再买1.00元可享满100减10；限时价优惠6.00元之前已满100.00元；不用限时价可少付4.00元", "f:  / "}},
		{"a discount on other lines has no part in it", "a 105.00; b 10.00", rules(fixed("f", "99.00", skus("a"), name("f")), fixed("g", "1.00", skus("b")), off("o", "100.00", "10.00", skus("a"), name("o"))), nil,
			[]string{"o: 1.00 more for 满100减10; 100.00 was reached before 限时价 took 6.00 off; without 限时价 this cart costs 4.00 less / 再买1.00元可享满100减10；限时价优惠6.00元之前已满100.00元；不用限时价可少付4.00元", "f:  / ", "g:  / "}},
		{"two took it below, either would do", "a 110.00", rules(fixed("f", "104.00", name("f")), percent("p", "5", priority(1), name("p")), off("o", "100.00", "50.00", name("o"))), nil,
			[]string{"o: 1.20 more for 满100减10; 100.00 was reached before 限时价 took 6.00 off, 九折 took 5.20 off; without 限时价 this cart costs 44.30 less; without 九折 this cart costs 44.80 less / 再买1.20元可享满100减10；限时价优惠6.00元、九折优惠5.20元之前已满100.00元；不用限时价可少付44.30元；不用九折可少付44.80元", "f:  / ", "p:  / "}},
		{"two took it below, neither alone would do", "a 110.00", rules(fixed("f", "99.00", name("f")), percent("p", "20", priority(1), name("p")), off("o", "100.00", "50.00", name("o"))), nil,
			[]string{"o: 20.80 more for 满100减10; 100.00 was reached before 九折 took 19.80 off, 限时价 took 11.00 off / 再买20.80元可享满100减10；九折优惠19.80元、限时价优惠11.00元之前已满100.00元", "f:  / ", "p:  / "}},
		{"many took it below: the largest are named", "a 100.00", rules(off("r", "1.00", "1.00", priority(9)), off("s", "1.00", "2.00", priority(9)), off("t", "1.00", "3.00", priority(9)), off("u", "1.00", "4.00", priority(9)), off("v", "1.00", "5.00", priority(9)), off("o", "100.00", "10.00")), nil,
			[]string{"o: 15.00 more for o; 100.00 was reached before v took 5.00 off, u took 4.00 off, t took 3.00 off, 2 more took the rest off / 再买15.00元可享o；v优惠5.00元、u优惠4.00元、t优惠3.00元、另有2项优惠之前已满100.00元", "r:  / ", "s:  / ", "t:  / ", "u:  / ", "v:  / "}},
		{"a coupon below its threshold", "a 105.00", rules(fixed("f", "99.00", name("f"))), coupons(couponOff("C", "100.00", "10.00")),
			[]string{"C: 1.00 more for C; 100.00 was reached before 限时价 took 6.00 off; without 限时价 this cart costs 4.00 less / 再买1.00元可享C；限时价优惠6.00元之前已满100.00元；不用限时价可少付4.00元", "f:  / "}},
		{"a coupon that another took below", "a 100.00", nil, coupons(couponPercent("P", "1", stackable), couponOff("C", "100.00", "10.00")),
			[]string{"C: 1.00 more for C; 100.00 was reached before P took 1.00 off; without P this cart costs 9.00 less / 再买1.00元可享C；P优惠1.00元之前已满100.00元；不用P可少付9.00元", "P:  / "}},
		{"a gift that a discount cost", "b 105.00", rules(off("o", "1.00", "6.00", priority(1)), gives("g", "100.00", "mug", 1)), nil,
			[]string{"g: 1.00 more for g; 100.00 was reached before o took 6.00 off / 再买1.00元可享g；o优惠6.00元之前已满100.00元", "o:  / "}},
		{"a tier", "a 105.00", rules(percent("p", "10", priority(1), name("p")), tiers("t", "100.00:20.00 200.00:50.00")), nil,
			[]string{"t: 5.50 more for t; 100.00 was reached before 九折 took 10.50 off; without 九折 this cart costs 9.50 less / 再买5.50元可享t；九折优惠10.50元之前已满100.00元；不用九折可少付9.50元", "p:  / "}},
		{"coupons that may not be used", "a 1.00", nil, coupons(
			Coupon{Code: "A", TemplateID: "A", Refused: CouponLocked, Detail: "order 17 holds this code"},
			Coupon{Code: "B", TemplateID: "B", Refused: CouponExpired},
			Coupon{Code: "C", TemplateID: "C", Refused: "coupon_odd", DetailZh: "怪券"},
			couponOff("D", "0", "1.00", couponSkus("z")), couponOff("E", "0", "0.50"), couponOff("F", "0", "1.00")),
			[]string{"A: order 17 holds this code / 此券已被其他订单占用", "B: this code has expired / 此券已过期", "C: it cannot be used: coupon_odd / 怪券", "D: no item is in its scope / 没有适用的商品", "F: does not combine with E / 不能与E叠加使用", "E:  / "}},
		{"exclusive", "a 100.00", rules(percent("p", "10", group("g"), name("p")), percent("q", "9", group("g"))), nil,
			[]string{"q: only one of g applies: 九折 gives 10.00, this 9.00 / g只能享受一项：九折优惠10.00元，此项9.00元", "p:  / "}},

		{"sets", "a 10.00 x4; b 10.00 x5", rules(bundled("s", "a x2 b", "5.00")), nil, []string{"s: 2 sets / 2套"}},
		{"one set", "a 10.00; b 10.00", rules(bundled("s", "a b", "5.00")), nil, []string{"s: 1 set / 1套"}},
		{"free units", "a 10.00 x7", rules(buyGet("b", 2, 1)), nil, []string{"b: 2 of 6 units are free / 6件中2件免费"}},
		{"n-th units", "a 10.00 x5; b 1.00 x2", rules(nth("n", 2, "50")), nil, []string{"n: 3 × 50 % off / 3件减50%"}},
		{"a tier, and what the next wants", "a 150.00", rules(tiers("t", "100.00:20.00 200.00:50.00")), nil, []string{"t: 100.00 is reached; 50.00 more for the next tier, 200.00 / 已满100.00元；再买50.00元可达下一档200.00元"}},
		{"the last tier", "a 250.00", rules(tiers("t", "100.00:20.00 200.00:50.00")), nil, []string{"t: 200.00 is reached / 已满200.00元"}},
		{"times", "a 350.00", rules(off("o", "100.00", "10.00", repeat)), nil, []string{"o: 3 × 10.00 / 3 × 10.00元"}},
		{"at most", "a 350.00", rules(percent("p", "10", atMost("20.00"))), nil, []string{"p: at most 20.00 / 至多减20.00元"}},
		{"less than the most", "a 350.00", rules(percent("p", "10", atMost("35.00"))), nil, []string{"p:  / "}},
		{"a gift", "b 350.00", rules(gives("g", "10.00", "mug", 2)), nil, []string{"g: 2 × the mug / 赠the mug2件"}},
		{"a coupon, at most", "a 100.00", nil, coupons(couponPercent("C", "50", func(c *Coupon) { c.MaxDiscount = 100 })), []string{"C: at most 1.00 / 至多减1.00元"}},

		{"units missing", "a 10.00 x3", rules(buyGet("b", 3, 1), nth("n", 4, "50")), nil, []string{"b: 1 more for b / 再买1件可享b", "n: 1 more of one item for n / 同款再买1件可享n"}},
		{"units elsewhere", "a 10.00 x3", rules(buyGet("b", 2, 1), nth("n", 2, "50")), nil, []string{"n: 2 more of one item for n; 3 take part in another offer / 同款再买2件可享n；有3件已参加其他优惠", "b: 1 of 3 units are free / 3件中1件免费"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			q := mustPrice(t, Input{Now: noon, Lines: cartOf(r.cart), Rules: Compile(r.rules), Coupons: r.coupons, Gifts: known, Explain: true})
			var got []string
			for _, s := range q.Skipped {
				got = append(got, s.ID+": "+s.Detail+" / "+s.DetailZh)
			}
			for _, a := range q.Applied {
				got = append(got, a.ID+": "+a.Detail+" / "+a.DetailZh)
			}
			if fmt.Sprint(got) != fmt.Sprint(r.want) {
				t.Errorf("\n got %q\nwant %q", got, r.want)
			}
		})
	}
}

// Twelve discounts each take another rule below its threshold.
func TestWhatIfsAreBounded(t *testing.T) {
	var all []Promotion
	lines := ""
	for i := range 12 {
		sku := fmt.Sprintf("s%02d", i)
		lines += sku + " 105.00;"
		all = append(all, fixed("f"+sku, "99.00", skus(sku)), off("o"+sku, "100.00", "10.00", skus(sku)))
	}
	q := mustPrice(t, Input{Lines: cartOf(lines), Rules: Compile(all), Explain: true})
	said := 0
	for _, s := range q.Skipped {
		if strings.Contains(s.Detail, "this cart costs 4.00 less") {
			said++
		}
	}
	if len(q.Skipped) != 12 || said != mostWhatIfs {
		t.Errorf("%d of %d: %s", said, len(q.Skipped), say(q))
	}
}

// Explanations change no amount.
func TestExplainChangesNoAmount(t *testing.T) {
	checkInputs(t, func(t *rapid.T, in Input, _ []Promotion) {
		plain := mustPrice(t, in)
		in.Explain = true
		said := mustPrice(t, in)
		if x, y := toJSON(t, said), toJSON(t, mustPrice(t, in)); !bytes.Equal(x, y) {
			t.Fatalf("%s\n%s", x, y)
		}
		for _, q := range []*Quote{plain, said} {
			for i := range q.Applied {
				q.Applied[i].Detail, q.Applied[i].DetailZh = "", ""
			}
			for i := range q.Skipped {
				q.Skipped[i].Detail, q.Skipped[i].DetailZh = "", ""
			}
		}
		if x, y := toJSON(t, plain), toJSON(t, said); !bytes.Equal(x, y) {
			t.Fatalf("%s\n%s", x, y)
		}
	})
}

// A lower price that a quote announces is the one that results.
func TestWhatIfIsTrue(t *testing.T) {
	promised := 0
	for seed := range 3000 {
		in, promotions := randomInput(rand.New(rand.NewPCG(uint64(seed), 2)).IntN)
		in.Rules, in.Explain = Compile(promotions), true
		c, err := price(&in, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.sayWhatIf(&in)
		payable := c.left(c.every)
		for _, b := range c.below {
			for _, of := range b.blamed {
				var others []Promotion
				other := in
				other.Coupons = nil
				for _, p := range promotions {
					if of.from != FromPromotion || p.ID != of.id {
						others = append(others, p)
					}
				}
				for _, u := range in.Coupons {
					if of.from != FromCoupon || u.Code != of.code {
						other.Coupons = append(other.Coupons, u)
					}
				}
				other.Rules = Compile(others)
				q := mustPrice(t, other)
				want := fmt.Sprintf("without %s this cart costs %s less", of.name, money.FormatYuan(payable-q.Payable))
				if said := strings.Contains(c.skipped[b.skipped].Detail, want); said && q.Payable >= payable {
					t.Fatalf("%s", c.skipped[b.skipped].Detail)
				} else if said {
					promised++
				}
			}
		}
	}
	if promised < 10 {
		t.Errorf("%d promises were made", promised)
	}
}
