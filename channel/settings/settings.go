// Package settings reads from a channel's configuration type which settings it
// has. The type is the only place that says so: the API's documentation and
// the masking of secrets are made from its tags.
//
// A setting is an exported field with a json tag. `doc:"…"` describes it, and
// `secret:"true"` marks one that is never shown again once it was stored. One
// with omitempty is optional. Secrets are strings, at any depth of structs,
// slices and pointers.
package settings

import (
	"reflect"
	"strings"
)

// Mask stands where a secret was.
const Mask = "********"

// Field is one setting.
type Field struct {
	Name     string // of the JSON member
	Doc      string
	Optional bool
	Secret   bool
	List     bool
	Fields   []Field // of a setting that is an object, or of each element of a list of objects
}

// Of returns the settings of a configuration type, in their order.
func Of[C any]() []Field { return fieldsOf(reflect.TypeFor[C]()) }

func fieldsOf(t reflect.Type) []Field {
	var out []Field
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		field := Field{Name: name, Doc: f.Tag.Get("doc"), Secret: isSecret(f), Optional: strings.Contains(options, "omitempty")}
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			field.List = field.List || inner.Kind() == reflect.Slice
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			field.Fields = fieldsOf(inner)
		}
		out = append(out, field)
	}
	return out
}

func isSecret(f reflect.StructField) bool { return f.Tag.Get("secret") == "true" }

// Masked is a copy of a configuration with Mask for every secret that is set.
func Masked[C any](c C) C {
	return masked(reflect.ValueOf(c)).Interface().(C)
}

func masked(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(masked(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(masked(v.Index(i)))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case !f.IsExported():
			case !isSecret(f):
				out.Field(i).Set(masked(v.Field(i)))
			case !v.Field(i).IsZero():
				out.Field(i).SetString(Mask)
			}
		}
		return out
	default:
		return v
	}
}
