package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/store/storetest"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// BenchmarkCommit loads and commits batches of placed orders: each of two
// lines, every other one with a coupon, with its idempotency key and its
// record. The clients' part (making and deciding) is outside of the clock.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 10, 100, 500} {
		for _, skus := range []int{2, 1000} {
			b.Run(fmt.Sprintf("orders=%d/skus=%d", size, skus), func(b *testing.B) { benchmarkEngine(b, size, skus) })
		}
	}
}

const (
	benchCoupons = 20_000
	benchUsers   = 50_000
)

var benchNow = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

func benchmarkEngine(b *testing.B, size, skus int) {
	s := open(b)
	fill(b, s, skus)
	placed, at := 0, 0
	var load, commit time.Duration
	for b.Loop() {
		b.StopTimer()
		n := storetest.Needs{}
		for i := range size {
			n.Keys = append(n.Keys, fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()))
			n.Users = append(n.Users, fmt.Sprintf("user-%d", rand.IntN(benchUsers)))
			n.Skus = append(n.Skus, sku(rand.IntN(skus)), sku(rand.IntN(skus)))
			if i%2 == 0 {
				n.Coupons = append(n.Coupons, coupon(at%benchCoupons))
				at++
			}
		}
		keys, users := n.Keys, n.Users
		n.Keys, n.Users = append([]string(nil), keys...), append([]string(nil), users...)
		b.StartTimer()

		start := time.Now()
		u, l, err := s.Begin(b.Context(), "default", n.Unit())
		if err != nil {
			b.Fatal(err)
		}
		load += time.Since(start)
		b.StopTimer()
		c := place(storetest.LoadedOf(l), keys, users, placed)
		b.StartTimer()
		start = time.Now()
		if err := u.Commit(b.Context(), c.Unit(shop.Shop{ID: "default"})); err != nil {
			b.Fatal(err)
		}
		commit += time.Since(start)
		placed += size
	}
	b.ReportMetric(float64(placed)/b.Elapsed().Seconds(), "orders/s")
	b.ReportMetric(float64(load.Microseconds())/float64(placed), "load-µs/order")
	b.ReportMetric(float64(commit.Microseconds())/float64(placed), "commit-µs/order")
}

func sku(i int) string    { return fmt.Sprintf("sku-%04d", i) }
func coupon(i int) string { return fmt.Sprintf("C%08X", uint32(i)*2654435761) }

func fill(b *testing.B, s *sqlite.Store, skus int) {
	b.Helper()
	if err := s.EnsureShop(b.Context(), shop.Shop{ID: "default", Currency: "CNY", CreatedAt: benchNow}); err != nil {
		b.Fatal(err)
	}
	c := &storetest.Changes{Now: benchNow}
	for i := range skus {
		c.Skus = append(c.Skus, storetest.Added(inventory.Data{
			Sku: sku(i), Name: "Cotton socks, three pairs", Price: 3998, Categories: []string{"clothes", "socks"}, OnHand: 1_000_000_000,
		})...)
	}
	for i := range benchCoupons {
		c.Coupons = append(c.Coupons, storetest.Added(marketing.CouponData{
			Code: coupon(i), TemplateID: "tpl", Status: marketing.Available, IssuedAt: benchNow, ValidUntil: benchNow.AddDate(1, 0, 0),
		})...)
	}
	u, _, err := s.Begin(b.Context(), "default", unit.Needs{})
	if err != nil {
		b.Fatal(err)
	}
	if err := u.Commit(b.Context(), c.Unit(shop.Shop{ID: "default"})); err != nil {
		b.Fatal(err)
	}
}

// place does what deciding would: the changes of size orders.
func place(l *storetest.Loaded, keys, users []string, placed int) *storetest.Changes {
	c := &storetest.Changes{Now: benchNow}
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	old := make([]inventory.Data, len(l.Skus))
	copy(old, l.Skus)
	for i := range keys {
		no := fmt.Sprintf("120261122093000%013d5", placed+i)
		first, second := &l.Skus[rand.IntN(len(l.Skus))], &l.Skus[rand.IntN(len(l.Skus))]
		o := order.Data{
			No: no, User: users[i], Status: order.PendingPayment, Currency: "CNY", Total: 11994, Discount: 1200, Payable: 10794,
			Items: []pricing.QuoteLine{
				{Sku: first.Sku, Name: first.Name, Quantity: 2, UnitPrice: 3998, Total: 7996, Discount: 800, Payable: 7196},
				{Sku: second.Sku, Name: second.Name, Quantity: 1, UnitPrice: 3998, Total: 3998, Discount: 400, Payable: 3598},
			},
			Applied: []pricing.Applied{{
				Source: pricing.FromPromotion, ID: "ten-percent", Name: "全场九折", Kind: "percent_off", Version: 3, Amount: 1200,
				Shares: []pricing.Share{{Line: 0, Amount: 800}, {Line: 1, Amount: 400}},
			}},
			CreatedAt: benchNow, ExpiresAt: benchNow.Add(15 * time.Minute), Seq: 1, Trace: trace,
		}
		r := event.Record{Shop: "default", Order: no, At: benchNow, Trace: trace, Events: []event.Event{
			{Type: event.StockReserved, Order: no, Sku: first.Sku, Quantity: 2},
			{Type: event.StockReserved, Order: no, Sku: second.Sku, Quantity: 1},
			{Type: event.OrderPlaced, Order: no, Seq: 1, Status: "pending_payment", User: users[i], Amount: o.Payable},
		}}
		first.Reserved += 2
		second.Reserved++
		if i%2 == 0 {
			was := l.Coupons[i/2%len(l.Coupons)]
			now := was
			now.Status, now.Order, now.LockedUntil = marketing.Locked, no, o.ExpiresAt
			o.Coupons = []string{was.Code}
			r.Events = append(r.Events, event.Event{Type: event.CouponLocked, Order: no, Coupon: was.Code})
			if i/2 < len(l.Coupons) {
				c.Coupons = append(c.Coupons, storetest.Changed(was, now)...)
			}
		}
		c.Orders = append(c.Orders, storetest.Added(o)...)
		c.Records = append(c.Records, r)
		c.Keys = append(c.Keys, unit.SavedKey{Key: keys[i], Hash: make([]byte, 32), Answer: []byte(answer), Order: no})
	}
	for i := range l.Skus {
		c.Skus = append(c.Skus, storetest.Changed(old[i], l.Skus[i])...)
	}
	return c
}

// answer has the size of a real one.
var answer = fmt.Sprintf(`{"orderNo":"12026112209300000000000000005","pad":"%01000d"}`, 0)
