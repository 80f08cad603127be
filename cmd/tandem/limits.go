package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// httpLimits are what one connection may take, on every path of every
// listener: a handler cannot forget them. What waits on purpose lifts its own:
// the body of an answer that streams (server-sent events) has a limit for each
// write, and a WebSocket has limits of package push.
//
//	what                                   limit
//	the header of a request                Header, HeaderBytes
//	the header and the body                Request, on any path
//	the body alone                         Body, for operations of the API, which answer 408
//	a body that its handler did not read   Unread, after the answer
//	a body while the server drains         Drain
//	an answer, a long poll's wait included Answer
//	silence between two requests           Idle
type httpLimits struct {
	Header, Request, Body, Unread, Drain, Answer, Idle time.Duration

	HeaderBytes int
}

// limitsOf a server. Answer is longer than rest.MaxWait, and Request longer
// than Body, so that an operation can say what it waited for.
var limitsOf = httpLimits{
	Header: 5 * time.Second, Request: 15 * time.Second, Body: 10 * time.Second,
	Unread: time.Second, Drain: time.Second, Answer: 75 * time.Second, Idle: 2 * time.Minute, HeaderBytes: 32 << 10,
}

// limitedServer is an http.Server with the limits.
type limitedServer struct {
	http.Server

	limits  httpLimits
	mu      sync.Mutex
	waiting map[*timedBody]struct{} // for more of their bodies
	hurried bool
}

func newLimitedServer(h http.Handler, l httpLimits, log *slog.Logger) *limitedServer {
	s := &limitedServer{limits: l, waiting: map[*timedBody]struct{}{}}
	s.Server = http.Server{
		Handler: s.limit(h), ReadHeaderTimeout: l.Header, ReadTimeout: l.Request, WriteTimeout: l.Answer,
		IdleTimeout: l.Idle, MaxHeaderBytes: l.HeaderBytes,
	}
	if log != nil {
		s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	}
	return s
}

// limit lifts the limit of reading when a request has been read: reading goes
// on while the handler works, to see whether the client is still there, and
// the limit would end the request in its middle.
func (s *limitedServer) limit(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if r.Body == nil || r.Body == http.NoBody {
			_ = rc.SetReadDeadline(time.Time{})
			h.ServeHTTP(w, r)
			return
		}
		b := &timedBody{ReadCloser: r.Body, rc: rc, server: s}
		r = r.WithContext(r.Context()) // net/http looks at the body of its own request afterwards
		r.Body = b
		s.await(b)
		defer func() {
			if s.arrived(b) {
				_ = rc.SetReadDeadline(time.Now().Add(min(s.limits.Unread, s.limits.Drain)))
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// await notes that more of a body is to come.
func (s *limitedServer) await(b *timedBody) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[b] = struct{}{}
	if s.hurried {
		_ = b.rc.SetReadDeadline(time.Now().Add(s.limits.Drain))
	}
}

// arrived notes that no more of a body is waited for, and says whether it was.
func (s *limitedServer) arrived(b *timedBody) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, was := s.waiting[b]
	delete(s.waiting, b)
	return was
}

// hurry gives the bodies that are arriving a moment, for the server drains:
// slow clients must not hold it up.
func (s *limitedServer) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hurried = true
	for b := range s.waiting {
		_ = b.rc.SetReadDeadline(time.Now().Add(s.limits.Drain))
	}
}

// timedBody is a request's body that lifts the limit of reading at its end.
type timedBody struct {
	io.ReadCloser

	rc     *http.ResponseController
	server *limitedServer
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && b.server.arrived(b) {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}
