package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-pay/tandem/clock"
)

func TestMovable(t *testing.T) {
	for _, tt := range []struct {
		name    string
		waits   time.Duration
		advance time.Duration // of the clock
		sleep   time.Duration // of the wall
		fires   bool
	}{
		{"not yet", time.Minute, 0, 59 * time.Second, false},
		{"by the wall", time.Minute, 0, time.Minute, true},
		{"by moving", time.Minute, time.Minute, 0, true},
		{"by both", time.Minute, 40 * time.Second, 20 * time.Second, true},
		{"moved too little", time.Minute, 40 * time.Second, 19 * time.Second, false},
		{"at once", 0, 0, 0, true},
		{"never back", time.Minute, -time.Hour, time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clock.New()
				start := c.Now()
				after := c.After(tt.waits)
				later := c.After(24 * time.Hour)
				c.Advance(tt.advance)
				time.Sleep(tt.sleep)
				synctest.Wait()
				select {
				case at := <-after:
					if !tt.fires {
						t.Errorf("fired at %v", at)
					}
					if at.Sub(start) < tt.waits {
						t.Errorf("fired %v early", tt.waits-at.Sub(start))
					}
				default:
					if tt.fires {
						t.Error("did not fire")
					}
				}
				c.Advance(48 * time.Hour)
				<-later
			})
		})
	}
}

func TestStartingAt(t *testing.T) {
	for _, at := range []string{"2020-02-29T23:59:59Z", "2026-11-30T15:45:00Z", "2031-01-01T00:00:00+08:00"} {
		synctest.Test(t, func(t *testing.T) {
			start, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			c := clock.StartingAt(start)
			if now := c.Now(); !now.Equal(start) || now.Location() != time.UTC {
				t.Errorf("it starts at %v, want %v", now, start)
			}
			fired := c.After(time.Minute)
			time.Sleep(time.Minute)
			if at := <-fired; !at.Equal(start.Add(time.Minute)) {
				t.Errorf("it fired at %v", at)
			}
		})
	}
}
