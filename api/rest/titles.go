package rest

import (
	"fmt"
	"net/http"

	"github.com/tandem-pay/tandem/fault"
)

// The codes of refusals that HTTP itself demands, before an operation is
// reached.
const (
	MethodNotAllowed     fault.Code = "method_not_allowed"
	UnsupportedMediaType fault.Code = "unsupported_media_type"
	RequestTimeout       fault.Code = "request_timeout"
)

var httpCodes = map[fault.Code]int{
	MethodNotAllowed:     http.StatusMethodNotAllowed,
	UnsupportedMediaType: http.StatusUnsupportedMediaType,
	RequestTimeout:       http.StatusRequestTimeout,
}

func statusOf(code fault.Code) int {
	if status, ok := httpCodes[code]; ok {
		return status
	}
	return int((&fault.Error{Code: code}).Kind())
}

// titles explain the codes that this package uses, and those that every
// service has. They are the title of the problem, the text of the document,
// and the page that the problem's type names.
var titles = map[fault.Code]string{
	fault.ValidationFailed:       "The request is malformed",
	fault.UnknownField:           "The request has a field that does not exist",
	fault.BodyTooLarge:           "The body is too large",
	fault.IdempotencyKeyRequired: "The Idempotency-Key header is missing",
	fault.IdempotencyKeyReused:   "The Idempotency-Key was used for another request",

	fault.Unauthorized:       "There is no key or token, or it is unknown",
	fault.Forbidden:          "The key or token does not allow this",
	fault.NotFound:           "It does not exist",
	fault.AlreadyExists:      "It exists already",
	fault.RateLimited:        "Too many requests at once",
	fault.Internal:           "Something went wrong on our side",
	fault.Unavailable:        "The server cannot serve requests now",
	fault.Conflict:           "It has been changed in the meantime",
	fault.PreconditionFailed: "It is not the version that If-Match names",

	MethodNotAllowed:     "The method is not allowed here",
	UnsupportedMediaType: "The content type of the body is not JSON",
	RequestTimeout:       "The body did not arrive in time",
}

// explain is the page that a problem's type names.
func (a *API) explain(w http.ResponseWriter, r *http.Request) {
	code := fault.Code(r.PathValue("code"))
	title := a.problems.Title(code)
	if title == "" {
		http.Error(w, "no such problem", http.StatusNotFound)
		return
	}
	status := statusOf(code)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	//nolint:gosec // The code is one of the table, and the answer is plain text.
	fmt.Fprintf(w, "%s\n\n%s.\nIts status is %d %s.\n", code, title, status, http.StatusText(status))
}
