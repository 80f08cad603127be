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
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// house is all that the rows share: the programs, the database server, and
// one seeded shop to copy.
type house struct {
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

	pg     *pgtest.Server
	shop   *load.Shop // in PostgreSQL; nil until it is needed
	litely *load.Shop // in SQLite
	copies int
}

// ordersPerSecond is how fast a server is at most thought to be: every other
// order uses up a coupon.
const ordersPerSecond = 12_000

func newHouse(ctx context.Context, c config, log io.Writer) (h *house, err error) {
	h = &house{
		config: c, log: log, progress: load.Bar(log),
		key: app.SecretPrefix + rand.Text(), master: base64.StdEncoding.EncodeToString([]byte((rand.Text() + rand.Text())[:32])),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.root, err = moduleRoot(ctx); err != nil {
		return h, err
	}
	if h.dir, err = os.MkdirTemp("", "tandem-compare-"); err != nil {
		return h, err
	}
	if h.tandem = c.tandem; h.tandem == "" {
		if h.tandem, err = build(ctx, h.root, h.dir, "./cmd/tandem", "-tags", "bench"); err != nil {
			return h, err
		}
	}
	if h.baseline, err = build(ctx, h.root, h.dir, "./bench/baseline"); err != nil {
		return h, err
	}
	if h.keys, err = sandbox.GenerateKeys(rand.Reader, time.Now()); err != nil {
		return h, err
	}
	h.settings = filepath.Join(h.dir, "channel.json")
	return h, os.WriteFile(h.settings, load.ChannelSettings(h.keys, load.BenchChannel), 0o600)
}

func (h *house) close() error {
	var errs []error
	if h.pg != nil {
		errs = append(errs, h.pg.Stop())
	}
	if h.dir != "" {
		errs = append(errs, os.RemoveAll(h.dir))
	}
	return errors.Join(errs...)
}

func (h *house) wanted() load.Wanted {
	coupons := int64((h.warmUp+h.seconds)*ordersPerSecond/2) + 1
	return load.Wanted{Skus: 1000, Coupons: max(coupons, h.lives), Users: true}
}

// place is a database of its own for one run.
type place struct {
	flags []string // how a server is told of it
	shop  *load.Shop
	store func(ctx context.Context) (app.Admin, error)
	drop  func() error
}

// postgres makes a copy of the seeded PostgreSQL database.
func (h *house) postgres(ctx context.Context) (*place, error) {
	if h.shop == nil {
		if err := h.seedPostgres(ctx); err != nil {
			return nil, err
		}
	}
	url, drop, err := h.pg.Create(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.sql(ctx, url, "ANALYZE"); err != nil {
		return nil, err
	}
	// What one run left to be written must not fall on the next.
	if err := h.sql(ctx, url, "CHECKPOINT"); err != nil {
		return nil, err
	}
	return &place{
		flags: []string{"--db", url}, shop: h.shop, drop: drop,
		store: func(ctx context.Context) (app.Admin, error) { return postgres.Open(ctx, url, postgres.Options{}) },
	}, nil
}

func (h *house) seedPostgres(ctx context.Context) (err error) {
	if err := h.startPostgres(); err != nil {
		return err
	}
	fmt.Fprintln(h.log, "seeding a shop in PostgreSQL")
	return h.pg.Template(ctx, func(ctx context.Context, url string) error {
		if h.shop, err = h.seed(ctx, "--db", url); err != nil {
			return err
		}
		return h.sql(ctx, url, "VACUUM ANALYZE")
	})
}

// startPostgres starts the database server for whoever is the first to need
// it.
func (h *house) startPostgres() (err error) {
	if h.pg == nil {
		fmt.Fprintln(h.log, "starting PostgreSQL")
		h.pg, err = pgtest.Start(pgtest.Options{Fsync: true})
	}
	return err
}

func (h *house) sql(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// sqlite makes a copy of the seeded SQLite file.
func (h *house) sqlite(ctx context.Context) (*place, error) {
	seeded := filepath.Join(h.dir, "seeded")
	if h.litely == nil {
		fmt.Fprintln(h.log, "seeding a shop in SQLite")
		var err error
		if h.litely, err = h.seed(ctx, "--data", seeded); err != nil {
			return nil, err
		}
	}
	h.copies++
	dir := filepath.Join(h.dir, "lite"+strconv.Itoa(h.copies))
	if err := os.CopyFS(dir, os.DirFS(seeded)); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "tandem.db")
	return &place{
		flags: []string{"--data", dir}, shop: h.litely, drop: func() error { return os.RemoveAll(dir) },
		store: func(ctx context.Context) (app.Admin, error) { return sqlite.Open(ctx, file, sqlite.Options{}) },
	}, nil
}

// seed has Tandem migrate a database, and puts the shop there.
func (h *house) seed(ctx context.Context, flags ...string) (s *load.Shop, err error) {
	server, err := h.serve(ctx, flags...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	t, err := load.NewTarget(server.URL, h.key)
	if err != nil {
		return nil, err
	}
	if err := load.PutChannel(ctx, t, load.BenchChannel, load.ChannelSettings(h.keys, load.BenchChannel)); err != nil {
		return nil, err
	}
	return load.Prepare(ctx, t, h.wanted(), h.progress)
}

// serve starts Tandem.
func (h *house) serve(ctx context.Context, flags ...string) (*load.Process, error) {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(h.dir, "data"), "--master-key", h.master, "--api-key", h.key,
		"--no-demo", "--no-sandbox", "--log-level", "warn"}
	return load.Start(ctx, h.tandem, append(args, flags...)...)
}

// serveBaseline starts the baseline.
func (h *house) serveBaseline(ctx context.Context, flags ...string) (*load.Process, error) {
	return load.Start(ctx, h.baseline, append([]string{"--key", h.key, "--channel", h.settings, "--conns", strconv.Itoa(h.conns)}, flags...)...)
}

// audit reads what a run left.
func (p *place) audit(ctx context.Context) (*app.Report, error) {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	store, err := p.store(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return app.Audit(ctx, store, shop.Default)
}
