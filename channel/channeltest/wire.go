package channeltest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// Wire is a transport between a channel and its gateway that can answer a
// request with the answer to an earlier one: authentic, and about something
// else. A fixture opens its channel with it.
type Wire struct {
	next http.RoundTripper

	mu     sync.Mutex
	keep   bool
	replay bool
	kept   *answer
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// NewWire makes a Wire that sends requests by next.
func NewWire(next http.RoundTripper) *Wire { return &Wire{next: next} }

// Keep remembers the answer to the first request that do makes.
func (w *Wire) Keep(do func()) {
	w.set(true, false)
	do()
	w.set(false, false)
}

// Replay answers the first request that do makes with what Keep remembers, and
// says whether there was such a request. The gateway does not see it.
func (w *Wire) Replay(do func()) bool {
	w.set(false, true)
	do()
	w.mu.Lock()
	defer w.mu.Unlock()
	used := !w.replay
	w.replay = false
	return used
}

func (w *Wire) set(keep, replay bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keep, w.replay = keep, replay
}

// RoundTrip sends one request, or answers it itself.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	keep, old := w.keep, w.kept
	if !w.replay {
		old = nil
	}
	w.keep, w.replay = false, false
	w.mu.Unlock()
	if old != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return old.response(r), nil
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil || !keep {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	a := &answer{resp.StatusCode, resp.Header, body}
	w.mu.Lock()
	w.kept = a
	w.mu.Unlock()
	return a.response(r), nil
}

func (a *answer) response(r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}
}
