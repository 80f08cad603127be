package unit

import "slices"

// overlay is a table whatever its rows.
type overlay interface {
	has(key string) bool
	load(requested []string, found Rows)
	accept()
	drop()
	writes(to []Write) []Write
}

// table is one kind of rows in the memory of a batch: as loaded, as the
// accepted commands left them, and what the running command has put.
type table[D any] struct {
	kind  *Kind[D]
	rows  map[string]*row[D]
	over  []put[D]
	owned map[string][]string // keys by owner; may name some that were refused
	added []*D                // of an appended kind
}

// row: old and cur of a loaded row are the same pointer; nobody changes what
// they point to.
type row[D any] struct {
	old     *D // as loaded; nil: absent
	cur     *D // now; nil: absent
	changed bool
}

type put[D any] struct {
	key string
	d   *D
}

func (k *Kind[D]) newTable() overlay { return &table[D]{kind: k} }

func (t *table[D]) load(requested []string, found Rows) {
	var rows []D
	if l, ok := found.(*list[D]); ok {
		rows = l.rows
	}
	if len(requested)+len(rows) == 0 {
		return
	}
	t.rows = make(map[string]*row[D], len(requested)+len(rows))
	block := make([]row[D], len(requested)+len(rows))
	for i, k := range requested {
		t.rows[k] = &block[i]
	}
	for i := range rows {
		r := &block[len(requested)+i]
		r.old, r.cur = &rows[i], &rows[i]
		key := t.kind.KeyOf(&rows[i])
		t.rows[key] = r
		t.belongs(key, &rows[i])
	}
}

func (t *table[D]) belongs(key string, d *D) {
	if t.kind.ownedBy == nil {
		return
	}
	if t.owned == nil {
		t.owned = map[string][]string{}
	}
	if owner := *t.kind.ownedBy(d); !slices.Contains(t.owned[owner], key) {
		t.owned[owner] = append(t.owned[owner], key)
	}
}

// has says whether a key was loaded, if only as absent.
func (t *table[D]) has(key string) bool {
	_, ok := t.rows[key]
	return ok
}

// find returns the present row of a key, nil when absent; ok is false where
// it was not loaded.
func (t *table[D]) find(key string) (d *D, ok bool) {
	for i := len(t.over) - 1; i >= 0; i-- {
		if t.over[i].key == key {
			return t.over[i].d, true
		}
	}
	if r, ok := t.rows[key]; ok {
		return r.cur, true
	}
	return nil, false
}

func (t *table[D]) put(key string, d *D) {
	t.over = append(t.over, put[D]{key, d})
	if d != nil {
		t.belongs(key, d)
	}
}

func (t *table[D]) accept() {
	for _, p := range t.over {
		if t.kind.info.Appended {
			t.added = append(t.added, p.d)
			continue
		}
		r, ok := t.rows[p.key]
		if !ok {
			if t.rows == nil {
				t.rows = map[string]*row[D]{}
			}
			r = &row[D]{}
			t.rows[p.key] = r
		}
		r.cur, r.changed = p.d, true
	}
	t.drop()
}

func (t *table[D]) drop() {
	clear(t.over)
	t.over = t.over[:0]
}

// writes adds what is to be written of the table: rows that are new, then
// those that have changed, each way of changing apart, then those that are to
// go; each in key order, which is that of the locks.
func (t *table[D]) writes(to []Write) []Write {
	if t.kind.info.Virtual {
		return to
	}
	if len(t.added) > 0 {
		to = append(to, newWrite(t.kind, Insert, 0, nil, t.added))
	}
	var keys []string
	for k, r := range t.rows {
		if r.changed && (r.cur != nil || r.old != nil) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return to
	}
	slices.Sort(keys)
	ways := make([]changeSet[D], len(t.kind.info.Updates)+2)
	for _, k := range keys {
		r := t.rows[k]
		way := t.way(r.old, r.cur)
		w := &ways[way]
		if r.cur != nil {
			w.new = append(w.new, t.counted(way, r.old, r.cur))
		}
		if r.old != nil {
			w.old = append(w.old, r.old)
		}
	}
	last := len(ways) - 1
	for i, w := range ways {
		if len(w.old)+len(w.new) == 0 {
			continue
		}
		switch i {
		case 0:
			to = append(to, newWrite(t.kind, Insert, 0, nil, w.new))
		case last:
			to = append(to, newWrite(t.kind, Delete, 0, w.old, nil))
		default:
			to = append(to, newWrite(t.kind, Change, i-1, w.old, w.new))
		}
	}
	return to
}

type changeSet[D any] struct{ old, new []*D }

// way is 0 for an insert, then the updates, then a delete.
func (t *table[D]) way(old, cur *D) int {
	switch {
	case old == nil:
		return 0
	case cur == nil:
		return len(t.kind.info.Updates) + 1
	}
	for i, n := range t.kind.narrow {
		if n.When(old, cur) {
			return 2 + i
		}
	}
	return 1
}

// counted is the row with the version that it gets by the way of its change.
func (t *table[D]) counted(way int, old, cur *D) *D {
	version := t.kind.version
	if version == nil {
		return cur
	}
	next := *cur
	switch {
	case old == nil:
		*version(&next) = max(1, *version(cur))
	case way >= 2 && t.kind.narrow[way-2].Still:
		*version(&next) = *version(old)
	default:
		*version(&next) = *version(old) + 1
	}
	return &next
}
