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
	// HoldSandbox makes this instance, at address, the one that has the
	// sandbox, until release. If another has it already, that is the holder.
	HoldSandbox(ctx context.Context, address string) (release func() error, holder string, err error)
	// SandboxHolder is the address of the instance that has it, "" if none.
	SandboxHolder(ctx context.Context) (address string, err error)
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
		return sqliteDB{s, f.Data}, 1, nil
	case strings.HasPrefix(f.DB, "postgres://"), strings.HasPrefix(f.DB, "postgresql://"):
		s, err := postgres.Open(ctx, f.DB, postgres.Options{Log: log})
		if err != nil {
			return nil, 0, err
		}
		return postgresDB{s}, 2, nil
	}
	return nil, 0, usageError{fmt.Errorf("--db %q: want postgres://user:password@host/database, or nothing for SQLite", f.DB)}
}

// sqliteDB is a SQLite file in its folder. Its one server has the sandbox.
type sqliteDB struct {
	*sqlite.Store
	data string
}

func (d sqliteDB) HoldSandbox(_ context.Context, address string) (func() error, string, error) {
	return func() error { return nil }, "", (&folder{path: d.data}).publish(sandboxFile, address)
}

func (d sqliteDB) SandboxHolder(context.Context) (string, error) { return sandboxOf(d.data) }

// postgresDB is a PostgreSQL database, which many instances may share.
type postgresDB struct{ *postgres.Store }

// sandboxRole is the role of the instance that has the sandbox. The number is
// any.
const sandboxRole = 1

func (d postgresDB) HoldSandbox(ctx context.Context, address string) (func() error, string, error) {
	return d.Hold(ctx, sandboxRole, address)
}

func (d postgresDB) SandboxHolder(ctx context.Context) (string, error) {
	return d.Holder(ctx, sandboxRole)
}
