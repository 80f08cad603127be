package postgres_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/storetest"
)

// TestPgBouncer runs the whole suite through PgBouncer as Debian has it, in
// both modes that lend a server's process for more than a statement.
func TestPgBouncer(t *testing.T) {
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
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
			storetest.Run(t, storetest.Backend{Open: func(t *testing.T) storetest.Store {
				url, err := bouncer.Through(server.NewDatabase(t))
				if err != nil {
					t.Fatal(err)
				}
				return open(t, url, postgres.Options{})
			}})
		})
	}
}

// TestPoolerIsSeen: what stands before the server is said at start.
func TestPoolerIsSeen(t *testing.T) {
	bouncer, err := server.StartBouncer("transaction")
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
	direct := server.NewDatabase(t)
	pooled, err := bouncer.Through(direct)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{direct: false, pooled: true} {
		var log bytes.Buffer
		s, err := postgres.Open(t.Context(), url, postgres.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(log.String(), "connection pooler"); got != want {
			t.Errorf("%s: a pooler is seen: %t, want %t\n%s", url, got, want, &log)
		}
	}
}
