package bills_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// largeDay is a channel whose bill of any day has n payments, numbered as
// largeEntry has them. Every wrong-th row has another amount. No row is kept.
type largeDay struct {
	*harness.Gate
	n, wrong int
	from     time.Time
	look     func() // now and then, while rows come
}

func (d *largeDay) Channel(context.Context, string, string) (app.Configured, error) {
	return app.Configured{Channel: d, Merchant: "mch", App: "app"}, nil
}

func (d *largeDay) Bill(_ context.Context, _ payment.Day, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	for i := range d.n {
		e := largeEntry(i, d.from)
		row := payment.BillRow{
			Kind: payment.BillPayment, Line: int64(i + 1), PaymentNo: e.PaymentNo, TransactionID: e.TransactionID, Amount: e.Amount, Rate: -1,
			Currency: "CNY", Merchant: "mch", App: "app", Reported: "SUCCESS", Done: true, At: e.SucceededAt,
		}
		if d.wrong > 0 && i%d.wrong == 0 {
			row.Amount++
		}
		if i%20_000 == 0 && d.look != nil {
			d.look()
		}
		if err := emit(row); err != nil {
			return payment.BillSummary{}, err
		}
	}
	return payment.BillSummary{Payments: int64(d.n)}, nil
}

func largeEntry(i int, from time.Time) app.BookEntry {
	at := from.Add(time.Duration(i) * 50 * time.Microsecond)
	return app.BookEntry{
		PaymentNo: fmt.Sprintf("2%028d", i), Order: fmt.Sprintf("1%028d", i), Channel: "gate", TransactionID: fmt.Sprintf("42%026d", i),
		Amount: 2998, Currency: "CNY", Status: payment.StatusSucceeded, Merchant: "mch", App: "app", CreatedAt: at, SucceededAt: at,
	}
}

// heap is the most memory that was in use, over what was when it began.
type heap struct{ before, peak uint64 }

func newHeap() *heap {
	h := &heap{}
	runtime.GC() // pools let go of theirs at the second time
	h.look()
	h.before = h.peak
	return h
}

// look counts what is live: what is merely not collected yet depends on the
// collector's mood.
func (h *heap) look() {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	h.peak = max(h.peak, m.HeapAlloc)
}

func (h *heap) grown() float64 { return float64(h.peak-h.before) / (1 << 20) }

// lookingEngine looks whenever a command comes: differences are recorded while
// the part of the day that they are of is in memory.
type lookingEngine struct {
	app.Engine
	look func()
}

func (l *lookingEngine) Do(ctx context.Context, c *app.Command) (unit.Result, error) {
	l.look()
	return l.Engine.Do(ctx, c)
}

// TestReconcileLarge: a day of 100,000 payments is matched in files, within a
// few megabytes; all its rows at once would take more than fifty.
func TestReconcileLarge(t *testing.T) {
	const bound = 24 // MiB
	payments := 100_000
	if raceDetector {
		payments = 10_000 // of which the files' buffers are most
	}
	path := filepath.Join(t.TempDir(), "large.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	steps.Must(t)(nil, err)
	t.Cleanup(func() { s.Close() })
	steps.Must(t)(nil, s.Migrate(t.Context()))
	r := harness.New(t, s, 1, nil)
	day := noon(r)
	from, _ := day.Span(r.Gate.Zone())
	large := &largeDay{Gate: r.Gate, n: payments, wrong: 200, from: from}
	r.Channels = large
	manyPayments(t, r, path, from, payments)
	morning(r, day, 11)

	h := newHeap()
	large.look, r.App.Engine = h.look, &lookingEngine{r.App.Engine, h.look}
	d, err := r.Reconcile(ctx, shop.Default, "gate", day, func(string, int64) { h.look() })
	if err != nil || d.Status != rows.ReconciliationDone {
		t.Fatal(d.Status, d.Error, err)
	}
	if got := h.grown(); got > bound || got < 1 {
		t.Errorf("%.1f MiB at most, want 1 to %d", got, bound)
	}
	all, next, err := r.Store.ListDiscrepancies(ctx, shop.Default, app.DiscrepancyFilter{Class: "payment_amount"}, app.Page{Limit: 1000})
	if err != nil || next != "" || len(all) != payments/large.wrong {
		t.Errorf("%d differences %q, want %d (%v)", len(all), next, payments/large.wrong, err)
	}
}

// manyPayments makes n payments as largeEntry has them, by multiplying a real
// one: a hundred thousand through the engine take longer than the test.
func manyPayments(t *testing.T, r *harness.Harness, path string, from time.Time, n int) {
	t.Helper()
	r.Sku("A", 2998, 5)
	o := steps.Place(t, r, harness.Cart("u", "A"))
	p := steps.Pay(t, r, o.No, 0)
	steps.Callback(t, r, p.No, r.Gate.Pay(p.No))
	db, err := sql.Open("sqlite", path)
	steps.Must(t)(nil, err)
	_, err = db.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
		INSERT INTO payments SELECT shop, printf('2%028d', i), printf('1%028d', i), channel, method, amount, currency, status, applied, refunded, merchant, app, detail,
		anomaly, printf('42%026d', i), created_at, expires_at, ? + i * 50, closed_at, next_query_at, queries, trace, version, refunding FROM n, payments`, n, from.UnixMicro())
	if err == nil {
		_, err = db.ExecContext(t.Context(), `DELETE FROM payments WHERE payment_no = ?`, p.No)
	}
	steps.Must(t)(nil, errors.Join(err, db.Close()))
}

// largeBooks are ours of a large day, made as they are read.
type largeBooks struct {
	app.Reader
	n    int
	from time.Time
}

func (b *largeBooks) EachSettled(_ context.Context, _, _ string, _, _ time.Time, f func(app.BookEntry) error) error {
	for i := range b.n {
		if err := f(largeEntry(i, b.from)); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkReconcile matches a day of a million payments that agree: what it
// takes without a database and a channel.
func BenchmarkReconcile(b *testing.B) {
	const payments = 1_000_000
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "large.db"), sqlite.Options{})
	if err == nil {
		err = s.Migrate(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	r := harness.New(b, s, 1, nil)
	day := noon(r)
	from, _ := day.Span(r.Gate.Zone())
	r.Channels = &largeDay{Gate: r.Gate, n: payments, from: from}
	r.App.Store = &largeBooks{Reader: s, n: payments, from: from}
	morning(r, day, 11)
	var m runtime.MemStats
	var peak uint64
	b.ResetTimer()
	for b.Loop() {
		d, err := r.Reconcile(ctx, shop.Default, "gate", day, func(string, int64) {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		})
		if err != nil || d.Status != rows.ReconciliationDone {
			b.Fatal(d.Status, d.Error, err)
		}
	}
	b.ReportMetric(float64(payments)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
}
