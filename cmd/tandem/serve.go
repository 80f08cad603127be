package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/tandem-pay/tandem/clock"
)

// serveCmd is tandem serve.
type serveCmd struct {
	dbFlags
	keyFlags
	Listen                    string        `help:"Address to listen on; port 0 takes a free one." default:"127.0.0.1:8080"`
	PublicURL                 string        `help:"How channels and browsers reach this server; http://<listen> when absent." placeholder:"URL"`
	APIKey                    string        `help:"The first secret key (sk_…); random when absent." placeholder:"SK"`
	NoSandbox                 bool          `help:"Mount neither the sandbox gateway nor the test clock."`
	Production                bool          `help:"For real money: no sandbox, no demo, no test clock, no secret printed; needs --public-url https://… and a master key of your own."`
	SandboxBesideRealChannels bool          `help:"Mount the sandbox although a shop has a real channel: what is paid at the sandbox's channels is paid for nothing."`
	At                        time.Time     `help:"The time at which the test clock starts (2026-11-30T15:45:00Z); now when absent. Time must not go back in one database." placeholder:"TIME"`
	NoDemo                    bool          `help:"Neither create the demo's products and promotions nor serve its page. Without the sandbox there is no demo."`
	MaxQueue                  int           `help:"Commands that may wait in one shop's queue before the answer is 429." default:"4096"`
	Drain                     time.Duration `help:"How long in-flight work may take after SIGTERM." default:"20s"`
	DrainDelay                time.Duration `help:"How long /readyz says 503 after SIGTERM before the listener closes: longer than load balancers take to notice." default:"5s"`
	TrustProxy                bool          `help:"Trust X-Forwarded-For (only behind a proxy of your own)."`
	OTLP                      string        `name:"otlp" help:"Send traces to this OTLP/HTTP endpoint." placeholder:"URL"`
	DebugListen               string        `help:"Serve Go's profiles (pprof) on this address, not for the public." placeholder:"ADDR"`
	LogLevel                  string        `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
	LogFormat                 string        `help:"text or json." default:"text" enum:"text,json"`
}

func (c *serveCmd) Run(ctx context.Context, s streams) error {
	server, err := start(ctx, c, s)
	if err != nil {
		return err
	}
	server.greet(s.out)
	select {
	case <-ctx.Done():
		server.leave(c.DrainDelay)
	case err = <-server.broken:
	}
	stopped := server.stop(c.Drain)
	if err == nil {
		err = stopped
	}
	return err
}

// minProductionKey is how many characters a secret key that is given must have.
const minProductionKey = 24

// settle refuses flags that contradict each other, and sets those that
// --production stands for.
func (c *serveCmd) settle() error {
	var errs []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if c.Production {
		public, err := url.Parse(c.PublicURL)
		refuse(err != nil || public.Scheme != "https" || public.Host == "",
			"--production needs --public-url https://…: channels and browsers reach the server there")
		refuse(c.MasterKey == "" && c.MasterKeyFile == "",
			"--production needs --master-key-file (or TANDEM_MASTER_KEY): a key of your own, kept apart from the database")
		refuse(c.APIKey != "" && len(c.APIKey) < minProductionKey,
			"--production: a key in TANDEM_API_KEY has at least %d characters", minProductionKey)
		c.NoSandbox, c.NoDemo = true, true
	}
	refuse(c.NoSandbox && !c.At.IsZero(), "--at moves the test clock, which there is only with the sandbox")
	refuse(c.NoSandbox && c.SandboxBesideRealChannels, "--sandbox-beside-real-channels: there is no sandbox (--no-sandbox or --production)")
	if len(errs) > 0 {
		return usageError{errors.Join(errs...)}
	}
	return nil
}

// clock is the clock of everything in the server.
func (c *serveCmd) clock() *clock.Movable {
	if c.At.IsZero() {
		return clock.New()
	}
	return clock.StartingAt(c.At)
}

func (c *serveCmd) handler(s streams) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // the enum has let only levels through
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.NewJSONHandler(s.err, o)
	}
	return slog.NewTextHandler(s.err, o)
}

// greet prints where everything is.
func (sv *server) greet(out interface{ Write([]byte) (int, error) }) {
	fmt.Fprintf(out, "tandem %s is ready\n\n", version)
	line := func(name, value string) { fmt.Fprintf(out, "  %-10s %s\n", name, value) }
	if sv.demo {
		line("demo", sv.url+"/demo")
	}
	line("API", sv.url+"/v1")
	line("docs", sv.url+"/docs")
	line("metrics", sv.url+"/metrics")
	if !sv.cfg.NoSandbox {
		line("sandbox", sv.url+"/sandbox/")
	}
	if sv.key != "" {
		line("key", sv.key)
	} else if sv.keyFile != "" {
		line("key file", sv.keyFile)
	}
	fmt.Fprintln(out)
}
