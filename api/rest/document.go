package rest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/swaggest/swgui/v5emb"
)

// config is huma without its extras: no $schema links in answers, no other
// formats, no pages from other servers.
func (a *API) config() huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", a.schemaName)
	for from, to := range a.Aliases {
		schemas.RegisterTypeAlias(from, to)
	}
	json := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: a.Title, Version: a.Version, Description: a.Description},
			Tags:    a.Tags,
			Components: &huma.Components{
				Schemas: schemas, Responses: map[string]*huma.Response{}, SecuritySchemes: a.Security,
			},
		},
		Formats:       map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat: "application/json",
	}
}

// schemaName names a schema after its Go type: orderView is Order, cartBody
// is Cart, List[orderView] is OrderList.
func (a *API) schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if better, ok := a.betterName(name); ok {
		return better
	}
	if inner, ok := strings.CutPrefix(name, "List"); ok && inner != "" {
		inner = strings.TrimSuffix(inner, "View")
		if better, ok := a.betterName(inner); ok {
			inner = better
		}
		return inner + "List"
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, "View"), "Body")
}

func (a *API) betterName(name string) (string, bool) {
	if name == "Field" { // of package fault
		return "ProblemField", true
	}
	better, ok := a.SchemaNames[name]
	return better, ok
}

// Publish mounts the document at /openapi.json as it is now, its pages at
// /docs, the pages that problems name at /problems, and the answer to what
// matches no route. The pages are in the binary.
func (a *API) Publish() {
	document, err := json.Marshal(a.api.OpenAPI())
	if err != nil {
		panic(fmt.Errorf("the OpenAPI document: %w", err)) // it is made of the service's own types: a defect
	}
	h := fnv.New64a()
	_, _ = h.Write(document) // never fails
	etag := fmt.Sprintf(`"%x"`, h.Sum64())
	a.Mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		if (IfNoneMatch{r.Header.Get("If-None-Match")}).Matches(etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // it fails only when the client has disconnected
	})
	docs := v5emb.New(a.Title, "/openapi.json", "/docs/")
	a.Mux.Handle("GET /docs", docs)
	a.Mux.Handle("GET /docs/", docs)
	a.Mux.HandleFunc("GET /problems/{code}", a.explain)
	a.Mux.HandleFunc("/", a.unmatched)
}

// Enum is the schema of a string that is one of a list, each of it once.
func Enum[S ~string](list []S) *huma.Schema {
	values := make([]any, 0, len(list))
	seen := map[S]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			values = append(values, string(s))
		}
	}
	return &huma.Schema{Type: huma.TypeString, Enum: values}
}
