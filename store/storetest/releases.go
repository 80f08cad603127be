package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/rows"
)

// JobsOfRelease takes the database of a release that kept its jobs in a queue
// of its own: the jobs come over, those that wait and those that are parked,
// go back on the way down, and come over again as they were.
func JobsOfRelease(t *testing.T, s Store, shops []string) {
	t.Helper()
	jobs := func() (all []rows.Job) {
		for _, shop := range shops {
			due, err := s.DueJobs(t.Context(), shop, now.AddDate(100, 0, 0), 100)
			if err != nil {
				t.Fatal(err)
			}
			parked, _, err := s.ParkedJobs(t.Context(), shop, app.Page{})
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range append(due, parked...) {
				j.ID, j.Error = "", "" // a queue gives its own, and keeps what it was told itself
				// River keeps milliseconds.
				j.Due, j.ParkedAt = j.Due.Truncate(time.Millisecond), j.ParkedAt.Truncate(time.Millisecond)
				all = append(all, j)
			}
		}
		return all
	}
	migrate := func(do func(context.Context) error) {
		t.Helper()
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	migrate(s.Migrate)
	before := jobs()
	parked := 0
	for _, j := range before {
		if j.Kind == "" || j.Payment == "" || j.Due.IsZero() || j.CreatedAt.IsZero() {
			t.Errorf("a job came over as %+v", j)
		}
		if !j.ParkedAt.IsZero() {
			parked++
		}
	}
	if parked != 2 {
		t.Errorf("%d of %d jobs came over as parked, want 2", parked, len(before))
	}
	migrate(func(ctx context.Context) error { return s.MigrateDownTo(ctx, 6) })
	migrate(s.Migrate)
	if diff := cmp.Diff(before, jobs()); diff != "" {
		t.Errorf("after the way down and up (-want +got):\n%s", diff)
	}
}
