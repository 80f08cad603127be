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

// Query runs a query whose one row has one value, and reads that.
type Query func(into any, sql string, args ...any) error

// Read reads the state. exists is the query that says whether there is a table
// of a name; an empty database has neither table.
func Read(query Query, exists string) (s State, err error) {
	for _, of := range []struct {
		table, newest string
		into          *int64
	}{
		{"goose_db_version", "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied", &s.Version},
		{"schema_requires", "SELECT coalesce(max(version), 0) FROM schema_requires", &s.Requires},
	} {
		var there bool
		if err := query(&there, exists, of.table); err != nil {
			return State{}, err
		}
		if !there {
			continue
		}
		if err := query(of.into, of.newest); err != nil {
			return State{}, err
		}
	}
	return s, nil
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
