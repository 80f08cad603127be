package rows

import (
	"time"

	"github.com/tandem-pay/tandem/unit"
)

// Job is a call to the outside that a change wants: stored with it, tried
// after it.
type Job struct {
	Kind    string
	Payment string
	Refund  string
	Due     time.Time
	Trace   string
}

// Jobs are enqueued with the change that wants them.
var Jobs = unit.Declare(Schema, unit.Spec[Job]{Rank: rankJobs, Appended: true})
