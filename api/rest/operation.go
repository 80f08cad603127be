package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/fault"
)

// Operation is one endpoint as data.
type Operation struct {
	Route   string // "POST /v1/orders"
	ID      string // operationId
	Tag     string
	Summary string
	Details string  // more than the summary; Markdown
	Access  *Access // Options.Access when nil
	Status  int     // of success; 0: 200, or 204 without a body

	OtherStatuses map[int]string // other statuses of success, with what they mean
	Codes         []fault.Code   // refusals beside those of every operation
	Request       string         // example of the body, JSON
	Response      string         // example of the answer, JSON

	Deprecated bool // see At

	AnyQuery bool // takes query parameters that it does not know
	Quiet    bool // its service logs refusals itself: their lines are at Debug
	Raw      bool // has the bodies and answers of another protocol

	takesJSON bool // has a JSON body; found by Add
}

// everyCode can be the answer of every operation, beside the codes that
// depend on what it takes.
var everyCode = []fault.Code{fault.ValidationFailed, fault.RateLimited, fault.Internal, fault.Unavailable}

// Add mounts an operation. I is a struct with the parameters and, when it has
// a JSON body, a field Body; O has the headers, Status and Body of the answer:
// see huma. handle runs only for callers and inputs that the operation takes;
// its error is answered with a problem.
func Add[I, O any](a *API, o Operation, handle func(context.Context, *I) (*O, error)) {
	method, path, _ := strings.Cut(o.Route, " ")
	ho := huma.Operation{
		OperationID: o.ID, Method: method, Path: path, Tags: []string{o.Tag},
		Summary: o.Summary, Description: o.Details, DefaultStatus: o.Status,
		MaxBodyBytes: MaxBody + 1, BodyReadTimeout: a.BodyTime, RejectUnknownQueryParameters: !o.AnyQuery,
		Responses: map[string]*huma.Response{}, Security: []map[string][]string{}, Deprecated: o.Deprecated,
	}
	body, takesJSON := reflect.TypeFor[I]().FieldByName("Body")
	plain := takesJSON && reflect.PointerTo(body.Type).Implements(reflect.TypeFor[PlainBody]())
	if ho.SkipValidateBody = plain; takesJSON {
		o.takesJSON = true
		ho.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": example(o.Request)}}
	}
	if o.Status == 0 {
		o.Status = http.StatusOK
	}
	if o.Raw {
		raw := map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		ho.RequestBody = &huma.RequestBody{Content: raw}
		ho.Responses[strconv.Itoa(o.Status)] = &huma.Response{Description: "As the protocol has it", Content: raw}
	}
	if o.Response != "" {
		ho.Responses[strconv.Itoa(o.Status)] = &huma.Response{Content: map[string]*huma.MediaType{"application/json": example(o.Response)}}
	}
	for status, meaning := range o.OtherStatuses {
		ho.Responses[strconv.Itoa(status)] = &huma.Response{Description: meaning}
	}
	a.documentRefusals(&ho, &o)
	for _, scheme := range a.accessOf(&o).Schemes {
		ho.Security = append(ho.Security, map[string][]string{scheme: {}})
	}
	if a.accessOf(&o).CrossOrigin {
		a.preflight(path)
	}
	ho.Middlewares = huma.Middlewares{a.around(&o)}
	huma.Register(a.api, ho, func(ctx context.Context, in *I) (*O, error) {
		if plain {
			b := reflect.ValueOf(in).Elem().FieldByIndex(body.Index).Addr().Interface().(PlainBody)
			if err := a.readUnread(b); err != nil {
				return nil, a.problems.of(ctx, err)
			}
		}
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problems.of(ctx, err)
		}
		return out, nil
	})
}

// At is the operation at an older path, for clients that still use it. It is
// documented as deprecated.
func (o Operation) At(route, id string) Operation {
	o.Route, o.ID, o.Deprecated = route, id, true
	return o
}

func example(text string) *huma.MediaType {
	if text == "" {
		return &huma.MediaType{}
	}
	return &huma.MediaType{Example: json.RawMessage(text)}
}

// documentRefusals lists an operation's codes, by status.
func (a *API) documentRefusals(ho *huma.Operation, o *Operation) {
	codes := slices.Concat(everyCode, o.Codes)
	if len(a.accessOf(o).Schemes) > 0 {
		codes = append(codes, fault.Unauthorized, fault.Forbidden)
	}
	if o.takesJSON {
		codes = append(codes, fault.BodyTooLarge, UnsupportedMediaType, RequestTimeout)
	}
	if !o.AnyQuery {
		codes = append(codes, fault.UnknownField)
	}
	byStatus := map[int][]fault.Code{}
	for _, c := range codes {
		status := statusOf(c)
		if !slices.Contains(byStatus[status], c) {
			byStatus[status] = append(byStatus[status], c)
		}
	}
	for status, codes := range byStatus {
		slices.Sort(codes)
		ho.Responses[strconv.Itoa(status)] = a.refusal(status, codes)
	}
}

// refusal describes the answer with one of the codes. The first of a status
// is shared by all operations that have the same codes.
func (a *API) refusal(status int, codes []fault.Code) *huma.Response {
	var text strings.Builder
	text.WriteString(http.StatusText(status) + ".")
	for _, c := range codes {
		text.WriteString("\n- `" + string(c) + "`: " + a.problems.Title(c))
	}
	parts := a.api.OpenAPI().Components
	r := &huma.Response{
		Description: text.String(),
		Content: map[string]*huma.MediaType{"application/problem+json": {
			Schema: parts.Schemas.Schema(reflect.TypeFor[Problem](), true, ""),
		}},
	}
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	switch shared := parts.Responses[name]; {
	case shared == nil:
		parts.Responses[name] = r
	case shared.Description != r.Description:
		return r
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}
