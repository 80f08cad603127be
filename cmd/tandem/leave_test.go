package main

import "testing"

// A server that is told to end says so at /readyz first, and goes on serving.
func TestLeaves(t *testing.T) {
	sv := serve(t, nil)
	c := sv.client(t)
	c.must(200, "GET", "/readyz", nil)
	sv.leave(0)
	c.must(503, "GET", "/readyz", nil)
	c.must(200, "GET", "/healthz", nil)
	c.shop()
	if no, _ := c.order("k1"); no == "" {
		t.Error("no order")
	}
}
