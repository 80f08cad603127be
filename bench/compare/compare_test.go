package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	for _, tt := range []struct{ names, want, err string }{
		{"chaos", "chaos", ""},
		{"callbacks, isolation", "callbacks,isolation", ""},
		{"all", "orders64,orders256,hot64,single,lives,sqlite,sqlite64,push,memory,quote,quotes-http,promoted64,callbacks,isolation,reconcile", ""},
		{"orders64,no", "", `there is no row "no"`},
		{"", "", `there is no row ""`},
	} {
		chosen, err := choose(tt.names)
		var names []string
		for _, r := range chosen {
			names = append(names, r.name)
		}
		if got := strings.Join(names, ","); got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: %q, %v", tt.names, got, err)
		}
	}
	if !slices.Contains(rowNames(), named) {
		t.Errorf("the help does not name %s", named)
	}
}

func TestReadBenchmarks(t *testing.T) {
	all, err := readBenchmarks(`goos: linux
pkg: example/channel
BenchmarkTrades/parsed-2         	      10	 100000000 ns/op	 300.12 MB/s	   1000000 rows/s	      16 B/op
BenchmarkReconcile 	       1	5000000000 ns/op	        34.50 peak-MiB	    200000 rows/s
BenchmarkTrades/parsed-2         	      12	 200000000 ns/op	 150.06 MB/s	    500000 rows/s	      16 B/op
BenchmarkTrades/parsed-2         	      12	 300000000 ns/op	 150.06 MB/s	    300000 rows/s	      16 B/op
PASS
ok  	example/channel	4.2s
`)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for _, tt := range []struct {
		n          int
		name, unit string
		want       float64
	}{
		{0, "Trades/parsed", "rows/s", 500_000},
		{0, "Trades/parsed", "ns/op", 200_000_000},
		{1, "Reconcile", "peak-MiB", 34.5},
		{1, "Reconcile", "rows/s", 200_000},
		{1, "Reconcile", "B/op", 0},
	} {
		if b := all[tt.n]; b.name != tt.name || b.of(tt.unit) != tt.want {
			t.Errorf("%s: %v %s, want %s: %v", b.name, b.of(tt.unit), tt.unit, tt.name, tt.want)
		}
	}
	if _, err := readBenchmarks("BenchmarkOdd-2 1 many ns/op\n"); err == nil {
		t.Error("a figure that is none was read")
	}
}

func TestReadChaosRun(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, tt := range []struct {
		name, out string
		ran       error
		wrong     string // with | between
		err       bool
	}{
		{"passed", `{"chaos":{"seconds":3,"wrong":null},"audit":{"offences":null}}`, nil, "", false},
		{"a buyer's money is gone", `{"chaos":{"seconds":3,"wrong":["wallet 1"]},"audit":{}}`, failed, "wallet 1", false},
		{"the audit found it", `{"chaos":{"seconds":3},"audit":{"offences":[{"invariant":4,"subject":"sku A","message":"short"}]}}`, failed, "invariant 4, sku A: short", false},
		{"money in suspense", `{"chaos":{"seconds":3},"audit":{"suspense":7}}`, failed, "7 minor units are left in suspense", false},
		{"failed without a report", `{"chaos":{"seconds":3},"audit":{}}`, failed, "", true},
		{"did not start", "", failed, "", true},
		{"half a report", `{"chaos":{"seconds":3}}`, nil, "", true},
	} {
		wrong, seconds, err := readChaosRun([]byte(tt.out), tt.ran)
		if got := strings.Join(wrong, "|"); got != tt.wrong || (err != nil) != tt.err || err == nil && seconds != 3 {
			t.Errorf("%s: %q in %v s, %v", tt.name, got, seconds, err)
		}
	}
}

func TestGoals(t *testing.T) {
	for _, tt := range []struct {
		r    Result
		want string
	}{
		{Result{Unit: " ms", Goal: 20}, "< 20 ms"},
		{Result{Unit: " rows/s", Goal: 50_000, AtLeast: true}, "≥ 50,000 rows/s"},
		{Result{Unit: "/s", Goal: 0.5, AtLeast: true, Baseline: 10}, "≥ 0.5×"},
		{Result{Unit: " ms", Goal: 1.2, Baseline: 10}, "< 1.2×"},
		{Result{Unit: "/s", Baseline: 10}, ""},
	} {
		if got := tt.r.goal(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.r, got, tt.want)
		}
	}
}
