package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// environment is all that the rows share: the programs, the database server, and
// one seeded shop to copy.
type environment struct {
	config
	log       io.Writer
	progress  load.Progress
	root, dir string
	tandem    string // the programs
	baseline  string
	key       string // secret key of clients
	master    string // master key of the installation
	keys      *sandbox.Keys
	settings  string // file of the channel's settings

	pg           *pgtest.Server
	postgresShop *load.Shop // nil until it is needed
	sqliteShop   *load.Shop // the same
	copies       int
}

// ordersPerSecond is how fast a server is at most thought to be: every other
// order uses up a coupon.
const ordersPerSecond = 12_000

func newEnvironment(ctx context.Context, c config, log io.Writer) (env *environment, err error) {
	env = &environment{
		config: c, log: log, progress: load.Bar(log),
		key: app.SecretPrefix + rand.Text(), master: base64.StdEncoding.EncodeToString([]byte((rand.Text() + rand.Text())[:32])),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, env.close())
		}
	}()
	if env.root, err = moduleRoot(ctx); err != nil {
		return env, err
	}
	if env.dir, err = os.MkdirTemp("", "tandem-compare-"); err != nil {
		return env, err
	}
	if env.tandem = c.tandem; env.tandem == "" {
		if env.tandem, err = build(ctx, env.root, env.dir, "./cmd/tandem", "-tags", "bench"); err != nil {
			return env, err
		}
	}
	if env.baseline, err = build(ctx, env.root, env.dir, "./bench/baseline"); err != nil {
		return env, err
	}
	if env.keys, err = sandbox.GenerateKeys(rand.Reader, time.Now()); err != nil {
		return env, err
	}
	env.settings = filepath.Join(env.dir, "channel.json")
	return env, os.WriteFile(env.settings, load.ChannelSettings(env.keys, load.BenchChannel), 0o600)
}

func (env *environment) close() error {
	var errs []error
	if env.pg != nil {
		errs = append(errs, env.pg.Stop())
	}
	if env.dir != "" {
		errs = append(errs, os.RemoveAll(env.dir))
	}
	return errors.Join(errs...)
}

func (env *environment) required() load.Requirements {
	coupons := int64((env.warmUp+env.seconds)*ordersPerSecond/2) + 1
	return load.Requirements{Skus: 1000, Coupons: max(coupons, env.lives), Users: true}
}

// place is a database of its own for one run.
type place struct {
	flags []string // how a server is pointed at it
	shop  *load.Shop
	store func(ctx context.Context) (app.Admin, error)
	drop  func() error
}

// postgres makes a copy of the seeded PostgreSQL database.
func (env *environment) postgres(ctx context.Context) (*place, error) {
	if env.postgresShop == nil {
		if err := env.seedPostgres(ctx); err != nil {
			return nil, err
		}
	}
	url, drop, err := env.pg.Create(ctx)
	if err != nil {
		return nil, err
	}
	if err := env.sql(ctx, url, "ANALYZE"); err != nil {
		return nil, err
	}
	// What one run left to be written must not fall on the next.
	if err := env.sql(ctx, url, "CHECKPOINT"); err != nil {
		return nil, err
	}
	return &place{
		flags: []string{"--db", url}, shop: env.postgresShop, drop: drop,
		store: func(ctx context.Context) (app.Admin, error) { return postgres.Open(ctx, url, postgres.Options{}) },
	}, nil
}

func (env *environment) seedPostgres(ctx context.Context) (err error) {
	if err := env.startPostgres(); err != nil {
		return err
	}
	fmt.Fprintln(env.log, "seeding a shop in PostgreSQL")
	return env.pg.Template(ctx, func(ctx context.Context, url string) error {
		if env.postgresShop, err = env.seed(ctx, "--db", url); err != nil {
			return err
		}
		return env.sql(ctx, url, "VACUUM ANALYZE")
	})
}

// startPostgres starts the database server for whoever is the first to need
// it.
func (env *environment) startPostgres() (err error) {
	if env.pg == nil {
		fmt.Fprintln(env.log, "starting PostgreSQL")
		env.pg, err = pgtest.Start(pgtest.Options{Fsync: true})
	}
	return err
}

func (env *environment) sql(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// sqlite makes a copy of the seeded SQLite file.
func (env *environment) sqlite(ctx context.Context) (*place, error) {
	seeded := filepath.Join(env.dir, "seeded")
	if env.sqliteShop == nil {
		fmt.Fprintln(env.log, "seeding a shop in SQLite")
		var err error
		if env.sqliteShop, err = env.seed(ctx, "--data", seeded); err != nil {
			return nil, err
		}
	}
	env.copies++
	dir := filepath.Join(env.dir, "lite"+strconv.Itoa(env.copies))
	if err := os.CopyFS(dir, os.DirFS(seeded)); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "tandem.db")
	return &place{
		flags: []string{"--data", dir}, shop: env.sqliteShop, drop: func() error { return os.RemoveAll(dir) },
		store: func(ctx context.Context) (app.Admin, error) { return sqlite.Open(ctx, file, sqlite.Options{}) },
	}, nil
}

// seed has Tandem migrate a database, and puts the shop there.
func (env *environment) seed(ctx context.Context, flags ...string) (s *load.Shop, err error) {
	server, err := env.serve(ctx, flags...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	t, err := load.NewTarget(server.URL, env.key)
	if err != nil {
		return nil, err
	}
	if err := load.PutChannel(ctx, t, load.BenchChannel, load.ChannelSettings(env.keys, load.BenchChannel)); err != nil {
		return nil, err
	}
	return load.Prepare(ctx, t, env.required(), env.progress)
}

// serve starts Tandem.
func (env *environment) serve(ctx context.Context, flags ...string) (*load.Process, error) {
	args := []string{
		"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(env.dir, "data"),
		"--master-key", env.master, "--api-key", env.key, "--no-demo", "--no-sandbox", "--log-level", "warn",
	}
	return load.Start(ctx, env.tandem, append(args, flags...)...)
}

// serveBaseline starts the baseline.
func (env *environment) serveBaseline(ctx context.Context, flags ...string) (*load.Process, error) {
	args := []string{"--key", env.key, "--channel", env.settings, "--conns", strconv.Itoa(env.conns)}
	return load.Start(ctx, env.baseline, append(args, flags...)...)
}

// audit reads what a run left.
func (p *place) audit(ctx context.Context) (*audit.Report, error) {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	store, err := p.store(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return audit.Run(ctx, store, shop.Default, outbox.Reactions(app.Reactions))
}
