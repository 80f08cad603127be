package api

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

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// call is what is known of one request while it is served.
type call struct {
	app.Identity
	order string // the order that it is about, when known; for the log
	err   error  // what it was refused for
	code  fault.Code

	r     *http.Request
	w     http.ResponseWriter
	trace func() string // the traceparent of the request's span
	id    string        // of the trace, once asked for
}

type callKey struct{}

// caller finds the call of a request's context.
func caller(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{} // not one of our routes: WriteProblem
}

// traceID names the request in logs and problems. Without tracing it is made
// up: the log still finds it.
func (c *call) traceID() string {
	if c.id == "" && c.trace != nil {
		c.id = app.TraceID(c.trace())
	}
	if c.id == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		c.id = hex.EncodeToString(b[:])
	}
	return c.id
}

// clientIP is the address that the request came from.
func (s *server) clientIP(c *call) string {
	if s.TrustProxy {
		hops := strings.Split(strings.Join(c.r.Header.Values("X-Forwarded-For"), ","), ",")
		// The last entry is what the proxy saw; those before it are hearsay.
		if ip := net.ParseIP(strings.TrimSpace(hops[len(hops)-1])); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return host
}

// around is what happens around every operation: its span, who asks, its
// line in the log, its measure, and the answer if it panics.
func (s *server) around(route string, o *op) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		start := time.Now()
		r, w := humago.Unwrap(hc)
		ctx, end := s.app.Tracer.Start(r.Context(), route, r.Header.Get("Traceparent"))
		c := &call{r: r, w: w, order: r.PathValue("orderNo")}
		c.trace = func() string { return s.app.Tracer.Parent(ctx) }
		hc = huma.WithContext(hc, context.WithValue(ctx, callKey{}, c))
		defer func() {
			if p := recover(); p != nil {
				panicked(hc, c, p)
			}
			s.finish(hc.Context(), c, route, hc.Status(), start, end)
		}()
		if err := s.admit(hc.Context(), c, o); err != nil {
			refuse(hc, err)
			return
		}
		next(hc)
	}
}

// panicked answers a request whose handling broke, unless it was answered.
func panicked(hc huma.Context, c *call, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	err := fmt.Errorf("panicked: %v\n%s", p, debug.Stack())
	if hc.Status() != 0 {
		// The client went away while the answer was written, most likely.
		c.err = errors.Join(c.err, err)
		return
	}
	refuse(hc, err)
}

// finish tells the trace, the metrics and the log of a request. Success is
// logged at Debug, so that load is not bound by its log.
func (s *server) finish(ctx context.Context, c *call, route string, status int, start time.Time, end func(error)) {
	took := time.Since(start)
	if status == 0 {
		status = c.refusedStatus()
	}
	if status >= http.StatusInternalServerError {
		end(c.err)
	} else {
		end(nil)
	}
	if s.Observe != nil {
		s.Observe(route, status, took)
	}
	level := slog.LevelDebug
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status > http.StatusInternalServerError:
		level = slog.LevelWarn
	case status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !s.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("route", route), slog.Int("status", status), slog.Duration("took", took))
	if c.trace == nil || c.trace() == "" { // else the log adds it to every line
		attrs = append(attrs, slog.String("traceId", c.traceID()))
	}
	for _, a := range []slog.Attr{slog.String("shop", c.Shop), slog.String("orderNo", c.order), slog.String("code", string(c.code))} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if c.err != nil {
		attrs = append(attrs, slog.Any("error", c.err))
	}
	s.Log.LogAttrs(ctx, level, "request", attrs...)
}

// refusedStatus is the status of an answer that did not go through huma.
func (c *call) refusedStatus() int {
	if c.code == "" {
		return http.StatusOK
	}
	return statusOf(&fault.Error{Code: c.code})
}

// allMethods are asked for when a path is there but not with the method used.
var allMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// unmatched answers what no route matches: 405 if the path is there for
// another method, else 404.
func (s *server) unmatched(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	c := &call{r: r, w: w}
	ctx := context.WithValue(r.Context(), callKey{}, c)
	var allowed []string
	for _, m := range allMethods {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "/" && pattern != "" && m != r.Method {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		write(ctx, w, fault.New(methodNotAllowed, "%s is not allowed here; allowed: %s", r.Method, strings.Join(allowed, ", ")))
	} else {
		write(ctx, w, fault.New(fault.NotFound, "there is nothing at this path; /docs shows what there is"))
	}
	s.finish(ctx, c, "unmatched", 0, start, func(error) {})
}
