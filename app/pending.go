package app

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/unit"
)

// Pending is a follower's part of the audit: it says what the follower has
// still to do in a shop. It finds that out from the rows and the log of one
// moment, and knows nothing of cursors, nor of how the follower does it; the
// audit compares the answer with the cursor. A Pending is good for one look.
type Pending struct {
	Visits []unit.Visit             // the rows that it looks at
	Record func(*event.Record)      // the log, after the rows; nil: not at all
	Tasks  func(report func(*Task)) // the answer, after both
}

// Task is one thing that a follower does about a record.
type Task struct {
	At      event.Position // the record
	Subject string         // "order 1…"
	Left    string         // what is left to do, after the subject: "is paid, its coupon C is locked"

	// Done says that it was done. What is found nowhere, done or not, need not
	// be reported.
	Done bool
	// Choice says that the shop could have had it left by a setting of its
	// time, so that it is no fault if it was.
	Choice bool

	// Unseen says that no row shows whether it was done: the cursor alone does.
	Unseen bool

	// What the order holds until it is done. Returned is likewise counted until
	// the record was followed.
	Units    []event.Units
	Counts   []event.Count
	Returned []event.Count
}
