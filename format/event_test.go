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

	"github.com/google/go-cmp/cmp"
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

// TestPayloads: every type of event has a payload type of its own, named after
// the event, whose members are those of the stored event.
func TestPayloads(t *testing.T) {
	types := eventTypes(t)
	stored := names(reflect.TypeFor[occurrence]())
	owner := map[reflect.Type]event.Type{}
	for _, of := range types {
		is := PayloadType(of)
		if is == nil {
			t.Errorf("%s has no payload type", of)
			continue
		}
		words := strings.FieldsFunc(string(of), func(r rune) bool { return r == '.' || r == '_' })
		if want := strings.Join(words, "") + "data"; strings.ToLower(is.Name()) != want {
			t.Errorf("the payload type of %s is %s", of, is.Name())
		}
		if other, is2 := owner[is]; is2 {
			t.Errorf("%s and %s share a payload type", of, other)
		}
		owner[is] = of
		list, _ := EventMembers(of)
		for _, name := range list {
			if !slices.Contains(stored, name) {
				t.Errorf("%s: %q is no member of events", of, name)
			}
		}
	}
	if got := PayloadTypes(); len(got) != len(types) {
		t.Errorf("%d payload types for %d types of event", len(got), len(types))
	}
	if PayloadType("no.such") != nil {
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

// TestSentGolden: what is sent of an event that has everything stays as it is
// in testdata; a member that goes or changes breaks clients.
func TestSentGolden(t *testing.T) {
	full := fullEvents()[0]
	got := map[event.Type]any{}
	for _, of := range PayloadTypes() {
		full.Type = of
		got[of] = Payload(&full)
	}
	checkGolden(t, "payloads.json", got)

	full.Type = event.OrderPaid
	seq := int64(7)
	checkGolden(t, "push.json", []any{
		PushToOrder(&full, then, "支付成功"), PushToShop(&full, 42, then, ""),
		PushAnswer{
			Type: "error", Order: "1001", User: "u1", Shop: true, Status: "paid", Seq: &seq, Position: "42", Code: "not_found", Detail: "d",
		},
	})

	other := event.Event{Type: "of.the.future", Order: "1001", Seq: 3, Status: "paid", Amount: 12}
	if b, err := json.Marshal(Payload(&other)); err != nil || string(b) != `{"orderNo":"1001","seq":3,"status":"paid","amount":12}` {
		t.Errorf("an unknown type is sent as %s, %v", b, err)
	}
}

// checkGolden compares v as JSON with a file of testdata.
func checkGolden(t *testing.T, file string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(b)+"\n"); diff != "" {
		t.Errorf("%s is sent otherwise:\n%s", file, diff)
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
