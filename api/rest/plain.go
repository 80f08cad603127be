package rest

import (
	"bytes"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Most of what a small request costs is to decode its body: into an any, which
// is checked against the schema, and then into its type, both by reflection.
// A body type on a path that carries much load can be a PlainBody instead: a
// body in the form in which nearly everybody writes it is read in one pass (3 µs
// instead of 40 for 20 lines of a cart), and every other is decoded the general
// way, which also reports what is wrong with it.

// PlainBody is a body that can read itself when it is plain. It embeds Unread.
type PlainBody interface {
	// ReadPlain reads the body and reports whether it was plain and valid: it
	// must accept nothing that the schema refuses.
	ReadPlain(p *Plain) bool

	unread() *Unread
}

// Unread is embedded in a PlainBody. It keeps a body that is not plain until
// the API, which has the schema, decodes it.
type Unread struct{ data []byte }

func (u *Unread) unread() *Unread { return u } //nolint:unused // by those that embed it

// DecodePlain reads a body that is plain and valid, and reports whether it was.
func DecodePlain(data []byte, b PlainBody) bool {
	p := Plain{text: string(data)}
	return b.ReadPlain(&p) && p.Next() == 0 && p.at == len(p.text)
}

// readPlain reads b, or keeps the data for readUnread.
func readPlain(data []byte, b PlainBody) {
	if !DecodePlain(data, b) {
		clearBody(b)
		b.unread().data = bytes.Clone(data) // huma uses the buffer again
	}
}

func clearBody(b PlainBody) { reflect.ValueOf(b).Elem().SetZero() }

// readUnread decodes b if it was not plain.
func (a *API) readUnread(b PlainBody) error {
	if data := b.unread().data; data != nil {
		return a.Decode(data, b)
	}
	return nil
}

// Decode reads a body the general way, as huma does: it checks it against the
// schema, then decodes it into its type.
func (a *API) Decode(data []byte, b PlainBody) error {
	fail := func(errs ...error) error { return invalid("validation failed", errs) }
	failed := func(err error) error { return fail(&huma.ErrorDetail{Location: "body", Message: err.Error()}) }
	var parsed any
	if err := decode(data, &parsed); err != nil {
		return failed(err)
	}
	schemas := a.api.OpenAPI().Components.Schemas
	at, res := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
	at.Push("body")
	huma.Validate(schemas, schemas.Schema(reflect.TypeOf(b).Elem(), true, ""), at, huma.ModeWriteToServer, parsed, res)
	if len(res.Errors) > 0 {
		return fail(res.Errors...)
	}
	clearBody(b)
	if err := unmarshal(data, b); err != nil {
		return failed(err)
	}
	return nil
}

// Plain reads JSON in the form in which nearly everybody writes it: names as
// documented, each once; strings without escapes, of printable ASCII; whole
// numbers. Whatever else JSON allows is not plain.
type Plain struct {
	text string
	at   int
}

// Next skips blanks and peeks; 0 is the end.
func (p *Plain) Next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// Count is how often s occurs in the body: of "{", at most how many objects
// there are to make room for.
func (p *Plain) Count(s string) int { return strings.Count(p.text, s) }

func (p *Plain) is(c byte) bool {
	if p.Next() != c {
		return false
	}
	p.at++
	return true
}

// maxMembers is the most members that a plain object has.
const maxMembers = 8

// Object reads an object of at least one member. It calls member after each
// name, to read the value; a name comes once.
func (p *Plain) Object(member func(name string) bool) bool {
	var seen [maxMembers]string
	if !p.is('{') {
		return false
	}
	for n := range seen {
		name, ok := p.String(32)
		if !ok || !p.is(':') {
			return false
		}
		for _, s := range seen[:n] {
			if s == name {
				return false
			}
		}
		seen[n] = name
		if !member(name) {
			return false
		}
		if p.is('}') {
			return true
		}
		if !p.is(',') {
			return false
		}
	}
	return false
}

// List reads a list of at most so many elements.
func (p *Plain) List(most int, element func() bool) bool {
	if !p.is('[') {
		return false
	}
	if p.is(']') {
		return true
	}
	for range most {
		if !element() {
			return false
		}
		if p.is(']') {
			return true
		}
		if !p.is(',') {
			return false
		}
	}
	return false
}

// String reads a string of 1 to most characters.
func (p *Plain) String(most int) (string, bool) {
	if !p.is('"') {
		return "", false
	}
	for from := p.at; p.at < len(p.text) && p.at-from <= most; p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			s := p.text[from:p.at]
			p.at++
			return s, s != ""
		case c < ' ' || c > '~' || c == '\\':
			return "", false
		}
	}
	return "", false
}

// maxDigits keeps a plain number far from the limit of 64 bits.
const maxDigits = 16

// Number reads a whole number of at most 16 digits, 0 included.
func (p *Plain) Number() (n int64, ok bool) {
	p.Next()
	from := p.at
	for ; p.at < len(p.text) && p.at-from < maxDigits; p.at++ {
		c := p.text[p.at]
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int64(c-'0')
	}
	digits := p.at - from
	more := p.at < len(p.text) && strings.IndexByte("0123456789.eE", p.text[p.at]) >= 0
	return n, digits > 0 && !more && (digits == 1 || p.text[from] != '0')
}

// Bool reads true or false.
func (p *Plain) Bool() (b, ok bool) {
	p.Next()
	for _, literal := range []string{"true", "false"} {
		if strings.HasPrefix(p.text[p.at:], literal) {
			p.at += len(literal)
			return literal == "true", true
		}
	}
	return false, false
}
