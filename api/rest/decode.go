package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// fieldSeparator stands between pointer and message in a FieldError's text.
const fieldSeparator = "\x00"

// FieldError is what is wrong with a member of a body. UnmarshalJSON of a type
// of the service may return it. huma keeps only the text of a decoding error,
// so the text has both; invalid takes them apart.
type FieldError struct{ Pointer, Message string }

func (e FieldError) Error() string { return e.Pointer + fieldSeparator + e.Message }

// decode reads a JSON body. huma calls it twice, first into an any, which it
// checks against the schema, then into the type of the body; or once, if that
// is a PlainBody.
func decode(data []byte, v any) error {
	if b, ok := v.(PlainBody); ok {
		readPlain(data, b)
		return nil
	}
	if _, first := v.(*any); first {
		if !utf8.Valid(data) {
			return FieldError{"", "the body is not UTF-8"}
		}
		if hasNUL(data) {
			return FieldError{"", `the body has the character U+0000 (\u0000), which no text may have`}
		}
		if name, twice := duplicate(data); twice {
			return FieldError{"", fmt.Sprintf("the member %q is there twice", name)}
		}
	}
	return unmarshal(data, v)
}

// duplicate finds a member that an object has twice: of two values, one reader
// would take the first and another the second.
func duplicate(data []byte) (name string, twice bool) {
	type object struct {
		names map[string]bool // nil of a list
		value bool            // a value is next, not a name
	}
	var open []object
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if err != nil {
			return "", false // the end, or not JSON: reported when it is read
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			open = open[:len(open)-1]
			continue
		}
		if n := len(open) - 1; n >= 0 && open[n].names != nil {
			at := &open[n]
			if !at.value {
				name, _ = token.(string)
				if at.names[name] {
					return name, true
				}
				at.names[name], at.value = true, true
				continue
			}
			at.value = false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, object{})
		}
	}
}

// unmarshal is json.Unmarshal with errors for clients.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[FieldError](err); ok {
		return own
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return FieldError{"", fmt.Sprintf("the body is not JSON: %s (at byte %d)", syntax.Error(), syntax.Offset)}
	}
	pointer, err := locate(data, reflect.TypeOf(v).Elem())
	return FieldError{pointer, explainType(err)}
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
	default: // it has no parts; of an any, it is not known which part is wrong
	}
	return "", err
}

// DecodeNonNull is json.Unmarshal for a type none of whose members may be
// null. Elsewhere null means absent.
func DecodeNonNull(body []byte, v any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	for _, name := range sorted(members) {
		if string(members[name]) == "null" {
			return FieldError{"/" + pointerEscapes.Replace(name), "must not be null: leave it out"}
		}
	}
	if json.Unmarshal(body, v) == nil {
		return nil
	}
	pointer, err := locate(body, reflect.TypeOf(v).Elem())
	return FieldError{pointer, explainType(err)}
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

// explainType describes what is wrong without the names of Go's types.
func explainType(err error) string {
	mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return err.Error()
	}
	switch mistyped.Type.Kind() {
	case reflect.Int, reflect.Int64:
		return "must be a whole number within 64 bits, in plain digits; not " + mistyped.Value
	case reflect.Interface, reflect.Float64:
		return "cannot be read: " + mistyped.Value
	default:
		return "has the wrong type: " + mistyped.Value
	}
}
