package postgres_test

import (
	"context"

	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/store/postgres"
)

// unitStatements are all statements that the engine can send.
func unitStatements(t *testing.T, url string) []string {
	open(t, url, postgres.Options{})
	return postgres.UnitStatements()
}

// TestPlans reads the plan of every statement of the engine: as it is made for
// empty tables, where the trap lies, and for full ones. Tables may be reached
// by an index on the shop and the key only.
func TestPlans(t *testing.T) {
	url := server.NewDatabase(t)
	statements := unitStatements(t, url)
	if len(statements) < 50 {
		t.Fatalf("only %d statements", len(statements))
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	maps.Copy(config.RuntimeParams, postgres.WriteSettings)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	exec := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, tables := range []string{"empty", "analysed when empty", "full", "full and analysed"} {
		switch tables {
		case "analysed when empty", "full and analysed":
			exec("ANALYZE")
		case "full":
			exec(fill)
		}
		for _, sql := range statements {
			if strings.HasPrefix(sql, "BEGIN") || sql == "COMMIT" {
				continue
			}
			exec("DEALLOCATE ALL")
			exec("PREPARE p AS " + sql)
			var params int
			if err := conn.QueryRow(t.Context(), "SELECT cardinality(parameter_types) FROM pg_prepared_statements").Scan(&params); err != nil {
				t.Fatal(err)
			}
			rows, err := conn.Query(t.Context(), "EXPLAIN (COSTS OFF) EXECUTE p("+strings.TrimPrefix(strings.Repeat(",NULL", params), ",")+")")
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			if plan := strings.Join(lines, "\n"); !goodPlan(plan) {
				t.Errorf("tables %s:\n%s\n%s", tables, sql, plan)
			}
		}
	}
}

var scan = regexp.MustCompile(`Index (?:Only )?Scan using (\w+) on (\w+).*\n\s*Index Cond: (.*)`)

// goodPlan says whether every table is reached by its primary key, or the
// payments by their order and orders by their user, with both columns given, or by the place of a row.
func goodPlan(plan string) bool {
	found := scan.FindAllStringSubmatch(plan, -1)
	for _, f := range found {
		index, table, cond := f[1], f[2], f[3]
		if index != table+"_pkey" && index != "payments_order" && index != "orders_user" ||
			!strings.Contains(cond, "shop = $1") || table != "shops" && table != "logs" && !strings.Contains(cond, " AND ") {
			return false
		}
	}
	for _, bad := range []string{"Seq Scan", "Bitmap", "Hash Join", "Merge Join", "Join Filter"} {
		if strings.Contains(plan, bad) {
			return false
		}
	}
	return len(found) == strings.Count(plan, "Scan using")
}

// fill makes every table large, for several shops.
const fill = `
INSERT INTO shops SELECT 'shop' || i, '', '', 0 FROM generate_series(1, 3) AS i;
INSERT INTO logs SELECT 'shop' || i, 0 FROM generate_series(1, 3) AS i;
INSERT INTO skus SELECT 'shop' || i % 3, 'k' || i, '', 0, '[]', 0, 0, 0, 1 FROM generate_series(1, 5000) AS i;
INSERT INTO users SELECT 'shop' || i % 3, 'k' || i, '', '[]', false, 1 FROM generate_series(1, 5000) AS i;
INSERT INTO coupons SELECT 'shop' || i % 3, 'k' || i, '', 'u' || i % 100, 'available', '', NULL, NULL, NULL, NULL, 1 FROM generate_series(1, 5000) AS i;
INSERT INTO counters SELECT 'shop' || i % 3, 'k' || i, 1 FROM generate_series(1, 5000) AS i;
INSERT INTO orders SELECT 'shop' || i % 3, 'k' || i, '', 'paid', '', 0, 0, 0, 0, 0, '{}', now(), now(), NULL, NULL, '', '', 1, '' FROM generate_series(1, 5000) AS i;
INSERT INTO payments SELECT 'shop' || i % 3, 'k' || i, 'k' || i / 2, '', '', 1, '', CASE i % 2 WHEN 0 THEN 'pending' ELSE 'succeeded' END, 0, 0,
	'', '', '{}', '', '', now(), NULL, now(), NULL, now(), 0, '', 1 FROM generate_series(1, 5000) AS i;
INSERT INTO refunds SELECT 'shop' || i % 3, 'k' || i, 'k' || i / 2, '', CASE i % 20 WHEN 0 THEN 'pending' ELSE 'succeeded' END, 1, '', i % 50 = 0, '{}', now(),
	CASE i % 20 WHEN 0 THEN NULL ELSE now() END, CASE i % 20 WHEN 0 THEN now() END, 0, '', 1 FROM generate_series(1, 5000) AS i;
INSERT INTO reconciliations SELECT 'shop' || i % 3, 'k' || i, '', '', 'done', 1, NULL, NULL, '', NULL, 1 FROM generate_series(1, 500) AS i;
INSERT INTO discrepancies SELECT 'shop' || i % 3, 'k' || i, '', 'd', '', '', '', '', 0, 0, '', 'open', '', NULL, NULL, 1 FROM generate_series(1, 500) AS i;
INSERT INTO idempotency_keys SELECT 'shop' || i % 3, 'k' || i, '', '', '' FROM generate_series(1, 5000) AS i;
INSERT INTO promotions SELECT 'shop' || i % 3, 'k' || i, '{}', 1 FROM generate_series(1, 50) AS i;
INSERT INTO coupon_templates SELECT 'shop' || i % 3, 'k' || i, '{}', 0, 1 FROM generate_series(1, 50) AS i;
INSERT INTO rule_history SELECT 'shop' || i % 3, 'promotion', 'k' || i % 50, i, i, '{}', NULL FROM generate_series(1, 500) AS i;
INSERT INTO channels SELECT 'shop' || i % 3, 'k' || i, '', '', 1 FROM generate_series(1, 10) AS i;
INSERT INTO api_keys SELECT 'shop' || i % 3, 'k' || i, '', '' FROM generate_series(1, 10) AS i;
INSERT INTO cursors SELECT 'shop' || i % 3, 'k' || i, 1 FROM generate_series(1, 10) AS i;
`
