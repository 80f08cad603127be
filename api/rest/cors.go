package rest

import "net/http"

// allowOrigin lets a page of any origin read the answer.
func allowOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, Idempotent-Replayed")
}

// preflight answers a browser that asks whether a page of another origin may
// call a path, once for all its operations.
func (a *API) preflight(path string) {
	if a.preflights[path] {
		return
	}
	a.preflights[path] = true
	a.Mux.HandleFunc("OPTIONS "+path, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		allowOrigin(h)
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Traceparent")
		h.Set("Access-Control-Max-Age", "7200")
		w.WriteHeader(http.StatusNoContent)
	})
}
