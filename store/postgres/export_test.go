package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The settings of the writing connections, and of all others.
var (
	WriteSettings = writeSettings
	ReadSettings  = readSettings
)

// Reads hands every query that a store's readers run to see.
func Reads(ctx context.Context, t *testing.T, s *Store, see func(sql string, args []any)) {
	config := s.read.Config()
	config.ConnConfig.Tracer = seer(see)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	s.read.Close()
	s.read = pool
}

type seer func(sql string, args []any)

func (see seer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	see(q.SQL, q.Args)
	return ctx
}
func (seer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// ReadDirectly lets a store read from another address than the engine's.
func ReadDirectly(ctx context.Context, t *testing.T, s *Store, url string) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	through := s.read
	s.read = pool
	t.Cleanup(func() {
		s.read = through
		pool.Close()
	})
}

// UnitStatements are all statements that units send, of every kind of rows.
func UnitStatements() []string {
	out := []string{insertRecords}
	for _, s := range kinds {
		for _, sql := range append([]string{s.load, s.held, s.through, s.owned, s.ownedBy, s.insert, s.remove}, s.change...) {
			if sql != "" {
				out = append(out, sql)
			}
		}
	}
	return out
}

// Tables are the columns of each table.
func (s *Store) Tables(ctx context.Context) (map[string][]string, error) {
	found, err := s.read.Query(ctx, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
	if err != nil {
		return nil, err
	}
	defer found.Close()
	out := map[string][]string{}
	for found.Next() {
		var table, column string
		if err := found.Scan(&table, &column); err != nil {
			return nil, err
		}
		out[table] = append(out[table], column)
	}
	return out, found.Err()
}

// CheckSchema is the check of Open.
func (s *Store) CheckSchema(ctx context.Context) error { return s.checkSchema(ctx) }

// Exec runs a statement of a test.
func (s *Store) Exec(ctx context.Context, text string) error {
	_, err := s.read.Exec(ctx, text)
	return err
}
