package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxBody is the most bytes that a body may have: 1 MiB.
const MaxBody = 1 << 20

// bodyTime is how long a body may take to arrive. A variable for tests.
var bodyTime = 10 * time.Second

// blameSeparator stands between pointer and message of a blame.
const blameSeparator = "\x00"

// blame is what is wrong with a body, and where. huma keeps only the text of
// a decoding error, so the text carries both; invalid takes them apart.
type blame struct{ pointer, message string }

func (b blame) Error() string { return b.pointer + blameSeparator + b.message }

// decode reads a JSON body. huma calls it twice: first into an any, which it
// holds against the schema, then into the type of the body.
func decode(data []byte, v any) error {
	if _, first := v.(*any); first {
		if !utf8.Valid(data) {
			return blame{"", "the body is not UTF-8"}
		}
		if hasNUL(data) {
			return blame{"", `the body holds the character U+0000 (\u0000), which no text may have`}
		}
	}
	if p, ok := v.(plainReader); ok {
		p.readPlain(data)
		return nil
	}
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[blame](err); ok {
		return own
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return blame{"", fmt.Sprintf("the body is not JSON: %s (at byte %d)", syntax.Error(), syntax.Offset)}
	}
	pointer, err := locate(data, reflect.TypeOf(v).Elem())
	return blame{pointer, inWords(err)}
}

// hasNUL finds an escaped U+0000; a bare one is not JSON anyway.
func hasNUL(data []byte) bool {
	for rest := data; ; {
		i := bytes.Index(rest, []byte(`\u0000`))
		if i < 0 {
			return false
		}
		escapes := 0
		for j := i - 1; j >= 0 && rest[j] == '\\'; j-- {
			escapes++
		}
		if escapes%2 == 0 {
			return true
		}
		rest = rest[i+1:]
	}
}

// locate finds the member of a body that does not fit its type, by taking
// the body apart: errors of encoding/json do not say which element of a list
// they are about.
func locate(data []byte, t reflect.Type) (pointer string, err error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	err = json.Unmarshal(data, reflect.New(t).Interface())
	if err == nil || reflect.PointerTo(t).Implements(unmarshaler) {
		return "", err
	}
	switch t.Kind() {
	case reflect.Struct:
		var members map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil {
			return "", err
		}
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if part, ok := members[name]; ok && len(f.Index) > 0 && !f.Anonymous {
				if at, err := locate(part, f.Type); err != nil {
					return "/" + name + at, err
				}
			}
		}
	case reflect.Slice:
		var elements []json.RawMessage
		if json.Unmarshal(data, &elements) != nil {
			return "", err
		}
		for i, part := range elements {
			if at, err := locate(part, t.Elem()); err != nil {
				return fmt.Sprintf("/%d%s", i, at), err
			}
		}
	case reflect.Map:
		var members map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil {
			return "", err
		}
		for _, name := range sorted(members) {
			if at, err := locate(members[name], t.Elem()); err != nil {
				return "/" + pointerEscapes.Replace(name) + at, err
			}
		}
	case reflect.Interface: // the first reading: a number beyond float64, somewhere
		return "", err
	}
	return "", err
}

// decodeWhole is for a type that takes no member that is null.
func decodeWhole(body []byte, v any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	for _, name := range sorted(members) {
		if string(members[name]) == "null" {
			return blame{"/" + pointerEscapes.Replace(name), "must not be null: leave it out"}
		}
	}
	if json.Unmarshal(body, v) == nil {
		return nil
	}
	pointer, err := locate(body, reflect.TypeOf(v).Elem())
	return blame{pointer, inWords(err)}
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// inWords says what is wrong without naming Go's types.
func inWords(err error) string {
	mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return err.Error()
	}
	switch mistyped.Type.Kind() {
	case reflect.Int, reflect.Int64:
		return "must be a whole number within 64 bits, in plain digits; not " + mistyped.Value
	case reflect.Interface, reflect.Float64:
		return "cannot be read: " + mistyped.Value
	}
	return "does not fit here: " + mistyped.Value
}
