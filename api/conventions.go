package api

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// The conventions that all resources share. The parameter groups are
// exported only because huma looks into embedded structs that are.

const idempotencyHeader = "Idempotency-Key"

// KeyRequired is the Idempotency-Key of an operation that moves money or
// stock.
type KeyRequired struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII" example:"5f0c6d0e-checkout-1" doc:"One key for one intent: a repeat with the same key and body is answered as the first was, and changes nothing"`
}

// KeyAccepted is the Idempotency-Key of every other POST.
type KeyAccepted struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII" doc:"Makes a repeat safe: see the introduction"`
}

func keyRequired() *fault.Error {
	return fault.New(fault.IdempotencyKeyRequired, "send an Idempotency-Key header: one key for one intent, the same for each repeat of it")
}

// Replay marks an answer that was given before.
type Replay struct {
	IdempotentReplayed string `header:"Idempotent-Replayed" enum:"true" doc:"\"true\" on the answer to a repeat"`
}

func replay(replayed bool) Replay {
	if replayed {
		return Replay{"true"}
	}
	return Replay{}
}

// answer is an output with nothing but a body.
type answer[T any] struct{ Body T }

// answerOf fits a use case's result and its error.
func answerOf[D, T any](view func(D) T) func(D, error) (*answer[T], error) {
	return func(d D, err error) (*answer[T], error) {
		if err != nil {
			return nil, err
		}
		return &answer[T]{view(d)}, nil
	}
}

// repeatable is the output of a POST whose repeat is answered as the first.
type repeatable[T any] struct {
	Replay
	Body T
}

// repeatableOf fits a use case's result, whether it was given before, and
// its error.
func repeatableOf[D, T any](view func(D) T) func(D, bool, error) (*repeatable[T], error) {
	return func(d D, replayed bool, err error) (*repeatable[T], error) {
		if err != nil {
			return nil, err
		}
		return &repeatable[T]{replay(replayed), view(d)}, nil
	}
}

func itself[T any](t T) T { return t }

// PageParams ask for a part of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most this many"`
	Cursor string `query:"cursor" maxLength:"512" doc:"The nextCursor of the page before"`
}

func (p PageParams) page() app.Page { return app.Page{Limit: p.Limit, Cursor: p.Cursor} }

// list is a part of a list.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"nextCursor,omitempty" doc:"Absent on the last page"`
}

// listOf fits what the store returns of a list.
func listOf[D, T any](view func(D) T) func([]D, string, error) (*answer[list[T]], error) {
	return func(items []D, next string, err error) (*answer[list[T]], error) {
		if err != nil {
			return nil, err
		}
		out := list[T]{Items: make([]T, len(items)), NextCursor: next}
		for i, d := range items {
			out.Items[i] = view(d)
		}
		return &answer[list[T]]{out}, nil
	}
}

// IfNoneMatch makes a read conditional.
type IfNoneMatch struct {
	IfNoneMatch string `header:"If-None-Match" maxLength:"1024" doc:"ETags that the caller has: 304 if it is still one of them"`
}

// matches compares as RFC 9110 says for If-None-Match: weakly.
func (c IfNoneMatch) matches(etag string) bool {
	for tag := range strings.SplitSeq(c.IfNoneMatch, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// IfMatch makes a change conditional. A tag that a proxy made weak is taken
// too: ours count events, and say as much.
type IfMatch struct {
	IfMatch string `header:"If-Match" maxLength:"1024" doc:"ETags: 412 precondition_failed, and no change, unless it is still one of them"`
}

// versions are those that the tags name: nil is any, and a tag that is none
// of ours names none.
func (c IfMatch) versions() app.Versions {
	if c.IfMatch == "" {
		return nil
	}
	v := app.Versions{}
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

// tagged is the output of a conditional read.
type tagged[T any] struct {
	Status int
	ETag   string `header:"ETag"`
	Body   *T
}

// taggedAs answers with the body, or 304.
func taggedAs[T any](c IfNoneMatch, etag string, body *T) *tagged[T] {
	out := &tagged[T]{Status: http.StatusOK, ETag: etag, Body: body}
	if c.matches(etag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out
}

// taggedOf fits a read of a single thing. The ETag is a hash of what is
// shown, so that whatever changes it (the clock too) changes the tag.
func taggedOf[D, T any](c IfNoneMatch, view func(D) T) func(D, error) (*tagged[T], error) {
	return func(d D, err error) (*tagged[T], error) {
		if err != nil {
			return nil, err
		}
		body := view(d)
		h := fnv.New64a()
		if err := json.NewEncoder(h).Encode(body); err != nil {
			return nil, err
		}
		return taggedAs(c, `"`+strconv.FormatUint(h.Sum64(), 36)+`"`, &body), nil
	}
}

// at shows a time: UTC, to the microsecond that every store keeps, so that a
// thing looks the same when it is made and when it is read.
func at(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// atOrNil shows a time that may not have come.
func atOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = at(t)
	return &t
}

// maxWait bounds a long poll.
const maxWait = 60 * time.Second

// wait reads a long poll's patience; longer than maxWait is cut to it.
func wait(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fault.Invalidf("wait", `must be a duration like "30s"`)
	}
	return min(d, maxWait), nil
}

// poll is the Waiter of a server without one.
type poll struct{ store app.Orders }

const pollEvery = 250 * time.Millisecond

func (p poll) Wait(ctx context.Context, shop, orderNo string, seq int64) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		v, err := p.store.Order(ctx, shop, orderNo)
		if err != nil || v.Order.Seq > seq {
			return err
		}
	}
}
