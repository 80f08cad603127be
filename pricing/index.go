package pricing

// index says which rules list a sku or a category. Its parts hold next to no
// pointers: a shop's rules live long, and every collection of garbage looks
// through them.
type index struct {
	slots map[string]int32
	spans []span // by slot
	ranks []int32
}

type span struct{ from, n int32 }

// listings gathers what rules list, rank after rank.
type listings struct {
	slots map[string]int32
	list  []struct{ slot, rank int32 }
}

func (l *listings) add(rank int32, keys []string) {
	for _, key := range keys {
		slot, known := l.slots[key]
		if !known {
			slot = int32(len(l.slots))
			l.slots[key] = slot
		}
		l.list = append(l.list, struct{ slot, rank int32 }{slot, rank})
	}
}

// index makes the index; what a rule lists twice stands there once.
func (l *listings) index() index {
	x := index{slots: l.slots, spans: make([]span, len(l.slots)), ranks: make([]int32, len(l.list))}
	for _, e := range l.list {
		x.spans[e.slot].n++
	}
	from := int32(0)
	for i := range x.spans {
		n := x.spans[i].n
		x.spans[i] = span{from: from}
		from += n
	}
	for _, e := range l.list {
		s := &x.spans[e.slot]
		if end := s.from + s.n; s.n == 0 || x.ranks[end-1] != e.rank {
			x.ranks[end] = e.rank
			s.n++
		}
	}
	return x
}

// of lists the ranks of the rules that list the key.
func (x *index) of(key string) []int32 {
	slot, known := x.slots[key]
	if !known {
		return nil
	}
	s := x.spans[slot]
	return x.ranks[s.from : s.from+s.n]
}
