package unit

import "slices"

// Needs names the rows that a command reads or changes. All are locked, an
// owned row by the lock of its owner, kind by kind by rank and each kind in
// key order. A key that has no row is loaded too: as absent.
type Needs []Need

// Need is for rows of one kind.
type Need struct {
	Kind *Info
	Keys []string
}

// Add adds what is needed.
func (n *Needs) Add(needs ...Need) {
	for _, a := range needs {
		if len(a.Keys) > 0 {
			*n = append(*n, a)
		}
	}
}

// sorted merges needs to one Need a kind, by rank, with its keys sorted and
// each but once: the order in which rows are locked.
func sorted(all ...Needs) Needs {
	var byRank []Need
	for _, n := range all {
		for _, a := range n {
			for len(byRank) <= a.Kind.Rank {
				byRank = append(byRank, Need{})
			}
			to := &byRank[a.Kind.Rank]
			to.Kind = a.Kind
			to.Keys = append(to.Keys, a.Keys...)
		}
	}
	out := make(Needs, 0, len(byRank))
	for _, a := range byRank {
		if len(a.Keys) > 0 {
			slices.Sort(a.Keys)
			a.Keys = slices.Compact(a.Keys)
			out = append(out, a)
		}
	}
	return out
}

// Sorted merges needs, one Need a kind, in the order in which rows are locked.
// Begin requires them so.
func Sorted(all ...Needs) Needs { return sorted(all...) }

// Of are the keys of one kind.
func (n Needs) Of(k *Info) (keys []string) {
	for _, a := range n {
		switch {
		case a.Kind != k:
		case keys == nil:
			keys = slices.Clip(a.Keys)
		default:
			keys = append(keys, a.Keys...)
		}
	}
	return keys
}

// MissingError is returned by a decision that met rows which its command did
// not name: they are loaded too, and it decides again.
type MissingError struct{ Needs Needs }

func (*MissingError) Error() string { return "the command needs more than was loaded" }
