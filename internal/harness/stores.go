package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/sqlite"
)

var server *pgtest.Server

// Main is a TestMain: it starts a throw-away PostgreSQL for the test binary
// and takes it down again.
func Main(m *testing.M) {
	code, err := func() (int, error) {
		s, err := pgtest.Start(pgtest.Options{})
		if err != nil {
			return 1, err
		}
		defer s.Stop()
		if err := s.Template(context.Background(), MigratePostgres); err != nil {
			return 1, err
		}
		server = s
		return m.Run(), nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "throw-away PostgreSQL:", err)
	}
	os.Exit(code)
}

// MigratePostgres makes all tables of a PostgreSQL database.
func MigratePostgres(ctx context.Context, url string) error {
	db, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// Each runs a test on both databases. open makes a fresh harness; called twice in
// one test it makes a second instance on the same database (PostgreSQL only).
func Each(t *testing.T, f func(t *testing.T, open func(wrap func(unit.Store) unit.Store) *Harness)) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tandem.db")
		f(t, func(wrap func(unit.Store) unit.Store) *Harness {
			if _, err := os.Stat(path); err != nil {
				if err := EmptySQLite(path); err != nil {
					t.Fatal(err)
				}
			}
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return New(t, s, 1, wrap)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		f(t, Postgres(t))
	})
}

// migratedSQLite is an empty database with all its tables, as bytes. Making
// one takes most of a second under the race detector, and copying it nothing.
var migratedSQLite = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tandem-harness-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.Migrate(context.Background()), s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closing has put the log into the file
})

// EmptySQLite makes a file of a SQLite database that has all tables and no rows.
func EmptySQLite(path string) error {
	b, err := migratedSQLite()
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// NewPostgres is the address of another database on the same server.
func NewPostgres(t *testing.T) string { return server.NewDatabase(t) }

// Postgres makes harnesses on one empty PostgreSQL database: each call another
// instance.
func Postgres(t *testing.T) func(wrap func(unit.Store) unit.Store) *Harness {
	url := server.ReusedDatabase(t)
	return func(wrap func(unit.Store) unit.Store) *Harness {
		s, err := postgres.Open(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return New(t, s, 2, wrap)
	}
}
