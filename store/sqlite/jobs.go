package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/store/job"
)

// StartJobs runs stored jobs until stop is called, a few at a time.
// run is called with each that is due by the clock; nil is the database's.
// A job whose run fails is run again later. stop waits for those that
// run, until its context ends.
//
// River has a connection of its own, on which it waits for its turn to write
// like everyone else.
func (s *Store) StartJobs(ctx context.Context, run func(ctx context.Context, shop string, j app.Job) error, clock interface{ Now() time.Time }) (stop func(context.Context) error, err error) {
	db := sql.OpenDB(polite{s.file + jobs, s.turn})
	db.SetMaxOpenConns(1)
	client, err := river.NewClient(riversqlite.New(db), job.Working(run, clock, s.log))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// What ends the context of the caller must not end jobs in the middle;
	// stop is for that.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if err := client.Start(ctx); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("start jobs: %w", err), db.Close())
	}
	var promoting sync.WaitGroup
	promoting.Go(func() { s.promote(ctx) })
	s.working.Store(client)
	return func(within context.Context) error {
		s.working.CompareAndSwap(client, nil)
		err := client.Stop(within)
		if err != nil {
			err = errors.Join(err, client.StopAndCancel(context.WithoutCancel(within)))
		}
		cancel()
		promoting.Wait()
		return errors.Join(err, db.Close())
	}, nil
}

// promote lets the time of a failed job alone decide when it is tried
// again, by whatever clock: River would look every five seconds of the
// machine's. It looks before it writes, so that an idle process does not.
func (s *Store) promote(ctx context.Context) {
	const failed = " WHERE state = 'retryable' AND queue = '" + job.Queue + "'"
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		found, err := s.holds(ctx, "SELECT EXISTS (SELECT 1 FROM river_job"+failed+")")
		if err == nil && found {
			err = s.writing(ctx, func(tx *sql.Tx) error {
				_, err := tx.Exec("UPDATE river_job SET state = 'available'" + failed)
				return err
			})
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "jobs that failed must wait for River's own scheduler", slog.Any("error", err))
		}
	}
}

// insertJobs stores the jobs of a change in its transaction. River
// keeps times in SQLite to the millisecond only, so the moment of the change
// goes along.
func (u *openUnit) insertJobs(ctx context.Context, now time.Time, jobs []*rows.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	created := &river.InsertOpts{Metadata: fmt.Appendf(nil, `{"created_us":%d}`, now.UnixMicro())}
	all := job.Params(u.shop, now, jobs)
	for i := range all {
		all[i].InsertOpts = created
	}
	_, err := u.s.inserting.InsertManyFastTx(ctx, u.tx, all)
	return err
}

func parked(j *rivertype.JobRow) (app.ParkedJob, error) {
	var a job.Args
	var m struct {
		Created int64 `json:"created_us"`
	}
	if err := errors.Join(json.Unmarshal(j.EncodedArgs, &a), json.Unmarshal(j.Metadata, &m)); err != nil {
		return app.ParkedJob{}, err
	}
	e := job.Parked(strconv.FormatInt(j.ID, 10), a, j)
	e.CreatedAt = time.UnixMicro(m.Created).UTC()
	return e, nil
}

// Parked lists jobs after their last try, newest first.
func (s *Store) Parked(ctx context.Context, shop string, p app.Page) ([]app.ParkedJob, string, error) {
	jobs := river.NewJobListParams().Queues(job.Queue).States(rivertype.JobStateDiscarded).
		OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit(p)).
		Where("args ->> 'shop' = @shop", river.NamedArgs{"shop": shop})
	if p.Cursor != "" {
		last, err := strconv.ParseInt(p.Cursor, 10, 64)
		if err != nil {
			return nil, "", fault.Invalidf("/cursor", "not one that this list gave")
		}
		jobs = jobs.Where("id < @last", river.NamedArgs{"last": last})
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	found, err := s.inserting.JobListTx(ctx, tx, jobs)
	if err != nil {
		return nil, "", err
	}
	out := make([]app.ParkedJob, len(found.Jobs))
	for i, j := range found.Jobs {
		if out[i], err = parked(j); err != nil {
			return nil, "", err
		}
	}
	out, next := page(out, p, func(e *app.ParkedJob) string { return e.ID })
	return out, next, nil
}

// Retry gives a parked job all its tries again, the first at once.
func (s *Store) Retry(ctx context.Context, shop, id string) error {
	missing := fault.New(fault.NotFound, "there is no parked job %s", id)
	no, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return missing
	}
	client := s.inserting
	if working := s.working.Load(); working != nil {
		client = working // it knows the clock
	}
	return s.writing(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`UPDATE river_job SET max_attempts = min(attempt + ?, 32000)
			WHERE id = ? AND queue = ? AND state = 'discarded' AND args ->> 'shop' = ?`, job.MaxAttempts, no, job.Queue, shop)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return missing
		}
		_, err = client.JobRetryTx(ctx, tx, no)
		return err
	})
}
