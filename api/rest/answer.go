package rest

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
)

// Answer is an output with nothing but a body.
type Answer[T any] struct{ Body T }

// AnswerOf makes an Answer of a result and its error:
// AnswerOf(view)(service.Do(…)).
func AnswerOf[D, T any](view func(D) T) func(D, error) (*Answer[T], error) {
	return func(d D, err error) (*Answer[T], error) {
		if err != nil {
			return nil, err
		}
		return &Answer[T]{view(d)}, nil
	}
}

// Repeatable is the output of a POST whose repeat gets the first answer.
type Repeatable[T any] struct {
	Replay
	Body T
}

// RepeatableOf makes a Repeatable of a result, whether it was given before,
// and its error.
func RepeatableOf[D, T any](view func(D) T) func(D, bool, error) (*Repeatable[T], error) {
	return func(d D, replayed bool, err error) (*Repeatable[T], error) {
		if err != nil {
			return nil, err
		}
		return &Repeatable[T]{Replayed(replayed), view(d)}, nil
	}
}

// Itself is the view of what is shown as it is.
func Itself[T any](t T) T { return t }

// PageParams select a part of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most this many"`
	Cursor string `query:"cursor" maxLength:"512" doc:"The nextCursor of the page before"`
}

// List is a part of a list.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"nextCursor,omitempty" doc:"Absent on the last page"`
}

// ListOf makes the answer of a part of a list, the cursor of the next part
// ("" on the last) and the error of reading it.
func ListOf[D, T any](view func(D) T) func([]D, string, error) (*Answer[List[T]], error) {
	return func(items []D, next string, err error) (*Answer[List[T]], error) {
		if err != nil {
			return nil, err
		}
		out := List[T]{Items: make([]T, len(items)), NextCursor: next}
		for i, d := range items {
			out.Items[i] = view(d)
		}
		return &Answer[List[T]]{out}, nil
	}
}

// OrEmpty is the list, or an empty one instead of nil: JSON has [], not null.
func OrEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// hashTag is an ETag made of what is shown, so that whatever changes the body
// (the clock too) changes the tag.
func hashTag(body any) (string, error) {
	h := fnv.New64a()
	if err := json.NewEncoder(h).Encode(body); err != nil {
		return "", err
	}
	return `"` + strconv.FormatUint(h.Sum64(), 36) + `"`, nil
}
