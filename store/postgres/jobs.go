package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/store/job"
)

// insertJobs stores the jobs of a change in its transaction.
func (u *openUnit) insertJobs(ctx context.Context, now time.Time, jobs []*rows.Job) error {
	_, err := u.s.inserting.InsertManyTx(ctx, inside{conn: u.conn.Conn()}, job.Params(u.shop, now, jobs))
	return err
}

// inside is the transaction of a unit as far as inserting jobs needs one:
// whoever uses it neither begins nor ends anything.
type inside struct {
	pgx.Tx // nil
	conn   *pgx.Conn
}

func (t inside) Conn() *pgx.Conn { return t.conn }

func (t inside) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return t.conn.Exec(ctx, sql, args...)
}

func (t inside) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.conn.Query(ctx, sql, args...)
}

func (t inside) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return t.conn.QueryRow(ctx, sql, args...)
}

// StartJobs runs stored jobs until stop is called, a few at a time.
// run is called with each that is due by the clock; nil is the database's.
// A job whose run fails is run again later. stop waits for those that
// run, until its context ends.
func (s *Store) StartJobs(ctx context.Context, run func(ctx context.Context, shop string, j app.Job) error, clock interface{ Now() time.Time }) (stop func(context.Context) error, err error) {
	client, err := river.NewClient(riverpgxv5.New(s.read), job.Working(run, clock, s.log))
	if err != nil {
		return nil, err
	}
	// What ends the context of the caller must not end jobs in the middle;
	// stop is for that.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if err := client.Start(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("start jobs: %w", err)
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
		return err
	}, nil
}

// promote lets the time of a failed job alone decide when it is tried
// again, by whatever clock: River would look every five seconds of the
// machine's.
func (s *Store) promote(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, err := s.read.Exec(ctx, "UPDATE river_job SET state = 'available' WHERE state = 'retryable' AND queue = $1", job.Queue)
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "jobs that failed must wait for River's own scheduler", slog.Any("error", err))
		}
	}
}

// Parked lists jobs after their last try, newest first.
func (s *Store) Parked(ctx context.Context, shop string, p app.Page) ([]app.ParkedJob, string, error) {
	limit := limitOf(p)
	list := river.NewJobListParams().Queues(job.Queue).States(rivertype.JobStateDiscarded).
		OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit+1).
		Where("args ->> 'shop' = @shop", river.NamedArgs{"shop": shop})
	if p.Cursor != "" {
		last, err := strconv.ParseInt(p.Cursor, 10, 64)
		if err != nil {
			return nil, "", fault.Invalidf("/cursor", "not one that this list gave")
		}
		list = list.Where("id < @last", river.NamedArgs{"last": last})
	}
	found, err := s.inserting.JobList(ctx, list)
	if err != nil {
		return nil, "", err
	}
	var out []app.ParkedJob
	for _, j := range found.Jobs {
		if len(out) == limit {
			return out, out[limit-1].ID, nil
		}
		var a job.Args
		if err := json.Unmarshal(j.EncodedArgs, &a); err != nil {
			return nil, "", err
		}
		out = append(out, job.Parked(strconv.FormatInt(j.ID, 10), a, j))
	}
	return out, "", nil
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
	return pgx.BeginFunc(ctx, s.read, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE river_job SET max_attempts = least(attempt + $4, 32000)
			WHERE id = $1 AND queue = $2 AND state = 'discarded' AND args ->> 'shop' = $3`, no, job.Queue, shop, job.MaxAttempts)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return missing
		}
		_, err = client.JobRetryTx(ctx, tx, no)
		return err
	})
}
