package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tandem-pay/tandem/unit"
)

// Commit sends every changed row and COMMIT, all together. The kinds go in
// one order and each kind in key order, so that two instances that make the
// same new keys wait for each other in one direction only.
func (u *openUnit) Commit(ctx context.Context, c *unit.Changes) error {
	if u.conn == nil {
		return errors.New("commit: the unit is over")
	}
	defer u.Rollback()
	w := &writer{shop: u.shop}
	for i := range c.Writes {
		w.write(&c.Writes[i])
	}
	w.records(c.Records)
	w.batch.Queue("COMMIT")
	if w.err != nil {
		return fmt.Errorf("commit: %w", w.err)
	}
	conn := u.conn.Conn()
	err := conn.SendBatch(ctx, &w.batch).Close()
	if err == nil {
		return nil
	}
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == idleTooLong: // it was over before the statement
		return notDone(ctx, conn, err)
	case !conn.IsClosed() && conn.PgConn().TxStatus() != 'I': // still in the transaction, which cannot commit any more
		return notDone(ctx, conn, err)
	case pgconn.SafeToRetry(err): // nothing was sent
		return notDone(ctx, conn, err)
	}
	u.s.lostMu.Lock()
	u.s.lost[u.pid] = struct{}{}
	u.s.lostMu.Unlock()
	return fmt.Errorf("%w: %w", unit.ErrCommitUnknown, err)
}

// notDone is an error after which nothing is committed for certain. If the
// connection broke, and not because the caller went away, the next may hold.
func notDone(ctx context.Context, conn *pgx.Conn, err error) error {
	if conn.IsClosed() && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", unit.ErrConflict, err)
	}
	return conflict(err)
}

// The codes of errors that another try may not meet.
const (
	uniqueViolation = "23505"
	serialization   = "40001"
	deadlock        = "40P01"
	lockTimeout     = "55P03"
	idleTooLong     = "25P03"
)

// conflict finds out whether an error of a statement calls for another try. A
// check that refused a row is named.
func conflict(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case slices.Contains([]string{uniqueViolation, serialization, deadlock, lockTimeout, idleTooLong, missed}, e.Code):
		return fmt.Errorf("%w: %w", unit.ErrConflict, err)
	case e.ConstraintName != "":
		return fmt.Errorf("constraint %s: %w", e.ConstraintName, err)
	}
	return err
}
