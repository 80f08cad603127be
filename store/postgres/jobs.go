package postgres

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/rows"
)

// DueJobs reads jobs whose next attempt is due, oldest first.
func (s *Store) DueJobs(ctx context.Context, shop string, now time.Time, limit int) ([]rows.Job, error) {
	return some(ctx, s, min(limit, 1000), scan(rows.Jobs), "SELECT "+columns(rows.Jobs)+
		" FROM jobs WHERE shop = $1 AND due_at <= $2 AND parked_at IS NULL ORDER BY due_at, job_id LIMIT $3", shop, now, limit)
}

// ParkedJobs reads a page of jobs that failed at their last attempt, newest
// first.
func (s *Store) ParkedJobs(ctx context.Context, shop string, p app.Page) ([]rows.Job, string, error) {
	return page(ctx, s, p, scan(rows.Jobs), rows.Jobs.KeyOf, "SELECT "+columns(rows.Jobs)+
		" FROM jobs WHERE shop = $1 AND parked_at IS NOT NULL AND ($2 = '' OR job_id < $2) ORDER BY job_id DESC LIMIT $3", shop, p.Cursor)
}
