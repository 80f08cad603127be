package sandbox

import (
	"sync"
	"time"
)

// Clock is the only source of time. After's channel receives once the clock
// has passed d from now, also when the clock is moved there in one jump.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the computer's clock.
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// After is time.After.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// VirtualClock is a clock that can be moved forward. It either stands still
// in between, for tests, or runs along with the computer's clock, for a
// sandbox that people use. It is safe for use by many at once.
type VirtualClock struct {
	mu      sync.Mutex
	running bool
	at      time.Time     // the time, when it stands still
	ahead   time.Duration // of the computer's clock, when it runs
	waiting map[*waiter]struct{}
}

type waiter struct {
	due   time.Time
	ch    chan time.Time
	timer *time.Timer // nil when the clock stands still
}

// NewVirtualClock returns a clock that stands at start until it is moved.
func NewVirtualClock(start time.Time) *VirtualClock {
	return &VirtualClock{at: start, waiting: map[*waiter]struct{}{}}
}

// NewRunningClock returns a clock that shows the computer's time plus
// whatever it has been advanced by.
func NewRunningClock() *VirtualClock {
	return &VirtualClock{running: true, waiting: map[*waiter]struct{}{}}
}

// Now is the clock's time.
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *VirtualClock) now() time.Time {
	if c.running {
		return time.Now().Add(c.ahead)
	}
	return c.at
}

// After implements Clock.
func (c *VirtualClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{due: c.now().Add(d), ch: make(chan time.Time, 1)}
	if d <= 0 {
		w.ch <- c.now()
		return w.ch
	}
	c.waiting[w] = struct{}{}
	if c.running {
		w.timer = time.AfterFunc(d, c.fire)
	}
	return w.ch
}

// Advance moves the clock forward by d, d ≥ 0, and wakes all that became due.
func (c *VirtualClock) Advance(d time.Duration) {
	c.mu.Lock()
	if d > 0 {
		c.at = c.at.Add(d)
		c.ahead += d
	}
	c.mu.Unlock()
	c.fire()
}

// fire wakes the waiters that are due; the timers of the others are set to
// what is left, since the clock may have been moved since they were set.
func (c *VirtualClock) fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for w := range c.waiting {
		switch left := w.due.Sub(now); {
		case left <= 0:
			if w.timer != nil {
				w.timer.Stop()
			}
			w.ch <- now // has room for the one value it ever gets
			delete(c.waiting, w)
		case w.timer != nil:
			w.timer.Reset(left)
		}
	}
}
