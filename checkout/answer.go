package checkout

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

const maxBody = 64 << 10

// answered is what a handler returns beside an error.
type answered struct {
	status int // 0: 200
	header http.Header
	body   any
}

// answer turns a function into a handler: its answer into JSON, its error
// into the same problem document that the public API gives.
func (s *shop) answer(f func(http.ResponseWriter, *http.Request) (answered, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
		rw.Header().Set("Cache-Control", "no-store")
		a, err := f(rw, r)
		if err != nil {
			s.refuse(rw, r, err)
			return
		}
		for k, v := range a.header {
			rw.Header()[k] = v
		}
		write(rw, "application/json", max(a.status, http.StatusOK), a.body)
	}
}

// problem is an RFC 9457 document.
type problem struct {
	Type    string        `json:"type"`
	Title   string        `json:"title"`
	Status  int           `json:"status"`
	Detail  string        `json:"detail"`
	Code    fault.Code    `json:"code"`
	Errors  []fault.Field `json:"errors,omitempty"`
	TraceID string        `json:"traceId,omitempty"`
}

func (s *shop) refuse(rw http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	status := int(f.Kind())
	trace := app.TraceID(s.App.Tracer.Parent(r.Context()))
	if status >= http.StatusInternalServerError {
		s.Log.ErrorContext(r.Context(), "demo: refused", "path", r.URL.Path, "error", err)
	}
	if f.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+999_999_999)/1_000_000_000)))
	}
	write(rw, "application/problem+json", status, problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: f.Message, Code: f.Code, Errors: f.Fields, TraceID: trace,
	})
}

func write(rw http.ResponseWriter, mime string, status int, body any) {
	rw.Header().Set("Content-Type", mime)
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(body)
}

// read decodes a request's body and refuses what it does not know.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil && !d.More():
		return nil
	case err == nil:
		return fault.New(fault.ValidationFailed, "the body is one JSON object")
	case errors.As(err, &tooLarge):
		return fault.New(fault.BodyTooLarge, "a body has at most %d bytes here", maxBody)
	case errors.Is(err, io.EOF):
		return fault.New(fault.ValidationFailed, "the body is empty")
	case strings.Contains(err.Error(), "unknown field"): // the decoder has no type for it
		return fault.New(fault.UnknownField, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return fault.New(fault.ValidationFailed, "the body is not the JSON that is expected: %s", strings.TrimPrefix(err.Error(), "json: "))
}
