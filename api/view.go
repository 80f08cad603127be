package api

import (
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
)

// at shows a time: UTC, to the microsecond that every store keeps, so that a
// resource is the same when it is created and when it is read.
func at(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// atOrNil shows a time that may be zero.
func atOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = at(t)
	return &t
}

func page(p rest.PageParams) app.Page { return app.Page{Limit: p.Limit, Cursor: p.Cursor} }
