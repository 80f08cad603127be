//go:build !bench

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/bench/load"
)

// TestNoLoadChannels: the program that people run has no channel for load
// generators, by any flag, and says so to whoever measures it.
func TestNoLoadChannels(t *testing.T) {
	sv := serve(t, nil)
	c := sv.client(t)
	for _, kind := range []string{load.BenchChannel, load.SlowChannel} {
		status, answer := c.call("PUT", "/v1/channels/"+kind, obj{"kind": kind, "mchId": "1", "appId": "a"})
		if said, _ := answer["detail"].(string); status != 400 || !strings.Contains(said, "one of") || strings.Contains(said, kind) {
			t.Errorf("%s: %d %v", kind, status, answer)
		}
	}
	for _, args := range [][]string{
		{"bench", "--scenario", "lives"},
		{"serve", "--bench-channel"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, streams{&out, &errs}); code == 0 {
			t.Errorf("%v: exit %d\n%s%s", args, code, &out, &errs)
		}
	}
}
