package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tandem-pay/tandem/app"
)

// Commit sends every changed row and COMMIT, all together. The kinds go in
// one order and each kind in key order, so that two instances that make the
// same new keys wait for each other in one direction only.
func (u *unit) Commit(ctx context.Context, c *app.Changes) error {
	if u.conn == nil {
		return errors.New("commit: the unit is over")
	}
	defer u.Rollback()
	w := &writer{shop: u.shop}
	w.keys(c)
	w.cursors(c.Cursors)
	w.orders(c.Orders)
	w.payments(c.Payments)
	w.refunds(c.Refunds)
	w.users(c.Users)
	w.coupons(c.Coupons)
	w.skus(c.Skus)
	w.counters(c.Counters)
	w.promotions(c.Promotions)
	w.templates(c.Templates)
	w.channels(c.Channels)
	w.apiKeys(c.APIKeys)
	w.reconciliations(c.Reconciliations)
	w.discrepancies(c.Discrepancies)
	w.policies(c.Policies)
	if c.BumpRules {
		w.add(bumpRules)
	}
	w.history(c.Rules)
	w.channelMessages(c.ChannelMessages)
	w.records(c.Records) // last: log.go says why
	w.batch.Queue("COMMIT")
	if w.err != nil {
		return fmt.Errorf("commit: %w", w.err)
	}
	conn := u.conn.Conn()
	if len(c.Jobs) > 0 {
		if err := u.insertJobs(ctx, c); err != nil {
			return notDone(ctx, conn, err)
		}
	}
	err := conn.SendBatch(ctx, &w.batch).Close()
	if err == nil {
		return nil
	}
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == idleTooLong: // it was over before we asked
		return notDone(ctx, conn, err)
	case !conn.IsClosed() && conn.PgConn().TxStatus() != 'I': // still in the transaction, which cannot commit any more
		return notDone(ctx, conn, err)
	case pgconn.SafeToRetry(err): // nothing was sent
		return notDone(ctx, conn, err)
	}
	u.s.lostMu.Lock()
	u.s.lost[conn.PgConn().PID()] = struct{}{}
	u.s.lostMu.Unlock()
	return fmt.Errorf("%w: %w", app.ErrCommitUnknown, err)
}

// notDone is an error after which nothing is committed for certain. If the
// connection broke, and not because the caller went away, the next may hold.
func notDone(ctx context.Context, conn *pgx.Conn, err error) error {
	if conn.IsClosed() && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", app.ErrConflict, err)
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

// conflict finds out whether an error of a statement asks for another try. A
// check that refused a row is named.
func conflict(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case slices.Contains([]string{uniqueViolation, serialization, deadlock, lockTimeout, idleTooLong, missed}, e.Code):
		return fmt.Errorf("%w: %w", app.ErrConflict, err)
	case e.ConstraintName != "":
		return fmt.Errorf("constraint %s: %w", e.ConstraintName, err)
	}
	return err
}

var (
	insertKeys = "INSERT INTO idempotency_keys (shop, key, hash, answer, order_no, created_at) " +
		"SELECT $1, n.*, $6::timestamptz FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::text[]) AS n"

	insertCounters = insertAll("counters", "name text", "value bigint")
	updateCounters = updateAll("counters", "value = n.value", "name = n.name AND value = n.was",
		"name text", "was bigint", "value bigint")
)

const bumpRules = "UPDATE shops SET rules_version = rules_version + 1 WHERE shop = $1" // the unit has read that shop

// keys writes idempotency keys, and the marker by which HasKey finds the
// batch if no key does.
func (w *writer) keys(c *app.Changes) {
	keys := c.Keys
	if c.Marker != "" && !slices.ContainsFunc(keys, func(k app.SavedKey) bool { return k.Key == c.Marker }) {
		keys = append(slices.Clip(keys), app.SavedKey{Key: c.Marker})
	}
	if len(keys) == 0 {
		return
	}
	w.add(insertKeys,
		column(keys, func(k app.SavedKey) string { return k.Key }),
		column(keys, func(k app.SavedKey) []byte { return k.Hash }),
		column(keys, func(k app.SavedKey) []byte { return k.Answer }),
		column(keys, func(k app.SavedKey) string { return k.Order }),
		timestamp(c.Now))
}

func (w *writer) counters(changes []app.CounterChange) {
	changes = slices.SortedFunc(slices.Values(changes), func(a, b app.CounterChange) int { return strings.Compare(a.Name, b.Name) })
	var added, changed []*app.CounterChange
	for i := range changes {
		if changes[i].Old == nil {
			added = append(added, &changes[i])
		} else {
			changed = append(changed, &changes[i])
		}
	}
	name := func(c *app.CounterChange) string { return c.Name }
	value := func(c *app.CounterChange) int64 { return c.New }
	if len(added) > 0 {
		w.add(insertCounters, column(added, name), column(added, value))
	}
	if len(changed) > 0 {
		w.add(updateCounters, column(changed, name),
			column(changed, func(c *app.CounterChange) int64 { return *c.Old }), column(changed, value))
	}
}
