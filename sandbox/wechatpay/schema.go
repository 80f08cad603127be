package wechatpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/sandbox/wire"
)

// schema is the members that a JSON object may have. Everything else is
// refused, as the real gateway does: a misspelt member must not be ignored.
type schema map[string]rule

// rule is what a member must be.
type rule struct {
	kind     kind
	required bool
	max      int    // characters of a text, 0: no limit of its own
	members  schema // of an object, or of each object in a list
}

type kind int

const (
	aText kind = iota
	anInteger
	aBoolean
	anObject
	aListOfObjects
	aListOfTexts
)

func text(longest int) rule      { return rule{kind: aText, max: longest} }
func object(members schema) rule { return rule{kind: anObject, members: members} }
func listOf(members schema) rule { return rule{kind: aListOfObjects, members: members} }
func required(r rule) rule       { r.required = true; return r }
func with(s schema, o schema) schema { // o's members win
	out := schema{}
	for _, from := range []schema{s, o} {
		for name, r := range from {
			out[name] = r
		}
	}
	return out
}

// parse reads one JSON object and checks it against the schema. Names are
// compared exactly, unlike encoding/json does for structs.
func (s schema) parse(body []byte) (map[string]any, *refusal) {
	if !utf8.Valid(body) {
		return nil, paramError("body", "/", "the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, paramError("body", "/", "the body is not JSON: "+err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, paramError("body", "/", "something follows the JSON object")
	}
	got, ok := value.(map[string]any)
	if !ok {
		return nil, paramError("body", "/", "the body is not a JSON object")
	}
	return got, s.check("", got)
}

func (s schema) check(at string, got map[string]any) *refusal {
	// In the order of names, so that the same request gets the same answer.
	for _, name := range wire.SortedNames(got) {
		r, known := s[name]
		if !known {
			return paramError("body", at+"/"+name, "unknown member")
		}
		if no := r.check(at+"/"+name, got[name]); no != nil {
			return no
		}
	}
	for _, name := range wire.SortedNames(s) {
		if _, has := got[name]; s[name].required && !has {
			return paramError("body", at+"/"+name, "is required")
		}
	}
	return nil
}

func (r rule) check(at string, value any) *refusal {
	bad := func(issue string, args ...any) *refusal { return paramError("body", at, fmt.Sprintf(issue, args...)) }
	switch r.kind {
	case aText:
		s, ok := value.(string)
		switch {
		case !ok:
			return bad("must be a string")
		case r.required && s == "":
			return bad("must not be empty")
		case r.max > 0 && utf8.RuneCountInString(s) > r.max:
			return bad("is longer than %d characters", r.max)
		}
	case anInteger:
		n, ok := value.(json.Number)
		if !ok {
			return bad("must be a number")
		}
		if _, err := strconv.ParseInt(n.String(), 10, 64); err != nil {
			return bad("must be an integer")
		}
	case aBoolean:
		if _, ok := value.(bool); !ok {
			return bad("must be true or false")
		}
	case anObject:
		o, ok := value.(map[string]any)
		if !ok {
			return bad("must be an object")
		}
		return r.members.check(at, o)
	case aListOfObjects, aListOfTexts:
		l, ok := value.([]any)
		if !ok {
			return bad("must be a list")
		}
		element := rule{kind: aText}
		if r.kind == aListOfObjects {
			element = object(r.members)
		}
		for i, v := range l {
			if no := element.check(at+"/"+strconv.Itoa(i), v); no != nil {
				return no
			}
		}
	}
	return nil
}
