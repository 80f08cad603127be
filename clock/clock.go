// Package clock is the source of the time. Everything in Tandem that waits for a moment
// waits on a Clock, so that when a Movable one is moved by an hour, an hour's
// worth of expiry, retries and due dates happens at once.
package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Movable is the wall clock plus an offset that only grows once it runs. The zero value
// is not useful; see New. It is safe for use by many at once.
type Movable struct {
	mu      sync.Mutex
	offset  time.Duration
	waiting waiters
	alarm   *time.Timer // wall time of the earliest waiter
}

// New makes a clock that shows the present time.
func New() *Movable { return &Movable{} }

// StartingAt makes a clock that shows a chosen time at first, which may be
// past, and runs on with the wall clock.
func StartingAt(at time.Time) *Movable { return &Movable{offset: time.Until(at)} }

// Now is the clock's time, UTC.
func (c *Movable) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Movable) now() time.Time { return time.Now().UTC().Add(c.offset) }

// Advance moves the clock forward and wakes all whose time has come. It
// returns the new time. A negative d is ignored: time does not go back.
func (c *Movable) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += max(d, 0)
	c.fire()
	return c.now()
}

// After fires once the clock has passed d from now. Its channel has room for
// the one value, so nobody needs to be listening.
func (c *Movable) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{at: c.now().Add(d), ch: make(chan time.Time, 1)}
	heap.Push(&c.waiting, w)
	if c.waiting[0] == w {
		c.fire()
	}
	return w.ch
}

// fire wakes those whose time has come and sets the alarm for the next. The
// lock is held.
func (c *Movable) fire() {
	now := c.now()
	for len(c.waiting) > 0 && !c.waiting[0].at.After(now) {
		w := heap.Pop(&c.waiting).(*waiter)
		w.ch <- now
	}
	if c.alarm != nil {
		c.alarm.Stop()
	}
	if len(c.waiting) > 0 {
		c.alarm = time.AfterFunc(c.waiting[0].at.Sub(now), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.fire()
		})
	}
}

type waiter struct {
	at time.Time
	ch chan time.Time
}

type waiters []*waiter

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w waiters) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waiters) Push(x any)        { *w = append(*w, x.(*waiter)) }
func (w *waiters) Pop() any {
	old := *w
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	return last
}
