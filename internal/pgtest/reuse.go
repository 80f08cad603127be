package pgtest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ReusedDatabase is NewDatabase, but an earlier test may have had the database:
// its rows are deleted then, but for those of tables that had some when the
// template was ready, and its sequences begin anew. Making a database takes
// some 20 times as long, and tests that have one each are hundreds. The test
// may not change the schema, and closes its connections before it ends.
func (s *Server) ReusedDatabase(t interface {
	TB
	Failed() bool
}) string {
	t.Helper()
	s.mu.Lock()
	var url string
	if n := len(s.used); n > 0 {
		url, s.used = s.used[n-1], s.used[:n-1]
	}
	s.mu.Unlock()
	if url == "" {
		var err error
		if url, _, err = s.Create(t.Context()); err != nil {
			t.Fatalf("create a database: %v", err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			return // it goes with the server: who knows what is open
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.empty(ctx, url); err != nil {
			t.Errorf("empty the database: %v", err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used = append(s.used, url)
	})
	return url
}

func (s *Server) empty(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, s.emptying)
	return err
}

// statementsToEmpty are statements that delete what is put into a database
// from now on.
func statementsToEmpty(ctx context.Context, url string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(
		ctx,
		`SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
	)
	if err != nil {
		return "", err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", err
	}
	var b strings.Builder
	// Who is still connected may hold locks. Foreign keys are in any order.
	b.WriteString(
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();\n",
	)
	b.WriteString("SET session_replication_role = replica;\n")
	for _, table := range tables {
		var has bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+table+")").Scan(&has); err != nil {
			return "", err
		}
		if !has {
			fmt.Fprintf(&b, "DELETE FROM %s;\n", table)
		}
	}
	b.WriteString(
		"SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL;\n",
	)
	return b.String(), nil
}
