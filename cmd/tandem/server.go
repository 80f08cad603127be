package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bills"
	"github.com/tandem-pay/tandem/channel/kinds"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/engine"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/push"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/telemetry"
	"github.com/tandem-pay/tandem/worker"
)

// server is one running instance.
type server struct {
	cfg     *serveCmd
	url     string // for channels and browsers
	addr    string // that it listens on
	key     string // a secret key that was made just now, to be printed once
	keyFile string // where the secret key of the sandbox's shop is kept, if it is
	demo    bool
	broken  chan error
	leaving atomic.Bool   // it says so at /readyz, and serves still
	drain   chan struct{} // closed when the server begins to stop
	log     *slog.Logger
	db      database
	clock   *clock.Movable
	engine  *engine.Engine
	app     *app.App
	auth    *app.Auth
	book    *app.ChannelBook
	hub     *push.Hub
	outbox  *outbox.Outbox
	worker  *worker.Worker
	sandbox *sandbox.Gateway // nil: it has none, or it is another instance's

	sandboxed  *sandboxChannels
	endSandbox func() error // gives back the role of having the sandbox
	folder     *folder      // of a SQLite database

	metrics *telemetry.Metrics

	http     *limitedServer // nil until it serves
	debug    *http.Server
	traces   *sdk.TracerProvider
	endLoops context.CancelFunc
	loops    sync.WaitGroup
}

// start brings an instance up, in the order in which its parts depend on each
// other; what it started is stopped again if a later part fails.
func start(ctx context.Context, cfg *serveCmd, s streams) (_ *server, err error) {
	calmCollector()
	if err := cfg.settle(); err != nil {
		return nil, err
	}
	sv := &server{
		cfg:     cfg,
		broken:  make(chan error, 4),
		drain:   make(chan struct{}),
		log:     telemetry.NewLog(cfg.handler(s)),
		clock:   cfg.clock(),
		metrics: telemetry.NewMetrics(),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, sv.stop(time.Second))
		}
	}()
	tracer, err := sv.openTraces(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.DB == "" {
		if sv.folder, err = lockFolder(cfg.Data); err != nil {
			return nil, err
		}
	}
	db, committers, err := cfg.open(ctx, sv.log)
	if err != nil {
		return nil, err
	}
	sv.db = db
	if err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	if err := ensureDefault(ctx, db, sv.clock.Now()); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, err
	}
	sv.addr = listener.Addr().String()
	sv.url = "http://" + sv.addr
	if cfg.PublicURL != "" {
		sv.url = strings.TrimRight(cfg.PublicURL, "/")
	}
	if sv.folder != nil {
		if err := sv.folder.publish(serverFile, "http://"+sv.addr); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
	}
	if err := sv.wire(ctx, tracer, committers); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	mux, err := sv.routes(ctx)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	sv.http = newLimitedServer(mux, limitsOf, sv.log)
	go func() {
		if err := sv.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			sv.broken <- err
		}
	}()
	if err := sv.listenDebug(); err != nil {
		return nil, err
	}
	return sv, sv.runLoops()
}

// listenDebug serves the profiles on an address of their own: they are for
// whoever runs the server, not for its callers.
func (sv *server) listenDebug() error {
	if sv.cfg.DebugListen == "" {
		return nil
	}
	l, err := net.Listen("tcp", sv.cfg.DebugListen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	limits := limitsOf
	limits.Answer = 0 // a profile takes as long as its reader asks for
	sv.debug = &newLimitedServer(mux, limits, sv.log).Server
	go func() { _ = sv.debug.Serve(l) }() // ends with Close
	return nil
}

// calmCollector lets garbage grow to five times the live heap before it is
// collected: a server's live heap is some 20 MB, and collecting at every
// doubling of that was a fifth of its time under load. GOGC overrides it.
func calmCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

func (sv *server) openTraces(ctx context.Context) (*telemetry.Tracer, error) {
	var processors []sdk.SpanProcessor
	if sv.cfg.OTLP != "" {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(sv.cfg.OTLP))
		if err != nil {
			return nil, fmt.Errorf("--otlp: %w", err)
		}
		processors = append(processors, sdk.NewBatchSpanProcessor(exporter))
	}
	tracer, provider := telemetry.NewTracer(append(processors, extraSpans...)...)
	sv.traces = provider
	return tracer, nil
}

// extraSpans lets a test watch the spans of a whole instance.
var extraSpans []sdk.SpanProcessor

// wire makes the parts: the engine first, then what uses it and what
// reads its log.
func (sv *server) wire(ctx context.Context, tracer *telemetry.Tracer, committers int) error {
	box, err := sv.cfg.box(ctx, sv.db, sv.cfg.Data, true)
	if err != nil {
		return err
	}
	tokenKey, err := box.Derive("client-tokens")
	if err != nil {
		return err
	}
	tokens := app.NewTokens(tokenKey)
	sv.auth = &app.Auth{Store: sv.db, Tokens: tokens}
	o := kinds.Options{Now: sv.clock.Now, Observe: sv.metrics.ChannelCall}
	channels := kinds.All(o)
	if loadKinds != nil {
		channels = append(channels, loadKinds(o)...)
	}
	if sv.sandboxed, err = readSandbox(ctx, sv.db); err != nil {
		return err
	}
	sv.book = &app.ChannelBook{Store: sv.db, Sealer: box, Kinds: sv.sandboxed.kinds(channels)}
	sv.hub = push.New(push.Options{
		Store: sv.db, Auth: sv.auth, Tracer: tracer, Clock: sv.clock, Log: sv.log,
		Problem: api.WriteProblem, Observe: sv.observePush(),
	})
	caches := &app.Caches{Store: sv.db}
	sv.engine = engine.New(sv.db, rows.Schema, engine.Options{
		Clock: sv.clock, Committers: committers, MaxQueue: sv.cfg.MaxQueue, Tracer: tracer, Log: sv.log,
		Observe: sv.observeBatch, Prepare: caches.Prepare,
		Committed: func(c *unit.Changes) {
			caches.Committed(c)
			sv.hub.Publish(c.Shop, c.Records)
			sv.outbox.Wake(c.Shop, c.Records)
			if c.Touches(rows.Jobs) {
				sv.worker.WakeJobs()
			}
		},
	})
	sv.app = &app.App{
		Engine: sv.engine, Store: sv.db, PriceInputs: caches.PriceInputs, Channels: sv.book, Clock: sv.clock, Rand: rand.Reader,
		Tokens: tokens, Log: sv.log, Tracer: tracer, PublicURL: sv.url,
	}
	sv.outbox = outbox.New(outbox.Options{
		Store: sv.db, Engine: sv.engine, Followers: logFollowers(), Tails: []*outbox.Tail{sv.hub.Log()},
		Clock: sv.clock, Log: sv.log,
	})
	sv.metrics.Register(followers{sv.outbox})
	sv.worker = worker.New(worker.Options{App: sv.app, Bills: bills.New(sv.app), Shops: sv.db.Shops, Clock: sv.clock, Log: sv.log})
	sv.registerGauges()
	return sv.firstKey(ctx)
}

// runLoops starts what runs beside the requests.
func (sv *server) runLoops() error {
	ctx, cancel := context.WithCancel(context.Background())
	sv.endLoops = cancel
	run := func(name string, f func(context.Context) error) {
		sv.loops.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				sv.log.Error("a loop ended", "loop", name, "error", err)
				sv.broken <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	run("push", sv.hub.Run)
	run("outbox", sv.outbox.Run)
	run("worker", sv.worker.Run)
	if sv.sandbox != nil {
		run("sandbox", sv.sandbox.Run)
	}
	return nil
}

// leave makes the server unready, and goes on serving for a while: those who
// send requests here are to notice before the listener closes.
func (sv *server) leave(d time.Duration) {
	sv.leaving.Store(true)
	if d > 0 {
		sv.log.Info("shutting down: not ready any more, and still serving", "for", d)
		time.Sleep(d)
	}
}

// stop drains: sockets are closed, requests in flight finish, then the loops,
// the engine and the store.
func (sv *server) stop(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var errs []error
	close(sv.drain)
	if sv.hub != nil {
		sv.hub.Close(ctx)
	}
	if sv.http != nil {
		sv.http.hurry()
		if err := sv.http.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("requests still in flight after %s: %w", limit, err), sv.http.Close())
		}
	}
	if sv.debug != nil {
		errs = append(errs, sv.debug.Close())
	}
	if sv.endLoops != nil {
		sv.endLoops()
		sv.loops.Wait()
	}
	if sv.sandbox != nil {
		sv.sandbox.Close()
	}
	if sv.engine != nil {
		sv.engine.Close()
	}
	if sv.traces != nil {
		errs = append(errs, sv.traces.Shutdown(ctx))
	}
	if sv.endSandbox != nil {
		errs = append(errs, sv.endSandbox())
	}
	if sv.db != nil {
		errs = append(errs, sv.db.Close())
	}
	if sv.folder != nil {
		errs = append(errs, sv.folder.release())
	}
	return errors.Join(errs...)
}
