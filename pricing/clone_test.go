package pricing

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCloneSharesNothing: rules outlive the promotions that they were compiled
// from, whose owner may change them. Every member counts, also one that is yet
// to come.
func TestCloneSharesNothing(t *testing.T) {
	var p Promotion
	fill(t, reflect.ValueOf(&p).Elem())
	c := p.clone()
	if diff := cmp.Diff(p, c); diff != "" {
		t.Errorf("the clone is another: %s", diff)
	}
	parts := map[uintptr]string{}
	visit(reflect.ValueOf(p), "Promotion", func(at uintptr, path string) { parts[at] = path })
	visit(reflect.ValueOf(c), "Promotion", func(at uintptr, path string) {
		if original, shared := parts[at]; shared {
			t.Errorf("%s of the clone is %s of the promotion", path, original)
		}
	})
	if len(parts) == 0 {
		t.Error("the promotion points to nothing")
	}
}

// fill sets every member to something that is not zero, lists and maps to one
// entry.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)))
			return
		}
		for _, member := range v.Fields() {
			fill(t, member)
		}
	default:
		t.Fatalf("this test cannot fill a %s", v.Type())
	}
}

// visit calls see with everything that v points to, at any depth.
func visit(v reflect.Value, path string, see func(at uintptr, path string)) {
	switch v.Kind() {
	case reflect.Pointer:
		see(v.Pointer(), path)
		visit(v.Elem(), path, see)
	case reflect.Slice:
		see(v.Pointer(), path)
		for i := range v.Len() {
			visit(v.Index(i), fmt.Sprintf("%s[%d]", path, i), see)
		}
	case reflect.Map:
		see(v.Pointer(), path)
		for key, value := range v.Seq2() {
			visit(key, path+" key", see)
			visit(value, fmt.Sprintf("%s[%v]", path, key), see)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return // cannot be changed, whatever it points to
		}
		for f, member := range v.Fields() {
			visit(member, path+"."+f.Name, see)
		}
	}
}
