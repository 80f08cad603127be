package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	const a = `{"Action":"run","Package":"a","Test":"One"}
{"Action":"output","Package":"a","Test":"One","Output":"fine\n"}
{"Action":"pass","Package":"a","Test":"One","Elapsed":0.25}
{"Action":"pass","Package":"a","Elapsed":2}
`
	const b = `{"Action":"output","Package":"b","Test":"Two","Output":"got 1\n"}
{"Action":"fail","Package":"b","Test":"Two","Elapsed":3}
{"Action":"fail","Package":"b","Elapsed":3.5}
`
	for _, tt := range []struct {
		name, in string
		ok       bool
		wrong    string // part of the error
		want     string
	}{
		{"nothing", "", true, "", "\n\n"},
		{"passed", a, true, "", "    2.00 s  a \n\n    0.25 s  a One\n\n"},
		{"failed", a + b, false, "", "got 1\n    3.50 s  b \n    2.00 s  a \n\n    3.00 s  b Two\n    0.25 s  a One\n\n"},
		{"not JSON", "FAIL a [build failed]\n", false, "build failed", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := report(strings.NewReader(tt.in), &out)
			if ok != tt.ok || out.String() != tt.want {
				t.Errorf("%v\n%s\nwant %v\n%s", ok, out.String(), tt.ok, tt.want)
			}
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("error %v, want %q", err, tt.wrong)
			}
		})
	}
}
