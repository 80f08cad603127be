// Package schema says which programs may run on which tables. A migration
// writes into the table schema_requires the version that a program must know
// at least; a program that knows less refuses to open the database, so that an
// older release does not write into tables that it does not understand. A
// newer schema that requires no more than the program knows is accepted: its
// migrations only added what older programs can ignore.
package schema

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// State is what a database says of its tables.
type State struct {
	Version  int64 // of the newest migration that was made; 0: none
	Requires int64 // what a program must know at least; 0: not said
}

// Known is the newest version among migration files, which are named
// "00007_jobs.sql", and further versions that are made by code.
func Known(files fs.FS, dir string, further ...int64) (known int64, err error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: its name does not begin with a number: %w", e.Name(), err)
		}
		known = max(known, version)
	}
	for _, version := range further {
		known = max(known, version)
	}
	return known, nil
}

// Check says whether a program that knows the schema up to a version may run.
// A database that is behind is for Migrate to bring up to date.
func (s State) Check(known int64) error {
	requires := s.Requires
	if requires == 0 {
		requires = s.Version // a schema that says nothing requires all of itself
	}
	if s.Version <= known || requires <= known {
		return nil
	}
	return fmt.Errorf(
		"the tables are of schema %d, made by a newer release, and this program knows them up to %d only: run the newer release again",
		s.Version, known,
	)
}
