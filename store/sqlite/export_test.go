package sqlite

import (
	"context"
	"database/sql"
	"maps"
	"slices"
)

// Texts are all statements that were prepared so far.
func (s *Store) Texts() []string {
	var out []string
	for _, from := range []*statements{&s.reads, &s.writes} {
		from.prepared.Range(func(text, _ any) bool {
			out = append(out, text.(string))
			return true
		})
	}
	out = slices.AppendSeq(out, maps.Keys(s.direct.prepared))
	return append(out, s.unprepared...)
}

// Plan is how SQLite would run a statement.
func (s *Store) Plan(ctx context.Context, text string) ([]string, error) {
	return all(ctx, func(ctx context.Context, text string, _ ...any) (*sql.Rows, error) {
		return s.read.QueryContext(ctx, text, make([]any, 30)...) // NULL for all its parameters
	}, func(r row, detail *string) error {
		var id, parent, unused int
		return r.Scan(&id, &parent, &unused, detail)
	}, "EXPLAIN QUERY PLAN "+text)
}

// Tables are the columns of each table.
func (s *Store) Tables(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	err := each(ctx, func(ctx context.Context, text string, a ...any) (*sql.Rows, error) {
		return s.read.QueryContext(ctx, text, a...)
	}, func(r row, c *[2]string) error { return r.Scan(&c[0], &c[1]) }, func(c [2]string) error {
		out[c[0]] = append(out[c[0]], c[1])
		return nil
	}, "SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'")
	return out, err
}

// OfAllShops are the statements that read a few rows of every shop.
var OfAllShops = []string{parkedOfAll, endsOfAll, cursorsOfAll}

// CheckSchema is the check of Open.
func (s *Store) CheckSchema(ctx context.Context) error { return s.checkSchema(ctx) }

// Exec runs a statement of a test.
func (s *Store) Exec(ctx context.Context, text string) error {
	_, err := s.write.ExecContext(ctx, text)
	return err
}
