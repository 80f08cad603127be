package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/store/postgres"
)

// TestRole: one instance has a role, the others know where it is, and it is
// free when that instance is gone, also behind a pooler.
func TestRole(t *testing.T) {
	for _, mode := range []string{"", "session", "transaction"} {
		t.Run("pooler "+mode, func(t *testing.T) {
			url := server.NewDatabase(t)
			if mode != "" {
				bouncer, err := server.StartBouncer(mode)
				if errors.Is(err, pgtest.ErrNoBouncer) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := bouncer.Stop(); err != nil {
						t.Error(err)
					}
				})
				if url, err = bouncer.Through(url); err != nil {
					t.Fatal(err)
				}
			}
			one, two := open(t, url, postgres.Options{}), open(t, url, postgres.Options{})
			hold := func(s *postgres.Store, role int32, address, want string) (release func() error) {
				t.Helper()
				release, holder, err := s.Hold(t.Context(), role, address)
				if err != nil || holder != want || (release == nil) != (want != "") {
					t.Errorf("%s: %q, %v; want %q", address, holder, err, want)
				}
				return release
			}
			holder := func(want string) {
				t.Helper()
				if got, err := two.Holder(t.Context(), 1); err != nil || got != want {
					t.Errorf("the holder is %q, %v; want %q", got, err, want)
				}
			}
			holder("")
			release := hold(one, 1, "http://one", "")
			holder("http://one")
			hold(two, 1, "http://two", "http://one")
			other := hold(two, 2, "http://other", "")
			if err := release(); err != nil {
				t.Error(err)
			}
			release = hold(two, 1, "http://two", "")
			holder("http://two")
			if err := errors.Join(release(), other()); err != nil {
				t.Error(err)
			}
			if _, _, err := one.Hold(t.Context(), 1, strings.Repeat("x", 64)); err == nil {
				t.Error("an address that would be cut was taken")
			}
		})
	}
}
