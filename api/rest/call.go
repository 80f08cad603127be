package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tandem-pay/tandem/fault"
)

// Call is one request while it is served.
type Call struct {
	Request *http.Request
	Caller  any // set by Options.Authenticate

	api   *API // nil for a request to a route that others mounted
	w     http.ResponseWriter
	ctx   context.Context
	notes []slog.Attr
	err   error // what it was refused for
	code  fault.Code
	quiet bool   // refusals are logged elsewhere
	id    string // of the trace, once it was needed
}

type callKey struct{}

// CallOf finds the call of a request's context.
func CallOf(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return &Call{} // not one of our operations: see Problems.Write
}

// Note adds an attribute to the request's line in the log. A second note of a
// name replaces the first; one without a value is left out.
func (c *Call) Note(name, value string) {
	for i := range c.notes {
		if c.notes[i].Key == name {
			c.notes[i].Value = slog.StringValue(value)
			return
		}
	}
	c.notes = append(c.notes, slog.String(name, value))
}

// traceID names the request in logs and problems. Without tracing it is
// random: the log still finds it.
func (c *Call) traceID() string {
	if c.id == "" {
		c.id = c.traced()
	}
	if c.id == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		c.id = hex.EncodeToString(b[:])
	}
	return c.id
}

// traced is the id of the request's trace, "" without one.
func (c *Call) traced() string {
	if c.api == nil || c.api.Tracer == nil || c.ctx == nil {
		return ""
	}
	return c.api.Tracer.TraceID(c.ctx)
}

// ClientIP is the address that the request came from.
func (c *Call) ClientIP() string {
	if c.api != nil && c.api.TrustProxy {
		hops := strings.Split(strings.Join(c.Request.Header.Values("X-Forwarded-For"), ","), ",")
		// The last entry is what the proxy saw; those before it are untrusted.
		if ip := net.ParseIP(strings.TrimSpace(hops[len(hops)-1])); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(c.Request.RemoteAddr)
	if err != nil {
		return c.Request.RemoteAddr
	}
	return host
}

// around is what happens around every operation: its span, the check of its
// caller, its line in the log, its observation, and the answer if it panics.
func (a *API) around(o *Operation) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		start := time.Now()
		r, w := humago.Unwrap(hc)
		ctx, end := r.Context(), func(error) {}
		if a.Tracer != nil {
			ctx, end = a.Tracer.Start(ctx, o.Route, r.Header.Get("Traceparent"))
		}
		c := &Call{Request: r, api: a, w: w, ctx: ctx}
		hc = huma.WithContext(hc, context.WithValue(ctx, callKey{}, c))
		defer func() {
			if p := recover(); p != nil {
				panicked(hc, c, p)
			}
			for _, name := range a.LogPath {
				if value := r.PathValue(name); value != "" {
					c.Note(name, value)
				}
			}
			c.quiet = o.Quiet
			a.finish(hc.Context(), c, o.Route, hc.Status(), start, end)
		}()
		if a.accessOf(o).CrossOrigin {
			allowOrigin(w.Header())
		}
		if err := a.admit(hc.Context(), c, o); err != nil {
			refuse(hc, err)
			return
		}
		next(hc)
	}
}

// panicked answers a request whose handler panicked, unless it was answered.
func panicked(hc huma.Context, c *Call, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	err := fmt.Errorf("panicked: %v\n%s", p, debug.Stack())
	if hc.Status() != 0 {
		// Most likely the client disconnected while the answer was written.
		c.err = errors.Join(c.err, err)
		return
	}
	refuse(hc, err)
}

// finish ends the request's span, observes it and logs it. Success is logged
// at Debug, so that the log does not limit the load.
func (a *API) finish(ctx context.Context, c *Call, route string, status int, start time.Time, end func(error)) {
	took := time.Since(start)
	if status == 0 {
		status = c.refusedStatus()
	}
	if status >= http.StatusInternalServerError {
		end(c.err)
	} else {
		end(nil)
	}
	if a.Observe != nil {
		a.Observe(route, status, took)
	}
	level := slog.LevelDebug
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status > http.StatusInternalServerError:
		level = slog.LevelWarn
	case status >= http.StatusBadRequest && !c.quiet:
		level = slog.LevelInfo
	}
	if !a.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("route", route), slog.Int("status", status), slog.Duration("took", took))
	if c.traced() == "" { // else the log adds it to every line
		attrs = append(attrs, slog.String("traceId", c.traceID()))
	}
	for _, n := range append(c.notes, slog.String("code", string(c.code))) {
		if n.Value.String() != "" {
			attrs = append(attrs, n)
		}
	}
	if c.err != nil {
		attrs = append(attrs, slog.Any("error", c.err))
	}
	a.Log.LogAttrs(ctx, level, "request", attrs...)
}

// refusedStatus is the status of an answer that did not go through huma.
func (c *Call) refusedStatus() int {
	if c.code == "" {
		return http.StatusOK
	}
	return statusOf(c.code)
}
