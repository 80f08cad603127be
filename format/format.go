// Package format owns the JSON of what is stored, and of the events that are
// sent: the names of the members, what stands where nothing is, and what
// earlier releases wrote. Nothing else in Tandem says how a stored document
// looks.
//
// Each format is a struct of its own with a name for every member, apart from
// the domain's types: renaming a field of the domain changes no byte of what
// is stored. Where both structs have the same fields, Go's conversion copies
// one to the other and stops compiling when only one of them changes; for the
// rest a test fills every field of the domain's types and looks what comes
// back.
//
// A document without a version ("v") is of the first form, and stays readable
// for ever. Members may be added to it, if they are absent where they are zero.
// Any other change makes the next version: its number is written, and both are
// read. A document of a version that is not known here is refused: a later
// release wrote it.
package format

import (
	"encoding/json"
	"fmt"
)

// Doc is how one kind of document is written and read. D is what it holds, or
// a row of which the document is one column: then only the fields that are
// the document's are written and set.
type Doc[D any] struct {
	Name   string                   // for errors, and of the files in testdata
	Encode func(*D) ([]byte, error) // nil: there is nothing to store, and the column is NULL
	Decode func([]byte, *D) error   // nil is NULL
}

// version is embedded in every document that is an object. Zero is the first.
type version struct {
	V int `json:"v,omitzero"`
}

func (v *version) written() int { return v.V }

// read reads a document into its struct.
func read(name string, b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if d, ok := into.(interface{ written() int }); ok && d.written() != 0 {
		return fmt.Errorf("%s: version %d is of a later release than this one", name, d.written())
	}
	return nil
}

// reading makes Decode of what sets the fields of a struct S.
func reading[D, S any](name string, restore func(*S, *D)) func([]byte, *D) error {
	return func(b []byte, d *D) error {
		var s S
		if b != nil {
			if err := read(name, b, &s); err != nil {
				return err
			}
		}
		restore(&s, d)
		return nil
	}
}

// object is a document that is written and read as the struct S. store
// returns nil where there is nothing to store.
func object[D, S any](name string, store func(*D) *S, restore func(*S, *D)) Doc[D] {
	return Doc[D]{
		Name: name,
		Encode: func(d *D) ([]byte, error) {
			s := store(d)
			if s == nil {
				return nil, nil
			}
			return json.Marshal(s)
		},
		Decode: reading(name, restore),
	}
}

// appended is a document whose bytes are appended one after another, which is
// several times as fast: for those that are written for every order. A test
// demands that they are what encoding/json makes of the struct.
func appended[D, S any](name string, size int, write func(*out, *D), restore func(*S, *D)) Doc[D] {
	return Doc[D]{
		Name: name,
		Encode: func(d *D) ([]byte, error) {
			o := out{b: make([]byte, 0, size)}
			write(&o, d)
			return o.done()
		},
		Decode: reading(name, restore),
	}
}

// each converts a list; nil stays nil.
func each[A, B any](list []A, convert func(*A) B) []B {
	if list == nil {
		return nil
	}
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

// some converts what is there.
func some[A, B any](p *A, convert func(*A) B) *B {
	if p == nil {
		return nil
	}
	v := convert(p)
	return &v
}
