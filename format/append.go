package format

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// out appends a document as encoding/json would write it. Every value is
// followed by a comma, which the end of its object or list takes away.
type out struct {
	b   []byte
	err error // the first
}

func (o *out) done() ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	return o.b[:len(o.b)-1], nil
}

func (o *out) begin(c byte) { o.b = append(o.b, c) }

func (o *out) end(c byte) {
	if last := len(o.b) - 1; o.b[last] == ',' {
		o.b = o.b[:last]
	}
	o.b = append(o.b, c, ',')
}

// name begins a member. Names are ours and need no escaping.
func (o *out) name(name string) {
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *out) null() { o.b = append(o.b, "null,"...) }

func (o *out) text(s string) {
	o.b = append(appendText(o.b, s), ',')
}

func (o *out) number(n int64) {
	o.b = append(strconv.AppendInt(o.b, n, 10), ',')
}

func (o *out) moment(t time.Time) {
	o.b = append(o.b, '"')
	b, err := t.AppendText(o.b)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.b = append(b, '"', ',')
}

// valueOf appends what is rarely there, as encoding/json does.
func (o *out) valueOf(name string, v any) {
	o.name(name)
	b, err := json.Marshal(v)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.b = append(append(o.b, b...), ',')
}

// What follows are members; those that end in Any are absent where they are
// zero, or nil.

func (o *out) textOf(name, s string)             { o.name(name); o.text(s) }
func (o *out) numberOf(name string, n int64)     { o.name(name); o.number(n) }
func (o *out) momentOf(name string, t time.Time) { o.name(name); o.moment(t) }

func (o *out) flagOf(name string, is bool) {
	o.name(name)
	if is {
		o.b = append(o.b, "true,"...)
	} else {
		o.b = append(o.b, "false,"...)
	}
}

func (o *out) textAny(name, s string) {
	if s != "" {
		o.textOf(name, s)
	}
}

func (o *out) numberAny(name string, n int64) {
	if n != 0 {
		o.numberOf(name, n)
	}
}

func (o *out) momentAny(name string, t time.Time) {
	if !t.IsZero() {
		o.momentOf(name, t)
	}
}

func (o *out) flagAny(name string, is bool) {
	if is {
		o.flagOf(name, true)
	}
}

func (o *out) texts(list []string) {
	if list == nil {
		o.null()
		return
	}
	o.begin('[')
	for _, s := range list {
		o.text(s)
	}
	o.end(']')
}

func (o *out) textsAny(name string, list []string) {
	if list != nil {
		o.name(name)
		o.texts(list)
	}
}

// listOf is a member that is a list of objects, null where it is nil.
func listOf[T any](o *out, name string, list []T, members func(*out, *T)) {
	o.name(name)
	if list == nil {
		o.null()
		return
	}
	o.begin('[')
	for i := range list {
		o.begin('{')
		members(o, &list[i])
		o.end('}')
	}
	o.end(']')
}

func listAny[T any](o *out, name string, list []T, members func(*out, *T)) {
	if list != nil {
		listOf(o, name, list, members)
	}
}

// mapOf is a member that is an object with the names of a map, in order.
func mapOf[V any](o *out, name string, m map[string]V, value func(*out, V)) {
	o.name(name)
	appendMap(o, m, value)
}

func appendMap[V any](o *out, m map[string]V, value func(*out, V)) {
	o.begin('{')
	var room [16]string
	names := room[:0]
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		o.b = append(appendText(o.b, k), ':')
		value(o, m[k])
	}
	o.end('}')
}

// appendText appends a string with the escapes of encoding/json, which are
// those that HTML needs too.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c, size := s[i], 1
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, `\b`...)
			case '\f':
				b = append(b, `\f`...)
			case '\n':
				b = append(b, `\n`...)
			case '\r':
				b = append(b, `\r`...)
			case '\t':
				b = append(b, `\t`...)
			default:
				b = append(b, `\u00`...)
				b = append(b, hex[c>>4], hex[c&0xf])
			}
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			bad := r == utf8.RuneError && size == 1
			if !bad && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
			b = append(b, s[from:i]...)
			if bad {
				b = append(b, `\ufffd`...)
			} else {
				b = append(b, `\u202`...)
				b = append(b, hex[r&0xf])
			}
		}
		i += size
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
