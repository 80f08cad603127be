package pricing

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// member is the member of Promotion, or of the entries of a list in it, that
// has the name in JSON.
func member(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if in, _, _ := strings.Cut(f.Tag.Get("json"), ","); in == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// TestKindsDescribeThemselves: what Kinds says is whole, and is about members
// that are there and of the type that it says.
func TestKindsDescribeThemselves(t *testing.T) {
	var check func(t *testing.T, of reflect.Type, all []ParameterInfo)
	check = func(t *testing.T, of reflect.Type, all []ParameterInfo) {
		for _, p := range all {
			f, ok := member(of, p.Name)
			if !ok {
				t.Errorf("%v has no %s", of, p.Name)
				continue
			}
			if p.Label == "" || p.LabelZh == "" {
				t.Errorf("%s has no label", p.Name)
			}
			is := map[string]string{
				"integer": "int64", "percent": "*money.Percent", "boolean": "bool", "text": "string", "list": "[]pricing." + strings.TrimPrefix(f.Type.String(), "[]pricing."),
			}[p.Type]
			if is != f.Type.String() {
				t.Errorf("%s is %s, and called %s", p.Name, f.Type, p.Type)
			}
			if p.Max == 0 && p.Type != "boolean" || p.Type == "list" == (len(p.Entries) == 0) {
				t.Errorf("%s says too little", p.Name)
			}
			if p.Type == "list" {
				check(t, f.Type.Elem(), p.Entries)
			}
		}
	}
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			if k.Title == "" || k.TitleZh == "" || k.About == "" || k.AboutZh == "" || len(k.Parameters) == 0 {
				t.Errorf("says too little: %+v", k)
			}
			check(t, reflect.TypeFor[Promotion](), k.Parameters)
		})
	}
}

// TestDocStrings: what the API says of a promotion's members names exactly
// the kinds that use each.
func TestDocStrings(t *testing.T) {
	of := reflect.TypeFor[Promotion]()
	uses := map[string][]string{}
	var all []string
	for _, k := range Kinds() {
		all = append(all, k.Name)
		for _, p := range k.Parameters {
			uses[p.Name] = append(uses[p.Name], k.Name)
		}
	}
	for name, kinds := range uses {
		f, _ := member(of, name)
		if want := strings.Join(kinds, ", ") + ": "; !strings.HasPrefix(f.Tag.Get("doc"), want) {
			t.Errorf("%s is documented as %q, not %q", name, f.Tag.Get("doc"), want)
		}
	}
	f, _ := member(of, "kind")
	last := len(all) - 1
	if want := strings.Join(all[:last], ", ") + " or " + all[last]; !strings.HasPrefix(f.Tag.Get("doc"), want+";") {
		t.Errorf("kind is documented as %q, not %q", f.Tag.Get("doc"), want)
	}
}

// TestKindsAreComplete: they stand in the order of their steps, each once, and
// each has a table of cases of its own.
func TestKindsAreComplete(t *testing.T) {
	for i, k := range kinds {
		if i > 0 && k.step < kinds[i-1].step {
			t.Errorf("%s stands after %s, and has its turn before it", k.name, kinds[i-1].name)
		}
		if kindNamed(k.name) != k {
			t.Errorf("%s is there twice", k.name)
		}
		cases, err := os.ReadFile(k.name + "_test.go")
		if err != nil || !strings.Contains(string(cases), "runRows(t, []row{") {
			t.Errorf("%s has no table of cases: %v", k.name, err)
		}
		if !strings.Contains(string(cases), "runValidation(t, []invalid{") {
			t.Errorf("%s has no table of what Validate refuses", k.name)
		}
	}
}

// Kinds hands out copies.
func TestKindsAreTheirOwn(t *testing.T) {
	before, _ := json.Marshal(Kinds())
	for _, k := range Kinds() {
		for i := range k.Parameters {
			clear(k.Parameters[i].Entries)
		}
		clear(k.Parameters)
	}
	if after, _ := json.Marshal(Kinds()); string(before) != string(after) {
		t.Error("a caller changed the kinds")
	}
}
