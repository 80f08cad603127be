package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// job is one kind of request, made again and again.
type job struct {
	stage string
	total int64 // requests in all; 0: as many as time allows
	// do makes the i-th request. errEnough ends the job.
	do     func(c *client, i int64) error
	strict bool // the first error ends the job: the next job needs them all
	// rate is how many requests a second are due, whether those before have
	// been answered or not; 0: each client goes on when it has its answer. A
	// request counts from when it was due.
	rate float64
}

// errEnough says that a job has used up what it was given.
var errEnough = errors.New("enough")

// backoff is the pause after a request that failed, so that a server that
// says "too many" is not shouted at.
const backoff = 10 * time.Millisecond

// meter measures requests.
type meter struct {
	from time.Time // what begins earlier is not counted

	mu     sync.Mutex
	until  time.Time // what ends later is not counted
	last   time.Time // when the last counted one ended
	hist   *hdrhistogram.Histogram
	errors map[string]int64
	failed int64
	sent   int64 // requests in all
	sample error // the first error
}

// Latencies are kept in µs, from 1 µs to a minute, three digits of each.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Minute.Microseconds(), 3)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), time.Minute.Microseconds())) // in range
}

func (m *meter) done(start, end time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	if err != nil {
		m.errors[errorCode(err)]++
		m.failed++
		if m.sample == nil {
			m.sample = err
		}
		return
	}
	if start.Before(m.from) || end.After(m.until) {
		return
	}
	m.last = end
	record(m.hist, end.Sub(start))
}

// giveUp says whether going on makes no sense.
func (m *meter) giveUp(strict bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.failed == 0:
	case strict:
		return m.sample
	case m.failed > maxErrors, m.failed > maxFirstErrors && m.hist.TotalCount() == 0 && time.Now().After(m.from):
		return fmt.Errorf("%w, the first: %w", ErrTooManyErrors, m.sample)
	}
	return nil
}

// run makes the requests at a pace. The report's rate is what was counted
// over the measured window, or over the time until the last counted request
// if the job ended before it.
func (j job) run(ctx context.Context, t Target, p Pace, progress Progress) (Stage, error) {
	p = p.orDefaults()
	if j.total > 0 {
		p.Clients = int(min(int64(p.Clients), j.total))
	}
	clients := make([]*client, p.Clients)
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for i := range clients {
		var err error
		if clients[i], err = dial(run, t); err != nil {
			return Stage{}, fmt.Errorf("connect to %s: %w", t.Addr, err)
		}
		defer clients[i].close()
	}

	used := t.cpu()
	start := time.Now()
	m := &meter{from: start.Add(p.WarmUp), until: start.Add(p.WarmUp + p.For), hist: newHistogram(), errors: map[string]int64{}}
	var next atomic.Int64
	var enough atomic.Bool
	work := func(c *client) {
		for !enough.Load() && run.Err() == nil {
			i := next.Add(1) - 1
			begin := time.Now()
			if j.rate > 0 {
				begin = start.Add(time.Duration(float64(i) / j.rate * float64(time.Second)))
				time.Sleep(time.Until(begin))
			}
			if !begin.Before(m.until) || j.total > 0 && i >= j.total {
				return
			}
			err := j.do(c, i)
			if errors.Is(err, errEnough) {
				enough.Store(true)
				return
			}
			if run.Err() != nil {
				return
			}
			m.done(begin, time.Now(), err)
			if err == nil {
				continue
			}
			if why := m.giveUp(j.strict); why != nil {
				cancel(why)
				return
			}
			time.Sleep(backoff)
			if errorCode(err) == "connection" || c.conn == nil {
				_ = c.redial(run) // the next request says why not
			}
		}
	}
	total := int64((p.WarmUp + p.For) / time.Millisecond)
	value := func() int64 { return time.Since(start).Milliseconds() }
	if j.total > 0 {
		total, value = j.total, func() int64 { return next.Load() }
	}
	_ = during(ctx, progress, j.stage, total, value, func() error {
		var wg sync.WaitGroup
		for _, c := range clients {
			wg.Go(func() { work(c) })
		}
		wg.Wait()
		return nil
	})
	if err := context.Cause(run); err != nil {
		return Stage{}, err
	}
	stage := m.stage(j, p)
	stage.CPU = since(used, t.cpu(), m.sent)
	return stage, nil
}

func (m *meter) stage(j job, p Pace) Stage {
	window := p.For
	if m.last.IsZero() {
		m.last = m.from
	}
	if j.total > 0 || m.last.Before(m.until.Add(-time.Second)) {
		window = m.last.Sub(m.from)
	}
	s := Stage{
		Name: j.stage, Clients: p.Clients, Seconds: window.Seconds(),
		Count: m.hist.TotalCount(), Latency: latency(m.hist), Errors: m.errors,
	}
	if window > 0 {
		s.Rate = float64(s.Count) / window.Seconds()
	}
	return s
}
