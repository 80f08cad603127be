package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/tandem-pay/tandem/fault"
)

// problem is an RFC 9457 answer.
type problem struct {
	Type    string        `json:"type" format:"uri-reference" example:"/problems/out_of_stock" doc:"Where this kind of problem is explained"`
	Title   string        `json:"title" example:"Not enough stock" doc:"The kind of problem, in a few words that do not change"`
	Status  int           `json:"status" example:"409"`
	Detail  string        `json:"detail" example:"tea: 3 asked for, 2 available" doc:"What was wrong this time, for people"`
	Code    string        `json:"code" example:"out_of_stock" doc:"Stable; branch on this"`
	Errors  []fault.Field `json:"errors,omitempty" doc:"The fields at fault: JSON pointers into the body, or plain names of parameters"`
	TraceID string        `json:"traceId" example:"4bf92f3577b34da6a3ce929d0e0e4736" doc:"Finds the request in logs and traces"`

	header http.Header
}

func (p *problem) Error() string             { return p.Code + ": " + p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) GetHeaders() http.Header   { return p.header }
func (*problem) ContentType(_ string) string { return "application/problem+json" }

// The codes of refusals that HTTP itself asks for, before anything of ours is
// reached.
const (
	methodNotAllowed     fault.Code = "method_not_allowed"
	unsupportedMediaType fault.Code = "unsupported_media_type"
	requestTimeout       fault.Code = "request_timeout"
)

var wireCodes = map[fault.Code]int{
	methodNotAllowed:     http.StatusMethodNotAllowed,
	unsupportedMediaType: http.StatusUnsupportedMediaType,
	requestTimeout:       http.StatusRequestTimeout,
}

func statusOf(e *fault.Error) int {
	if status, ok := wireCodes[e.Code]; ok {
		return status
	}
	return int(e.Kind())
}

// problemOf makes the answer to err and notes err for the request's log line.
func problemOf(ctx context.Context, err error) *problem {
	e := fault.From(err)
	c := caller(ctx)
	c.err, c.code = err, e.Code
	p := &problem{
		Type: "/problems/" + string(e.Code), Title: titles[e.Code], Status: statusOf(e),
		Detail: e.Message, Code: string(e.Code), Errors: e.Fields, TraceID: c.traceID(),
	}
	switch p.Status {
	case http.StatusUnauthorized:
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="tandem"`}}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		after := max(1, int(math.Ceil(e.RetryAfter.Seconds())))
		p.header = http.Header{"Retry-After": {strconv.Itoa(after)}}
	}
	return p
}

// refuse answers a request that does not get to its operation.
func refuse(hc huma.Context, err error) {
	write(hc.Context(), caller(hc.Context()).w, err)
}

// write answers with a problem.
func write(ctx context.Context, w http.ResponseWriter, err error) {
	p := problemOf(ctx, err)
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // if it cannot be written, nobody is there to be told
}

// WriteProblem answers a request with the problem of err, as every endpoint
// here does: for those that others mount beside them.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	write(r.Context(), w, err)
}

// newProblem is how huma's own refusals are said. hc is nil when huma only
// wants to know what a problem looks like.
func newProblem(hc huma.Context, status int, msg string, errs []error) *problem {
	if hc == nil {
		return &problem{Status: status}
	}
	for _, err := range errs {
		if e, ok := errors.AsType[*fault.Error](err); ok {
			return problemOf(hc.Context(), e)
		}
	}
	var e *fault.Error
	switch {
	case status == http.StatusRequestEntityTooLarge:
		e = fault.New(fault.BodyTooLarge, "a body has at most %d bytes", MaxBody)
	case status == http.StatusRequestTimeout:
		e = fault.New(requestTimeout, "the body did not arrive within %s", bodyTime)
	case status < http.StatusInternalServerError:
		e = invalid(msg, errs)
	case msg == msgCannotRead:
		e = fault.New(fault.ValidationFailed, "the body ended too early").Because(errors.Join(errs...))
	default:
		e = fault.From(fmt.Errorf("%s: %w", msg, errors.Join(errs...)))
	}
	return problemOf(hc.Context(), e)
}

// What huma says in its own words.
const (
	msgCannotRead   = "cannot read request body"
	msgUnknownQuery = "unknown query parameter"
	msgKeyMissing   = "required header parameter is missing"
	msgRequired     = "expected required property "
)

// maxFields is how many fields one problem names: a body of 1 MiB has room
// for half a million that are wrong.
const maxFields = 20

// invalid turns huma's findings about parameters and body into one fault.
func invalid(msg string, errs []error) *fault.Error {
	e := fault.New(fault.ValidationFailed, "%s", msg)
	for _, err := range errs {
		d, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		pointer, message := pointerTo(d.Location), d.Message
		if at, why, own := strings.Cut(message, blameSeparator); own {
			pointer, message = at, why
		}
		if name, ok := strings.CutPrefix(message, msgRequired); ok {
			name, _, _ = strings.Cut(name, " ")
			pointer, message = pointer+"/"+name, "is required"
		}
		switch {
		case message == msgKeyMissing && pointer == idempotencyHeader:
			return keyRequired()
		case message == validation.MsgUnexpectedProperty:
			e.Code, message = fault.UnknownField, "there is no such field"
		case message == msgUnknownQuery:
			e.Code, message = fault.UnknownField, "there is no such query parameter"
		}
		if e.Fields = append(e.Fields, fault.Field{Pointer: pointer, Message: message}); len(e.Fields) == maxFields {
			break
		}
	}
	switch len(e.Fields) {
	case 0:
	case 1:
		e.Message = strings.TrimPrefix(e.Fields[0].Pointer+": "+e.Fields[0].Message, ": ")
	default:
		e.Message = strconv.Itoa(len(errs)) + " fields are at fault; see errors"
	}
	return e
}

// pointerTo turns huma's location ("body.items[0].quantity", "query.limit")
// into a JSON pointer into the body, or the plain name of a parameter.
func pointerTo(location string) string {
	where, path, _ := strings.Cut(location, ".")
	if !strings.HasPrefix(where, "body") {
		return path
	}
	if rest, ok := strings.CutPrefix(where, "body["); ok {
		path = strings.TrimSuffix("["+rest+"."+path, ".")
	}
	if path == "" {
		return ""
	}
	return "/" + strings.TrimPrefix(toPointer.Replace(path), "/")
}

var toPointer = strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "")
