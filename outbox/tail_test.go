package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/shop"
)

// logs are the logs of shops in memory.
type logs struct {
	mu      sync.Mutex
	ends    map[string]event.Position
	reads   int
	fails   error // of reads
	refuses error // of what is handed over
}

func (l *logs) Events(_ context.Context, shop string, q app.EventQuery) (out []event.Record, _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	for p := q.After + 1; p <= l.ends[shop] && len(out) < q.Limit; p++ {
		out = append(out, event.Record{Shop: shop, Position: p})
	}
	return out, l.fails
}

func (l *logs) grow(shop string, by event.Position, fails, refuses error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[shop] += by
	l.fails, l.refuses = fails, refuses
}

// tailing runs a tail in a bubble of synctest.
func tailing(t *testing.T, f func(l *logs, tail *outbox.Tail)) {
	synctest.Test(t, func(t *testing.T) {
		l := &logs{ends: map[string]event.Position{}}
		tail := outbox.NewTail(outbox.TailOptions{Name: "tail", Store: l, Log: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- tail.Run(ctx) }()
		f(l, tail)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What a tail hands over, and when, one line a step: the log grows, and is
// announced or not, and reads or deliveries fail or not.
func TestTail(t *testing.T) {
	tailing(t, func(l *logs, tail *outbox.Tail) {
		l.grow("a", 7, nil, nil)
		var got []event.Position
		tail.Open("a", 7, func(_ context.Context, records []event.Record) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			for i := range records {
				if l.refuses == nil {
					got = append(got, records[i].Position)
				}
			}
			return l.refuses
		})
		away := errors.New("away")
		for _, tt := range []struct {
			name    string
			by      event.Position
			wake    bool
			fails   error
			refuses error
			after   time.Duration
			upto    event.Position
		}{
			{"what was there before it", 0, true, nil, nil, time.Minute, 7},
			{"announced", 2, true, nil, nil, 0, 9},
			{"announced at once again: it gathers", 1, true, nil, nil, 4 * time.Millisecond, 9},
			{"and reads", 0, false, nil, nil, time.Millisecond, 10},
			{"not announced", 1, false, nil, nil, 99 * time.Millisecond, 10},
			{"a look finds it", 0, false, nil, nil, time.Millisecond, 11},
			{"more than one batch", 600, true, nil, nil, 5 * time.Millisecond, 611},
			{"the store is away", 1, true, away, nil, time.Minute, 611},
			{"and back", 0, true, nil, nil, 5 * time.Second, 612},
			{"what it hands over is refused", 1, true, nil, away, time.Minute, 612},
			{"and comes again", 0, true, nil, nil, 5 * time.Second, 613},
		} {
			l.grow("a", tt.by, tt.fails, tt.refuses)
			if tt.wake {
				tail.Wake("a")
			}
			time.Sleep(tt.after)
			synctest.Wait()
			if last := event.Position(len(got)) + 7; last != tt.upto || last > 7 && got[len(got)-1] != last {
				t.Errorf("%s: up to %d, want %d: %v", tt.name, last, tt.upto, got)
			}
		}
		tail.Close("a")
		l.grow("a", 1, nil, nil)
		tail.Wake("a")
		before := l.reads
		time.Sleep(time.Hour)
		if len(got) != 606 || l.reads != before {
			t.Errorf("it goes on after Close: %d records, %d reads", len(got), l.reads-before)
		}
	})
}

// A shop whose records take long keeps no other waiting.
func TestSlowShop(t *testing.T) {
	tailing(t, func(l *logs, tail *outbox.Tail) {
		var mu sync.Mutex
		var did []string
		for shop, takes := range map[string]time.Duration{"slow": time.Hour, "a": 0, "b": 0} {
			tail.Open(shop, 0, func(context.Context, []event.Record) error {
				time.Sleep(takes)
				mu.Lock()
				defer mu.Unlock()
				did = append(did, shop)
				return nil
			})
			l.grow(shop, 1, nil, nil)
		}
		tail.Wake("slow")
		time.Sleep(time.Second)
		mu.Lock()
		slices.Sort(did)
		if fmt.Sprint(did) != "[a b]" {
			t.Errorf("after a second: %v", did)
		}
		mu.Unlock()
		time.Sleep(time.Hour)
	})
}

// Read ends with the log, or with the first error.
func TestRead(t *testing.T) {
	away := errors.New("away")
	for _, tt := range []struct {
		end, after event.Position
		fails      error
		want       string
	}{
		{0, 0, nil, "[]"},
		{3, 3, nil, "[]"},
		{3, 1, nil, "[2]"},
		{256, 0, nil, "[256]"},
		{513, 0, nil, "[256 256 1]"},
		{3, 0, away, "[away]"},
	} {
		l := &logs{ends: map[string]event.Position{"a": tt.end}, fails: tt.fails}
		got := []any{}
		for records, err := range outbox.Read(ctx, l, "a", tt.after) {
			if err != nil {
				got = append(got, err)
				continue
			}
			got = append(got, len(records))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%d after %d: %v, want %s", tt.end, tt.after, got, tt.want)
		}
	}
}

// The lag of a tail is measured with that of the followers, from where this
// instance is.
func TestTailLag(t *testing.T) {
	each(t, func(w *world) {
		tail := outbox.NewTail(outbox.TailOptions{Name: "tail", Store: w.Store})
		b := outbox.New(outbox.Options{Store: w.Store, Engine: w.Engine, Tails: []*outbox.Tail{tail}, Clock: w.Clock})
		lag := func(when string, records int64, age time.Duration) {
			t.Helper()
			lags, err := b.Measure(ctx)
			w.must(err)
			if l := lags[0]; l.Follower != "tail" || l.Records != records || l.Age.Round(time.Second) != age {
				t.Errorf("%s: %+v", when, l)
			}
		}
		w.write("a", event.OrderPlaced)
		w.Clock.Advance(time.Minute)
		lag("nobody listens", 0, 0)
		tail.Open(shop.Default, 0, nil)
		lag("it does not run", 1, time.Minute)
		tail.Open(shop.Default, 1, nil)
		lag("it is at the end", 0, 0)
		w.write("a", event.OrderPaid)
		w.Clock.Advance(time.Hour)
		lag("and behind again", 1, time.Hour)
	})
}
