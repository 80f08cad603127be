// Command baseline is what Tandem is measured against: the program that a
// careful engineer writes for the same task, with one database transaction
// for each order.
//
// It is meant to be good. It uses Tandem's tables, its pricing and the
// business packages (so that both do the same work and Tandem's audit reads
// its data), and differs in how a change is made: each request takes a
// connection of the pool, locks its rows in key order, decides, writes,
// commits. Nothing is
// read twice, no statement is run in a loop, statements are prepared once a
// connection, rules are kept in memory, and what the tables can do in one
// statement is one statement. It does less than Tandem where a simple program would:
// plain net/http, no schema validation, no traces, no metrics, no reactions
// (coupons and stock change within the transaction of the payment).
//
// With --echo it does none of this: it answers quotes with one that it was
// given, and so shows what HTTP and JSON alone cost (echo.go).
//
// With --sqlite it does the same on SQLite, for placing orders only: one
// transaction for each order, and the same durability as Tandem's.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/wechatpay"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var (
		db       = flag.String("db", "", "PostgreSQL, migrated and seeded by Tandem: postgres://…")
		file     = flag.String("sqlite", "", "the same as a SQLite file")
		conns    = flag.Int("conns", 16, "connections of the pool")
		listen   = flag.String("listen", "127.0.0.1:0", "address to listen on")
		key      = flag.String("key", "", "secret key that clients send")
		answer   = flag.String("echo", "", "file with a quote: answer every quote with it, and nothing else")
		settings = flag.String("channel", "", "file with the settings of a WeChat Pay channel, as PUT /v1/channels takes them")
	)
	flag.Parse()
	debug.SetGCPercent(400) // its heap is small and memory is not what it lacks
	s := &server{key: "Bearer " + *key, tokens: app.NewTokens([]byte(rand.Text() + rand.Text()))}
	if *settings != "" {
		ch, err := openChannel(*settings)
		if err != nil {
			return err
		}
		s.channel = ch
	}
	routes := s.routes
	switch {
	case *answer != "":
		e, err := openEcho(*answer, s.key)
		if err != nil {
			return err
		}
		routes = e.routes
	case *db != "":
		pg, err := openPostgres(ctx, *db, *conns)
		if err != nil {
			return err
		}
		defer pg.pool.Close()
		s.store, s.pays = pg, pg
	case *file != "":
		lite, err := openSQLite(ctx, *file)
		if err != nil {
			return err
		}
		defer lite.db.Close()
		s.store = lite
	default:
		return errors.New("--db, --sqlite or --echo")
	}

	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	s.url = "http://" + l.Addr().String()
	fmt.Printf("baseline is ready\n\n  API        %s/v1\n", s.url)
	h := &http.Server{Handler: routes(), ReadHeaderTimeout: 5 * time.Second}
	broken := make(chan error, 1)
	go func() { broken <- h.Serve(l) }()
	select {
	case err := <-broken:
		return err
	case <-ctx.Done():
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return h.Shutdown(end)
	}
}

// channel is WeChat Pay without the calls: its prepay answers at once.
type channel struct {
	*wechatpay.Channel
	merchant, app string
}

func openChannel(file string) (*channel, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var cfg wechatpay.Config
	if err := json.Unmarshal(raw, &cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	ch, err := wechatpay.New(cfg, wechatpay.Options{})
	if err != nil {
		return nil, err
	}
	return &channel{ch, cfg.MchID, cfg.AppID}, nil
}
