package storetest

import (
	"slices"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// testKinds puts every declared kind of row through its life, by the steps of
// its sample: made, changed in every way that it declares, deleted, read by a
// unit and by a scan; guarded against a stale change, a second insert, and
// what another shop does.
func testKinds(e *env) {
	all := e.samples()
	for _, k := range rows.Schema.Kinds() {
		info := k.Info()
		if info.Virtual {
			continue // no table of its own
		}
		run := all[info]
		if run == nil {
			e.Errorf("kind %s has no sample: add one to samples.go", info.Table)
			continue
		}
		run(info.Table)
	}
}

// life is a row of a kind, and what it becomes step by step.
func life[D any](e *env, k *unit.Kind[D], before []unit.Write, steps ...D) (*unit.Info, func(name string)) {
	return k.Info(), func(name string) {
		e.Helper()
		home := e.newShop()
		e.commitWrites(home, before)
		other := e.newShop()
		l := lived[D]{e, k, name, home}
		if k.Info().Appended {
			l.append(steps)
			return
		}
		l.insert(steps[0])
		neighbour := lived[D]{e, k, name, other}
		e.commitWrites(other, before)
		neighbour.insert(steps[0])
		ways := map[int]bool{}
		for i := 1; i < len(steps); i++ {
			ways[l.change(steps[i])] = true
		}
		for way := range k.Info().Updates {
			if !ways[way] {
				e.Errorf("%s: the sample has no step that is a change of way %d", name, way)
			}
		}
		l.covers(steps)
		l.scan()
		if len(k.Info().Updates) > 0 && !k.Info().Single {
			l.remove()
		}
		neighbour.is("as another shop left it", steps[0])
	}
}

// lived is the life of one row in a shop.
type lived[D any] struct {
	e    *env
	k    *unit.Kind[D]
	name string
	shop string
}

func (l *lived[D]) needs(d D) unit.Needs {
	if l.k.Info().Single {
		return unit.Needs{l.k.Lock()}
	}
	return unit.Sorted(unit.Needs{l.k.Keys(l.k.KeyOf(&d))})
}

// read is the row as a unit loads it; nil if it is not there.
func (l *lived[D]) read(d D) *D {
	l.e.Helper()
	u, loaded, err := l.e.Begin(l.e.Context(), l.shop, l.needs(d))
	l.e.must(err)
	u.Rollback()
	for _, found := range unit.Of(loaded, l.k) {
		if l.k.KeyOf(&found) == l.k.KeyOf(&d) {
			return &found
		}
	}
	return nil
}

// is demands that the row is stored as written, but for what the database
// gives and the version that the unit counts.
func (l *lived[D]) is(what string, want D) *D {
	l.e.Helper()
	got := l.read(want)
	if got == nil {
		l.e.Fatalf("%s: %s: it is not there", l.name, what)
	}
	w := unit.Writes(l.k, unit.Pair[D]{New: &want})[0]
	g := unit.Writes(l.k, unit.Pair[D]{New: got})[0]
	for i, c := range l.k.Info().Columns {
		if c.Assigned || c.Fixed && l.k.Info().Single || i == l.k.Info().GuardAt && l.k.Counts() {
			continue
		}
		a, err1 := w.Value(0, i)
		b, err2 := g.Value(0, i)
		l.e.must(err1)
		l.e.must(err2)
		if t, ok := a.(time.Time); ok && t.Equal(b.(time.Time)) {
			continue
		}
		l.e.same(l.name+": "+what+": "+c.Name, a, b)
	}
	return got
}

func (l *lived[D]) insert(d D) {
	l.e.Helper()
	if l.k.Info().Single { // the row is made with the shop
		l.change(d)
		return
	}
	l.e.commitWrites(l.shop, unit.Writes(l.k, Added(d)...))
	l.is("as made", d)
	l.e.conflicts(l.name+" made twice", l.e.tryWrites(l.shop, unit.Writes(l.k, Added(d)...)))
}

// change writes a step over the row as it is stored, and says by which way.
func (l *lived[D]) change(d D) int {
	l.e.Helper()
	was := l.read(d)
	if was == nil {
		l.e.Fatalf("%s: the row to change is not there", l.name)
	}
	w := unit.Writes(l.k, Changed(*was, d)...)
	l.e.commitWrites(l.shop, w)
	l.is("as changed", d)
	if now := l.read(d); l.k.Info().Updates[w[0].Way].Moves(l.k.Info()) {
		l.e.conflicts(l.name+": a stale change", l.e.tryWrites(l.shop, unit.Writes(l.k, Changed(*was, *now)...)))
	}
	return w[0].Way
}

// covers demands that the steps change every column that can change.
func (l *lived[D]) covers(steps []D) {
	l.e.Helper()
	info := l.k.Info()
	if len(info.Updates) == 0 {
		return
	}
	for _, c := range info.Updates[0].Set {
		var seen []any
		for i := range steps {
			w := unit.Writes(l.k, unit.Pair[D]{New: &steps[i]})[0]
			v, err := w.Value(0, c)
			l.e.must(err)
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			if !slices.Contains(seen, v) {
				seen = append(seen, v)
			}
		}
		if len(seen) < 2 && !(c == info.GuardAt && l.k.Counts()) {
			l.e.Errorf("%s: no step of the sample changes %s", l.name, info.Columns[c].Name)
		}
	}
}

func (l *lived[D]) scan() {
	l.e.Helper()
	n := 0
	if l.k.Info().Single || l.k.Info().Key == "" {
		return
	}
	l.e.must(l.e.Scan(l.e.Context(), l.shop, unit.Scan{Visits: []unit.Visit{unit.Each(l.k, func(D) error { n++; return nil })}}))
	if n != 1 {
		l.e.Errorf("%s: a scan met %d rows, not 1", l.name, n)
	}
}

func (l *lived[D]) remove() {
	l.e.Helper()
	var is *D
	l.e.must(l.e.Scan(l.e.Context(), l.shop, unit.Scan{Visits: []unit.Visit{unit.Each(l.k, func(d D) error { is = l.read(d); return nil })}}))
	l.e.commitWrites(l.shop, unit.Writes(l.k, removed(*is)...))
	if l.read(*is) != nil {
		l.e.Errorf("%s: it is there after it was deleted", l.name)
	}
	l.e.conflicts(l.name+" deleted twice", l.e.tryWrites(l.shop, unit.Writes(l.k, removed(*is)...)))
}

// append writes rows that are only ever added; who reads them has tests of
// its own.
func (l *lived[D]) append(list []D) {
	l.e.Helper()
	l.e.commitWrites(l.shop, unit.Writes(l.k, Added(list...)...))
}

func (e *env) commitWrites(shop string, w []unit.Write) {
	e.Helper()
	if len(w) == 0 {
		return
	}
	if err := e.tryWrites(shop, w); err != nil {
		e.Fatalf("%s: %v", w[0].Kind.Table, err)
	}
}

func (e *env) tryWrites(shop string, w []unit.Write) error {
	e.Helper()
	u, _, err := e.Begin(e.Context(), shop, nil)
	e.must(err)
	defer u.Rollback()
	return u.Commit(e.Context(), &unit.Changes{Shop: shop, Now: now, Writes: w})
}
