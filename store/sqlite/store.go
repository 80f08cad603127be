// Package sqlite keeps the state of shops in one SQLite file, for one
// instance of Tandem: nothing to install, and the same statements, tables and
// promises as on PostgreSQL.
//
// It promises:
//
//   - A commit that returned is on the disk (write-ahead log, synchronous
//     FULL): neither kill -9 nor a power cut takes it back, and nothing is
//     there by halves.
//   - There is one writer at a time. A unit has the file to itself from Begin
//     to its end, so that what it read cannot change; units and all
//     else wait in one line, first come, first served (see turn). Nobody in
//     this process meets SQLITE_BUSY. A second process on the file by mistake
//     costs time, not correctness.
//   - Readers have connections of their own that cannot write; they neither
//     wait for the writer nor hold it up.
//
// What it costs, on two cores of a virtual machine with 0.2 ms a sync, an
// order being its row, its record in the log, its idempotency key with 1 kB of
// answer, two skus (each written once a batch) and every other time a coupon:
//
//	orders in a batch      1      10     100     500
//	orders a second    1,750   7,000  13,000  14,000
//
// Rows are written one by one with prepared statements, straight through the
// driver: the simplest way, and the fastest. Measured per order in a batch of
// 500: 50 µs of CPU, and 61 µs if the same statements go through
// database/sql. Of the writing alone, without reading and committing: 30 µs
// straight, 33 µs through database/sql, 29 µs with 25 rows to a statement,
// 59 µs with one statement that takes the rows out of a JSON document. Half of
// the rest is the write-ahead log, which takes 4 kB for each page that is
// touched; larger pages are no better.
//
// Memory: 16 MB of pages for the writer, 2 MB for each of four readers, as
// far as they are used; an idle store has about 20 MB with the process, and
// 55 MB after fifty thousand orders.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/unit"
)

// Options of a store. The zero value is good.
type Options struct {
	Readers int          // connections for reading; 4 when 0
	Log     *slog.Logger // slog.Default() when nil
}

// Store is a SQLite file. It is safe for use by many at once.
type Store struct {
	file string
	log  *slog.Logger

	turn  turn
	write *sql.DB // one connection; only whoever has the turn uses it
	read  *sql.DB // connections that cannot write

	reads      statements
	writes     statements // queries of units; changes go the direct way
	unprepared []string   // of writes; belongs to whoever has the turn, and so does direct
	direct     direct
}

var (
	_ unit.Store = (*Store)(nil)
	_ app.Reader = (*Store)(nil)
	_ app.Admin  = (*Store)(nil)
)

// Settings of the connections. Within this process nobody waits for the
// database (see turn); the busy timeout is for others: a backup, a second
// instance that is started by mistake. The write-ahead log is copied back
// into the file every 4,000 pages (16 MB) by the commit that fills it.
const (
	always = "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=temp_store(memory)"
	writer = always + "&_txlock=immediate&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(67108864)&_pragma=cache_size(-16000)"
	reader = always + "&_pragma=query_only(1)&_pragma=cache_size(-2000)"
)

// Open opens the file at path, or makes it. It does not migrate.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{
		file: "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?",
		log:  o.Log, turn: newTurn(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	// SQLite would make the file readable by everybody, and its log files like it.
	made, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	if s.write, err = sql.Open("sqlite", s.file+writer); err != nil {
		return nil, err
	}
	if s.read, err = sql.Open("sqlite", s.file+reader); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	readers := cmp.Or(o.Readers, 4)
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	s.writes.db, s.reads.db = s.write, s.read

	// The writer first: it is the one that may make the file.
	for _, db := range []*sql.DB{s.write, s.read} {
		if err := db.PingContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
		}
	}
	if err := s.checkSchema(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
	}
	return s, nil
}

// Close closes the file, when the unit that is open is over. Jobs that run
// here must be stopped before.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.turn.take(ctx); err != nil {
		return fmt.Errorf("close: a unit is still open: %w", err)
	}
	defer s.turn.give()
	return errors.Join(s.direct.close(), s.read.Close(), s.write.Close())
}

// writing runs do in a transaction of its own.
func (s *Store) writing(ctx context.Context, do func(tx *sql.Tx) error) error {
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the file to the newest version, from any before it.
func (s *Store) Migrate(ctx context.Context) error {
	return s.migrating(ctx, func(tables *goose.Provider) error {
		_, err := tables.Up(ctx)
		return err
	})
}

// MigrateDown removes everything, with all data.
func (s *Store) MigrateDown(ctx context.Context) error {
	return s.migrating(ctx, func(tables *goose.Provider) error {
		if _, err := tables.DownTo(ctx, 0); err != nil {
			return err
		}
		_, err := s.write.ExecContext(ctx, "DROP TABLE "+goose.DefaultTablename)
		return err
	})
}

// Migration is one step of the schema.
type Migration struct {
	Name      string
	Version   int64
	Applied   bool
	AppliedAt time.Time // zero where it is not known
}

// Status lists all migrations.
func (s *Store) Status(ctx context.Context) ([]Migration, error) {
	var out []Migration
	err := s.migrating(ctx, func(tables *goose.Provider) error {
		own, err := tables.Status(ctx)
		if err != nil {
			return err
		}
		for _, m := range own {
			out = append(out, Migration{m.Source.Path, m.Source.Version, m.State == goose.StateApplied, m.AppliedAt.UTC()})
		}
		return nil
	})
	return out, err
}

// migrating holds the turn: nobody writes meanwhile.
func (s *Store) migrating(ctx context.Context, do func(*goose.Provider) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("migrate: %w", err)
		}
	}()
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// The provider is not closed: that would close our connection.
	tables, err := goose.NewProvider(
		goose.DialectSQLite3, s.write, files, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(jobsMigration),
	)
	if err != nil {
		return err
	}
	return do(tables)
}
