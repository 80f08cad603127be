package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/tandem-pay/tandem/internal/releases"
	"github.com/tandem-pay/tandem/store/sqlite"
	"github.com/tandem-pay/tandem/store/storetest"
)

func TestJobsOfRelease(t *testing.T) {
	for _, d := range releases.All(t) {
		if d.Store != "sqlite" {
			continue
		}
		s, err := sqlite.Open(t.Context(), filepath.Join(d.Data(t), "tandem.db"), sqlite.Options{})
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
