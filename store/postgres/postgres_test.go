package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/store/postgres"
	"github.com/tandem-pay/tandem/store/storetest"
)

var server *pgtest.Server

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if server, err = pgtest.Start(pgtest.Options{}); err != nil {
		if errors.Is(err, pgtest.ErrNoPostgres) {
			fmt.Println("skipped:", err)
			return 0, nil
		}
		return 1, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	err = server.Template(context.Background(), func(ctx context.Context, url string) error {
		s, err := postgres.Open(ctx, url, postgres.Options{})
		if err != nil {
			return err
		}
		return errors.Join(s.Migrate(ctx), s.Close())
	})
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func open(t testing.TB, url string, o postgres.Options) *postgres.Store {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := postgres.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Backend{Open: func(t *testing.T) storetest.Store {
		return open(t, server.NewDatabase(t), postgres.Options{})
	}})
}
