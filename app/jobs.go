package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/rows"
)

// The kinds of jobs.
const (
	// JobClosePayment queries a payment at the channel and closes it there,
	// or settles it if it was paid.
	JobClosePayment = "close_payment"
	// JobQueryRefund queries a refund at the channel after a callback that
	// says that its state changed, but not how.
	JobQueryRefund = "query_refund"
)

// Limits of jobs.
const (
	// JobAttempts is how often a job is attempted before it is parked, and
	// again after each retry; all its pauses take a little over two hours.
	JobAttempts = 12

	jobBatch   = 64               // claimed by one command
	jobsAtOnce = 8                // of one shop, on one instance
	jobTime    = 45 * time.Second // of one attempt
	jobLost    = 5 * time.Minute  // after which an attempt whose instance crashed is made again
	jobUnknown = time.Minute      // between checks of a job whose kind this release does not know
	maxError   = 2000             // bytes that are kept of an error
)

// errUnknownJob says that this release has no part that runs the job. It waits
// for one that has, and never counts as done.
var errUnknownJob = errors.New("this release does not know this kind of job; it waits for one that does")

// RunJobs attempts the jobs of a shop that are due and says how many. Each is
// claimed by a command first. An attempt may be made again after a crash: what
// a job does is safe to repeat.
func (a *App) RunJobs(ctx context.Context, shop string) (int, error) {
	due, err := a.Store.DueJobs(ctx, shop, a.Clock.Now(), jobBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	claimed, err := a.claimJobs(ctx, shop, due)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(claimed))
	slots := make(chan struct{}, jobsAtOnce)
	var all sync.WaitGroup
	for i := range claimed {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = a.finishJob(ctx, shop, claimed[i], a.attempt(ctx, shop, claimed[i]))
		})
	}
	all.Wait()
	return len(claimed), errors.Join(errs...)
}

// claimJobs counts an attempt of each job that is still due.
func (a *App) claimJobs(ctx context.Context, shop string, due []Job) ([]Job, error) {
	c := &Command{Shop: shop, Name: "claim jobs"}
	for i := range due {
		c.Needs.Add(rows.Jobs.Keys(due[i].ID))
	}
	claimed, _, err := Do(ctx, a, c, func(tx *Tx) ([]Job, error) {
		var claimed []Job
		for i := range due {
			j, err := tx.Job(due[i].ID)
			if err != nil {
				return nil, err
			}
			if j == nil || !j.ParkedAt.IsZero() || j.Due.After(tx.Now()) {
				continue // another instance has it
			}
			j.Attempts++
			j.Due = tx.Now().Add(jobLost)
			tx.PutJob(j)
			claimed = append(claimed, *j)
		}
		return claimed, nil
	})
	return claimed, err
}

// attempt runs a job within its time; a panic is an error like any other.
func (a *App) attempt(ctx context.Context, shop string, j Job) (err error) {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	return a.RunJob(ctx, shop, j)
}

// finishJob deletes a job that succeeded, and puts one that failed off, or
// parks it.
func (a *App) finishJob(ctx context.Context, shop string, was Job, failed error) error {
	if failed != nil && ctx.Err() != nil {
		failed = ctx.Err()
	}
	parked, _, err := Do(context.WithoutCancel(ctx), a, &Command{
		Shop: shop, Name: "finish job", Trace: was.Trace, Needs: Needs{rows.Jobs.Keys(was.ID)},
	}, func(tx *Tx) (bool, error) {
		j, err := tx.Job(was.ID)
		if err != nil || j == nil || j.Attempts != was.Attempts || !j.ParkedAt.IsZero() {
			return false, err // it was taken for lost, and attempted by another
		}
		if failed == nil {
			tx.DeleteJob(j.ID)
			return false, nil
		}
		j.Error = failed.Error()[:min(len(failed.Error()), maxError)]
		switch {
		case errors.Is(failed, context.Canceled): // we are shutting down
			j.Attempts--
			j.Due = tx.Now()
		case errors.Is(failed, errUnknownJob):
			j.Attempts--
			j.Due = tx.Now().Add(jobUnknown)
		case j.Attempts >= JobAttempts:
			j.ParkedAt = tx.Now()
		default:
			j.Due = tx.Now().Add(jobPause(j.Attempts))
		}
		tx.PutJob(j)
		return !j.ParkedAt.IsZero(), nil
	})
	switch {
	case err != nil:
		return err
	case parked:
		a.Log.ErrorContext(ctx, "a job is parked", "shop", shop, "job", was.ID, "kind", was.Kind, "payment", was.Payment, "error", failed)
	case failed != nil:
		a.Log.WarnContext(
			ctx, "a job failed", "shop", shop, "job", was.ID, "kind", was.Kind, "payment", was.Payment, "attempt", was.Attempts,
			"error", failed,
		)
	}
	return nil
}

// jobPause is the pause after the nth attempt: it doubles from two seconds to
// half an hour.
func jobPause(n int64) time.Duration {
	return min(time.Second<<max(1, min(n, 20)), 30*time.Minute)
}

// RunJob makes the call to the outside that a job stands for. A job that
// returns an error is attempted again later.
func (a *App) RunJob(ctx context.Context, shop string, j Job) error {
	ctx, end := a.Tracer.Start(ctx, "job "+j.Kind, j.Trace)
	err := errUnknownJob
	switch j.Kind {
	case JobClosePayment:
		_, err = a.ClosePayment(ctx, shop, j.Payment)
	case JobQueryRefund:
		err = a.QueryRefund(ctx, shop, j.Payment, j.Refund)
	}
	end(err)
	return err
}

// RetryJob gives a parked job all its attempts again.
func (a *App) RetryJob(ctx context.Context, shop, id string) error {
	_, err := Run(ctx, a, &Command{
		Shop: shop, Name: "retry job", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Jobs.Keys(id)},
	}, func(tx *Tx) error {
		j, err := tx.Job(id)
		if err != nil {
			return err
		}
		if j == nil || j.ParkedAt.IsZero() {
			return fault.New(fault.NotFound, "there is no parked job %s", id)
		}
		j.Attempts, j.Due, j.ParkedAt = 0, tx.Now(), time.Time{}
		tx.PutJob(j)
		return nil
	})
	return err
}
