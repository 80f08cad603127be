package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/rows"
)

var (
	dueJobs = "SELECT " + jobs.columns + " FROM jobs INDEXED BY jobs_due WHERE shop = ? AND due_at <= ? AND parked_at IS NULL ORDER BY due_at, job_id LIMIT ?"

	parkedJobs = "SELECT " + jobs.columns + ` FROM jobs INDEXED BY jobs_parked WHERE shop = ?1 AND parked_at IS NOT NULL
		AND (?2 = '' OR job_id < ?2) ORDER BY job_id DESC LIMIT ?3`
)

// DueJobs reads jobs whose next attempt is due, oldest first.
func (s *Store) DueJobs(ctx context.Context, shop string, now time.Time, limit int) ([]rows.Job, error) {
	return all(ctx, s.reading, jobs.scan, dueJobs, shop, now.UnixMicro(), limit)
}

// ParkedJobs reads a page of jobs that failed at their last attempt, newest
// first.
func (s *Store) ParkedJobs(ctx context.Context, shop string, p app.Page) ([]rows.Job, string, error) {
	items, err := all(ctx, s.reading, jobs.scan, parkedJobs, shop, p.Cursor, limit(p))
	items, next := page(items, p, jobs.keyOf)
	return items, next, err
}

// jobsMigration makes the table of jobs. Jobs that wait and jobs that are
// parked come over from the tables of River, the job queue of earlier
// releases, if there are any: that SQL cannot ask.
var jobsMigration = goose.NewGoMigration(7, &goose.GoFunc{RunTx: jobsUp}, &goose.GoFunc{RunTx: jobsDown})

func jobsUp(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `
CREATE TABLE jobs (
    shop       TEXT NOT NULL,
    job_id     TEXT NOT NULL, -- in the order in which they were made
    kind       TEXT NOT NULL,
    payment_no TEXT NOT NULL,
    refund_no  TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL CONSTRAINT jobs_attempts CHECK (attempts >= 0),
    error      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    parked_at  INTEGER,
    trace      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    PRIMARY KEY (shop, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (shop, due_at, job_id) WHERE parked_at IS NULL;
CREATE INDEX jobs_parked ON jobs (shop, job_id) WHERE parked_at IS NOT NULL;`); err != nil {
		return err
	}
	return ifRiver(ctx, tx, `
INSERT INTO jobs (shop, job_id, kind, payment_no, refund_no, due_at, attempts, error, created_at, parked_at, trace, version)
    SELECT args ->> 'shop', 'r' || printf('%019d', id), args ->> 'kind', coalesce(args ->> 'payment', ''), coalesce(args ->> 'refund', ''),
        `+micro("scheduled_at")+`, attempt, coalesce(errors ->> '$[#-1].error', ''), coalesce(metadata ->> 'created_us', `+micro("created_at")+`),
        CASE WHEN state = 'discarded' THEN coalesce(`+micro("finalized_at")+`, `+micro("scheduled_at")+`) END,
        coalesce(args ->> 'trace', ''), 1
    FROM river_job WHERE kind = 'effect' AND state NOT IN ('completed', 'cancelled');
DELETE FROM river_job WHERE kind = 'effect';`)
}

func jobsDown(ctx context.Context, tx *sql.Tx) error {
	if err := ifRiver(ctx, tx, `
INSERT INTO river_job (args, kind, queue, state, attempt, max_attempts, metadata, scheduled_at, created_at, finalized_at)
    SELECT jsonb_object('shop', shop, 'kind', kind, 'payment', payment_no, 'refund', refund_no, 'trace', trace), 'effect', 'effects',
        CASE WHEN parked_at IS NULL THEN 'available' ELSE 'discarded' END, min(attempts, 12), 12, jsonb_object('created_us', created_at),
        `+moments("due_at")+`, `+moments("created_at")+`, CASE WHEN parked_at IS NOT NULL THEN `+moments("parked_at")+` END
    FROM jobs;`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DROP TABLE jobs")
	return err
}

// ifRiver runs a statement where the tables of River are.
func ifRiver(ctx context.Context, tx *sql.Tx, text string) error {
	var there bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'river_job')").Scan(&there)
	if err != nil || !there {
		return err
	}
	_, err = tx.ExecContext(ctx, text)
	return err
}

// micro is a time of River's, a text with milliseconds, as microseconds.
func micro(column string) string {
	return "CAST(round(unixepoch(" + column + ", 'subsec') * 1000) AS INTEGER) * 1000"
}

// moments is a time of ours as River has it.
func moments(column string) string {
	return "strftime('%Y-%m-%d %H:%M:%f', " + column + " / 1000000.0, 'unixepoch')"
}
