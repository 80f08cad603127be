package push

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// SSE serves GET /v1/orders/{orderNo}/events: what the WebSocket sends about one
// order, as Server-Sent Events. The id of each is the seq to resume from, in
// Last-Event-ID or ?after=.
func (h *Hub) SSE() http.Handler { return http.HandlerFunc(h.serveSSE) }

func (h *Hub) serveSSE(w http.ResponseWriter, r *http.Request) {
	h.allowOrigin(w, r)
	after, err := resumeFrom(r)
	if err != nil {
		h.o.Problem(w, r, err)
		return
	}
	who, err := h.o.Auth.Authenticate(r.Context(), tokenOf(r))
	if err != nil {
		h.o.Problem(w, r, err)
		return
	}
	s, err := h.admit(r.Context(), r)
	if err != nil {
		h.o.Problem(w, r, err)
		return
	}
	defer h.dismiss(s)
	s.who, s.token = who, tokenOf(r)
	out := &eventStream{w: w, rc: http.NewResponseController(w), limit: h.o.SendTimeout}
	s.out = out

	if err := s.subscribeOrder(r.PathValue("orderNo"), after); err != nil {
		if err = s.why(err); !out.begun {
			h.o.Problem(w, r, asFault(err))
			return
		}
		h.parted(err)
		return
	}
	keepalive := time.NewTicker(keepAlive)
	defer keepalive.Stop()
	err = s.loop(nil, keepalive.C, func() error { return out.comment("") })
	s.end()
	h.parted(err)
	// EventSource has no close codes and reconnects automatically; the comment is
	// for people who read the stream.
	var bye *closing
	if errors.As(err, &bye) && bye != errGone && bye != errSlow {
		_ = out.comment(strconv.Itoa(int(bye.code)) + " " + bye.reason)
	}
}

// asFault is a closing before the stream has begun.
func asFault(err error) error {
	var bye *closing
	if errors.As(err, &bye) {
		f := fault.New(fault.Unavailable, "%s", bye.reason).Because(err)
		f.RetryAfter = time.Second
		return f
	}
	return err
}

// resumeFrom is the last seq that the client has, nil for none. A browser
// that reconnects repeats its URL: the header is the newer one.
func resumeFrom(r *http.Request) (*int64, error) {
	at, pointer := r.Header.Get("Last-Event-ID"), "Last-Event-ID"
	if at == "" {
		at, pointer = r.URL.Query().Get("after"), "after"
	}
	if at == "" {
		return nil, nil
	}
	seq, err := strconv.ParseInt(at, 10, 64)
	if err != nil || seq < 0 {
		return nil, fault.Invalidf(pointer, "must be the last seq that you have, or 0 for all")
	}
	return &seq, nil
}

// allowOrigin lets pages of the permitted origins read the stream.
func (h *Hub) allowOrigin(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if slices.Contains(h.o.Origins, "*") {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return
	}
	w.Header().Add("Vary", "Origin")
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return
	}
	for _, pattern := range h.o.Origins {
		target := u.Host
		if strings.Contains(pattern, "://") {
			target = u.Scheme + "://" + u.Host
		}
		if ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(target)); ok {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			return
		}
	}
}

// eventStream is a subscriber's event stream.
type eventStream struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	limit time.Duration // of one write
	begun bool
}

// write implements sink.
func (e *eventStream) write(f *frame) error {
	b := make([]byte, 0, len(f.data)+len(f.kind)+48)
	b = append(b, "id: "...)
	b = strconv.AppendInt(b, f.seq, 10)
	b = append(b, "\nevent: "...)
	b = append(b, f.kind...)
	b = append(b, "\ndata: "...)
	b = append(b, f.data...) // JSON: one line
	return e.out(append(b, "\n\n"...))
}

// comment keeps the connection alive.
func (e *eventStream) comment(text string) error { return e.out([]byte(": " + text + "\n\n")) }

func (e *eventStream) out(b []byte) error {
	if !e.begun {
		e.begin()
	}
	// The deadline is taken back after each write: under HTTP/2 it would end
	// the stream even while nothing is being written.
	_ = e.rc.SetWriteDeadline(time.Now().Add(e.limit))
	_, err := e.w.Write(b)
	if err == nil {
		err = e.rc.Flush()
	}
	if err == nil {
		_ = e.rc.SetWriteDeadline(time.Time{})
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	return errGone
}

func (e *eventStream) begin() {
	e.begun = true
	// The server's limit on reading a request would end a stream in its
	// middle. Where it cannot be lifted there is none.
	_ = e.rc.SetReadDeadline(time.Time{})
	head := e.w.Header()
	head.Set("Content-Type", "text/event-stream; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Accel-Buffering", "no") // nginx holds answers back otherwise
	e.w.WriteHeader(http.StatusOK)
	_, _ = e.w.Write([]byte("retry: 1000\n\n"))
}

// problem writes a refusal as RFC 9457 has it.
func (o *Options) problem(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	status := int(f.Kind())
	body := problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: f.Message, Code: f.Code, Errors: f.Fields,
	}
	if o.Tracer != nil {
		body.TraceID = app.TraceID(o.Tracer.Parent(r.Context()))
	}
	if f.Kind() == fault.KindInternal && !errors.Is(err, context.Canceled) {
		o.Log.ErrorContext(r.Context(), "push failed", "error", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(encode(0, "", body).data)
}

type problem struct {
	Type    string        `json:"type"`
	Title   string        `json:"title"`
	Status  int           `json:"status"`
	Detail  string        `json:"detail"`
	Code    fault.Code    `json:"code"`
	Errors  []fault.Field `json:"errors,omitempty"`
	TraceID string        `json:"traceId,omitempty"`
}
