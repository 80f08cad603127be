package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
)

// sandboxCmd is tandem sandbox.
type sandboxCmd struct {
	Listen    string `help:"Address to listen on; port 0 takes a free one." default:"127.0.0.1:8081"`
	Data      string `help:"Folder of the keys that it makes." default:"./tandem-data" type:"path"`
	PublicURL string `help:"How browsers reach it; the request's own host when absent." placeholder:"URL"`
}

func (c *sandboxCmd) Run(ctx context.Context, s streams) error {
	now := clock.New()
	keys, err := sandbox.LoadOrCreateKeys(filepath.Join(c.Data, "sandbox.json"), rand.Reader, now.Now())
	if err != nil {
		return err
	}
	// Shops in other programs use the computer's clock: when this one is moved,
	// signed messages, callbacks included, must still be fresh to them.
	g := sandbox.New(sandbox.Options{
		Clock: now, APITime: time.Now, CallbackTime: time.Now, Rand: rand.Reader, Keys: keys, PublicURL: c.PublicURL, Log: quiet(),
		Advance: func(d time.Duration) { now.Advance(d) },
	})
	defer g.Close()
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	settings, err := json.MarshalIndent(sandboxSettings(g.Keys(), url), "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(
		s.out,
		"the sandbox gateway is ready\n\n  trades      %s/sandbox/\n  WeChat Pay  %s/v3/…\n  Alipay      %s/gateway.do\n\nConfigure the channels of a shop with:\n%s\n",
		url, url, url, settings,
	)

	server := newLimitedServer(g.Handler(), limitsOf, nil)
	broken := make(chan error, 2)
	go func() { broken <- server.Serve(l) }()
	go func() { broken <- g.Run(ctx) }()
	select {
	case <-ctx.Done():
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.hurry()
		return server.Shutdown(end)
	case err := <-broken:
		if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}
