package postgres_test

import (
	"testing"
	"time"

	"github.com/tandem-pay/tandem/store/storetest"

	"github.com/tandem-pay/tandem/unit"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/postgres"
)

// BenchmarkEachSettled reads a channel's day of a million payments, each with
// its request, the channel's answer and a callback, as the engine would have
// written them.
func BenchmarkEachSettled(b *testing.B) {
	const payments = 1_000_000
	url := server.NewDatabase(b)
	s := open(b, url, postgres.Options{})
	if err := s.EnsureShop(b.Context(), shop.Shop{ID: "default", Currency: "CNY"}); err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	u, _, err := s.Begin(b.Context(), "default", unit.Needs{})
	if err == nil {
		err = u.Commit(b.Context(), (&storetest.Changes{Payments: storetest.Added(settled(at))}).Unit(shop.Shop{ID: "default"}))
	}
	if err != nil {
		b.Fatal(err)
	}
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	for _, sql := range []string{`INSERT INTO payments SELECT shop, '2' || lpad(i::text, 28, '0'), '1' || lpad(i::text, 28, '0'), channel, method, amount, currency, status, applied, refunded,
		merchant, app, detail, anomaly, '42' || lpad(i::text, 26, '0'), created_at, expires_at, succeeded_at + i * interval '86 ms', closed_at, next_query_at, queries, trace, version, refunding
		FROM payments, generate_series(1, $1) AS i`, "VACUUM ANALYZE payments"} {
		args := []any{payments - 1}
		if sql[0] == 'V' {
			args = nil
		}
		if _, err := conn.Exec(b.Context(), sql, args...); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		err := s.EachSettled(b.Context(), "default", "wx", at, at.Add(24*time.Hour), func(app.BookEntry) error {
			n++
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if n != payments*b.N {
		b.Fatalf("%d payments of %d", n, payments*b.N)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "payments/s")
}

func settled(at time.Time) payment.Data {
	return payment.Data{
		No: "20000000000000000000000000000", Order: "10000000000000000000000000000", Channel: "wx", Method: payment.Native, Amount: 2998, Currency: "CNY",
		Status: payment.StatusSucceeded, Applied: 2998, Merchant: "1900000109", App: "wx8888888888888888",
		Request: payment.PrepayRequest{PaymentNo: "20000000000000000000000000000", Method: payment.Native, Amount: 2998, Currency: "CNY",
			Description: "绿茶", NotifyURL: "https://shop.example/v1/notify/default/wx", ExpiresAt: at.Add(15 * time.Minute)},
		Action: &payment.Action{Kind: "qr_code", CodeURL: "weixin://wxpay/bizpayurl?pr=abcdefgh"},
		Facts: []payment.Fact{{ID: "paid/42", Kind: payment.Paid, Source: payment.ByCallback, TransactionID: "4200000000202611220000000000", Amount: 2998, Currency: "CNY",
			Merchant: "1900000109", App: "wx8888888888888888", Reported: "SUCCESS", At: at, ReceivedAt: at}},
		TransactionID: "4200000000202611220000000000", CreatedAt: at, ExpiresAt: at.Add(15 * time.Minute), SucceededAt: at,
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Version: 1,
	}
}
