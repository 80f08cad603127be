package rows

import (
	"strconv"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/unit"
)

// ParkedRecord is a record of the log that a follower could not process, or
// that waits behind one of the same order.
type ParkedRecord struct {
	ID       string // see ParkedID
	Follower string
	Position event.Position
	Order    string
	Error    string // why it is parked
	Attempts int64  // 0 of one that waits
	FailedAt time.Time
	ParkedAt time.Time
}

// ParkedID names the record at a position as far as one follower is concerned.
func ParkedID(follower string, p event.Position) string {
	return follower + "-" + strconv.FormatInt(int64(p), 10)
}

// Parked are the records that wait for a person.
var Parked = unit.Declare(Schema, unit.Spec[ParkedRecord]{
	Rank: 180, Table: "parked_records", Key: "id", Guard: "attempts",
	Columns: []unit.Column[ParkedRecord]{
		unit.Text("id", func(r *ParkedRecord) *string { return &r.ID }),
		unit.Text("follower", func(r *ParkedRecord) *string { return &r.Follower }).Fixed(),
		unit.Int("position", func(r *ParkedRecord) *int64 { return (*int64)(&r.Position) }).Fixed(),
		unit.Text("order_no", func(r *ParkedRecord) *string { return &r.Order }).Fixed(),
		unit.Text("error", func(r *ParkedRecord) *string { return &r.Error }),
		unit.Int("attempts", func(r *ParkedRecord) *int64 { return &r.Attempts }),
		unit.Time("failed_at", func(r *ParkedRecord) *time.Time { return &r.FailedAt }),
		unit.Time("parked_at", func(r *ParkedRecord) *time.Time { return &r.ParkedAt }).Fixed(),
	},
})
