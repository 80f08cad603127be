// Package load sends load to a server with Tandem's public API and
// measures it. `tandem bench` is its command line; bench/compare uses it on
// Tandem and on the baseline in turn.
//
// The load is a closed loop: each of N clients has one connection and sends
// its next request when it has the answer to the one before. So a slow server
// gets fewer requests, and what waits is bounded by N. (Listen paces its
// requests instead, and counts each from when it was due.)
//
// The generator shares the machine with what it measures, so it is made
// cheap: each request takes a few µs besides its system calls. To that end it
// writes HTTP/1.1 by hand (client.go), composes bodies by appending, reads
// answers by searching, and keeps one histogram for all.
//
// What is measured is what a client sees: from the first byte sent to the
// last byte read. Requests that begin or end outside of the measured window
// are not counted.
package load

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Target is the server under load.
type Target struct {
	Addr string // host:port
	Key  string // secret key
	Shop string // as the addresses of callbacks name it

	Watch []Watched // processes to account for beside the load itself; none will do
}

// NewTarget takes the URL of a server apart. Only plain HTTP is used: TLS
// would be measured with it.
func NewTarget(base, key string) (Target, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" {
		return Target{}, fmt.Errorf("target %q: want http://host:port", base)
	}
	addr := u.Host
	if u.Port() == "" {
		addr += ":80"
	}
	return Target{Addr: addr, Key: key, Shop: "default"}, nil
}

// Pace says how much load, and for how long. Zero fields take the defaults
// given.
type Pace struct {
	Clients int           // 64
	WarmUp  time.Duration // before anything is counted: none
	For     time.Duration // the measured window: 10 s
	Max     int64         // requests that may be counted in all: no limit
}

func (p Pace) orDefaults() Pace {
	if p.Clients <= 0 {
		p.Clients = 64
	}
	if p.For <= 0 {
		p.For = 10 * time.Second
	}
	return p
}

// Progress is called with how far a stage has come, a few times a second.
type Progress func(stage string, done, total int64)

// ErrTooManyErrors ends a run whose requests keep failing: there is nothing
// to measure.
var ErrTooManyErrors = errors.New("too many requests failed")

// maxErrors is how many requests of a run may fail.
const maxErrors = 10_000

// maxFirstErrors is how many may fail before the first one succeeds.
const maxFirstErrors = 100

// during runs do until it returns, reporting to progress what value says.
func during(ctx context.Context, p Progress, stage string, total int64, value func() int64, do func() error) error {
	if p == nil {
		return do()
	}
	done := make(chan struct{})
	reporting := make(chan struct{})
	go func() {
		defer close(reporting)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				p(stage, total, total)
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				p(stage, min(value(), total), total)
			}
		}
	}()
	err := do()
	close(done)
	<-reporting
	return err
}
