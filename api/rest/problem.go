package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/fault"
)

// Problem is an RFC 9457 answer.
type Problem struct {
	Type    string        `json:"type" format:"uri-reference" example:"/problems/not_found" doc:"The page that explains this kind of problem"`
	Title   string        `json:"title" example:"It does not exist" doc:"The kind of problem in a few words, which do not change"`
	Status  int           `json:"status" example:"404"`
	Detail  string        `json:"detail" example:"order 12026060104000012300000000017 does not exist" doc:"What was wrong this time, for people"`
	Code    string        `json:"code" example:"not_found" doc:"Stable; branch on this"`
	Errors  []fault.Field `json:"errors,omitempty" doc:"The fields at fault: JSON pointers into the body, or plain names of parameters"`
	TraceID string        `json:"traceId" example:"4bf92f3577b34da6a3ce929d0e0e4736" doc:"Finds the request in logs and traces"`

	header http.Header
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status. With GetHeaders and ContentType it makes huma
// answer with the problem.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that the status needs.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of RFC 9457.
func (*Problem) ContentType(_ string) string { return "application/problem+json" }

// Problems makes problems of errors.
type Problems struct {
	// Titles explain the service's own codes in a few words. Those that this
	// package uses have titles already.
	Titles map[fault.Code]string
	// Realm is the realm of the challenge that comes with status 401.
	Realm string
}

// Title explains a code; it is "" for a code without a title.
func (p Problems) Title(code fault.Code) string {
	if own, ok := p.Titles[code]; ok {
		return own
	}
	return titles[code]
}

// of makes the answer to err, and keeps err for the request's line in the log.
func (p Problems) of(ctx context.Context, err error) *Problem {
	e := fault.From(err)
	c := CallOf(ctx)
	c.err, c.code = err, e.Code
	out := &Problem{
		Type: "/problems/" + string(e.Code), Title: p.Title(e.Code), Status: statusOf(e.Code),
		Detail: e.Message, Code: string(e.Code), Errors: e.Fields, TraceID: c.traceID(),
	}
	switch out.Status {
	case http.StatusUnauthorized:
		out.header = http.Header{"Www-Authenticate": {`Bearer realm="` + p.Realm + `"`}}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		after := max(1, int(math.Ceil(e.RetryAfter.Seconds())))
		out.header = http.Header{"Retry-After": {strconv.Itoa(after)}}
	}
	return out
}

// Write answers a request with the problem of err, as every operation does:
// for endpoints that others mount beside them.
func (p Problems) Write(w http.ResponseWriter, r *http.Request, err error) {
	p.write(r.Context(), w, err)
}

func (p Problems) write(ctx context.Context, w http.ResponseWriter, err error) {
	problem := p.of(ctx, err)
	h := w.Header()
	for name, values := range problem.header {
		h[name] = values
	}
	h.Set("Content-Type", problem.ContentType(""))
	w.WriteHeader(problem.Status)
	_ = json.NewEncoder(w).Encode(problem) // it fails only when the client has disconnected
}

// problems are those of the API that a request belongs to.
func problemsOf(ctx context.Context) Problems {
	if a := CallOf(ctx).api; a != nil {
		return a.problems
	}
	return Problems{}
}

// refuse answers a request that does not get to its operation.
func refuse(hc huma.Context, err error) {
	problemsOf(hc.Context()).write(hc.Context(), CallOf(hc.Context()).w, err)
}

// ofHuma makes a problem of a refusal of huma's own. hc is nil when huma only
// wants to know what a problem looks like.
func ofHuma(hc huma.Context, status int, msg string, errs []error) *Problem {
	if hc == nil {
		return &Problem{Status: status}
	}
	ctx := hc.Context()
	for _, err := range errs {
		if e, ok := errors.AsType[*fault.Error](err); ok {
			return problemsOf(ctx).of(ctx, e)
		}
	}
	var e *fault.Error
	switch {
	case status == http.StatusRequestEntityTooLarge:
		e = fault.New(fault.BodyTooLarge, "a body has at most %d bytes", MaxBody)
	case status == http.StatusRequestTimeout:
		e = fault.New(RequestTimeout, "the body did not arrive within %s", CallOf(ctx).api.BodyTime)
	case status < http.StatusInternalServerError:
		e = invalid(msg, errs)
	case msg == msgCannotRead:
		e = fault.New(fault.ValidationFailed, "the body ended too early").Because(errors.Join(errs...))
	default:
		e = fault.From(fmt.Errorf("%s: %w", msg, errors.Join(errs...)))
	}
	return problemsOf(ctx).of(ctx, e)
}
