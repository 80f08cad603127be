// Package postgres keeps the state of shops in PostgreSQL 15 or later. Many
// instances may share one database: rows that are locked in one order and
// unique keys keep them apart.
//
// It promises:
//
//   - Begin is one round trip, and so is Commit (one more when jobs are
//     stored): what a batch costs does not grow with how far the database is.
//   - A commit has written everything or nothing. ErrConflict and any other
//     error mean nothing, only ErrCommitUnknown leaves it open, and HasKey
//     then makes sure that the lost transaction can no longer decide.
//   - A reader of the log never misses a record that was committed late, and
//     reads the records about one order in the order in which they were
//     written (see log.go).
//
// For speed, each thing measured:
//
//   - Statements are about sets: one for each kind of rows, however many
//     commands share the batch, with a column an array.
//   - The statements of the engine are planned once a connection, and written
//     so that this plan looks up keys in an index even if the tables were
//     empty when it was made (see sql.go). Everything else is planned for the
//     values at hand.
//   - Columns are written to the wire straight from their slices (arrays.go),
//     and what several reactions read is read out of its JSON once
//     (recent.go).
//   - The engine has connections of its own: readers can neither hold it up nor
//     bend its plans.
//   - A stock row is updated in place on a half-empty page and touches no
//     index; what an order can never change again is never written again.
package postgres

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/unit"
)

// Options of a store. The zero value is good for one instance.
type Options struct {
	WriteConns int32           // batches in flight at a time; 4 when 0
	MaxConns   int32           // connections for everything else; 8 when 0
	Tracer     pgx.QueryTracer // otelpgx, say; nil is none
	Log        *slog.Logger    // slog.Default() when nil
}

// Store is a PostgreSQL database. It is safe for use by many at once.
type Store struct {
	write *pgxpool.Pool // for units
	read  *pgxpool.Pool // for everything else
	log   *slog.Logger

	// pooled says that a connection pooler such as PgBouncer stands before the
	// server, see pooler.go.
	pooled bool

	recent    recent
	writeName string // the application name of the writing connections, ours alone
	lostMu    sync.Mutex
	lost      map[uint32]struct{} // process ids of connections that broke while committing

}

var (
	_ unit.Store = (*Store)(nil)
	_ app.Reader = (*Store)(nil)
	_ app.Admin  = (*Store)(nil)
)

// Settings of the writing connections. Its statements look up keys that they
// are given, a handful or a few hundred: a walk along an index is right at
// any size of the tables, so it is the only plan left to choose.
var writeSettings = map[string]string{
	"plan_cache_mode":   "force_generic_plan",
	"enable_seqscan":    "off",
	"enable_hashjoin":   "off",
	"enable_mergejoin":  "off",
	"enable_material":   "off",
	"enable_bitmapscan": "off",
	"jit":               "off",
	// A lock is held for the time of a commit. Whoever waits this long waits
	// for an instance that hangs; the second setting ends that one.
	"lock_timeout":                        "10s",
	"idle_in_transaction_session_timeout": "15s",
}

// Settings of all other connections: a plan for each call, so that none was
// made for a table that has grown since. What is read is a page of something
// in the order of an index; on tables that were not analysed yet the planner
// would rather gather all that follows and sort it.
var readSettings = map[string]string{
	"plan_cache_mode":   "force_custom_plan",
	"enable_seqscan":    "off",
	"enable_bitmapscan": "off",
	"jit":               "off",
}

// Open connects to the database at url. It does not migrate, and refuses
// tables that are too new for this program.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	s := &Store{log: o.Log, lost: map[uint32]struct{}{}, writeName: "tandem write " + rand.Text()[:10]}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	if s.pooled, err = behindPooler(ctx, url); err != nil {
		return nil, err
	}
	if s.pooled {
		s.log.InfoContext(ctx, "PostgreSQL is behind a connection pooler: statements are sent without being prepared, "+
			"and settings with each transaction")
	}
	open := func(
		conns, otherwise int32, name string, settings map[string]string, ready func(context.Context, *pgx.Conn) error,
	) (*pgxpool.Pool, error) {
		c, err := pgxpool.ParseConfig(url)
		if err != nil {
			return nil, fmt.Errorf("the database's address: %w", err)
		}
		if s.pooled {
			c.ConnConfig.DefaultQueryExecMode, settings = pooledMode, nil
			c.ConnConfig.DialFunc = dialPooled(c.ConnConfig.DialFunc)
		}
		if conns == 0 {
			conns = otherwise
		}
		c.MaxConns, c.AfterConnect = conns, ready
		c.ConnConfig.Tracer = o.Tracer
		maps.Copy(c.ConnConfig.RuntimeParams, settings)
		c.ConnConfig.RuntimeParams["application_name"] = name
		return pgxpool.NewWithConfig(ctx, c)
	}
	if s.write, err = open(o.WriteConns, 4, s.writeName, writeSettings, writeColumns); err != nil {
		return nil, err
	}
	if s.read, err = open(o.MaxConns, 8, "tandem", readSettings, nil); err != nil {
		s.write.Close()
		return nil, err
	}
	if err := s.read.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if err := s.checkSchema(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes all connections. Jobs that run here must be stopped before.
func (s *Store) Close() error {
	s.write.Close()
	s.read.Close()
	return nil
}

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is held while migrating, so that of many instances that
// start at once one migrates and the others find it done. The number is any.
const migrationLock = 7_414_265_103

// Migrate brings the database to the newest version, from any before it.
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
		_, err := s.read.Exec(ctx, "DROP TABLE "+goose.DefaultTablename)
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

func (s *Store) migrating(ctx context.Context, do func(*goose.Provider) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("migrate: %w", err)
		}
	}()
	config := s.read.Config().ConnConfig
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }() // unlocks
	// A lock of a transaction: a session may be another's behind a pooler.
	for _, sql := range []string{
		"BEGIN", "SET LOCAL idle_in_transaction_session_timeout = 0", fmt.Sprint("SELECT pg_advisory_xact_lock(", migrationLock, ")"),
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	tables, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { err = errors.Join(err, tables.Close()) }()
	// What connections have prepared may no longer be so.
	defer s.write.Reset()
	defer s.read.Reset()
	return do(tables)
}
