package rows

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/unit"
)

// Cursor is the position up to which a follower of the shop's log is done.
type Cursor struct {
	Follower string
	Position event.Position
}

// Cursors are moved in the transaction of what the follower did.
var Cursors = unit.Declare(Schema, unit.Spec[Cursor]{
	Rank: 20, Table: "cursors", Key: "follower", Guard: "position",
	Columns: []unit.Column[Cursor]{
		unit.Text("follower", func(c *Cursor) *string { return &c.Follower }),
		unit.Int("position", func(c *Cursor) *int64 { return (*int64)(&c.Position) }),
	},
})
