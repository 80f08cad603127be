package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/tandem-pay/tandem/unit"

	"github.com/jackc/pgx/v5"
)

// Scan reads a whole shop in one snapshot. Rows are handed over as they
// arrive; at no time are there more than a few hundred here.
func (s *Store) Scan(ctx context.Context, shop string, to unit.Scan) error {
	conn, err := s.read.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // a transaction that is left open ends with the connection
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	for i := range to.Visits {
		v := &to.Visits[i]
		if v.With != nil {
			err = visitFamilies(ctx, tx, shop, v)
		} else {
			err = visit(ctx, tx, shop, v)
		}
		if err != nil {
			return err
		}
	}
	return stream(ctx, tx, to.Record, scanRecord, "SELECT "+recordColumns+" FROM events WHERE shop = $1 ORDER BY position", shop)
}

// visit reads the rows of a kind one by one.
func visit(ctx context.Context, tx pgx.Tx, shop string, v *unit.Visit) error {
	k := v.Kind
	found, err := tx.Query(
		ctx, fmt.Sprintf("SELECT %s FROM %s WHERE shop = $1 ORDER BY %s", strings.Join(k.Read(true), ", "), k.Table, k.Key), shop,
	)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		dest, done := v.Row()
		if err := found.Scan(places(dest)...); err != nil {
			return err
		}
		if err := done(); err != nil {
			return err
		}
	}
	return found.Err()
}

// visitFamilies reads owners and what they own side by side, a few hundred at
// a time.
func visitFamilies(ctx context.Context, tx pgx.Tx, shop string, v *unit.Visit) error {
	const step = 500
	k, owned := v.Kind, v.With.Info()
	for last := ""; ; {
		owners, theirs := v.NewRows(step)
		from := fmt.Sprintf("FROM %s WHERE shop = $1 AND %s > $2 ORDER BY %s LIMIT %d", k.Table, k.Key, k.Key, step)
		b := &pgx.Batch{}
		b.Queue("SELECT "+strings.Join(k.Read(false), ", ")+" "+from, shop, last).Query(fillRows(owners))
		b.Queue(fmt.Sprintf(`SELECT %s FROM (SELECT %s AS k %s) AS o CROSS JOIN LATERAL
			(SELECT * FROM %s WHERE shop = $1 AND %s = o.k AND %s <> '') AS p ORDER BY %s`,
			strings.Join(owned.Read(false), ", "), k.Key, from, owned.Table, owned.OwnedBy, owned.OwnedBy, owned.Key,
		), shop, last).Query(fillRows(theirs))
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if err := v.Families(owners, theirs); err != nil {
			return err
		}
		if owners.Len() < step {
			return nil
		}
		last = owners.LastKey()
	}
}

// stream hands rows over one by one.
func stream[D any](ctx context.Context, from rowsOf, to func(D) error, scan scanner[D], sql string, args ...any) error {
	if to == nil {
		return nil
	}
	rows, err := from.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d D
		if err := scan(rows, &d); err != nil {
			return err
		}
		if err := to(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rowsOf is a transaction, or a pool.
type rowsOf interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}
