package postgres_test

import (
	"testing"

	"github.com/tandem-pay/tandem/internal/releases"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/storetest"
)

func TestJobsOfRelease(t *testing.T) {
	for _, d := range releases.All(t) {
		if d.Store != "postgres" {
			continue
		}
		s, err := postgres.Open(t.Context(), d.Restore(t, server), postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		storetest.JobsOfRelease(t, s, []string{d.Shops[0].ID, d.Shops[1].ID})
	}
}
