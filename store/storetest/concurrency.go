package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
)

func testOneWriter(e *env) {
	if !e.backend.OneWriter {
		e.Skip("there are many writers at a time")
	}
	first, _ := e.begin(needs{})
	ctx, cancel := context.WithTimeout(e.Context(), 50*time.Millisecond)
	defer cancel()
	if u, _, err := e.Begin(ctx, e.shop, unit.Needs{}); err == nil {
		u.Rollback()
		e.Error("two units at a time")
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		first.Rollback()
	}()
	second, _ := e.begin(needs{})
	second.Rollback()
}

// race has writers write records about one order, each after it has locked
// rows of its own in another turn.
func (e *env) race(writers, each int) {
	e.Helper()
	e.write(changes{Counters: []unit.Pair[rows.Counter]{counted("hot", nil, 0)}})
	for i := range writers {
		e.write(changes{Skus: added(inventory.Data{Sku: fmt.Sprintf("own-%d", i), Version: 1})})
	}
	var all sync.WaitGroup
	for i := range writers {
		own := fmt.Sprintf("own-%d", i)
		all.Go(func() {
			for range each {
				u, l, err := e.beginAt(e.Context(), e.shop, needs{Skus: []string{own}, Counters: []string{"hot"}})
				if err != nil {
					e.Errorf("begin: %v", err)
					return
				}
				if rand.IntN(2) == 0 {
					time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
				}
				seq, s := l.Counters["hot"], l.Skus[0]
				s.OnHand++
				err = e.commit(u, changes{
					Skus: changed(l.Skus[0], s), Counters: []unit.Pair[rows.Counter]{counted("hot", &seq, seq+1)},
					Records: []event.Record{record("hot", numbered(event.OrderPlaced, "hot", seq+1))},
				})
				if err != nil {
					e.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}

// testHotRows: batches that want the same few rows, and make the same new
// ones, neither wait in a circle nor lose an update.
func testHotRows(e *env) {
	const writers, each, kinds = 6, 25, 5
	var names []string
	for i := range kinds {
		names = append(names, fmt.Sprintf("sku-%d", i))
		e.write(changes{Skus: added(inventory.Data{Sku: names[i], OnHand: 1_000_000, Version: 1})})
	}
	var won, made atomic.Int64
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for range each {
				n := needs{}
				for _, name := range names {
					if random.IntN(2) == 0 {
						n.Skus = append(n.Skus, name)
						n.Counters = append(n.Counters, fmt.Sprintf("%s/%d", name, random.IntN(20)))
					}
				}
				for {
					u, l, err := e.beginAt(e.Context(), e.shop, n)
					if err != nil {
						e.Errorf("begin: %v", err)
						return
					}
					c := changes{}
					for i := range l.Skus {
						s := l.Skus[i]
						s.Reserved++
						c.Skus = append(c.Skus, changed(l.Skus[i], s)...)
					}
					for _, name := range n.Counters {
						if v, ok := l.Counters[name]; ok {
							c.Counters = append(c.Counters, counted(name, &v, v+1))
						} else {
							c.Counters = append(c.Counters, counted(name, nil, 1))
						}
					}
					err = e.commit(u, c)
					if errors.Is(err, unit.ErrConflict) {
						continue // another made the same new counter
					}
					if err != nil {
						e.Errorf("commit: %v", err)
						return
					}
					won.Add(int64(len(c.Skus)))
					made.Add(int64(len(c.Counters)))
					break
				}
			}
		})
	}
	all.Wait()
	var reserved, counted int64
	for _, s := range e.load(needs{Skus: names}).Skus {
		reserved += s.Reserved
		e.same("a version a change", s.Reserved+1, s.Version)
	}
	e.must(e.Scan(e.Context(), e.shop, unit.Scan{Visits: []unit.Visit{unit.Each(rows.Counters, func(c rows.Counter) error { counted += c.Value; return nil })}}))
	e.same("reserved in all", won.Load(), reserved)
	e.same("counted in all", made.Load(), counted)
}

// testDuplicates: who waited for a row that a duplicate under the same key changed sees
// the key with the change.
func testDuplicates(e *env) {
	for round := range 20 {
		sku, key := fmt.Sprint("last-", round), fmt.Sprint("key-", round)
		e.write(changes{Skus: added(inventory.Data{Sku: sku, OnHand: 1, Version: 1})})
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				u, l, err := e.beginAt(e.Context(), e.shop, needs{Keys: []string{key}, Skus: []string{sku}})
				if err != nil {
					e.Errorf("begin: %v", err)
					return
				}
				defer u.Rollback()
				if taken := l.Skus[0].Reserved == 1; taken != (len(l.Keys) == 1) {
					e.Errorf("round %d: taken %v, with keys %v", round, taken, l.Keys)
				} else if !taken {
					s := l.Skus[0]
					s.Reserved = 1
					if err := e.commit(u, changes{Skus: changed(l.Skus[0], s), Keys: []unit.SavedKey{{Key: key}}}); err != nil {
						e.Errorf("commit: %v", err)
					}
				}
			})
		}
		all.Wait()
	}
}
