package sqlite

import (
	"context"

	"github.com/pressly/goose/v3"

	"github.com/tandem-pay/tandem/store/schema"
)

// Versions are that of the tables, 0 if there are none, and the newest one. It
// changes nothing.
func (s *Store) Versions(ctx context.Context) (applied, newest int64, err error) {
	if newest, err = schema.Known(migrations, "migrations"); err != nil {
		return 0, 0, err
	}
	var exists bool
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'goose_db_version'").Scan(&exists); err != nil ||
		!exists {
		return 0, newest, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&applied)
	return applied, newest, err
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
