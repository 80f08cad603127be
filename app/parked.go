package app

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// ParkedRecord is a record of the log that a follower could not process.
type ParkedRecord = rows.ParkedRecord

// ParkedCount counts what a follower has parked, in all shops.
type ParkedCount struct {
	Follower string
	Count    int64
}

// FollowerCursor is where a follower of a shop's log stands.
type FollowerCursor struct {
	Shop     string
	Follower string
	Position event.Position
}

// ParkedRecord returns a copy of the parked record; nil if it is not parked.
func (t *Tx) ParkedRecord(id string) (*ParkedRecord, error) {
	r, err := unit.Get(t.Tx, rows.Parked, id)
	if r == nil {
		return nil, err
	}
	parked := *r
	return &parked, nil
}

// Park puts a record aside, or says that it failed again.
func (t *Tx) Park(r ParkedRecord) {
	r.ID = rows.ParkedID(r.Follower, r.Position)
	unit.Put(t.Tx, rows.Parked, r)
}

// Unpark deletes a parked record.
func (t *Tx) Unpark(id string) { unit.Remove(t.Tx, rows.Parked, id) }
