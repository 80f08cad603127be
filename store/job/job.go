// Package job is what both stores share of running jobs with River. A job is
// inserted in the transaction of its change, attempted after it, retried with
// backoff, and parked (River says discarded) after its last try.
//
// A job runs at least once: if its instance crashes while it runs, another
// instance runs it again. What it does must be safe to repeat.
package job

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tandem-pay/tandem/app"
)

const (
	// Kind is the kind that all jobs have for River, and Queue is their queue.
	// Databases hold rows with these names: they stay as they are.
	Kind  = "effect"
	Queue = "effects"
	// MaxAttempts is how often a job is tried before it is parked, and again
	// after each Retry; all its pauses take a little over an hour.
	MaxAttempts = 12
	// Workers is how many jobs one instance runs at a time.
	Workers = 8

	timeout = 45 * time.Second
	rescue  = 5 * time.Minute
	poll    = 500 * time.Millisecond
)

// Args is a job as it is stored.
type Args struct {
	Shop    string `json:"shop"`
	What    string `json:"kind"`
	Payment string `json:"payment"`
	Refund  string `json:"refund,omitempty"`
	Trace   string `json:"trace,omitempty"`

	at, due time.Time // by the clock of the change; insertion uses them
}

// Kind makes it River's.
func (Args) Kind() string { return Kind }

// InsertOpts makes it River's.
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: Queue, MaxAttempts: MaxAttempts}
}

// Job is the job with the time that River keeps beside its arguments.
func (a Args) Job(due time.Time) app.Job {
	return app.Job{Kind: a.What, Payment: a.Payment, Refund: a.Refund, Due: due.UTC(), Trace: a.Trace}
}

// Params are the jobs of a change as River inserts them.
func Params(shop string, now time.Time, jobs []*rows.Job) []river.InsertManyParams {
	out := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		due := j.Due
		if due.IsZero() {
			due = now
		}
		out[i].Args = Args{Shop: shop, What: j.Kind, Payment: j.Payment, Refund: j.Refund, Trace: j.Trace, at: now, due: due}
	}
	return out
}

// Inserting configures a client that inserts jobs and looks at them.
func Inserting(log *slog.Logger) *river.Config {
	return &river.Config{Logger: log, Hooks: []rivertype.Hook{&atItsTime{}}}
}

// atItsTime stores a job as available though its time may lie ahead: workers
// take none before its time anyhow. River would keep it as scheduled until
// its leader moves it, a look every five seconds of the machine's clock,
// whatever time the jobs' own clock says.
type atItsTime struct{ river.HookDefaults }

func (*atItsTime) InsertBegin(_ context.Context, p *rivertype.JobInsertParams) error {
	if a, ok := p.Args.(Args); ok {
		p.CreatedAt, p.ScheduledAt, p.State = &a.at, &a.due, rivertype.JobStateAvailable
	}
	return nil
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Working configures a client that runs jobs on the given clock; nil is
// the database's.
func Working(run func(ctx context.Context, shop string, j app.Job) error, clock Clock, log *slog.Logger) *river.Config {
	c := Inserting(log)
	c.Queues = map[string]river.QueueConfig{Queue: {MaxWorkers: Workers}}
	c.Workers = river.NewWorkers()
	river.AddWorker(c.Workers, river.WorkFunc(func(ctx context.Context, j *river.Job[Args]) error {
		return run(ctx, j.Args.Shop, j.Args.Job(j.ScheduledAt))
	}))
	c.JobTimeout, c.RescueStuckJobsAfter = timeout, rescue
	c.FetchPollInterval, c.FetchCooldown = poll, poll/5
	c.DiscardedJobRetentionPeriod = -1 // a person decides about what is parked
	c.RetryPolicy = backoff{clock}
	if clock != nil {
		c.Test.Time = generator{clock}
	}
	return c
}

// generator is a clock as River wants it.
type generator struct{ clock Clock }

func (g generator) Now() time.Time { return g.clock.Now() }
func (g generator) NowOrNil() *time.Time {
	now := g.clock.Now().UTC()
	return &now
}

// backoff doubles from two seconds to half an hour.
type backoff struct{ clock Clock }

func (b backoff) NextRetry(j *rivertype.JobRow) time.Time {
	now := time.Now()
	if b.clock != nil {
		now = b.clock.Now()
	}
	// After Retry a job has all its tries again, and so its first pauses.
	left := max(0, j.MaxAttempts-j.Attempt)
	return now.Add(Delay(MaxAttempts - left))
}

// Delay is the pause after the nth try, from 1.
func Delay(n int) time.Duration {
	return min(time.Second<<max(1, min(n, 20)), 30*time.Minute)
}

// Parked is a discarded job as operators see it.
func Parked(id string, a Args, j *rivertype.JobRow) app.ParkedJob {
	p := app.ParkedJob{ID: id, Kind: a.What, Payment: a.Payment, Attempts: j.Attempt, CreatedAt: j.CreatedAt.UTC()}
	if j.FinalizedAt != nil {
		p.ParkedAt = j.FinalizedAt.UTC()
	}
	if n := len(j.Errors); n > 0 {
		p.LastError = cmp.Or(j.Errors[n-1].Error, "no reason was given")
	}
	return p
}
