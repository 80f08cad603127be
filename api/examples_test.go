package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/fault"
)

// operations are all that the document lists, by "METHOD path".
func operations(d *huma.OpenAPI) map[string]*huma.Operation {
	out := map[string]*huma.Operation{}
	for path, item := range d.Paths {
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete,
		} {
			if op != nil {
				out[method+" "+path] = op
			}
		}
	}
	return out
}

// fits says what of a JSON text does not fit a published schema.
func fits(t *testing.T, d *huma.OpenAPI, schema *huma.Schema, mode huma.ValidateMode, text []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Errorf("%v: %s", err, text)
		return
	}
	var res huma.ValidateResult
	huma.Validate(d.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), mode, v, &res)
	for _, err := range res.Errors {
		t.Errorf("%v in %s", err, text)
	}
}

// TestExamples: the examples in the document match its schemas, and every
// operation says what a newcomer needs.
func TestExamples(t *testing.T) {
	d := api.Published(bare)
	for call, op := range operations(d) {
		t.Run(call, func(t *testing.T) {
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 {
				t.Error("no operationId, summary or tag")
			}
			if op.RequestBody != nil && op.RequestBody.Content["application/json"] != nil {
				m := op.RequestBody.Content["application/json"]
				if m.Example == nil {
					t.Fatal("no example of the body")
				}
				fits(t, d, m.Schema, huma.ModeWriteToServer, m.Example.(json.RawMessage))
			}
			for status, r := range op.Responses {
				m := r.Content["application/json"]
				if m == nil || !strings.HasPrefix(status, "2") {
					continue
				}
				if m.Example == nil {
					t.Errorf("no example of the answer %s", status)
					continue
				}
				fits(t, d, m.Schema, huma.ModeReadFromServer, m.Example.(json.RawMessage))
			}
		})
	}
}

// TestTitles: every code is explained, at the address that its problems name.
func TestTitles(t *testing.T) {
	h := api.New(bare)
	for code := range fault.Codes() {
		title := api.Title(code)
		w := serve(h, "GET /problems/"+string(code))
		if title == "" || w.Code != http.StatusOK || !strings.Contains(w.Body.String(), title) {
			t.Errorf("%s: %q, %d %s", code, title, w.Code, w.Body)
		}
	}
	if w := serve(h, "GET /problems/nonsense"); w.Code != http.StatusNotFound {
		t.Errorf("nonsense is explained: %s", w.Body)
	}
}

// documented says whether an operation lists a status, and with a code that
// is a refusal, the code.
func documented(d *huma.OpenAPI, op *huma.Operation, status int, code string) bool {
	r := op.Responses[strconv.Itoa(status)]
	if r != nil && r.Ref != "" {
		r = d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
	}
	return r != nil && (code == "" || strings.Contains(r.Description, "`"+code+"`"))
}
