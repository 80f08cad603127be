// Package effect is what both stores say to River about effects: the calls
// to the outside that a change wants. An effect is a job that is inserted in
// the transaction of its change, attempted after it, retried with backoff,
// and parked (River says discarded) after its last try.
//
// An effect runs at least once: an instance that dies in the middle of one
// leaves it to another. What it does must be safe to repeat.
package effect

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tandem-pay/tandem/app"
)

const (
	// Kind is the kind of all jobs of effects.
	Kind = "effect"
	// Queue is theirs alone.
	Queue = "effects"
	// MaxAttempts is how often an effect is tried before it is parked, and
	// again after each Retry; all its pauses take a little over an hour.
	MaxAttempts = 12
	// Workers is how many effects one instance runs at a time.
	Workers = 8

	timeout = 45 * time.Second
	rescue  = 5 * time.Minute
	poll    = 500 * time.Millisecond
)

// Args is an effect as it is stored.
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

// Effect is the effect that the job stands for.
func (a Args) Effect(due time.Time) app.Effect {
	return app.Effect{Kind: a.What, Payment: a.Payment, Refund: a.Refund, Due: due.UTC(), Trace: a.Trace}
}

// Jobs are the jobs of the effects of a change.
func Jobs(shop string, now time.Time, effects []app.Effect) []river.InsertManyParams {
	out := make([]river.InsertManyParams, len(effects))
	for i, e := range effects {
		due := e.Due
		if due.IsZero() {
			due = now
		}
		out[i].Args = Args{Shop: shop, What: e.Kind, Payment: e.Payment, Refund: e.Refund, Trace: e.Trace, at: now, due: due}
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
// whatever time the clock of the effects says.
type atItsTime struct{ river.HookDefaults }

func (*atItsTime) InsertBegin(_ context.Context, p *rivertype.JobInsertParams) error {
	if a, ok := p.Args.(Args); ok {
		p.CreatedAt, p.ScheduledAt, p.State = &a.at, &a.due, rivertype.JobStateAvailable
	}
	return nil
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Working configures a client that runs effects on the given clock; nil is
// the database's.
func Working(run func(ctx context.Context, shop string, e app.Effect) error, clock Clock, log *slog.Logger) *river.Config {
	c := Inserting(log)
	c.Queues = map[string]river.QueueConfig{Queue: {MaxWorkers: Workers}}
	c.Workers = river.NewWorkers()
	river.AddWorker(c.Workers, river.WorkFunc(func(ctx context.Context, j *river.Job[Args]) error {
		return run(ctx, j.Args.Shop, j.Args.Effect(j.ScheduledAt))
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
	// A retried effect has its tries again, and so its first pauses.
	left := max(0, j.MaxAttempts-j.Attempt)
	return now.Add(Delay(MaxAttempts - left))
}

// Delay is the pause after the nth try, from 1.
func Delay(n int) time.Duration {
	return min(time.Second<<max(1, min(n, 20)), 30*time.Minute)
}

// Parked is a discarded job as operators see it.
func Parked(id string, a Args, j *rivertype.JobRow) app.ParkedEffect {
	p := app.ParkedEffect{ID: id, Kind: a.What, Payment: a.Payment, Attempts: j.Attempt, CreatedAt: j.CreatedAt.UTC()}
	if j.FinalizedAt != nil {
		p.ParkedAt = j.FinalizedAt.UTC()
	}
	if n := len(j.Errors); n > 0 {
		p.LastError = cmp.Or(j.Errors[n-1].Error, "no reason was given")
	}
	return p
}
