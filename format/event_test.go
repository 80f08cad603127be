package format

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/event"
)

// names are the JSON names of a struct.
func names(of reflect.Type) (list []string) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		list = append(list, name)
	}
	return list
}

// TestEventMembers: every type of event has its members listed, all of which
// exist, and what is sent of it has those that are sent.
func TestEventMembers(t *testing.T) {
	types := eventTypes(t)
	for _, of := range types {
		if _, ok := EventMembers(of); !ok {
			t.Errorf("no members are listed of %s", of)
		}
	}
	stored, sent := names(reflect.TypeFor[occurrence]()), names(reflect.TypeFor[EventData]())
	for of := range members {
		if !slices.Contains(types, of) {
			t.Errorf("%s is no type of event", of)
		}
		list, _ := EventMembers(of)
		var want []string
		for _, name := range list {
			if !slices.Contains(stored, name) {
				t.Errorf("%s: %q is no member of events", of, name)
			}
			if slices.Contains(sent, name) {
				want = append(want, name)
			}
		}
		got := names(EventPayload(of))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is sent with %v, want %v", of, got, want)
		}
	}
	if EventPayload("no.such") != nil {
		t.Error("a type that does not exist has a payload")
	}
}

// eventTypes are the constants of event.Type.
func eventTypes(t *testing.T) (list []event.Type) {
	files, err := filepath.Glob("../event/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no source of package event: ", err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if v, is := n.(*ast.ValueSpec); is && len(v.Values) == 1 {
				if of, is := v.Type.(*ast.Ident); is && of.Name == "Type" {
					name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					list = append(list, event.Type(name))
				}
			}
			return true
		})
	}
	return list
}

// TestEventsOfReleases: events have no members but those of their types.
func TestEventsOfReleases(t *testing.T) {
	files, err := filepath.Glob("../internal/releases/testdata/*/documents/events.body/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no events of releases: ", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var events []map[string]any
		if err := json.Unmarshal(b, &events); err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			list, _ := EventMembers(event.Type(e["type"].(string)))
			for name := range e {
				if name != "type" && !slices.Contains(list, name) {
					t.Errorf("%s: %s has %s", file, e["type"], name)
				}
			}
		}
	}
}

// TestEventData: all of an event is sent, but for what only reactions need.
func TestEventData(t *testing.T) {
	full := fullEvents()[0]
	got, err := json.Marshal(EventDataOf(&full))
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	if err := json.Unmarshal(got, &sent); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(reflect.TypeFor[occurrence]()) {
		if _, is := sent[name]; is == slices.Contains([]string{"type", "paymentNos", "counts"}, name) {
			t.Errorf("%s: sent is %t", name, is)
		}
	}
}

// TestHeader: a header is stored as encoding/json writes it, whatever is in it.
func TestHeader(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, h map[string][]string) {
		want, err := json.Marshal(h)
		if got, failed := Header.Encode(&h); err != nil || failed != nil || string(got) != string(want) {
			t.Errorf("%q: %s, want %s (%v, %v)", h, got, want, err, failed)
		}
	}
	for _, h := range []map[string][]string{
		nil, {}, {"A": {}}, {"B": {"1"}, "A": {"2", "3"}, "C": nil}, {"Quote": {`"\`, "<&>", "\t\x7f"}}, {"签名": {"\xff\x00\b\f\r\n", "\u2028a\u2029", "\xe4\xbd", "\ufffd", "\x1f\x20\x7f\x80"}}, {"": {""}},
	} {
		check(t, h)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "header"))
	})
}
