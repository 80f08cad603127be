package rows

import (
	"time"

	"github.com/tandem-pay/tandem/unit"
)

// Job is a call to the outside that a change wants: stored with it, attempted
// after it, again after a pause that grows, and parked after the last attempt.
// One that has succeeded is deleted.
type Job struct {
	ID        string // in the order in which jobs were made
	Kind      string
	Payment   string    // payment number
	Refund    string    // number of a refund at the channel
	Due       time.Time // when it is attempted next; while it runs, when it is taken for lost
	Attempts  int64     // so far, those that are under way included
	Error     string    // of the last attempt
	CreatedAt time.Time
	ParkedAt  time.Time // zero while it is attempted
	Trace     string    // W3C traceparent
	Version   int64
}

// Jobs are claimed by a command before each attempt, so that of several
// instances one makes it.
var Jobs = unit.Declare(Schema, unit.Spec[Job]{
	Rank: 210, Table: "jobs", Key: "job_id",
	Columns: []unit.Column[Job]{
		unit.Text("job_id", func(j *Job) *string { return &j.ID }),
		unit.Text("kind", func(j *Job) *string { return &j.Kind }).Fixed(),
		unit.Text("payment_no", func(j *Job) *string { return &j.Payment }).Fixed(),
		unit.Text("refund_no", func(j *Job) *string { return &j.Refund }).Fixed(),
		unit.Time("due_at", func(j *Job) *time.Time { return &j.Due }),
		unit.Int("attempts", func(j *Job) *int64 { return &j.Attempts }),
		unit.Text("error", func(j *Job) *string { return &j.Error }),
		unit.Time("created_at", func(j *Job) *time.Time { return &j.CreatedAt }).Fixed(),
		unit.Time("parked_at", func(j *Job) *time.Time { return &j.ParkedAt }),
		unit.Text("trace", func(j *Job) *string { return &j.Trace }).Fixed(),
		unit.Version("version", func(j *Job) *int64 { return &j.Version }),
	},
})
