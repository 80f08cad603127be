package clock

import (
	"sync"
	"time"
)

// Manual is a clock that stands still until it is moved, for tests and
// simulations. It is safe for concurrent use.
type Manual struct {
	mu      sync.Mutex
	at      time.Time
	waiting map[*waiter]struct{}
}

// NewManual makes a clock that stands at start.
func NewManual(start time.Time) *Manual {
	return &Manual{at: start, waiting: map[*waiter]struct{}{}}
}

// Now is the clock's time.
func (c *Manual) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// After fires once the clock has been moved by d from now. Its channel has
// capacity for the one value, so nobody needs to be listening.
func (c *Manual) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{at: c.at.Add(d), ch: make(chan time.Time, 1)}
	c.waiting[w] = struct{}{}
	c.fire()
	return w.ch
}

// Advance moves the clock forward and wakes all whose time has come. A
// negative d is ignored: time does not go back.
func (c *Manual) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(max(d, 0))
	c.fire()
}

// fire wakes those whose time has come. The lock is held.
func (c *Manual) fire() {
	for w := range c.waiting {
		if !w.at.After(c.at) {
			w.ch <- c.at
			delete(c.waiting, w)
		}
	}
}

// Waiting is how many wait for the clock to be moved.
func (c *Manual) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}
