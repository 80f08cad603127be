package unit

import (
	"fmt"
	"slices"
)

// Spec declares a kind of rows: the one place where it is described. What
// loads, locks, changes, scans and tests such rows follows from it.
type Spec[D any] struct {
	// Rank is the kind's place in the order in which a unit locks and writes:
	// lower ranks first, in every instance. No two kinds share one.
	Rank  int
	Table string
	// Key is the column, of text, that is the primary key with the shop. The
	// row of the shop itself, see Single, and kinds that are Appended have none.
	Key     string
	Columns []Column[D]

	// Guard is the column whose stored value must still be the loaded one when
	// a row is changed; the Version column where it is not named.
	Guard string
	// Narrow are changes for which fewer columns are written than the row has:
	// the first that applies is taken.
	Narrow []Narrow[D]

	// Owner is the kind of which each of these rows belongs to one row, named
	// by the column OwnedBy. Such rows are loaded with their owner, all of
	// them, and locked by its lock; who needs one gets its owner too.
	Owner   Any
	OwnedBy string

	Single   bool // one row a shop: the shop's own
	Appended bool // rows are only ever added
	Unlocked bool // rows are read without a lock
	Virtual  bool // no table of its own: each store has a query for it; never written
}

// Narrow is a change of a row that writes only some columns.
type Narrow[D any] struct {
	Columns []string
	When    func(before, after *D) bool
	// Still says that the version stays: the row is the same to those who go
	// by it. The columns must then be as they were loaded.
	Still bool
}

// Info is what stores need to know of a kind.
type Info struct {
	Rank     int
	Table    string
	Key      string
	Columns  []ColumnInfo
	KeyAt    int // its place in Columns; -1: none
	GuardAt  int // likewise
	Updates  []Update
	Owner    *Info
	OwnedBy  string
	Owned    *Info // the kind of which this is the owner
	Single   bool
	Appended bool
	Unlocked bool
	Virtual  bool

	inserted []int
}

// Update is one way in which a row is changed: which columns are written,
// and which must be as they were loaded, by place.
type Update struct{ Set, Guards []int }

// Any is a kind of rows whatever they hold.
type Any interface {
	Info() *Info
	// NewRows makes room for rows that are loaded.
	NewRows(room int) Rows
	newTable() overlay
}

// Kind is a declared kind of rows.
type Kind[D any] struct {
	info    Info
	columns []Column[D]
	key     func(*D) *string // nil: the kind has no key
	version func(*D) *int64  // nil: the kind has no version that the unit counts
	narrow  []Narrow[D]
	ownedBy func(*D) *string
}

// Schema is all kinds of rows that a store keeps.
type Schema struct {
	kinds  []Any // those of byRank that are there
	byRank []Any
	keys   *Kind[SavedKey]
}

// Kinds are all kinds, by rank.
func (s *Schema) Kinds() []Any { return s.kinds }

// Declare adds a kind to the schema. A declaration that contradicts itself is
// a defect of the program: it panics.
func Declare[D any](s *Schema, spec Spec[D]) *Kind[D] {
	k := &Kind[D]{columns: spec.Columns, narrow: spec.Narrow}
	k.info = Info{
		Rank: spec.Rank, Table: spec.Table, Key: spec.Key, KeyAt: -1, GuardAt: -1, OwnedBy: spec.OwnedBy,
		Single: spec.Single, Appended: spec.Appended, Unlocked: spec.Unlocked, Virtual: spec.Virtual,
	}
	bad := func(what string) { panic(fmt.Sprintf("kind of rows %s: %s", spec.Table, what)) }
	for i := range k.columns {
		c := &k.columns[i]
		k.info.Columns = append(k.info.Columns, c.ColumnInfo)
		if !c.ColumnInfo.Assigned {
			k.info.inserted = append(k.info.inserted, i)
		}
		if c.Name == spec.Key {
			k.info.KeyAt, k.key = i, c.text
		}
		if c.version {
			k.version = c.integer
		}
		if c.Name == spec.Guard || spec.Guard == "" && c.version {
			k.info.GuardAt = i
		}
		if c.Name == spec.OwnedBy {
			k.ownedBy = c.text
		}
	}
	if keyed := !spec.Single && !spec.Appended; keyed != (k.key != nil) {
		bad("a kind has a key column of text unless it is single or appended")
	}
	if spec.Guard != "" && k.info.GuardAt < 0 || spec.OwnedBy != "" && k.ownedBy == nil {
		bad("Guard and OwnedBy name columns")
	}
	if spec.Owner != nil {
		k.info.Owner = spec.Owner.Info()
		k.info.Owner.Owned = &k.info
	}
	k.info.Updates = k.updates(bad)
	s.add(k)
	return k
}

func (s *Schema) add(k Any) {
	rank := k.Info().Rank
	for len(s.byRank) <= rank {
		s.byRank = append(s.byRank, nil)
	}
	if other := s.byRank[rank]; other != nil {
		panic(fmt.Sprintf("kinds of rows %s and %s have the same rank", other.Info().Table, k.Info().Table))
	}
	s.byRank[rank] = k
	s.kinds = slices.DeleteFunc(slices.Clone(s.byRank), func(k Any) bool { return k == nil })
}

// updates are the ways in which a row is changed: the whole of it, then the
// narrow ones.
func (k *Kind[D]) updates(bad func(string)) []Update {
	if k.info.Appended || k.info.Virtual || k.info.GuardAt < 0 {
		return nil
	}
	var whole Update
	for i, c := range k.info.Columns {
		if i != k.info.KeyAt && !c.Fixed && !c.Assigned {
			whole.Set = append(whole.Set, i)
		}
	}
	whole.Guards = []int{k.info.GuardAt}
	out := []Update{whole}
	for _, n := range k.narrow {
		u := Update{Guards: []int{k.info.GuardAt}}
		for _, name := range n.Columns {
			i := slices.IndexFunc(k.info.Columns, func(c ColumnInfo) bool { return c.Name == name })
			if i < 0 || k.info.Columns[i].Assigned {
				bad("a narrow change names columns that can change: " + name)
			}
			u.Set = append(u.Set, i)
			if n.Still {
				u.Guards = append(u.Guards, i)
			}
		}
		if !n.Still && !slices.Contains(u.Set, k.info.GuardAt) {
			u.Set = append(u.Set, k.info.GuardAt)
		}
		out = append(out, u)
	}
	return out
}

// Info is what stores need to know of the kind.
func (k *Kind[D]) Info() *Info { return &k.info }

// KeyOf is the key of a row.
func (k *Kind[D]) KeyOf(d *D) string {
	if k.key == nil {
		return ""
	}
	return *k.key(d)
}

// Keys requests rows by their keys.
func (k *Kind[D]) Keys(keys ...string) Need { return Need{&k.info, keys} }

// Lock requests the shop's own row of a Single kind, to change it.
func (k *Kind[D]) Lock() Need { return Need{&k.info, []string{""}} }

// Dest is where the columns of a row that are read are to be scanned into,
// in the order of the columns, each a *string, *int64, *int, *bool,
// *time.Time, *[]byte or a Decoder. Where whole is set, the heavy ones are
// left out. buf is used again.
func (k *Kind[D]) Dest(buf []any, d *D, whole bool) []any {
	for i := range k.columns {
		if c := &k.columns[i]; !c.Derived && !(whole && c.ColumnInfo.Heavy) {
			buf = append(buf, c.pointer(d))
		}
	}
	return buf
}

// Read are the columns that Dest is for.
func (i *Info) Read(whole bool) []string {
	var out []string
	for _, c := range i.Columns {
		if !c.Derived && !(whole && c.Heavy) {
			out = append(out, c.Name)
		}
	}
	return out
}

// Inserted are the columns that an insert writes, by place.
func (i *Info) Inserted() []int { return i.inserted }

// Kind is the kind that the info is of.
func (s *Schema) Kind(i *Info) Any { return s.byRank[i.Rank] }

// Document decodes one document of a row alone.
func (k *Kind[D]) Document(column string, d *D) Decoder {
	for i := range k.columns {
		if c := &k.columns[i]; c.Name == column && c.decode != nil {
			return decoder[D]{c, d}
		}
	}
	panic("kind of rows " + k.info.Table + " has no document " + column)
}

// Counts says whether the unit counts a version of the rows.
func (k *Kind[D]) Counts() bool { return k.version != nil }

// Moves says whether the update changes what guards the row, so that a change
// of what was before it is refused.
func (u Update) Moves(k *Info) bool { return slices.Contains(u.Set, k.GuardAt) }
