package pricing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
)

func until(days int) cpOption {
	return func(c *Coupon) { c.ValidUntil = noon.AddDate(0, 0, days) }
}

func TestBest(t *testing.T) {
	refused := couponOff("R", "0", "99.00")
	refused.Refused, refused.Detail = CouponExpired, "ended yesterday"
	for _, r := range []struct {
		name   string
		cart   string
		rules  []Promotion
		wallet []Coupon
		want   string // the payable, and the codes in the order to give them
	}{
		{"no coupons", "a 100.00", nil, nil, "100.00"},
		{"none applies", "a 10.00", nil, coupons(couponOff("A", "20.00", "1.00"), couponOff("B", "0", "1.00", couponSkus("b"))), "10.00"},
		{"the larger of two that do not stack", "a 100.00", nil, coupons(couponOff("A", "0", "10.00"), couponPercent("P", "12")), "88.00 P"},
		{"one that does not stack beside those that do", "a 100.00", nil, coupons(couponOff("A", "0", "10.00"), couponOff("B", "0", "1.00", stackable), couponOff("C", "0", "11.00")), "88.00 C B"},
		{"an order that a threshold asks for", "a 100.00", nil, coupons(couponOff("A", "0", "30.00", stackable), couponOff("B", "90.00", "10.00", stackable)), "60.00 B A"},
		{"less of a percentage for a threshold", "a 100.00", nil, coupons(couponPercent("P", "10", stackable), couponOff("B", "95.00", "20.00", stackable)), "80.00 B"},
		{"both when both can", "a 200.00", nil, coupons(couponPercent("P", "10", stackable), couponOff("B", "95.00", "20.00", stackable)), "160.00 P B"},
		{"rounding decides an order", "a 0.98", nil, coupons(couponPercent("P", "33", stackable), couponPercent("Q", "50", stackable)), "0.33 Q P"},
		{"scopes", "a 10.00; b 20.00", nil, coupons(couponOff("A", "0", "9.00", couponSkus("a")), couponPercent("B", "50", couponSkus("b"))), "20.00 B"},
		{"after the promotions", "a 100.00", rules(percent("p", "10")), coupons(couponOff("A", "100.00", "50.00"), couponOff("B", "90.00", "5.00")), "85.00 B"},
		{"nothing more than is left", "a 10.00", nil, coupons(couponOff("A", "0", "6.00", stackable), couponOff("B", "0", "7.00", stackable), couponOff("C", "0", "5.00", stackable)), "0.00 B A"},
		{"a refused one is not for use", "a 100.00", nil, coupons(refused, couponOff("B", "0", "5.00")), "95.00 B"},
		{"fewest of those that come to the same", "a 10.00", nil, coupons(couponOff("A", "0", "5.00", stackable, until(1)), couponOff("B", "0", "5.00", stackable, until(1)), couponOff("C", "0", "10.00", stackable)), "0.00 C"},
		{"then the one that expires first", "a 10.00", nil, coupons(couponOff("A", "0", "5.00"), couponOff("B", "0", "5.00", until(2)), couponOff("C", "0", "5.00", until(1)), couponOff("D", "0", "5.00", until(1))), "5.00 C"},
		{"of other rules too", "a 10.00", nil, coupons(couponOff("A", "0", "5.00", until(2)), couponPercent("P", "50", until(1))), "5.00 P"},
		{"then the codes that sort first", "a 10.00", nil, coupons(couponOff("B", "0", "5.00"), couponPercent("A", "50"), couponOff("C", "0", "5.00")), "5.00 A"},
		{"two of one template", "a 10.00", nil, coupons(couponOff("B", "0", "3.00", stackable, until(3)), couponOff("A", "0", "3.00", stackable)), "4.00 B A"},
	} {
		t.Run(r.name, func(t *testing.T) {
			choice := mustBest(t, Input{Now: noon, Lines: cartOf(r.cart), Rules: Compile(r.rules)}, r.wallet)
			got := strings.TrimSpace(money.FormatYuan(choice.Quote.Payable) + " " + strings.Join(choice.Codes, " "))
			if got != r.want {
				t.Errorf("%s, want %s", got, r.want)
			}
			if choice.Stopped || choice.Codes == nil {
				t.Errorf("%+v", choice)
			}
		})
	}
}

func TestBestRefuses(t *testing.T) {
	if _, err := Best(Input{Lines: []Line{{Sku: "a", Quantity: 0}}}, nil); !fault.Is(err, fault.ValidationFailed) {
		t.Errorf("a line without units: %v", err)
	}
	twice := coupons(couponOff("A", "0", "1.00"), couponOff("B", "0", "1.00"), couponOff("A", "0", "1.00"))
	_, err := Best(Input{Lines: cartOf("a 1.00")}, twice)
	if got := pointers(err); len(got) != 1 || got[0] != "/couponCodes" {
		t.Errorf("a code twice: %v", err)
	}
}

// Twenty of 1.00 are all that may be given of thirty; and of the others only
// the soonest to expire are considered.
func TestBestLimits(t *testing.T) {
	var same, different []Coupon
	for i := range 3 * MaxWallet {
		same = append(same, couponOff(fmt.Sprintf("S%03d", i), "0", "1.00", stackable, until(900-i)))
		different = append(different, couponOff(fmt.Sprintf("D%03d", i), "0", money.FormatYuan(int64(100+i)), until(900-i)))
	}
	in := Input{Now: noon, Lines: cartOf("a 100.00")}
	all := mustBest(t, in, same)
	if all.Stopped || all.Of != len(same) || len(all.Codes) != MaxCoupons || all.Codes[0] != "S599" || all.Codes[MaxCoupons-1] != "S580" || all.Quote.Payable != 8000 {
		t.Errorf("of one template: %+v", all)
	}
	some := mustBest(t, in, different)
	if !some.Stopped || some.Of != len(different) || len(some.Codes) != 1 || some.Codes[0] != "D599" {
		t.Errorf("of many: %+v", some)
	}
	most := mustBest(t, in, different[:MaxWallet])
	if most.Stopped || most.Of != MaxWallet || most.Codes[0] != fmt.Sprintf("D%03d", MaxWallet-1) {
		t.Errorf("as many as are considered: %+v", most)
	}
}

// A search that ends at its limit says so and still has a choice.
func TestBestStops(t *testing.T) {
	in := benchInput()
	wallet := benchWallet(200, 200)
	choice := mustBest(t, in, wallet)
	none := mustPrice(t, in)
	if !choice.Stopped || choice.Quote.Payable >= none.Payable || len(choice.Codes) == 0 {
		t.Errorf("stopped %v after %v, %d of %d", choice.Stopped, choice.Codes, choice.Quote.Payable, none.Payable)
	}
	if again := mustBest(t, in, wallet); !slices.Equal(again.Codes, choice.Codes) {
		t.Errorf("%v, then %v", choice.Codes, again.Codes)
	}
}

// tester is a test of Go's or of rapid's.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// mustBest checks what is true of every choice: the codes given to Price come
// to the same, all of them apply, and nothing was changed.
func mustBest(t tester, in Input, wallet []Coupon) Choice {
	t.Helper()
	before := fmt.Sprintf("%+v %+v", in.Lines, wallet)
	choice, err := Best(in, wallet)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v %+v", in.Lines, wallet) != before {
		t.Fatal("the input was changed")
	}
	in.Coupons = nil
	for _, code := range choice.Codes {
		at := slices.IndexFunc(wallet, func(c Coupon) bool { return c.Code == code })
		in.Coupons = append(in.Coupons, wallet[at])
	}
	q := mustPrice(t, in)
	given, _ := json.Marshal(q)
	best, _ := json.Marshal(choice.Quote)
	if !bytes.Equal(given, best) {
		t.Fatal("the chosen codes come to something else:\n", string(best), "\n", string(given))
	}
	applied := 0
	for _, a := range q.Applied {
		if a.Source == FromCoupon {
			applied++
		}
	}
	if applied != len(choice.Codes) {
		t.Fatal("not all of", choice.Codes, "apply")
	}
	return choice
}

// randomWallet makes coupons of few different amounts, ends and scopes, so
// that they meet, tie and stand in each other's way.
func randomWallet(draw func(n int) int, most int) []Coupon {
	pick := func(list ...int64) int64 { return list[draw(len(list))] }
	scale := pick(1, 1, 1, 100)
	amount := func() int64 { return scale * pick(1, 2, 3, 5, 10, 33, 99, 100, 250) }
	scopes := []*Scope{nil, {Skus: []string{"a", "b"}}, {Categories: []string{"x"}}, {ExcludeSkus: []string{"a"}}}[:1+draw(4)]
	var wallet []Coupon
	for i := range draw(most + 1) {
		if len(wallet) > 0 && draw(4) == 3 { // another of a template
			c := wallet[draw(len(wallet))]
			c.Code = fmt.Sprint("C", i)
			wallet = append(wallet, c)
			continue
		}
		c := Coupon{
			Code: fmt.Sprint("C", i), TemplateID: fmt.Sprint("t", i), Name: "c", Scope: scopes[draw(len(scopes))],
			Threshold: pick(0, amount()), Stackable: draw(4) > 0,
		}
		if draw(3) == 0 {
			c.Kind, c.PercentOff, c.MaxDiscount = "percent_off", money.Percent(pick(1000, 1, 333, 1250, 5000, 10000)), pick(0, 0, amount())
		} else {
			c.Kind, c.AmountOff = "amount_off", amount()
		}
		if draw(2) == 1 {
			c.ValidUntil = noon.Add(time.Duration(1+draw(3)) * time.Hour)
		}
		if draw(12) == 11 {
			c.Refused, c.Detail = CouponUsed, "used"
		}
		wallet = append(wallet, c)
	}
	return wallet
}

// checkWallets runs a property on random carts, promotions and wallets.
func checkWallets(t *testing.T, most int, property func(t *rapid.T, in Input, wallet []Coupon)) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") }
		in, _ := randomInput(draw)
		in.Coupons = nil
		property(t, in, randomWallet(draw, most))
	})
}

// rankOf says how good a choice is; smaller is better.
type rankOf struct {
	payable int64
	count   int
	ends    []time.Time // never is the last of all times
	codes   []string
}

func rank(q *Quote, given []Coupon) rankOf {
	r := rankOf{payable: q.Payable, count: len(given)}
	for _, c := range given {
		end := c.ValidUntil
		if end.IsZero() {
			end = time.Unix(1<<40, 0)
		}
		r.ends, r.codes = append(r.ends, end), append(r.codes, c.Code)
	}
	slices.SortFunc(r.ends, time.Time.Compare)
	slices.Sort(r.codes)
	return r
}

func (a rankOf) compare(b rankOf) int {
	return cmp.Or(cmp.Compare(a.payable, b.payable), a.count-b.count,
		slices.CompareFunc(a.ends, b.ends, time.Time.Compare), slices.Compare(a.codes, b.codes))
}

// bruteForce prices every list of different coupons, and takes the best. With
// turns, only lists in which percent coupons stand before amount coupons: the
// others come to the same. Only what follows a list in which not all apply is
// left out, for a coupon that does not apply changes nothing.
func bruteForce(t tester, in Input, wallet []Coupon, turns bool) (best rankOf) {
	given := make([]Coupon, 0, len(wallet))
	left := slices.Clone(wallet)
	first := true
	var try func()
	try = func() {
		in.Coupons = given
		q, err := Price(in)
		if err != nil {
			t.Fatal(err)
		}
		applied := 0
		for _, a := range q.Applied {
			if a.Source == FromCoupon {
				applied++
			}
		}
		if applied < len(given) {
			return
		}
		if r := rank(q, given); first || r.compare(best) < 0 {
			best, first = r, false
		}
		for i, c := range left {
			if c.Kind == "" || turns && len(given) > 0 && given[len(given)-1].Kind == "amount_off" && c.Kind == "percent_off" {
				continue
			}
			left[i].Kind = "" // taken
			given = append(given, c)
			try()
			given = given[:len(given)-1]
			left[i] = c
		}
	}
	try()
	return best
}

func agrees(t tester, in Input, wallet []Coupon, turns bool) {
	choice := mustBest(t, in, wallet)
	if choice.Stopped {
		t.Fatalf("stopped with %d coupons", len(wallet))
	}
	var given []Coupon
	for _, c := range wallet {
		if slices.Contains(choice.Codes, c.Code) {
			given = append(given, c)
		}
	}
	if got, want := rank(choice.Quote, given), bruteForce(t, in, wallet, turns); got.compare(want) != 0 {
		t.Fatalf("chose %+v\nof %+v\nthe best is %+v", got, wallet, want)
	}
}

func TestBestIsBruteForce(t *testing.T) {
	checkWallets(t, 8, func(t *rapid.T, in Input, wallet []Coupon) { agrees(t, in, wallet, true) })
}

// Every order, also those in which an amount coupon stands before a percent
// coupon.
func TestBestIsBruteForceInEveryOrder(t *testing.T) {
	checkWallets(t, 5, func(t *rapid.T, in Input, wallet []Coupon) { agrees(t, in, wallet, false) })
}

// Many more than rapid makes, most of them with coupons that meet.
func TestBestIsBruteForceOnManyWallets(t *testing.T) {
	cases := 1000
	if testing.Short() {
		cases = 100
	}
	full, meets := 0, 0
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		in, _ := randomInput(r.IntN)
		in.Coupons = nil
		wallet := randomWallet(r.IntN, 7)
		agrees(t, in, wallet, true)
		if len(wallet) == 7 {
			full++
		}
		if mustBest(t, in, wallet).Of > 2 {
			meets++
		}
	}
	if full < cases/20 || meets < cases/10 {
		t.Errorf("only %d full wallets, %d with three that could apply", full, meets)
	}
}

func TestBestDoesNotMindTheWalletsOrder(t *testing.T) {
	checkWallets(t, 8, func(t *rapid.T, in Input, wallet []Coupon) {
		a, b := mustBest(t, in, wallet), mustBest(t, in, rapid.Permutation(wallet).Draw(t, "wallet"))
		if x, y := toJSON(t, a), toJSON(t, b); !bytes.Equal(x, y) {
			t.Fatalf("%s\n%s", x, y)
		}
	})
}

func TestBestNeverLosesToOneCoupon(t *testing.T) {
	checkWallets(t, 40, func(t *rapid.T, in Input, wallet []Coupon) {
		choice := mustBest(t, in, wallet)
		for _, c := range wallet {
			in.Coupons = []Coupon{c}
			if q := mustPrice(t, in); q.Payable < choice.Quote.Payable {
				t.Fatalf("%s alone comes to %d, %v to %d", c.Code, q.Payable, choice.Codes, choice.Quote.Payable)
			}
		}
	})
}

func benchInput() Input { return Input{Now: noon, Lines: benchCart(), Rules: Compile(benchRules(20))} }

// benchWallet is n coupons of so many templates: amounts with thresholds and
// percentages, of five about all lines two, about one or two categories the
// others; of four one does not stack.
func benchWallet(n, templates int) []Coupon {
	r := rand.New(rand.NewPCG(uint64(templates), 3))
	all := make([]Coupon, templates)
	for i := range all {
		c := Coupon{TemplateID: fmt.Sprint("t", i), Name: "券", Stackable: i%4 != 3}
		if i%5 == 4 {
			c.Kind, c.PercentOff, c.MaxDiscount = "percent_off", money.Percent(200+100*r.IntN(8)), int64(1000+500*r.IntN(10))
		} else {
			c.Kind, c.AmountOff = "amount_off", int64(100+50*r.IntN(40))
			c.Threshold = c.AmountOff * int64(4+r.IntN(30))
		}
		if i%5 > 1 {
			c.Scope = &Scope{Categories: []string{fmt.Sprintf("c%d", r.IntN(10)), fmt.Sprintf("c%d", r.IntN(10))}}
		}
		all[i] = c
	}
	wallet := make([]Coupon, n)
	for i := range wallet {
		wallet[i] = all[i%templates]
		wallet[i].Code = fmt.Sprintf("C%03d", i)
		wallet[i].ValidUntil = noon.AddDate(0, 0, 1+i%30)
	}
	return wallet
}

func BenchmarkBest(b *testing.B) {
	for _, size := range []struct{ coupons, templates int }{{8, 8}, {20, 5}, {20, 20}, {200, 10}, {200, 200}} {
		b.Run(fmt.Sprintf("%dCoupons%dTemplates", size.coupons, size.templates), func(b *testing.B) {
			in, wallet := benchInput(), benchWallet(size.coupons, size.templates)
			choice, err := Best(in, wallet)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Best(in, wallet)
			}
			b.ReportMetric(float64(len(choice.Codes)), "chosen")
			stopped := 0.0
			if choice.Stopped {
				stopped = 1
			}
			b.ReportMetric(stopped, "stopped")
		})
	}
}
