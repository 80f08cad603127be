package unit

import (
	"slices"

	"github.com/tandem-pay/tandem/event"
)

// Visit is for one kind of rows: each row of a shop, in key order.
type Visit struct {
	Kind *Info
	// Row gives a row's columns to scan into, without the heavy ones (see
	// Kind.Dest), and what to call when that was done; its error ends the scan.
	Row func() (dest []any, done func() error)

	// With, if set, visits the rows of the owned kind beside their owners.
	With   Any
	kind   Any
	family func(owners, owned Rows) error
	each   any // the func(O, []D) error of EachFamily, the func(D) error of Each
	both   func(more any) Visit
}

// Each visits the rows of a kind.
func Each[D any](k *Kind[D], f func(D) error) Visit {
	var buf []any
	both := func(more any) Visit {
		g := more.(func(D) error)
		return Each(k, func(d D) error {
			if err := f(d); err != nil {
				return err
			}
			return g(d)
		})
	}
	return Visit{Kind: &k.info, kind: k, each: f, both: both, Row: func() ([]any, func() error) {
		d := new(D)
		buf = k.Dest(buf[:0], d, true)
		return buf, func() error { return f(*d) }
	}}
}

// EachFamily visits the rows of a kind, each with the rows that it owns, in
// the order in which the store gives them.
func EachFamily[O, D any](owners *Kind[O], owned *Kind[D], f func(O, []D) error) Visit {
	both := func(more any) Visit {
		g := more.(func(O, []D) error)
		return EachFamily(owners, owned, func(o O, d []D) error {
			if err := f(o, d); err != nil {
				return err
			}
			return g(o, d)
		})
	}
	return Visit{Kind: &owners.info, With: owned, kind: owners, each: f, both: both, family: func(os, ds Rows) error {
		of := map[string][]D{}
		for _, d := range ds.(*list[D]).rows {
			owner := *owned.ownedBy(&d)
			of[owner] = append(of[owner], d)
		}
		for _, o := range os.(*list[O]).rows {
			if err := f(o, of[owners.KeyOf(&o)]); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Family is what a visit by EachFamily is handed to, for who wants to look at
// the rows, or change them, before; nil for other visits.
func Family[O, D any](v Visit) func(O, []D) error {
	f, _ := v.each.(func(O, []D) error)
	return f
}

// Merge makes one visit of those that visit the same rows, at the place of the
// first, so that the rows are read once.
func Merge(visits ...Visit) []Visit {
	var out []Visit
	for _, v := range visits {
		i := slices.IndexFunc(out, func(w Visit) bool { return w.kind == v.kind && w.With == v.With })
		if i < 0 {
			out = append(out, v)
		} else {
			out[i] = out[i].both(v.each)
		}
	}
	return out
}

// Families hands a page of owners over with what they own, and says the key
// of the last.
func (v *Visit) Families(owners, owned Rows) error { return v.family(owners, owned) }

// NewRows makes room for a page of owners and for what they own.
func (v *Visit) NewRows(room int) (owners, owned Rows) {
	return v.kind.NewRows(room), v.With.NewRows(room)
}

// Scan reads a whole shop at one committed moment: the visits in their order,
// then, where Record is set, the log.
type Scan struct {
	Visits []Visit
	Record func(event.Record) error // in the order of the log
}
