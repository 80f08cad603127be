package load

import (
	"slices"
	"testing"
)

func TestCosts(t *testing.T) {
	before := []CPU{{Name: "load", Seconds: 1}, {Name: "server", Seconds: 5}}
	after := func() []CPU { return []CPU{{Name: "load", Seconds: 1.5}, {Name: "server", Seconds: 7}} }
	for _, tt := range []struct {
		name          string
		before, after []CPU
		requests      int64
		want          string
	}{
		{"two processes", before, after(), 10_000, "load 50 µs, server 200 µs"},
		{"no request", before, after(), 0, ""},
		{"one of them ended", before, nil, 10_000, ""},
		{"not known", nil, nil, 10_000, ""},
	} {
		s := Stage{CPU: since(tt.before, tt.after, tt.requests)}
		if got := s.Costs(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := since(before, after(), 4); !slices.Equal(got, []CPU{{"load", 0.5, 125_000}, {"server", 2, 500_000}}) {
		t.Errorf("%+v", got)
	}
}
