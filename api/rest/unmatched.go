package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/fault"
)

// allMethods are tried when a path exists but not with the request's method.
var allMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// unmatched answers what no route matches: 405 if the path exists for another
// method, else 404.
func (a *API) unmatched(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	c := &Call{Request: r, api: a, w: w}
	ctx := context.WithValue(r.Context(), callKey{}, c)
	var allowed []string
	for _, m := range allMethods {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := a.Mux.Handler(probe); pattern != "/" && pattern != "" && m != r.Method {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.problems.write(ctx, w, fault.New(MethodNotAllowed, "%s is not allowed here; allowed: %s", r.Method, strings.Join(allowed, ", ")))
	} else {
		a.problems.write(ctx, w, fault.New(fault.NotFound, "there is nothing at this path; /docs lists every path"))
	}
	a.finish(ctx, c, "unmatched", 0, start, func(error) {})
}
