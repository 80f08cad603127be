package clock_test

import (
	"testing"
	"time"

	"github.com/tandem-pay/tandem/clock"
)

func TestManual(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := clock.NewManual(start)
	now, soon, later := c.After(0), c.After(time.Minute), c.After(time.Hour)
	if at := <-now; at != start {
		t.Error(at)
	}
	c.Advance(time.Minute - 1)
	select {
	case <-soon:
		t.Error("too early")
	default:
	}
	c.Advance(1)
	if at := <-soon; at != start.Add(time.Minute) {
		t.Error(at)
	}
	c.Advance(-time.Hour) // never backwards
	if at := c.Now(); at != start.Add(time.Minute) {
		t.Error(at)
	}
	c.Advance(24 * time.Hour)
	<-later
}
