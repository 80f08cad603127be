package sqlite

import (
	"context"

	"github.com/pressly/goose/v3"

	"github.com/tandem-pay/tandem/store/schema"
)

// schema is what the tables say of themselves, and the version that this program
// knows.
func (s *Store) schema(ctx context.Context) (state schema.State, known int64, err error) {
	if known, err = schema.Known(migrations, "migrations", jobsMigration.Version); err != nil {
		return state, 0, err
	}
	query := func(into any, sql string, args ...any) error {
		return s.read.QueryRowContext(ctx, sql, args...).Scan(into)
	}
	state, err = schema.Read(query, "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?")
	return state, known, err
}

// checkSchema refuses tables that are too new for this program.
func (s *Store) checkSchema(ctx context.Context) error {
	state, known, err := s.schema(ctx)
	if err != nil {
		return err
	}
	return state.Check(known)
}

// Versions are that of the tables, 0 if there are none, and the newest one. It
// changes nothing.
func (s *Store) Versions(ctx context.Context) (applied, newest int64, err error) {
	state, newest, err := s.schema(ctx)
	return state.Version, newest, err
}

// MigrateDownTo takes the tables back to an earlier version, with all that the
// versions after it hold. To 0 is MigrateDown.
func (s *Store) MigrateDownTo(ctx context.Context, version int64) error {
	if version == 0 {
		return s.MigrateDown(ctx)
	}
	return s.migrating(ctx, func(tables *goose.Provider) error {
		_, err := tables.DownTo(ctx, version)
		return err
	})
}
