package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// database is a store of either kind.
type database interface {
	unit.Store
	app.Reader
	app.Admin
	Migrate(ctx context.Context) error
	MigrateDown(ctx context.Context) error
}

// dbFlags say where the state is.
type dbFlags struct {
	DB   string `help:"Database: postgres://… ; a SQLite file under --data when absent." placeholder:"URL"`
	Data string `help:"Folder of the SQLite file and the keys that this instance makes." default:"./tandem-data" type:"path"`
}

// open opens the database. writers is how many batches may be in flight.
func (f *dbFlags) open(ctx context.Context, log *slog.Logger) (db database, writers int, err error) {
	switch {
	case f.DB == "":
		if err := os.MkdirAll(f.Data, 0o700); err != nil {
			return nil, 0, err
		}
		s, err := sqlite.Open(ctx, filepath.Join(f.Data, "tandem.db"), sqlite.Options{Log: log})
		if err != nil {
			return nil, 0, err
		}
		return sqliteDB{s}, 1, nil
	case strings.HasPrefix(f.DB, "postgres://"), strings.HasPrefix(f.DB, "postgresql://"):
		s, err := postgres.Open(ctx, f.DB, postgres.Options{Log: log})
		if err != nil {
			return nil, 0, err
		}
		return postgresDB{s}, 2, nil
	}
	return nil, 0, usageError{fmt.Errorf("--db %q: want postgres://user:password@host/database, or nothing for SQLite", f.DB)}
}

// The stores take any clock; these give their methods the one shape.
type (
	sqliteDB   struct{ *sqlite.Store }
	postgresDB struct{ *postgres.Store }
)
