package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// migrateCmd is tandem migrate. What removes data has no environment variables:
// one that was left set must not.
type migrateCmd struct {
	dbFlags
	DownTo        *int64 `env:"-" help:"Take the tables back to this schema version, with all data that later ones hold; 0 removes everything." placeholder:"VERSION"`
	YesDeleteData bool   `env:"-" help:"Confirm --down-to."`
}

func (c *migrateCmd) Run(ctx context.Context, s streams) (err error) {
	switch {
	case c.DownTo == nil && c.YesDeleteData:
		return usageError{errors.New("--yes-delete-data is for --down-to")}
	case c.DownTo != nil && *c.DownTo < 0:
		return usageError{errors.New("--down-to: it must be 0 or the number of a version")}
	case c.DownTo != nil && !c.YesDeleteData:
		return usageError{errors.New("--down-to deletes orders, payments or what belongs to them; add --yes-delete-data to confirm")}
	case c.DownTo != nil:
		if err := c.mustExist(); err != nil {
			return err
		}
	}
	if c.DB == "" {
		own, err := lockFolder(c.Data)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, own.release()) }()
	}
	db, _, err := c.open(ctx, quiet())
	if err != nil {
		return err
	}
	defer db.Close()
	if c.DownTo != nil {
		return c.down(ctx, s, db)
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	if err := ensureDefault(ctx, db, time.Now()); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "the tables are up to date")
	return nil
}

func (c *migrateCmd) down(ctx context.Context, s streams, db database) error {
	applied, _, err := db.Versions(ctx)
	if err != nil {
		return err
	}
	if *c.DownTo >= applied {
		return fmt.Errorf("the tables are of schema %d: there is nothing to take back to %d", applied, *c.DownTo)
	}
	if err := db.MigrateDownTo(ctx, *c.DownTo); err != nil {
		return err
	}
	if *c.DownTo == 0 {
		fmt.Fprintln(s.out, "all tables are removed")
		return nil
	}
	fmt.Fprintf(s.out, "the tables are of schema %d again\n", *c.DownTo)
	return nil
}
