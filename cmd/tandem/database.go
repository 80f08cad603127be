package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// database is a store of either kind.
type database interface {
	unit.Store
	app.Reader
	app.Admin
	Migrate(ctx context.Context) error
	MigrateDownTo(ctx context.Context, version int64) error
	Versions(ctx context.Context) (applied, newest int64, err error)
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

// existing opens a database that is there and up to date, for commands that
// must not make one where a path or an address is mistyped.
func (f *dbFlags) existing(ctx context.Context) (db database, writers int, err error) {
	if err := f.mustExist(); err != nil {
		return nil, 0, err
	}
	if db, writers, err = f.open(ctx, quiet()); err != nil {
		return nil, 0, err
	}
	applied, newest, err := db.Versions(ctx)
	switch {
	case err != nil:
	case applied == 0:
		err = errors.New("the database has no tables of Tandem; tandem migrate or tandem serve makes them")
	case applied < newest:
		err = fmt.Errorf("the tables are of schema %d, and this program needs %d; tandem migrate brings them up to date", applied, newest)
	}
	if err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return db, writers, nil
}

// mustExist fails if the SQLite file is not there.
func (f *dbFlags) mustExist() error {
	if f.DB != "" {
		return nil
	}
	file := filepath.Join(f.Data, "tandem.db")
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("there is no database %s; give --db or --data (tandem serve and tandem migrate make one)", file)
	}
	return nil
}

// theShop is a shop that is there.
func theShop(ctx context.Context, db app.Reader, id string) (shop.Shop, error) {
	if err := shop.CheckShopID(id); err != nil {
		return shop.Shop{}, usageError{err}
	}
	sh, err := db.ShopByID(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return sh, fmt.Errorf("there is no shop %s; tandem shops list shows all, tandem shops add makes one", id)
	}
	return sh, err
}

// ensureDefault makes the shop that an installation has from the beginning.
func ensureDefault(ctx context.Context, db app.Admin, now time.Time) error {
	return db.EnsureShop(ctx, shop.Shop{ID: shop.Default, Name: "Tandem demo", Currency: "CNY", CreatedAt: now})
}

// open opens the database, or makes it. writers is how many batches may be in flight.
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
