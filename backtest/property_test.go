package backtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/backtest"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// bygone is a past that is made up: orders in order of time, priced by live
// rules with their limits. It counts by looking at all orders before, each
// time.
type bygone struct {
	live   []pricing.Promotion
	orders []app.PricedOrder
	lines  [][]pricing.Line
	quotes []*pricing.Quote
	bases  []*pricing.Basis
}

var bygoneStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func (w *bygone) ShopByID(context.Context, string) (shop.Shop, error) {
	return shop.Shop{ID: "s", Currency: "CNY", RulesVersion: 1}, nil
}

func (w *bygone) EachRuleChange(_ context.Context, _ string, f func(marketing.RuleChange) error) error {
	for i := range w.live {
		if err := f(marketing.RuleChange{Since: 1, ID: w.live[i].ID, Version: 1, Promotion: &w.live[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (w *bygone) EachPriced(_ context.Context, _ string, from, to time.Time, f func(*app.PricedOrder) error) error {
	for i := range w.orders {
		if p := w.orders[i]; !p.PlacedAt.Before(from) && p.PlacedAt.Before(to) {
			if err := f(&p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *bygone) EachBuyer(_ context.Context, _ string, before time.Time, f func(string) error) error {
	for i := range w.orders {
		if p := &w.orders[i]; p.PlacedAt.Before(before) && p.Status != order.Closed {
			if err := f(p.User); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *bygone) Sku(_ context.Context, _, id string) (inventory.Data, error) {
	return inventory.Data{Sku: id, Name: id, Price: 70}, nil
}

// standing says whether an order counts at the time of another.
func (w *bygone) standing(i int, at time.Time) bool {
	p := &w.orders[i]
	return p.Status != order.Closed || p.ClosedAt.After(at)
}

// usage is what a promotion has given by the orders before the n-th, as quotes
// say.
func (w *bygone) usage(id string, n int, quotes []*pricing.Quote) (u pricing.Usage) {
	for i := range n {
		for _, a := range quotes[i].Applied {
			if a.ID == id && w.standing(i, w.orders[n].PlacedAt) {
				u.Uses++
				u.Spent += a.Amount
				if w.orders[i].User == w.orders[n].User {
					u.ByUser++
				}
			}
		}
	}
	return u
}

func (w *bygone) first(n int) bool {
	for i := range n {
		if w.orders[i].User == w.orders[n].User && w.standing(i, w.orders[n].PlacedAt) {
			return false
		}
	}
	return true
}

// place prices the n-th order as the engine does.
func (w *bygone) place(t *rapid.T, n int, rules *pricing.Rules) {
	p := &w.orders[n]
	in := pricing.Input{Currency: "CNY", Now: p.PlacedAt, User: pricing.User{ID: p.User, Level: p.User[:1]}, Lines: w.lines[n], Rules: rules}
	needs := rules.Needs(in.Lines, &in.User, in.Now)
	for _, l := range needs.Limited {
		if in.Usage == nil {
			in.Usage = map[string]pricing.Usage{}
		}
		u, kept := w.usage(l.ID, n, w.quotes), pricing.Usage{}
		if l.Uses > 0 {
			kept.Uses = u.Uses
		}
		if l.PerUser > 0 {
			kept.ByUser = u.ByUser
		}
		if l.Budget > 0 {
			kept.Spent = u.Spent
		}
		in.Usage[l.ID] = kept
	}
	for _, sku := range needs.Gifts {
		in.Gifts = append(in.Gifts, pricing.Gift{Sku: sku, Name: sku, UnitPrice: 70, Available: 1_000_000})
	}
	in.User.FirstOrder = needs.FirstOrder && w.first(n)
	q, err := pricing.Price(in)
	if err != nil {
		t.Fatal(err)
	}
	w.quotes, w.bases = append(w.quotes, q), append(w.bases, pricing.BasisOf(&in, 1))
	p.Payable = q.Payable
	if p.Snapshot, err = json.Marshal(map[string]any{"items": q.Lines, "applied": q.Applied, "basis": w.bases[n]}); err != nil {
		t.Fatal(err)
	}
}

var drawnPromotion = rapid.Custom(func(t *rapid.T) pricing.Promotion {
	percent := money.Percent(rapid.IntRange(1, 60).Draw(t, "percent") * 100)
	small := func(name string) int64 { return rapid.Int64Range(1, 3).Draw(t, name) }
	p := pricing.Promotion{Name: "p", Priority: rapid.IntRange(-1, 1).Draw(t, "priority")}
	switch p.Kind = rapid.SampledFrom([]string{"fixed_price", "buy_x_get_y", "nth_item", "percent_off", "amount_off", "gift"}).Draw(t, "kind"); p.Kind {
	case "fixed_price":
		p.Price = 150 * small("price")
	case "buy_x_get_y":
		p.Buy, p.Get = small("buy"), 1
	case "nth_item":
		p.N, p.PercentOff = 1+small("n"), &percent
	case "percent_off":
		p.PercentOff = &percent
	case "amount_off":
		p.Threshold = 300 * small("threshold")
		p.AmountOff = p.Threshold / (1 + small("off"))
	case "gift":
		p.Threshold, p.GiftSku, p.GiftQuantity = 300*small("threshold"), "GIFT", small("gifts")
	}
	maybe := func(name string, set func()) {
		if rapid.IntRange(0, 2).Draw(t, name) == 0 {
			set()
		}
	}
	maybe("group", func() { p.ExclusiveGroup = "g" })
	maybe("scope", func() { p.Scope = &pricing.Scope{Skus: []string{rapid.SampledFrom([]string{"A", "B"}).Draw(t, "sku")}} })
	maybe("level", func() { p.UserLevels = []string{"u"} })
	maybe("first", func() { p.FirstOrderOnly = true })
	maybe("uses", func() { p.UsageLimit = 2 * small("uses") })
	maybe("each", func() { p.PerUserLimit = small("each") })
	maybe("budget", func() { p.Budget = 200 * small("budget") })
	return p
})

func drawBygone(t *rapid.T) *bygone {
	w := &bygone{live: rapid.SliceOfN(drawnPromotion, 0, 3).Draw(t, "live")}
	for i := range w.live {
		w.live[i].ID, w.live[i].Version = fmt.Sprint("live", i), 1
	}
	rules := pricing.Compile(w.live)
	at := bygoneStart
	for n := range rapid.IntRange(0, 25).Draw(t, "orders") {
		at = at.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "after")) * time.Hour)
		p := app.PricedOrder{
			No: fmt.Sprint(1000 + n), User: rapid.SampledFrom([]string{"u1", "u2", "v1", "v2"}).Draw(t, "user"), Currency: "CNY", PlacedAt: at,
			Status: rapid.SampledFrom([]order.Status{order.Paid, order.Paid, order.Closed, order.Refunded, order.PendingPayment}).Draw(t, "status"),
		}
		if p.Status == order.Closed {
			p.ClosedAt = at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "closed after")) * time.Hour)
		}
		var lines []pricing.Line
		for i, sku := range []string{"A", "B", "C"} {
			if q := rapid.Int64Range(0, 3).Draw(t, sku); q > 0 || sku == "C" && lines == nil {
				lines = append(lines, pricing.Line{Sku: sku, UnitPrice: []int64{500, 230, 99}[i], Quantity: max(q, 1)})
			}
		}
		w.orders, w.lines = append(w.orders, p), append(w.lines, lines)
		w.place(t, n, rules)
	}
	return w
}

// TestBacktestAgainstNaive: what a backtest finds is what pricing the orders
// one by one, and counting by hand, comes to.
func TestBacktestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawBygone(t)
		draft := drawnPromotion.Draw(t, "draft")
		draft.ID = rapid.SampledFrom([]string{"draft", "a-draft", "live0"}).Draw(t, "id")
		rules := pricing.Compile(append(slices.DeleteFunc(slices.Clone(w.live), func(p pricing.Promotion) bool { return p.ID == draft.ID }), draft))

		var want backtest.Report
		var quotes []*pricing.Quote
		for n := range w.orders {
			p, b := &w.orders[n], *w.bases[n]
			in := b.Input("CNY", p.User, w.quotes[n].Lines, rules, nil)
			in.Usage = map[string]pricing.Usage{}
			for id, u := range b.Usage {
				in.Usage[id] = u
			}
			in.Usage[draft.ID] = w.usage(draft.ID, n, quotes)
			in.User.FirstOrder = w.first(n)
			if !slices.ContainsFunc(in.Gifts, func(g pricing.Gift) bool { return g.Sku == "GIFT" }) {
				in.Gifts = append(in.Gifts, pricing.Gift{Sku: "GIFT", Name: "GIFT", UnitPrice: 70, Available: 1_000_000})
			}
			q, err := pricing.Price(in)
			if err != nil {
				t.Fatal(err)
			}
			quotes = append(quotes, q)
			gave := func(q *pricing.Quote) int64 {
				for _, a := range q.Applied {
					if a.ID == draft.ID {
						return a.Amount
					}
				}
				return -1
			}
			gain := p.Payable - q.Payable
			paid := p.Status == order.Paid
			if gain != 0 || gave(q) != gave(w.quotes[n]) {
				want.Touched.All++
				want.Exposure += gain
				if paid {
					want.Touched.Paid++
					want.Cost += gain
					if w.first(n) {
						want.First.Orders++
						want.First.Amount += gain
					}
				}
			}
			if paid {
				want.Given += max(0, gave(q))
			}
		}
		got, err := backtest.Run(ctx, w, backtest.Request{Shop: "s", Promotion: draft, From: bygoneStart, To: bygoneStart.AddDate(0, 0, 30)})
		if err != nil {
			t.Fatal(err)
		}
		if got.Touched.All != want.Touched.All || got.Touched.Paid != want.Touched.Paid || got.Cost != want.Cost || got.Exposure != want.Exposure ||
			got.Given != want.Given || got.First != want.First || got.Orders.All != int64(len(w.orders)) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

// TestBacktestOfNothing: a draft that is about nothing costs nothing, and
// neither does a live rule in its own place, from whenever one looks.
func TestBacktestOfNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawBygone(t)
		draft := drawnPromotion.Draw(t, "draft")
		draft.ID, draft.Scope = "", &pricing.Scope{Skus: []string{"none"}}
		if len(w.live) > 0 && rapid.Bool().Draw(t, "itself") {
			draft = w.live[0]
		}
		from := bygoneStart.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "hours")) * time.Hour)
		got, err := backtest.Run(ctx, w, backtest.Request{Shop: "s", Promotion: draft, From: from, To: bygoneStart.AddDate(0, 0, 30)})
		if err != nil {
			t.Fatal(err)
		}
		if got.Touched.All != 0 || got.Cost != 0 || got.Exposure != 0 || len(got.Conflicts) != 0 || got.Buyers != 0 {
			t.Fatalf("%+v", got)
		}
	})
}

// TestBacktestLeavesOut: orders that cannot be priced again are counted, and
// what cannot be read ends it.
func TestBacktestLeavesOut(t *testing.T) {
	snapshot := func(basis string) []byte {
		return fmt.Appendf(nil, `{"items":[{"sku":"A","quantity":1,"unitPrice":1000}]%s}`, basis)
	}
	const basis = `,"basis":{"rules":1,"at":"2026-03-01T00:00:00Z"}`
	past := func(change func(p *app.PricedOrder)) *bygone {
		w := &bygone{}
		for i := range 2 {
			w.orders = append(w.orders, app.PricedOrder{
				No: fmt.Sprint(i), User: "u", Status: order.Paid, Currency: "CNY", Payable: 1000, PlacedAt: bygoneStart, Snapshot: snapshot(basis),
			})
		}
		change(&w.orders[0])
		return w
	}
	ten := percentOff("", 1000)
	ten.Name = "draft"
	for _, tt := range []struct {
		name    string
		change  func(p *app.PricedOrder)
		skipped string
		err     string
	}{
		{"nothing", func(*app.PricedOrder) {}, "map[]", ""},
		{"without a basis", func(p *app.PricedOrder) { p.Snapshot = snapshot("") }, "map[noBasis:1]", ""},
		{"in another currency", func(p *app.PricedOrder) { p.Currency = "EUR" }, "map[otherCurrency:1]", ""},
		{"with a coupon of no template", func(p *app.PricedOrder) {
			p.Snapshot = snapshot(`,"applied":[{"source":"coupon","id":"t","code":"C","amount":1}]` + basis + `,"coupons":["C"]`)
		}, "map[noPrice:1]", ""},
		{"not JSON", func(p *app.PricedOrder) { p.Snapshot = []byte("{") }, "", "order 0: orders.snapshot: unexpected end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := backtest.Run(ctx, past(tt.change), backtest.Request{Shop: "s", Promotion: ten, From: bygoneStart, To: bygoneStart.AddDate(0, 0, 1)})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			left := int64(2 - len(r.Skipped))
			if fmt.Sprint(r.Skipped) != tt.skipped || r.Orders.All != left || r.Cost != 100*left {
				t.Errorf("%+v", r)
			}
		})
	}
	// A reader that fails, and a caller that gives up, in the middle of many.
	many := &bygone{}
	for range 5000 {
		many.orders = append(many.orders, past(func(*app.PricedOrder) {}).orders[0])
	}
	broken := errors.New("the connection broke")
	over, cancel := context.WithCancel(ctx)
	for _, tt := range []struct {
		ctx  context.Context
		at   func()
		want error
	}{{ctx, func() {}, broken}, {over, cancel, context.Canceled}} {
		_, err := backtest.Run(tt.ctx, &breaking{many, tt.at, broken}, backtest.Request{Shop: "s", Promotion: ten, From: bygoneStart, To: bygoneStart.AddDate(0, 0, 1)})
		if !errors.Is(err, tt.want) {
			t.Errorf("%v, want %v", err, tt.want)
		}
	}
}

// breaking is a past that can be read in part.
type breaking struct {
	*bygone
	at  func()
	err error
}

func (w *breaking) EachPriced(ctx context.Context, _ string, from, to time.Time, f func(*app.PricedOrder) error) error {
	n := 0
	err := w.bygone.EachPriced(ctx, "", from, to, func(p *app.PricedOrder) error {
		if n++; n == 3000 {
			w.at()
			if ctx.Err() == nil {
				return w.err
			}
		}
		return f(p)
	})
	if err == nil {
		err = ctx.Err()
	}
	return err
}
