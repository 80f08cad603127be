package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/fault"
)

// op is one operation as data.
type op struct {
	id      string // operationId
	call    string // "POST /v1/orders"
	tag     string
	summary string
	about   string // more than the summary; Markdown
	who     access
	status  int            // of success; 0: 200, or 204 without a body
	also    map[int]string // other statuses of success
	codes   []fault.Code   // refusals beside those of every operation
	body    string         // example of the body, JSON
	answer  string         // example of the answer, JSON
	lenient bool           // takes query parameters that it does not know
	former  bool           // an older path of another operation, documented as deprecated
	foreign bool           // speaks another protocol: body and answer are whatever that says

	readsBody bool // checks its body itself, see plain_cart.go

	takesJSON bool // has a JSON body; found by add
}

// everyCode can be the answer of every operation, beside those that depend
// on what it takes.
var everyCode = []fault.Code{fault.ValidationFailed, fault.RateLimited, fault.Internal, fault.Unavailable}

// add mounts an operation.
func add[I, O any](s *server, o op, handle func(context.Context, *I) (*O, error)) {
	method, path, _ := strings.Cut(o.call, " ")
	ho := huma.Operation{
		OperationID: o.id, Method: method, Path: path, Tags: []string{o.tag},
		Summary: o.summary, Description: o.about, DefaultStatus: o.status,
		MaxBodyBytes: MaxBody + 1, BodyReadTimeout: bodyTime, RejectUnknownQueryParameters: !o.lenient,
		SkipValidateBody: o.readsBody, Deprecated: o.former,
		Responses: map[string]*huma.Response{},
	}
	o.takesJSON = hasBody[I]()
	if o.takesJSON {
		ho.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": example(o.body)}}
	}
	if o.status == 0 {
		o.status = http.StatusOK
	}
	if o.foreign {
		raw := map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		ho.RequestBody = &huma.RequestBody{Content: raw}
		ho.Responses[strconv.Itoa(o.status)] = &huma.Response{Description: "As the protocol has it", Content: raw}
	}
	if o.answer != "" {
		ho.Responses[strconv.Itoa(o.status)] = &huma.Response{Content: map[string]*huma.MediaType{"application/json": example(o.answer)}}
	}
	for status, about := range o.also {
		ho.Responses[strconv.Itoa(status)] = &huma.Response{Description: about}
	}
	s.documentRefusals(&ho, &o)
	switch o.who {
	case bySecret:
		ho.Security = []map[string][]string{{secretScheme: {}}}
	case byOrder:
		ho.Security = []map[string][]string{{secretScheme: {}}, {clientScheme: {}}}
	case byAnyone:
		ho.Security = []map[string][]string{}
	}
	ho.Middlewares = huma.Middlewares{s.around(o.call, &o)}
	huma.Register(s.api, ho, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problemOf(ctx, err)
		}
		return out, nil
	})
}

// at is the operation at an older path, for those who still call it there.
func (o op) at(call, id string) op {
	o.call, o.id, o.former = call, id, true
	return o
}

// hasBody says whether an input has a JSON body.
func hasBody[I any]() bool {
	_, ok := typeOf[I]().FieldByName("Body")
	return ok
}

func example(text string) *huma.MediaType {
	if text == "" {
		return &huma.MediaType{}
	}
	return &huma.MediaType{Example: json.RawMessage(text)}
}

// documentRefusals lists an operation's codes, by status.
func (s *server) documentRefusals(ho *huma.Operation, o *op) {
	codes := slices.Concat(everyCode, o.codes)
	if o.who != byAnyone {
		codes = append(codes, fault.Unauthorized, fault.Forbidden)
	}
	if o.takesJSON {
		codes = append(codes, fault.BodyTooLarge, unsupportedMediaType, requestTimeout)
	}
	if !o.lenient {
		codes = append(codes, fault.UnknownField)
	}
	byStatus := map[int][]fault.Code{}
	for _, c := range codes {
		status := statusOf(&fault.Error{Code: c})
		if !slices.Contains(byStatus[status], c) {
			byStatus[status] = append(byStatus[status], c)
		}
	}
	for status, codes := range byStatus {
		slices.Sort(codes)
		ho.Responses[strconv.Itoa(status)] = s.refusal(status, codes)
	}
}

// refusal describes the answer with one of the codes. The first of a status
// is shared by all operations that have the same codes.
func (s *server) refusal(status int, codes []fault.Code) *huma.Response {
	var about strings.Builder
	about.WriteString(http.StatusText(status) + ".")
	for _, c := range codes {
		about.WriteString("\n- `" + string(c) + "`: " + titles[c])
	}
	parts := s.api.OpenAPI().Components
	r := &huma.Response{
		Description: about.String(),
		Content: map[string]*huma.MediaType{"application/problem+json": {
			Schema: parts.Schemas.Schema(typeOf[problem](), true, ""),
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
