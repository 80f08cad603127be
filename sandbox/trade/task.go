package trade

import (
	"container/heap"
	"time"
)

// task is work of the book's own that is due at some time.
type task struct {
	due   time.Time
	order uint64 // of being planned, to break ties
	do    func(at time.Time)
}

// tasks is a heap, the earliest first.
type tasks []task

func (t tasks) Len() int           { return len(t) }
func (t tasks) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t tasks) Less(i, j int) bool { return earlier(t[i].due, t[j].due, t[i].order, t[j].order) }
func (t *tasks) Push(x any)        { *t = append(*t, x.(task)) }
func (t *tasks) Pop() any {
	old := *t
	last := old[len(old)-1]
	old[len(old)-1] = task{}
	*t = old[:len(old)-1]
	return last
}

// earlier orders by the time of being due and then by that of being planned.
func earlier(a, b time.Time, orderA, orderB uint64) bool {
	if a.Equal(b) {
		return orderA < orderB
	}
	return a.Before(b)
}

// Later plans do for a time. It is called with the time for which it was
// planned, and with the lock held.
func (b *Book) Later(due time.Time, do func(at time.Time)) {
	b.planned++
	heap.Push(&b.tasks, task{due: due, order: b.planned, do: do})
	b.wake()
}

// catchUp does what has become due, each as at its own time.
func (b *Book) catchUp() {
	for now := b.Now(); len(b.tasks) > 0 && !b.tasks[0].due.After(now); {
		t := heap.Pop(&b.tasks).(task)
		t.do(t.due)
	}
}

// wake lets whoever delivers look at what is due.
func (b *Book) wake() {
	select {
	case b.Changed <- struct{}{}:
	default: // a signal is pending already
	}
}
