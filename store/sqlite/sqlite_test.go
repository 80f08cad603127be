package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/tandem-pay/tandem/store/sqlite"
	"github.com/tandem-pay/tandem/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Backend{OneWriter: true, Open: func(t *testing.T) storetest.Store { return open(t) }})
}

func open(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "50% off? #1.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
