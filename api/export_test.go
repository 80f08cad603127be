package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Published is the document that a server with these options publishes, with
// the schemas that it checks requests against.
func Published(o Options) *huma.OpenAPI { return newServer(o).api.OpenAPI() }

// SetBodyTime sets how long bodies may take to arrive, for servers made from
// now on.
func SetBodyTime(d time.Duration) (restore func()) {
	old := bodyTime
	bodyTime = d
	return func() { bodyTime = old }
}

// Titles are what each code means.
var Titles = titles
