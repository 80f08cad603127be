// Package prepared makes databases on which a server is ready at once: they
// have all tables and the keys of the sandbox. A server makes both when it
// starts on nothing, which takes longer than most tests of it.
package prepared

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// Data makes a folder for --data with a SQLite database in it. It goes with the
// test.
func Data(t testing.TB) string {
	t.Helper()
	file, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Postgres prepares a database of PostgreSQL, for pgtest's Template.
func Postgres(ctx context.Context, url string) error {
	s, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	return prepare(ctx, s)
}

// name is what a server calls its SQLite database.
const name = "tandem.db"

var prepared = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tandem-prepared-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	path := filepath.Join(dir, name)
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, s); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closing has put the log into the file
})

func prepare(ctx context.Context, s interface {
	Migrate(ctx context.Context) error
	Secret(ctx context.Context, name string, proposed []byte) ([]byte, error)
	Close() error
}) error {
	err := s.Migrate(ctx)
	if err == nil {
		_, err = s.Secret(ctx, "sandbox-keys", sandboxtest.StoredKeys())
	}
	return errors.Join(err, s.Close())
}
