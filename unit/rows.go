package unit

// Rows are loaded rows of one kind.
type Rows interface {
	Len() int
	// Next adds a row and says where its columns are to be scanned into, see
	// Kind.Dest. What it returns is good until the next call.
	Next() []any
	// LastKey is the key of the row that was added last.
	LastKey() string
}

// list is Rows of a known type.
type list[D any] struct {
	kind *Kind[D]
	rows []D
	dest []any
}

// NewRows makes room for rows that are loaded.
func (k *Kind[D]) NewRows(room int) Rows { return &list[D]{kind: k, rows: make([]D, 0, room)} }

func (l *list[D]) Len() int { return len(l.rows) }

func (l *list[D]) LastKey() string {
	if len(l.rows) == 0 {
		return ""
	}
	return l.kind.KeyOf(&l.rows[len(l.rows)-1])
}

func (l *list[D]) Next() []any {
	var zero D
	l.rows = append(l.rows, zero)
	l.dest = l.kind.Dest(l.dest[:0], &l.rows[len(l.rows)-1], false)
	return l.dest
}

// Loaded is what a store found of a batch's needs, by rank. What was requested
// for and is not here does not exist.
type Loaded struct{ byRank []Rows }

// Put files the rows of a kind.
func (l *Loaded) Put(k *Info, r Rows) {
	for len(l.byRank) <= k.Rank {
		l.byRank = append(l.byRank, nil)
	}
	l.byRank[k.Rank] = r
}

func (l *Loaded) of(k *Info) Rows {
	if k.Rank < len(l.byRank) {
		return l.byRank[k.Rank]
	}
	return nil
}

// Of are the loaded rows of a kind.
func Of[D any](l *Loaded, k *Kind[D]) []D {
	if r, ok := l.of(&k.info).(*list[D]); ok {
		return r.rows
	}
	return nil
}
