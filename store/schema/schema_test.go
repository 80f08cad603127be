package schema

import (
	"testing"
	"testing/fstest"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name  string
		state State
		known int64
		ok    bool
	}{
		{"an empty database", State{}, 8, true},
		{"the same version", State{8, 8}, 8, true},
		{"an older one, before anything was required", State{7, 0}, 8, true},
		{"a newer one that requires itself", State{9, 9}, 8, false},
		{"a newer one that says nothing", State{9, 0}, 8, false},
		{"a newer one that older programs may use", State{10, 8}, 8, true},
		{"a newer one that this program is too old for", State{10, 9}, 8, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.state.Check(tt.known); (err == nil) != tt.ok {
				t.Errorf("%v, want it accepted: %t", err, tt.ok)
			}
		})
	}
}

func TestKnown(t *testing.T) {
	files := fstest.MapFS{"m/00001_init.sql": {}, "m/00012_last.sql": {}, "m/00003_more.sql": {}}
	if got, err := Known(files, "m", 7); err != nil || got != 12 {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := Known(files, "m", 13); err != nil || got != 13 {
		t.Errorf("%d, %v", got, err)
	}
	files["m/x_bad.sql"] = &fstest.MapFile{}
	if _, err := Known(files, "m"); err == nil {
		t.Error("a name without a number is accepted")
	}
}
