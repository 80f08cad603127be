package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// RoadSettings are those of the road's connections.
var RoadSettings = roadSettings

// ReadDirectly lets a store read from another address than the road's.
func ReadDirectly(ctx context.Context, t *testing.T, s *Store, url string) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	through := s.read
	s.read = pool
	t.Cleanup(func() {
		s.read = through
		pool.Close()
	})
}
