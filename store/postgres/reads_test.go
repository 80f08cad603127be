package postgres_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/store/postgres"
)

// TestReadPlans: what is polled, and what reads the books, is found by an
// index that was made for it, on empty tables and on full ones.
func TestReadPlans(t *testing.T) {
	url := server.NewDatabase(t)
	s := open(t, url, postgres.Options{})
	var sql string
	var args []any
	postgres.Reads(t.Context(), t, s, func(text string, a []any) { sql, args = text, a })
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(config.RuntimeParams, postgres.ReadSettings)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())

	ctx, now := t.Context(), time.Now()
	nothing := func(app.BookEntry) error { return nil }
	page := app.Page{Limit: 10, Cursor: "k9"}
	for _, tables := range []string{"", fill, "ANALYZE"} {
		if tables != "" {
			if _, err := conn.Exec(ctx, tables, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			read    func() error
			indexes string
		}{
			{func() error { return s.EachSettled(ctx, "shop1", "wx", now, now.Add(time.Hour), nothing) }, "payments_settled"},
			{func() error { return second(s.EntriesByNo(ctx, "shop1", []string{"k1", "k2"})) }, "payments_pkey"},
			{func() error { return second(s.Suspense(ctx, "shop1")) }, "payments_suspense"},
			{func() error { return second(s.OrphanNos(ctx, "shop1", []string{"k1"})) }, "channel_messages_orphan"},
			{func() error {
				return s.EachRefund(ctx, "shop1", now, now.Add(time.Hour), func(payment.RefundData) error { return nil })
			}, "refunds_by_status refunds_over"},
			{func() error { return second(s.RefundsByNo(ctx, "shop1", []string{"k1"})) }, "refunds_pkey"},
			{func() error { return second(s.RefundsOf(ctx, "shop1", "k1")) }, "refunds_order"},
			{func() error { return third(s.ListRefunds(ctx, "shop1", app.RefundFilter{Status: "failed"}, page)) }, "refunds_by_status"},
			{func() error { return third(s.ListRefunds(ctx, "shop1", app.RefundFilter{}, page)) }, "refunds_pkey"},
			{func() error { return second(s.DuePayments(ctx, "shop1", now, 10)) }, "payments_due"},
			{func() error { return second(s.DueRefunds(ctx, "shop1", now, 10)) }, "refunds_due"},
			{func() error { return second(s.DueReminders(ctx, "shop1", now, 10)) }, "orders_remind"},
			{func() error { return second(s.DueOrders(ctx, "shop1", now, 10)) }, "orders_due"},
			{func() error { return third(s.ListReconciliations(ctx, "shop1", "wx", page)) }, "reconciliations_pkey"},
			{func() error { return third(s.ListDiscrepancies(ctx, "shop1", app.DiscrepancyFilter{Day: "e"}, page)) }, "discrepancies_day"},
		} {
			if err := test.read(); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			rows, err := conn.Query(ctx, "EXPLAIN (COSTS OFF) "+sql, args...)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			plan := strings.Join(lines, "\n")
			good := !strings.Contains(plan, "Seq Scan")
			for _, index := range strings.Fields(test.indexes) {
				good = good && strings.Contains(plan, "using "+index+" ")
			}
			if !good {
				t.Errorf("%.10q tables: want %s\n%s\n%s", tables, test.indexes, sql, plan)
			}
		}
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }
