package postgres_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/store/storetest"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/postgres"
)

// BenchmarkBatch places orders in batches on a server that syncs: each has
// two lines of some of 1,000 skus and an idempotency key, and is opened a
// payment for. The ns/op are of one batch.
func BenchmarkBatch(b *testing.B) {
	durable, err := pgtest.Start(pgtest.Options{Fsync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = durable.Stop() })
	s := open(b, durable.NewDatabase(b), postgres.Options{})
	if err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := s.EnsureShop(b.Context(), shop.Shop{ID: "default", Currency: "CNY"}); err != nil {
		b.Fatal(err)
	}
	var stock storetest.Changes
	for i := range 1000 {
		stock.Skus = append(stock.Skus, storetest.Added(inventory.Data{
			Sku: fmt.Sprintf("sku-%04d", i), Name: "绿茶", Price: 1999, Categories: []string{"tea"}, OnHand: 1e9,
		})...)
	}
	u, _, err := s.Begin(b.Context(), "default", unit.Needs{})
	if err == nil {
		err = u.Commit(b.Context(), stock.Unit(shop.Shop{ID: "default"}))
	}
	if err != nil {
		b.Fatal(err)
	}
	var no atomic.Int64
	for _, size := range []int{1, 10, 100, 300} {
		for _, writers := range []int{1, 2} {
			b.Run(fmt.Sprintf("orders=%d/writers=%d", size, writers), func(b *testing.B) {
				var left atomic.Int64
				left.Store(int64(b.N))
				var begins, commits atomic.Int64
				var all sync.WaitGroup
				b.ResetTimer()
				for range writers {
					all.Go(func() {
						for left.Add(-1) >= 0 {
							begun, committed, err := placeOrders(b, s, no.Add(int64(size)), size)
							if err != nil {
								b.Error(err)
								return
							}
							begins.Add(int64(begun))
							commits.Add(int64(committed))
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "orders/s")
				b.ReportMetric(float64(begins.Load())/float64(b.N)/1e3, "µs/begin")
				b.ReportMetric(float64(commits.Load())/float64(b.N)/1e3, "µs/commit")
			})
		}
	}
}

// placeOrders is what the engine does for a batch, without deciding.
func placeOrders(b *testing.B, s *postgres.Store, first int64, size int) (begun, committed time.Duration, err error) {
	at := time.Now()
	var n storetest.Needs
	c := storetest.Changes{Now: at}
	for i := range size {
		id := first - int64(i)
		no := fmt.Sprintf("1%028d", id)
		skus := []string{fmt.Sprintf("sku-%04d", id*7919%1000), fmt.Sprintf("sku-%04d", (id*104729+1)%1000)}
		n.Keys, n.Users, n.Skus = append(n.Keys, "key-"+no), append(n.Users, fmt.Sprintf("user-%d", id%500)), append(n.Skus, skus...)
		hash := sha256.Sum256([]byte(no))
		c.Keys = append(c.Keys, unit.SavedKey{Key: "key-" + no, Hash: hash[:], Answer: []byte(`{"orderNo":"` + no + `","payableAmount":2998}`), Order: no})
		o := order.Data{
			No: no, User: fmt.Sprintf("user-%d", id%500), Status: order.PendingPayment, Currency: "CNY", Total: 3998, Discount: 1000, Payable: 2998,
			Items: []pricing.QuoteLine{
				{Sku: skus[0], Name: "绿茶", Quantity: 1, UnitPrice: 1999, Total: 1999, Discount: 500, Payable: 1499},
				{Sku: skus[1], Name: "绿茶", Quantity: 1, UnitPrice: 1999, Total: 1999, Discount: 500, Payable: 1499},
			},
			Applied: []pricing.Applied{{Source: pricing.FromPromotion, ID: "p1", Name: "满30减10", Kind: "amount_off", Version: 1, Amount: 1000,
				Shares: []pricing.Share{{Line: 0, Amount: 500}, {Line: 1, Amount: 500}}}},
			CreatedAt: at, ExpiresAt: at.Add(15 * time.Minute), Seq: 2, Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}
		c.Orders = append(c.Orders, storetest.Added(o)...)
		pay := "2" + no[1:]
		c.Payments = append(c.Payments, storetest.Added(payment.Data{
			No: pay, Order: no, Channel: "wx", Method: payment.Native, Amount: 2998, Currency: "CNY", Status: payment.StatusCreated,
			Merchant: "1900000109", App: "wx8888", CreatedAt: at, ExpiresAt: o.ExpiresAt, NextQueryAt: at.Add(10 * time.Second), Trace: o.Trace,
			Request: payment.PrepayRequest{PaymentNo: pay, Method: payment.Native, Amount: 2998, Currency: "CNY", Description: "绿茶",
				NotifyURL: "https://shop.example/callback/wx", ExpiresAt: o.ExpiresAt},
		})...)
		c.Records = append(c.Records, event.Record{Order: no, At: at, Trace: o.Trace, Events: []event.Event{
			{Type: event.OrderPlaced, Order: no, Seq: 1, Status: "pending_payment", User: o.User, Amount: 2998},
			{Type: event.StockReserved, Order: no, Sku: skus[0], Quantity: 1}, {Type: event.StockReserved, Order: no, Sku: skus[1], Quantity: 1},
			{Type: event.PaymentCreated, Order: no, Seq: 2, Status: "pending_payment", Payment: pay, Channel: "wx", Amount: 2998},
		}})
	}
	start := time.Now()
	u, found, err := s.Begin(b.Context(), "default", n.Unit())
	if err != nil {
		return 0, 0, err
	}
	begun = time.Since(start)
	l := storetest.LoadedOf(found)
	for i := range l.Skus {
		moved := l.Skus[i]
		moved.Reserved++
		c.Skus = append(c.Skus, storetest.Changed(l.Skus[i], moved)...)
	}
	start = time.Now()
	err = u.Commit(b.Context(), c.Unit(shop.Shop{ID: "default"}))
	return begun, time.Since(start), err
}
