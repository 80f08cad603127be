package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/fault"
)

// IfNoneMatch makes a read conditional.
type IfNoneMatch struct {
	IfNoneMatch string `header:"If-None-Match" maxLength:"1024" doc:"ETags that the caller has: 304 if one of them is current"`
}

// Matches compares as RFC 9110 says for If-None-Match: weakly.
func (c IfNoneMatch) Matches(etag string) bool {
	for tag := range strings.SplitSeq(c.IfNoneMatch, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// IfMatch makes a change conditional. A tag that a proxy made weak is taken
// too: version tags count changes, so a weak one says as much.
type IfMatch struct {
	IfMatch string `header:"If-Match" maxLength:"1024" doc:"ETags: 412 precondition_failed, and no change, unless one of them is current"`
}

// Versions are those that the tags name: nil is any, and a tag that is not a
// VersionTag names none.
func (c IfMatch) Versions() []int64 {
	if c.IfMatch == "" {
		return nil
	}
	v := []int64{}
	for tag := range strings.SplitSeq(c.IfMatch, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" {
			return nil
		}
		if inner, ok := strings.CutPrefix(tag, `"`); ok {
			if n, err := strconv.ParseInt(strings.TrimSuffix(inner, `"`), 10, 64); err == nil {
				v = append(v, n)
			}
		}
	}
	return v
}

// VersionTag is the ETag of a version.
func VersionTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Tagged is the output of a conditional read.
type Tagged[T any] struct {
	Status int
	ETag   string `header:"ETag"`
	Body   *T
}

// TaggedAs answers with the body, or 304.
func TaggedAs[T any](c IfNoneMatch, etag string, body *T) *Tagged[T] {
	out := &Tagged[T]{Status: http.StatusOK, ETag: etag, Body: body}
	if c.Matches(etag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out
}

// TaggedOf makes the answer to a read of a single thing. The ETag is a hash of
// what is shown.
func TaggedOf[D, T any](c IfNoneMatch, view func(D) T) func(D, error) (*Tagged[T], error) {
	return func(d D, err error) (*Tagged[T], error) {
		if err != nil {
			return nil, err
		}
		body := view(d)
		etag, err := hashTag(body)
		if err != nil {
			return nil, err
		}
		return TaggedAs(c, etag, &body), nil
	}
}

// MaxWait is the longest that a long poll waits.
const MaxWait = 60 * time.Second

// ParseWait reads how long a long poll may wait; more than MaxWait becomes
// MaxWait.
func ParseWait(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fault.Invalidf("wait", `must be a duration like "30s"`)
	}
	return min(d, MaxWait), nil
}
